# SPDX-License-Identifier: Apache-2.0
"""How far the answer to a finding has come, by mark and by what Nova shows.

Pure, and without a memory: what was asked last, since when, and how much time
is left.  ``progress.py`` says what follows from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.standing import Standing
from nfv_mla_scheduler.monitor.steps import Step

# The kinds of migration, in Nova's words, that a step leads to.
KINDS = {
    Step.LIVE_MIGRATE: ("live-migration",),
    Step.COLD_MIGRATE: ("migration", "resize"),
    Step.EVACUATE: ("evacuation",),
    Step.REBUILD_ELSEWHERE: ("evacuation",),
}
# Statuses of a live migration in which Nova lets it be aborted (2.65).
_ABORTABLE = ("queued", "preparing", "running")


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """Where one server is on its way through its playbook."""

    it: Standing
    steps: tuple[Step, ...]
    now: Instant
    deadlines_s: Mapping[Step, float]

    @property
    def running(self) -> bool:
        """Whether its guest may be running."""
        return self.it.server.runs and not self.it.host_off

    @property
    def unmarked(self) -> bool:
        """Whether nothing says what we did.

        Under an administrator's lock there is no place for a mark.
        """
        return self.it.mark is None

    @property
    def begun(self) -> tuple[Step, Instant] | None:
        """The step that was asked last, and when; None: none that disturbs."""
        if self.it.mark is not None:
            word = self.it.mark.code.value
            found = next((s for s in Step if s.value == word), Step.LOCK)
            return (found, self.it.mark.at) if found.disturbs else None
        # Nova alone says what goes on.
        if self.it.server.task == "powering-off":
            return Step.STOP, self.it.server.updated
        move = self.it.migration
        if move is not None and move.course is Course.UNDER_WAY:
            for step, kinds in KINDS.items():
                if move.kind in kinds:
                    return step, move.created
        return None

    @property
    def halt_by(self) -> Instant:
        mark, within_s = self.it.mark, self.it.finding.conduct.halt_within_s
        since = self.now if mark is None else min(mark.since, self.now)
        return since + within_s

    @property
    def turn_by(self) -> Instant:
        """When there is just time enough left to halt it in time.

        Without a mark nobody knows how long it has been so: at once.
        """
        if self.unmarked:
            return self.now
        within_s = self.it.finding.conduct.halt_within_s
        return self.halt_by - min(self.deadlines_s[Step.STOP], within_s / 4)

    def until(self, step: Step, at: Instant) -> Instant:
        """Return by when the effect of a step asked at ``at`` has to show."""
        until = at + self.deadlines_s[step]
        if not (self.it.finding.halts and self.running):
            return until
        end = self.halt_by if step is Step.STOP else self.turn_by
        return min(until, end) if at < end else until

    @property
    def move(self) -> Migration | None:
        """Its newest move, if that is one of the step that was asked last."""
        move, begun = self.it.migration, self.begun
        if move is None or begun is None:
            return None
        return move if move.kind in KINDS.get(begun[0], ()) else None

    @property
    def to_abort(self) -> Migration | None:
        """Its live migration under way, if Nova would abort it now."""
        move = self.it.migration
        if (
            move is None
            or move.course is not Course.UNDER_WAY
            or move.kind not in KINDS[Step.LIVE_MIGRATE]
            or move.status not in _ABORTABLE
            or self.it.server.task != "migrating"
        ):
            return None
        return move
