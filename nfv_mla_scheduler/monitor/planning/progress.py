# SPDX-License-Identifier: Apache-2.0
"""Which step is next for a server with a finding.

Pure.  What was asked is in the server's mark, what has come of it is what Nova
shows: nothing here remembers anything.  A mark without a trace in Nova means
that the request was lost, and it is made again until its deadline.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.marking.standing import Standing
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.reached import KINDS
from nfv_mla_scheduler.monitor.planning.taking import AGAIN_S
from nfv_mla_scheduler.monitor.planning.taking import ELSEWHERE
from nfv_mla_scheduler.monitor.planning.taking import KEPT
from nfv_mla_scheduler.monitor.planning.taking import Taking
from nfv_mla_scheduler.monitor.states import Obstacle
from nfv_mla_scheduler.monitor.states import Verdict
from nfv_mla_scheduler.monitor.states import possible
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why

DEADLINES_S: Mapping[Step, float] = MappingProxyType(
    {
        Step.LIVE_MIGRATE: 300.0,
        Step.COLD_MIGRATE: 300.0,
        Step.STOP: 60.0,
        Step.POWER_OFF: 60.0,
        Step.EVACUATE: 300.0,
        Step.REBUILD_ELSEWHERE: 300.0,
    }
)
# A lock of ours that is gone after as long was undone.
UNDONE_S = 5.0

# What is in the way of a halt and will not pass by the deadline.
_STUCK = (Obstacle.BUILDING, Obstacle.UNSEEN)


def progress(
    standing: Standing,
    steps: tuple[Step, ...],
    now: Instant,
    deadlines_s: Mapping[Step, float] = DEADLINES_S,
) -> Next:
    """Return what is next for a server.

    :param steps: of its playbook, see ``playbooks.steps_for``
    :param deadlines_s: step -> by when its effect has to show, in seconds;
        while a guest runs that has to be halted, none goes beyond that
    """
    server = standing.server
    first = next((s for s in steps if s.disturbs), Step.ALERT)
    if not server.host:
        if server.vm_state is VmState.BUILDING:
            return Next(first, State.HELD, why=Why.BUSY)
        return Next(first, State.REPORTED)
    way = _Way(standing, steps, now, {**DEADLINES_S, **deadlines_s})
    if standing.lock in KEPT or Step.LOCK not in steps:
        return way.next()
    began = way.began
    if began is None or now - began < UNDONE_S:
        return Next(Step.LOCK, State.LOCKED, (Ask.LOCK,), code=Step.LOCK.value)
    # Whoever undoes each lock must not keep us from everything after it.
    return _locked_again(way.next(), way.begun)


def _locked_again(after: Next, begun: tuple[Step, Instant] | None) -> Next:
    """Return what is next, with a lock before it."""
    if after.asks:
        asks = (Ask.LOCK, *after.asks)
        code = after.code or after.step.value
        return dataclasses.replace(after, asks=asks, code=code)
    step = Step.LOCK if begun is None else begun[0]
    state = State.LOCKED if after.state is State.HELD else after.state
    return Next(
        Step.LOCK, state, (Ask.LOCK,), code=step.value, until=after.until
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Way(Taking):
    """What follows from where a server is on its way."""

    def next(self) -> Next:
        halts = self.it.finding.halts and self.running
        if halts and self.now >= self.turn_by:
            return self._halt()
        begun = self.begun
        if begun is None:
            return self._first_of(self.steps) or self._end()
        return self._goes_on(*begun) or self._after(begun[0])

    def _halt(self) -> Next:
        """No time is left for anything but a halt."""
        begun, late = self.begun, self.now >= self.halt_by
        off = Step.POWER_OFF in self.steps
        if off and begun is not None and begun[0] is Step.POWER_OFF:
            return self.power_off(begun[1])
        state = State.NOT_HALTED if late else State.ASKED
        abort = self.abort(state)
        if abort is not None:
            return abort
        found = possible(Step.STOP, self.it.server)
        halting = self.halting
        if halting is not None:
            over = self.now >= self.until(Step.STOP, halting)
        else:
            busy_by = self.halt_by
            if found.obstacle not in _STUCK:
                busy_by += self.deadlines_s[Step.STOP]
            over = found.verdict is Verdict.WAIT and self.now >= busy_by
        if over or found.verdict is Verdict.REFUSED:
            if off:
                return self.power_off(None)
            state = State.NOT_HALTED
        asked = self.asking(Step.STOP, found.asks)
        if asked is not None:
            return dataclasses.replace(asked, state=state)
        return Next(
            Step.STOP,
            state,
            until=self.until(Step.STOP, begun[1] if begun else self.now),
        )

    def _goes_on(self, step: Step, at: Instant) -> Next | None:
        """Return how the step that was asked goes on; None: it is over."""
        known = step in self.steps  # or the playbook is another by now
        if self.it.host_off and step not in ELSEWHERE:
            return None  # whatever is still recorded of it
        if step is Step.POWER_OFF:
            return self.power_off(at) if known else None
        if step is Step.STOP and not self.running:
            return None
        until, move, server = self.until(step, at), self.move, self.it.server
        waits = Next(step, State.ASKED, until=until)
        late = self.now >= until
        if move is not None and move.course is Course.UNDER_WAY:
            # One that cannot be aborted is over all the same: its host may
            # keep it in a status like that for ever.  What is to be halted
            # is when its time has come, see next.
            abort = self.abort(State.ASKED) if late else None
            halts = self.it.finding.halts and self.running
            return abort or (waits if halts or not late else None)
        if late or (move is not None and move.course is Course.FAILED):
            # A task that stays beyond the deadline was swallowed.
            return waits if server.task and not late else None
        if move is not None and not server.task:
            # It has arrived: on this host, or Nova has yet to say where.
            return waits if server.host == move.source else None
        # What a host has swallowed is no sign of an evacuation.
        own = step not in ELSEWHERE or server.task.startswith("rebuild")
        if server.task and own:
            return waits
        return self.take(step) if known else None

    def _after(self, step: Step) -> Next:
        """Return what follows upon a step that is over."""
        at = self.steps.index(step) if step in self.steps else -1
        rest = self.steps[at + 1 :]
        cold = Step.COLD_MIGRATE
        if not self.running and cold in self.steps[: at + 1]:
            # It was skipped for the halt, not tried.
            failed = self.it.migration
            tried = step is cold or (
                failed is not None and failed.kind in KINDS[cold]
            )
            rest = rest if tried else (cold, *rest)
        return self._first_of(rest, stuck=bool(self.it.server.task)) or (
            self._end()
        )

    def _first_of(
        self, steps: tuple[Step, ...], stuck: bool = False
    ) -> Next | None:
        """Return the first of these steps that is to be taken.

        :param stuck: whether to wait for a task is of no use
        """
        for step in steps:
            taken = self.take(step)
            if taken is not None and (taken.asks or not stuck):
                return taken
        return None

    def _end(self) -> Next:
        """Nothing of the playbook is left."""
        begun = self.begun
        last = begun[0] if begun else Step.ALERT
        halts = self.it.finding.halts or last in (Step.STOP, Step.POWER_OFF)
        if self.running and halts:
            again = self.asking(
                Step.STOP, possible(Step.STOP, self.it.server).asks
            )
            again = again or Next(Step.STOP, State.NOT_HALTED)
            return dataclasses.replace(again, state=State.NOT_HALTED)
        if begun is not None and self.now >= begun[1] + AGAIN_S:
            anew = self._first_of(self.steps)
            if anew is not None and anew.asks:
                code = "" if self.it.lock is Lock.ADMINISTRATOR else (
                    anew.step.value
                )  # fmt: skip
                return dataclasses.replace(anew, begins=True, code=code)
        if self.it.host_off:
            return Next(last, State.CONFIRMED)
        if not self.running:
            return Next(Step.STOP, State.REPORTED)
        lost = not self.it.somewhere
        why = Why.NOWHERE_TO_GO if lost else Why.NO_STEP_LEFT
        locked = self.it.lock in KEPT
        state = State.LOCKED if locked else State.HELD
        return Next(Step.ALERT, state, why=why)
