# SPDX-License-Identifier: Apache-2.0
"""How a step is taken: whether it is of any use, and what is asked for it.

Pure.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.planning.reached import Reached
from nfv_mla_scheduler.monitor.states import Verdict
from nfv_mla_scheduler.monitor.states import possible
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why

# When moves that came to nothing are tried once more.
AGAIN_S = 600.0

ELSEWHERE = (Step.EVACUATE, Step.REBUILD_ELSEWHERE)

_OURS = (Lock.OURS, Lock.UNPROVEN)
KEPT = (*_OURS, Lock.ADMINISTRATOR)

# Preludes after which Nova takes the step as soon as it shows their effect.
_AT_ONCE = (
    Ask.UNPAUSE,
    Ask.RESUME,
    Ask.UNRESCUE,
    Ask.CONFIRM,
    Ask.RESET_STATE,
)

_FOLLOWED_BY = {
    Step.LIVE_MIGRATE: Ask.LIVE_MIGRATE,
    Step.COLD_MIGRATE: Ask.MIGRATE,
    Step.STOP: Ask.STOP,
    Step.EVACUATE: Ask.EVACUATE,
    Step.REBUILD_ELSEWHERE: Ask.EVACUATE,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Taking(Reached):
    """Steps, as they can be taken from where a server is on its way."""

    def take(self, step: Step) -> Next | None:
        """Return a step as what is next; None: it is of no use."""
        if not step.disturbs or not self._wanted(step):
            return None
        if step is Step.POWER_OFF:
            return self.power_off(None)
        found = possible(step, self.it.server)
        if found.verdict is Verdict.WAIT:
            return Next(step, State.HELD, why=Why.BUSY)
        return self.asking(step, found.asks)

    def _wanted(self, step: Step) -> bool:
        it = self.it
        if step in (Step.LIVE_MIGRATE, Step.COLD_MIGRATE):
            live = step is Step.LIVE_MIGRATE
            return (
                it.somewhere
                and not it.host_off
                and (self.running if live else it.source_up)
                and (it.lock in _OURS or not self.unmarked or self._quiet)
            )
        if step is Step.STOP:
            # Every playbook has to have a halt, so that one is there does not
            # mean that what has nowhere to go is to be halted: conduct does.
            lost = it.finding.kind is Kind.MISPLACED and not it.somewhere
            return self.running and (it.finding.halts or not lost)
        if step is Step.POWER_OFF:
            # Whom nobody believes does not say whether it has stopped.
            doubted = (
                it.finding.axis is Axis.INTEGRITY
                or it.finding.kind is Kind.WITHHELD
                or any(s in self.steps for s in ELSEWHERE)
            )
            return not it.host_off and (self.running or doubted)
        return it.host_off

    @property
    def _quiet(self) -> bool:
        """Whether no move was asked for of late; unknown: it may have been."""
        moved = self.it.acted.moved
        long_ago = moved is None or self.now - moved >= AGAIN_S
        return self.it.acted.known and long_ago

    def asking(self, step: Step, asks: tuple[Ask, ...]) -> Next | None:
        """Return a step with its requests, those before it first."""
        own = possible(step, self.it.server).verdict is Verdict.DO
        if not asks:
            return None
        if not own:
            if asks == (Ask.RESUME,) and not self.running:
                return None  # nobody is woken only to be moved
            if asks == (Ask.CONFIRM,) and self._goes_home():
                asks = (Ask.REVERT,)
            elif asks[0] in _AT_ONCE and step in _FOLLOWED_BY:
                asks = (*asks, _FOLLOWED_BY[step])
        if step in ELSEWHERE and self.it.source_up:
            asks = (Ask.FORCE_DOWN, *asks)
        return Next(
            step,
            State.ASKED,
            asks,
            self.begun is None,
            self._code(step),
            self.until(step, self.now),
        )

    def power_off(self, at: Instant | None) -> Next:
        """Have the host switched off; repeated until it is known to be."""
        step = Step.POWER_OFF
        until = self.until(step, self.now if at is None else at)
        late = self.it.finding.halts and self.now >= self.halt_by
        failed = self.running and (late or self.now >= until)
        return Next(
            step,
            State.NOT_HALTED if failed else State.ASKED,
            (Ask.POWER_OFF,),
            self.begun is None,
            self._code(step),
            until,
        )

    def abort(self, state: State) -> Next | None:
        """End a live migration, if one is under way and Nova would do so."""
        move = self.to_abort
        if move is None:
            return None
        return Next(
            Step.LIVE_MIGRATE,
            state,
            (Ask.ABORT,),
            until=self.now + self.deadlines_s[Step.STOP],
            migration=move.number,
        )

    def _goes_home(self) -> bool:
        """Whether to revert a resize brings it where it complies."""
        return self.it.revertible and Step.COLD_MIGRATE in self.steps

    def _code(self, step: Step) -> str:
        """Return what to mark it with; a repeated step keeps its mark."""
        mark = self.it.mark
        if self.it.lock is Lock.ADMINISTRATOR:
            return ""
        return "" if mark and mark.code.value == step.value else step.value
