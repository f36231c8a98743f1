# SPDX-License-Identifier: Apache-2.0
"""What became of steps since the process started, counted."""

from __future__ import annotations

import collections
from collections.abc import Collection
from collections.abc import Iterable

from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.steps import Ask

# What is no failure: it came to what was wanted, or was not wanted any more.
FINE = (Result.DONE, Result.GONE, Result.PRECONDITION, Result.CONFLICT)


class Tally:
    """Counts what became of steps since the process started."""

    def __init__(self) -> None:
        self._steps: dict[str, collections.Counter[str]] = {}
        self.traits_failed = 0

    def add(
        self,
        outcomes: Iterable[Outcome],
        sealed: Collection[str] = (),
    ) -> None:
        """Count the outcomes of a cycle.

        :param sealed: UUIDs of servers that nobody is told about
        """
        failed = set()
        for outcome in outcomes:
            if outcome.sealed or outcome.subject in sealed:
                continue
            name = _step_name(outcome)
            if not name:
                if outcome.code not in FINE:
                    failed.add(outcome.subject)
                continue
            counts = self._steps.setdefault(name, collections.Counter())
            counts[outcome.code.value] += 1
        self.traits_failed = len(failed)

    @property
    def steps(self) -> dict[str, dict[str, int]]:
        """Step, or ``release``, -> how it ended -> count."""
        return {step: dict(counts) for step, counts in self._steps.items()}


def _step_name(outcome: Outcome) -> str:
    if outcome.step is not None:
        return outcome.step.value
    return "release" if isinstance(outcome.ask, Ask) else ""
