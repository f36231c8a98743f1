# SPDX-License-Identifier: Apache-2.0
"""What is to be done about each server with a finding.

Pure.  What a playbook wants next is worked out for all of them first
(``dues.py``), since what is in progress for one decides what may begin for
another; then it is said which of them are held (``held.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.planning import brakes
from nfv_mla_scheduler.monitor.planning import guard
from nfv_mla_scheduler.monitor.planning import spent
from nfv_mla_scheduler.monitor.planning.dues import URGENCY
from nfv_mla_scheduler.monitor.planning.dues import Advance
from nfv_mla_scheduler.monitor.planning.dues import Due
from nfv_mla_scheduler.monitor.planning.dues import dues_of
from nfv_mla_scheduler.monitor.planning.held import held_of
from nfv_mla_scheduler.monitor.planning.held import may_not_evict
from nfv_mla_scheduler.monitor.planning.held import not_asked_again
from nfv_mla_scheduler.monitor.planning.held import why_held
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.planning.progress import progress
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.situation import our_marks
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.plans import InFlight
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.monitor.plans import Usage
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why

_HALTED = (State.REPORTED, State.CONFIRMED)
# What holds a step that disturbs, and no lock.
_NOT_FOR_LOCKS = (
    Why.STARTING,
    Why.CLOCK_JUMPED,
    Why.BUSY,
    Why.PER_MINUTE,
    Why.AT_ONCE,
    Why.PER_HOST,
    Why.PER_PROJECT,
    Why.NOWHERE_TO_GO,
)


@dataclasses.dataclass(frozen=True, slots=True)
class ServersPlan:
    """What is to be done about servers; see ``plans.Plan``."""

    steps: tuple[Planned, ...]
    held: tuple[Held, ...]
    in_flight: tuple[InFlight, ...]
    not_halted: tuple[InFlight, ...]
    usage: Usage


def plan_servers(
    it: Situation,
    suspects: Set[str],
    braked: Share | None,
    advance: Advance = progress,
) -> ServersPlan:
    """Return what to do about the servers that were found.

    :param suspects: authorities whose word evicts nobody now
    :param braked: what is held since a new policy may be wrong
    """
    marks = our_marks(it)
    dues = sorted(dues_of(it, marks, advance), key=lambda due: due.urgency)
    nexts = {due.server.uuid: due.next for due in dues}
    usage = _used(it, marks, nexts)
    much = brakes.much_by_rules(it.verdict, it.policy)
    kept = frozenset[str]() if braked is None else braked.found
    whys = {due.server.uuid: why_held(it, due, suspects, kept) for due in dues}
    doubted = brakes.that_evict(suspects, it.policy)
    free = [
        due for due in dues if whys[due.server.uuid] is None and due.next.asks
    ]
    for due in not_asked_again(it, free):
        whys[due.server.uuid] = Why.BUSY
    candidates = [
        guard.Candidate(
            due.server.uuid, due.server.host, due.finding.project_id,
            URGENCY[due.finding.kind],
            braked is None and _needs_no_room(due, doubted, much),
        )
        for due in free
        if due.next.begins and whys[due.server.uuid] is None
    ]  # fmt: skip
    admitted = guard.admit(candidates, it.policy.guard, usage)
    whys.update({uuid: why for uuid, why in admitted.items() if why})
    begun = tuple(
        f
        for due in dues
        for f in _in_flight(it, due, whys[due.server.uuid] is not None)
    )
    return ServersPlan(
        (
            *(_planned(d) for d in free if whys[d.server.uuid] is None),
            *(_lock(d) for d in dues if _locks_alone(d, whys)),
        ),
        (*held_of(dues, whys), *may_not_evict(it, marks)),
        begun,
        tuple(f for f in begun if f.state is State.NOT_HALTED),
        usage,
    )


def _used(
    it: Situation, marks: Mapping[str, Mark], nexts: Mapping[str, Next]
) -> Usage:
    # Where there is no mark, Nova's record says what was asked and when.
    asked = {
        u: acted.begun
        for u, acted in it.acted.items()
        if u not in marks and acted.begun is not None
    }
    terms = spent.Terms(
        it.now,
        it.user_id,
        {**DEADLINES_S, **it.deadlines_s},
        it.hosts_off,
        asked,
    )
    kept = {u for u, k in it.locks.items() if k is Lock.ADMINISTRATOR}
    kept |= asked.keys()
    return spent.used(it.picture, marks, nexts, kept, terms)


def _needs_no_room(due: Due, suspects: Set[str], much: bool) -> bool:
    """Whether a halt is due by its profile, and nothing speaks against it.

    Clause 5.3.2 wants it halted.  A guard that a crowd of halts could pass
    would be none: as long as anybody is a suspect for it, it needs room.
    """
    doubted = brakes.in_doubt(due.finding, suspects, much)
    return due.late and due.next.step is Step.STOP and not doubted


def _locks_alone(due: Due, whys: Mapping[str, Why | None]) -> bool:
    """Whether a step is held, and the lock before it need not be."""
    step, asks = due.next.step, due.next.asks
    held = whys[due.server.uuid] in _NOT_FOR_LOCKS
    return held and step is not Step.LOCK and asks[:1] == (Ask.LOCK,)


def _lock(due: Due) -> Planned:
    """Return that a lock that was undone is put back, and no more."""
    begun = due.reached.begun
    step = Step.LOCK if begun is None else begun[0]
    return dataclasses.replace(
        _planned(due), step=Step.LOCK, asks=(Ask.LOCK,), code=step.value
    )


def _planned(due: Due) -> Planned:
    return Planned(
        server=due.server.uuid,
        host=due.server.host,
        step=due.next.step,
        asks=due.next.asks,
        code=due.next.code,
        until=due.next.until,
        kind=due.finding.kind.value,
        migration=due.next.migration,
        anyway=due.late and due.next.step is Step.STOP,
    )


def _in_flight(it: Situation, due: Due, held: bool) -> Iterator[InFlight]:
    """Yield how far the answer to a finding has come, if it has begun."""
    state, reached = due.next.state, due.reached
    if held and due.next.begins and state is not State.NOT_HALTED:
        state = State.HELD  # it would be asked, and is not
    since, halt_by = reached.since, reached.halt_by
    late = due.finding.halts and it.now > halt_by and reached.running
    begun = due.begun or (late and reached.it.acted.tried is not None)
    if not begun and (held or state in (State.HELD, State.LOCKED)):
        return
    if late and state not in _HALTED:
        state = State.NOT_HALTED
    yield InFlight(
        due.server.uuid, due.server.host, due.next.step, state, since, halt_by
    )
