# SPDX-License-Identifier: Apache-2.0
"""Measure what is wanted of the ledger, in turns.

Writes into the directory that it is given.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

from bench.ledger import appending
from bench.ledger import entries
from bench.ledger import sealing
from bench.ledger import verifying
from bench.ledger.ground import Ground
from bench.meter import Contender
from bench.meter import Samples
from bench.meter import measure


def measure_ledger(
    directory: pathlib.Path,
    names: frozenset[str],
    rounds: int,
    facts: dict[str, int],
    tell: Callable[[str], None],
) -> Samples:
    """Return samples of the figures of the part, at least of those wanted.

    :raises Odd: when a ledger is not as it has to be
    """
    tell("writing a ledger")
    ground = Ground(directory, entries.COUNT)
    facts["entries of the ledger"] = ground.count
    facts["bytes of an entry"] = ground.size // ground.count
    return measure(_contenders(ground, names), rounds, tell)


def _contenders(ground: Ground, names: frozenset[str]) -> list[Contender]:
    found: list[Contender] = []
    if names & {"append", "append-bare"}:
        found += (appending.Bare(ground), appending.Appending(ground))
    if "append-alone" in names:
        found.append(appending.Alone(ground))
    if names & {"commit", "commit-bare"}:
        found.append(appending.Committing(ground))
    if any(name.startswith("seal") for name in names):
        pem = sealing.new_key()
        found += (sealing.Encrypting(pem), sealing.Sealing(ground, pem))
    if names & {"verify", "verify-bare"}:
        found += (verifying.Bare(ground), verifying.Verifying(ground))
    return found
