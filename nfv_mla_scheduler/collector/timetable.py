# SPDX-License-Identifier: Apache-2.0
"""When to ask one authority, and about whom.

Pure but for its memory.  Instants here are of a clock that never steps
(``time.monotonic``), and chance comes in as a function.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable

from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.values import Task

# Between two questions there is always some rest, whoever asks for more.
REFRESH_MIN_S = 2.0
REST_S = 0.1
RETRY_FIRST_S = 1.0

_NEVER = float("inf")


class Timetable:
    """Decides what is due; not for several threads at once.

    :param chance: returns a number from 0 up to 1
    :param spread_s: the first questions of several authorities are spread
        over this time
    """

    def __init__(self, chance: Callable[[], float], spread_s: float) -> None:
        self._chance = chance
        self._spread_s = spread_s
        self._task: Task | None = None
        self._due = _NEVER
        self._targeted_due = 0.0
        self._all_due = 0.0
        self._rest_until = 0.0
        self._began = 0.0
        self._failures = 0
        self._pending: set[str] = set()

    def assign(self, task: Task | None, now: float) -> None:
        """Note what the policy wants; what is another question is due now."""
        was, self._task = self._task, task
        if task is None:
            self._due = _NEVER
            self._pending.clear()
        elif was is None:
            spread_s = min(self._spread_s, task.cadence_s / 10)
            self._due = now + spread_s * self._chance()
        elif was.inquiry != task.inquiry:
            self._due = now
            self._pending &= set(task.inquiry.attesters)
        else:
            self._due = min(self._due, now + self._varied(task.cadence_s))

    def refresh(self, attesters: Iterable[str], now: float) -> bool:
        """Bring a question forward: about these attesters, or about all.

        :param attesters: none means all; of others than the policy binds to
            this authority nothing is asked
        :returns: whether anything will be asked for this
        """
        if self._task is None:
            return False
        wanted = set(attesters)
        if not wanted:
            self._due = min(self._due, max(now, self._all_due))
            return True
        known = wanted.intersection(self._task.inquiry.attesters)
        self._pending |= known
        return bool(known)

    def next(self, now: float) -> tuple[Inquiry | None, float]:
        """Return what is to be asked now, or how long to wait.

        The caller asks what is returned, and then calls :meth:`ended`.

        :returns: the seconds may be infinite: until something is assigned
        """
        task = self._task
        if task is None:
            return None, _NEVER
        due = max(self._due, self._rest_until)
        if now >= due:
            self._pending.clear()
            self._began = now
            self._all_due = now + min(REFRESH_MIN_S, task.cadence_s)
            self._due = _NEVER  # until ended() says when
            return task.inquiry, 0.0
        if self._pending:
            soon = max(self._targeted_due, self._rest_until)
            if now >= soon:
                meant = tuple(sorted(self._pending))
                self._pending.clear()
                self._targeted_due = now + REFRESH_MIN_S
                return dataclasses.replace(
                    task.inquiry, attesters=meant, targeted=True
                ), 0.0
            due = min(due, soon)
        return None, due - now

    def ended(self, inquiry: Inquiry, well: bool, now: float) -> None:
        """Note that a question has ended.

        A targeted one that failed brings the next one about all forward, so
        that it shows whether the authority answers at all.
        """
        self._rest_until = now + REST_S
        if self._task is None:
            return
        cadence_s = self._task.cadence_s
        if inquiry.targeted:
            if not well:
                self._due = min(self._due, max(now, self._all_due))
            return
        if well:
            self._failures = 0
            due = max(self._began + self._varied(cadence_s), now)
        else:
            self._failures += 1
            doubled = RETRY_FIRST_S * 2.0 ** min(self._failures - 1, 30)
            due = now + self._varied(min(doubled, cadence_s))
        # somebody may have brought it forward meanwhile
        self._due = min(self._due, due)

    def _varied(self, seconds: float) -> float:
        return seconds * (0.9 + 0.1 * self._chance())
