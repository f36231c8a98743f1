# SPDX-License-Identifier: Apache-2.0
"""Who changes each time between a look and the request that follows upon it.

Pure, and remembers only what came of the last requests.  Once is chance; who
does it time after time keeps us from acting, on purpose or not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result

# So many requests in a row that were not made, since things had changed.
TIMES = 3
# Cycles in which nothing was to be asked of a subject, after which it is
# forgotten: who is quiet every other cycle is not.
QUIET_CYCLES = 30


@dataclasses.dataclass(slots=True)
class _Count:
    times: int
    quiet: int
    last: Outcome


class Evasions:
    """Counts, subject by subject, what could not be asked as planned."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Take note of what became of one cycle's plan."""
        for count in self._counts.values():
            count.quiet += 1
        met = set()
        for outcome in outcomes:
            if outcome.forced and outcome.subject in self._counts:
                self._counts[outcome.subject].quiet = 0
                continue
            if outcome.code is Result.UNRECORDED:
                # that nothing was asked is no doing of its own
                if outcome.subject in self._counts:
                    self._counts[outcome.subject].quiet = 0
                continue
            if outcome.code is not Result.PRECONDITION:
                met.add(outcome.subject)
                continue
            known = self._counts.get(outcome.subject)
            times = 0 if known is None else known.times
            if known is None or known.quiet:
                times += 1
            self._counts[outcome.subject] = _Count(times, 0, outcome)
        self._counts = {
            subject: count
            for subject, count in self._counts.items()
            if subject not in met and count.quiet < QUIET_CYCLES
        }

    def evades(self, subject: str) -> bool:
        """Whether it has changed too often by now."""
        count = self._counts.get(subject)
        return count is not None and count.times >= TIMES

    def those(self) -> Mapping[str, Outcome]:
        """Return who evades, and what came of the last request."""
        return {s: c.last for s, c in self._counts.items() if self.evades(s)}
