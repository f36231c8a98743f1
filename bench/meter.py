# SPDX-License-Identifier: Apache-2.0
"""Measure several things in turns, in CPU time of this process.

The garbage collector runs as in production.  Before each round everything is
collected, so that no round pays for what another has left behind.
"""

from __future__ import annotations

import collections
import gc
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Protocol

ROUNDS = 7

Samples = dict[str, list[float]]


class Contender(Protocol):
    """Something that is measured, in turn with others."""

    def prepare(self) -> None:
        """Do what a sample needs and does not count."""

    def sample(self) -> Mapping[str, float]:
        """Return one sample for each figure that it is about."""


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return what a call costs."""
    began = time.process_time()
    call()
    return time.process_time() - began


def measure(
    contenders: Iterable[Contender], rounds: int, tell: Callable[[str], None]
) -> Samples:
    """Return the samples of every figure, one a round."""
    taking_turns = tuple(contenders)
    samples: Samples = collections.defaultdict(list)
    for number in range(1, rounds + 1):
        tell(f"round {number} of {rounds}")
        gc.collect()
        for contender in taking_turns:
            contender.prepare()
            for name, sample in contender.sample().items():
                samples[name].append(sample)
    return samples
