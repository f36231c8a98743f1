# SPDX-License-Identifier: Apache-2.0
"""What is to be done about each server with a finding, and what is held.

Pure.  What a playbook wants next is worked out for all of them first, since
what is in progress for one decides what may begin for another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.marking.standing import Standing
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.planning import brakes
from nfv_mla_scheduler.monitor.planning import guard
from nfv_mla_scheduler.monitor.planning.playbooks import steps_for
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.planning.progress import progress
from nfv_mla_scheduler.monitor.planning.reached import Reached
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.situation import closed_to_servers
from nfv_mla_scheduler.monitor.planning.situation import our_marks
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Held
from nfv_mla_scheduler.monitor.steps import InFlight
from nfv_mla_scheduler.monitor.steps import Planned
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Usage
from nfv_mla_scheduler.monitor.steps import Why

SKEW_S = guard.SKEW_S

URGENCY = {kind: number for number, kind in enumerate(Kind)}
_NEVER_EVICTS = (Kind.OUTAGE, Kind.COPIED, Kind.TAMPERED)
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

# What works out what is next for a server: ``progress.progress``.
Advance = Callable[
    [Standing, tuple[Step, ...], Instant, Mapping[Step, float]], Next
]


@dataclasses.dataclass(frozen=True, slots=True)
class Due:
    """A server with a finding, as it stands, and what is next for it.

    :ivar late: whether nothing but a halt of its guest is in time any more,
        by its mark
    :ivar begun: whether it was acted upon before
    :ivar reached: where it is on its way
    """

    finding: Finding
    server: Server
    mark: Mark | None
    next: Next
    somewhere: bool
    late: bool
    begun: bool
    reached: Reached

    @property
    def urgency(self) -> tuple[int, str]:
        """By which these are sorted."""
        return URGENCY[self.finding.kind], self.server.uuid


@dataclasses.dataclass(frozen=True, slots=True)
class ServersPlan:
    """What is to be done about servers; see ``steps.Plan``."""

    steps: tuple[Planned, ...]
    held: tuple[Held, ...]
    in_flight: tuple[InFlight, ...]
    not_halted: tuple[InFlight, ...]
    usage: Usage


def plan_servers(
    it: Situation,
    suspects: Set[str],
    braked: bool,
    advance: Advance = progress,
) -> ServersPlan:
    """Return what to do about the servers that were found.

    :param suspects: authorities whose word evicts nobody now
    :param braked: whether what is found by rules alone is held
    """
    marks = our_marks(it)
    dues = sorted(_dues(it, marks, advance), key=lambda due: due.urgency)
    nexts = {due.server.uuid: due.next for due in dues}
    usage = _used(it, marks, nexts)
    much = brakes.much_by_rules(it.verdict, it.policy)
    whys = {due.server.uuid: _why(it, due, suspects, braked) for due in dues}
    free = [
        due for due in dues if whys[due.server.uuid] is None and due.next.asks
    ]
    for due in _others(it, free):
        whys[due.server.uuid] = Why.BUSY
    candidates = [
        guard.Candidate(
            due.server.uuid, due.server.host, due.finding.project_id,
            URGENCY[due.finding.kind],
            not braked and _needs_no_room(due, suspects, much),
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
        (*_held(dues, whys), *_may_not(it)),
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
    terms = guard.Terms(
        it.now,
        it.user_id,
        {**DEADLINES_S, **it.deadlines_s},
        it.hosts_off,
        asked,
    )
    kept = {u for u, k in it.locks.items() if k is Lock.ADMINISTRATOR}
    kept |= asked.keys()
    return guard.used(it.picture, marks, nexts, kept, terms)


def _needs_no_room(due: Due, suspects: Set[str], much: bool) -> bool:
    """Whether a halt is due by its profile, and nothing speaks against it.

    Clause 5.3.2 wants it halted.  A guard that a crowd of halts could pass
    would be none: as long as anybody is a suspect for it, it needs room.
    """
    doubted = brakes.in_doubt(due.finding, suspects, much)
    return due.late and due.next.step is Step.STOP and not doubted


def _dues(
    it: Situation, marks: Mapping[str, Mark], advance: Advance
) -> Iterator[Due]:
    for uuid, finding in it.verdict.servers.items():
        server = it.picture.servers.get(uuid)
        if server is None or not _evicts(finding):
            continue
        standing = _standing(it, finding, server, marks.get(uuid))
        steps = _steps(it, finding)
        after = advance(standing, steps, it.now, it.deadlines_s)
        limits_s = {**DEADLINES_S, **it.deadlines_s}
        reached = Reached(standing, steps, it.now, limits_s)
        yield Due(
            finding,
            server,
            standing.mark,
            after,
            standing.somewhere,
            late=finding.halts
            and reached.running
            and not reached.unmarked
            and it.now >= reached.turn_by,
            begun=standing.mark is not None
            or standing.acted.first is not None,
            reached=reached,
        )


def acted_upon(finding: Finding) -> bool:
    """Whether a finding is answered by more than words."""
    return _evicts(finding) and not finding.permissive


def _evicts(finding: Finding) -> bool:
    return finding.evicts and finding.kind not in _NEVER_EVICTS


def _steps(it: Situation, finding: Finding) -> tuple[Step, ...]:
    """Return the playbook for a finding, as far as there are means."""
    found = steps_for(finding, it.policy, it.catalogue)
    if it.can_power_off:
        return found
    return tuple(step for step in found if step is not Step.POWER_OFF)


def _standing(
    it: Situation, finding: Finding, server: Server, mark: Mark | None
) -> Standing:
    node = it.picture.nodes.get(server.host)
    usual = Lock.NONE if mark is None else Lock.OURS
    moves = it.picture.migrations.get(server.uuid, ())
    acted = it.acted.get(server.uuid, Acted())
    return Standing(
        finding=finding,
        server=server,
        lock=it.locks.get(server.uuid, usual),
        mark=mark,
        migration=_move(moves, mark.since if mark else acted.first),
        somewhere=it.somewhere.get(server.uuid, False),
        source_up=node is None or (node.up and not node.forced_down),
        host_off=server.host in it.hosts_off,
        revertible=server.uuid in it.revertible,
        acted=acted,
    )


def _move(
    moves: tuple[Migration, ...], since: Instant | None
) -> Migration | None:
    """Return a server's newest move since it was first acted upon."""
    ours = [
        move
        for move in moves
        if move.course is Course.UNDER_WAY
        or (since is not None and move.created >= since - SKEW_S)
    ]
    return max(ours, key=lambda m: (m.created, m.number), default=None)


def _why(
    it: Situation, due: Due, suspects: Set[str], braked: bool
) -> Why | None:
    """Return the first reason why a step is held; None: the guard decides.

    The order: permissive; arming; pause; policy expired; picture too old; for
    what disturbs, just started and the clock jumped; suspect authority;
    suspect policy; what its own state says; nowhere to go; then the guard.
    """
    if not due.next.asks and due.next.why is None:
        return None  # it waits for what was asked, or is done
    if due.finding.permissive:
        return Why.PERMISSIVE
    closed = closed_to_servers(it)
    if closed is not None:
        return closed
    if due.next.step.disturbs and it.unsettled is not None:
        return it.unsettled
    if not it.holds.frees(due.server.uuid, it.now):
        if brakes.suspected(due.finding, suspects):
            return Why.SUSPECT_AUTHORITY
        if braked and brakes.by_policy(due.finding):
            return Why.SUSPECT_POLICY
    if due.next.why is not None:
        return due.next.why
    lost = not due.somewhere and not due.finding.halts
    return Why.NOWHERE_TO_GO if due.next.begins and lost else None


def _others(it: Situation, free: list[Due]) -> Iterator[Due]:
    """Yield those that need not ask for the power-off of their host.

    One request is for all of its servers.
    """
    hosts: dict[str, list[Due]] = {}
    for due in free:
        if due.next.step is Step.POWER_OFF:
            hosts.setdefault(due.server.host, []).append(due)
    asked = _power_offs(it, {d.server.uuid for d in free})
    for host, dues in hosts.items():
        if host in asked:
            yield from dues
            continue
        dues.sort(key=lambda d: (not _by_power(d.mark), d.next.begins))
        yield from dues[1:]


def _by_power(mark: Mark | None) -> bool:
    return mark is not None and mark.code is Code.POWER_OFF


def _power_offs(it: Situation, again: Set[str]) -> frozenset[str]:
    """Return the hosts whose power-off was asked and may still show.

    :param again: servers that are to ask for something now
    """
    longest_s = it.deadlines_s.get(Step.POWER_OFF, 0.0)
    return frozenset(
        it.picture.servers[uuid].host
        for uuid in (it.marks.servers.keys() & it.picture.servers.keys())
        - again
        if _by_power(it.marks.servers[uuid])
        and abs(it.now - it.marks.servers[uuid].at) < longest_s
    )


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
    )


def _held(dues: list[Due], whys: Mapping[str, Why | None]) -> Iterator[Held]:
    for due in dues:
        why = whys[due.server.uuid]
        if why is not None:
            uuid, host = due.server.uuid, due.server.host
            yield Held(uuid, host, due.next.step, why)


def _may_not(it: Situation) -> Iterator[Held]:
    """Yield those for which there is no evidence that may evict."""
    for uuid, finding in sorted(it.verdict.servers.items()):
        if finding.evicts or finding.kind in _NEVER_EVICTS:
            continue
        if uuid in it.picture.servers:
            steps = (*steps_for(finding, it.policy, it.catalogue), Step.ALERT)
            first = next(s for s in steps if s is not Step.FENCE)
            yield Held(uuid, finding.host, first, Why.MAY_NOT_EVICT)


def _in_flight(it: Situation, due: Due, held: bool) -> Iterator[InFlight]:
    """Yield how far the answer to a finding has come, if it has begun."""
    state, reached = due.next.state, due.reached
    if held and due.next.begins and state is not State.NOT_HALTED:
        state = State.HELD  # it would be asked, and is not
    if not due.begun and (held or state in (State.HELD, State.LOCKED)):
        return
    since, halt_by = reached.since, reached.halt_by
    late = due.finding.halts and it.now > halt_by and reached.running
    if late and state not in _HALTED:
        state = State.NOT_HALTED
    yield InFlight(
        due.server.uuid, due.server.host, due.next.step, state, since, halt_by
    )
