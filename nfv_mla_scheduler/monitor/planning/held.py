# SPDX-License-Identifier: Apache-2.0
"""What is due for a server and is held, and why.

Pure.  The guard comes after it: only what nothing here holds needs its room.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.planning import brakes
from nfv_mla_scheduler.monitor.planning.dues import NEVER_EVICTS
from nfv_mla_scheduler.monitor.planning.dues import Due
from nfv_mla_scheduler.monitor.planning.playbooks import steps_for
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.situation import closed_to_servers
from nfv_mla_scheduler.monitor.planning.situation import let_off
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why


def why_held(
    it: Situation, due: Due, suspects: Set[str], braked: Set[str]
) -> Why | None:
    """Return the first reason why a step is held; None: the guard decides.

    The order: permissive; arming; pause; policy expired; picture too old; for
    what disturbs, just started and the clock jumped; suspect authority;
    suspect policy; what its own state says; nowhere to go; then the guard.

    :param braked: UUIDs of servers that are held for the policy
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
            return _suspect(due.finding)
        if due.server.uuid in braked:
            return Why.SUSPECT_POLICY
    if due.next.why is not None:
        return due.next.why
    lost = not due.somewhere and not due.finding.halts
    return Why.NOWHERE_TO_GO if due.next.begins and lost else None


def _suspect(finding: Finding) -> Why:
    """Return whom a finding rests on that is a suspect."""
    if finding.authorities:
        return Why.SUSPECT_AUTHORITY
    return Why.SUSPECT_BINDINGS


def not_asked_again(it: Situation, free: list[Due]) -> Iterator[Due]:
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


def held_of(dues: list[Due], whys: Mapping[str, Why | None]) -> Iterator[Held]:
    for due in dues:
        why = whys[due.server.uuid]
        if why is not None:
            uuid, host = due.server.uuid, due.server.host
            yield Held(uuid, host, due.next.step, why)


def may_not_evict(it: Situation, marks: Mapping[str, Mark]) -> Iterator[Held]:
    """Yield those for which there is no evidence that may evict."""
    released = let_off(it, marks)
    for uuid, finding in sorted(it.verdict.servers.items()):
        if finding.evicts or finding.kind in NEVER_EVICTS or uuid in released:
            continue
        if uuid in it.picture.servers:
            steps = (*steps_for(finding, it.policy, it.catalogue), Step.ALERT)
            first = next(s for s in steps if s is not Step.FENCE)
            yield Held(uuid, finding.host, first, Why.MAY_NOT_EVICT)
