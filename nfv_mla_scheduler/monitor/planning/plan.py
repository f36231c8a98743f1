# SPDX-License-Identifier: Apache-2.0
"""Plan: what is to be done now, and what is held and why.

Pure.  Every limit is kept here or nowhere: whoever acts upon a plan does what
it says and asks no further.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.monitor.judging import traits
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.planning import brakes
from nfv_mla_scheduler.monitor.planning.dues import Advance
from nfv_mla_scheduler.monitor.planning.hosts import plan_hosts
from nfv_mla_scheduler.monitor.planning.progress import progress
from nfv_mla_scheduler.monitor.planning.releases import plan_releases
from nfv_mla_scheduler.monitor.planning.servers import plan_servers
from nfv_mla_scheduler.monitor.planning.shares import Counting
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.situation import our_marks
from nfv_mla_scheduler.monitor.plans import HoldsEdit
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.monitor.steps import Ask

__all__ = ("Arming", "Situation", "plan")


@dataclasses.dataclass(frozen=True, slots=True)
class _Brakes:
    suspects: Mapping[str, Share]
    braked: Share | None
    edit: HoldsEdit


def plan(it: Situation, advance: Advance = progress) -> Plan:
    """Return what one cycle would do, and what it holds back."""
    brake = _brakes(it)
    suspects = brake.suspects.keys()
    servers = plan_servers(it, suspects, brake.braked, advance)
    fences, fences_held = plan_hosts(it, suspects)
    released = plan_releases(it)
    return Plan(
        fences=fences,
        steps=(*servers.steps, *released.steps),
        releases=released.releases,
        traits=traits.edits(it.verdict, it.picture) if it.traits else (),
        held=(*fences_held, *servers.held, *released.held),
        in_flight=servers.in_flight,
        not_halted=servers.not_halted,
        suspects=tuple(v for _, v in sorted(brake.suspects.items())),
        braked=brake.braked,
        usage=servers.usage,
        holds=brake.edit,
        doubtful=_doubtful(it, suspects, brake.braked),
        replaced=_replaced(it, servers.steps),
    )


def _replaced(it: Situation, steps: tuple[Planned, ...]) -> frozenset[str]:
    """Return the servers whose owner's lock gives way: Nova has but one."""
    return frozenset(
        step.server
        for step in steps
        if Ask.LOCK in step.asks and it.locks.get(step.server) is Lock.OWNER
    )


def _fences(it: Situation) -> Mapping[str, Mark]:
    """Return Nova's host name -> the mark of our fence."""
    nodes = it.picture.nodes
    marks = sorted(it.marks.nodes.items(), reverse=True)
    return {nodes[key].host: mark for key, mark in marks if key in nodes}


def _counting(it: Situation) -> Counting:
    return Counting(
        it.verdict,
        it.policy,
        it.now,
        _fences(it),
        our_marks(it),
        it.evidence,
        it.residents,
    )


def _doubtful(
    it: Situation, suspects: Set[str], braked: Share | None
) -> frozenset[str]:
    """Return the servers that what is held concerns, be it in part.

    All but those whom a person has released.
    """
    held = frozenset[str]() if braked is None else braked.found
    return frozenset(
        uuid
        for uuid, finding in it.verdict.servers.items()
        if (brakes.accused(finding) & suspects or uuid in held)
        and not it.holds.frees(uuid, it.now)
    )


def _brakes(it: Situation) -> _Brakes:
    """Return who is suspect, and what of that has to outlive this cycle.

    Nothing is concluded in anybody's favour while part of the cloud is out of
    sight, or when the policy says nothing any more.
    """
    holds, digest = it.holds, it.policy.digest
    sure = not (it.incomplete or it.expired or it.unsettled)
    found = brakes.suspects(_counting(it), holds.suspects)
    braked = brakes.policy_brake(
        it.verdict,
        it.policy,
        holds.settled.keys(),
        holds.braked.keys(),
        it.before,
    )
    cleared = holds.suspects.keys() - found.keys() if sure else frozenset()
    kept = {n: Share(n, 0, 0) for n in holds.suspects if n not in cleared}
    suspects = {
        name: share
        for name, share in {**kept, **found}.items()
        if not holds.trusts(name, it.now)
    }
    new = sure and digest not in holds.settled and digest not in holds.braked
    edit = HoldsEdit(
        suspects=frozenset(suspects.keys() - holds.suspects.keys()),
        cleared=frozenset(cleared),
        braked=digest if new and braked is not None else "",
        settled=digest if new and braked is None else "",
        clipped=holds.overlong(it.now),
    )
    return _Brakes(suspects, braked, HoldsEdit() if holds.fault else edit)
