# SPDX-License-Identifier: Apache-2.0
"""How far the answer to a finding has come, by mark and by what Nova shows.

Pure, and without a memory: what was asked last, since when, and how much time
is left.  ``progress.py`` says what follows from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Standing
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.states import Verdict
from nfv_mla_scheduler.monitor.states import possible
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
        """Whether there is no mark that says what we did.

        Under an administrator's lock there is no place for one, and a host
        may take it away; Nova's record of our deeds is left then.
        """
        return self.it.mark is None

    @property
    def begun(self) -> tuple[Step, Instant] | None:
        """The step that was asked last, and when; None: none that disturbs."""
        mark, acted = self.it.mark, self.it.acted
        if mark is not None:
            word = mark.code.value
            found = next((s for s in Step if s.value == word), Step.LOCK)
            if found.disturbs:
                return found, self._first_asked(found, mark.at)
        if acted.step is not None and acted.begun is not None:
            return self._as_played(acted.step), acted.begun
        if mark is not None:
            return None
        # Nova alone says what goes on.
        if self.it.server.task == "powering-off":
            return Step.STOP, self.now if acted.seen is None else acted.seen
        move = self.it.migration
        if move is not None and move.course is Course.UNDER_WAY:
            for step, kinds in KINDS.items():
                if move.kind in kinds:
                    return step, move.created
        return None

    def _first_asked(self, step: Step, at: Instant) -> Instant:
        """Return when a step was asked: its mark may have been written anew.

        Only of a halt, which is asked again and again until it is one.
        """
        acted = self.it.acted
        if step is Step.STOP and acted.step is step:
            return at if acted.begun is None else min(at, acted.begun)
        return at

    def _as_played(self, step: Step) -> Step:
        """Return the word of the playbook for what Nova recorded."""
        other = Step.REBUILD_ELSEWHERE
        played = step in self.steps or other not in self.steps
        return step if step is not Step.EVACUATE or played else other

    @property
    def since(self) -> Instant:
        """When it was first acted upon; now: not yet, or nobody knows.

        Never by what a host can set, such as ``updated``.  It can take away a
        mark, keep Nova from writing one, and forge Nova's record: what this
        process has tried counts besides, whatever came of it.  Where it cannot
        even be asked to stop, since when it was found has to do.
        """
        mark, acted = self.it.mark, self.it.acted
        known = [self.now]
        if mark is not None:
            known.append(mark.since)
        if acted.tried is not None:
            known.append(acted.tried)
        if acted.first is not None:
            known.append(acted.first)
        elif mark is None and acted.seen is not None:
            found = possible(Step.STOP, self.it.server)
            if found.verdict is Verdict.WAIT:
                known.append(acted.seen)
        return min(known)

    @property
    def halt_by(self) -> Instant:
        """By when it has to be halted or gone."""
        return self.since + self.it.finding.conduct.halt_within_s

    @property
    def turn_by(self) -> Instant:
        """When to give up all but its halt.

        Without a mark, and where there is no place for one: at once.
        """
        kept = self.it.lock is Lock.ADMINISTRATOR
        if self.unmarked and (kept or self.began is None):
            return self.now
        return self._last_moment

    @property
    def _last_moment(self) -> Instant:
        """When there is just time enough left to halt it in time."""
        within_s = self.it.finding.conduct.halt_within_s
        return self.halt_by - min(self.deadlines_s[Step.STOP], within_s / 4)

    @property
    def late(self) -> bool:
        """Whether no more time is left, by its mark or what we have tried."""
        known = not self.unmarked or self.it.acted.tried is not None
        return known and self.now >= self._last_moment

    @property
    def began(self) -> Instant | None:
        """Since when it is acted upon without a mark, be it in vain."""
        acted = self.it.acted
        known = [at for at in (acted.first, acted.tried) if at is not None]
        return min(known, default=None)

    @property
    def halting(self) -> Instant | None:
        """Since when it is asked to stop; None: that is not what goes on."""
        begun, tried = self.begun, self.it.acted.halting
        if begun is None or begun[0] is not Step.STOP:
            return tried
        return begun[1] if tried is None else min(begun[1], tried)

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
