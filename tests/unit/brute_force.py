# SPDX-License-Identifier: Apache-2.0
"""A judge that is plain, slow and obviously right.

Written from ``doc/source/reference/decisions.rst`` alone, to hold the real
one: no caches, no shapes, every question asked anew.  It shares with it the
value types and the catalogue's data, and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Management
from tests.unit.brute_application import Application
from tests.unit.brute_application import application_of
from tests.unit.brute_needs import Need
from tests.unit.brute_needs import axis_of
from tests.unit.brute_needs import needs_of
from tests.unit.brute_needs import profile_named
from tests.unit.brute_needs import profile_needs
from tests.unit.brute_reading import Unreadable
from tests.unit.brute_reading import read
from tests.unit.brute_terms import Host

NEED = "need"
# The refusals that are told apart here; all others are of needs.
KINDS = frozenset(
    {
        RefusalCode.MALFORMED,
        RefusalCode.NO_POLICY,
        RefusalCode.POLICY_EXPIRED,
        RefusalCode.HOST_UNBOUND,
        RefusalCode.BINDING_MISMATCH,
        RefusalCode.POOL_EXCLUSIVE,
        RefusalCode.MANAGEMENT_DOMAIN,
        RefusalCode.MOVE_NOT_ALLOWED,
        RefusalCode.NOTHING_FOLLOWS,
    }
)


@dataclasses.dataclass(frozen=True)
class World:
    """Everything that bears on a decision, but the host and the time."""

    request: Any
    catalogue: Catalogue
    policy: Policy | None
    document: ResultsDocument | None
    own_state: Mapping[str, bool | None] = dataclasses.field(
        default_factory=dict
    )
    break_glass: tuple[BreakGlass, ...] = ()
    room: Callable[[Mapping[str, int]], frozenset[str] | None] | None = None
    management_domain: str = "acme"
    boot_max_age_s: float = 86400.0
    application: Application | None = None


def admitted(world: World, uuid: str, host: str, now: Instant) -> bool:
    """Whether the server may be placed on this host now."""
    return not refusals(world, uuid, host, now)


def refusals(world: World, uuid: str, host: str, now: Instant) -> set[str]:
    """Return the kinds of all refusals that nothing sets aside."""
    try:
        asks = read_asks(world)
        world = dataclasses.replace(
            world, application=application_of(world.request, asks)
        )
        needs = []
        if world.policy is not None:
            for ask in asks:
                needs.extend(needs_of(world, ask))
    except Unreadable:
        return {"malformed"}
    if glass_is_broken(world, uuid, host, now):
        return set()
    demands = any(ask.demands for ask in asks)
    if world.policy is None:
        return {"no-policy"} if demands else set()
    found = closures(world, host, now)
    if not demands:
        return found
    if now >= world.policy.expires_at:
        found.add("policy-expired")
    modes = world.policy.permissive
    anything_goes = now < modes.projects.get(world.request.project_id, NEVER)
    binding = world.policy.hosts.get(host)
    if binding is None or binding.node_uuid != uuid:
        if anything_goes:
            return found
        if not needs or not all(permits(world, n, now) for n in needs):
            known = binding is not None
            found.add("binding-mismatch" if known else "host-unbound")
        if not may_move(world, host):
            found.add("move-not-allowed")
        return found | {"nothing-follows"} if follows(asks) else found
    at = Host(world, binding, now)
    if not anything_goes and not all_permissive(world, at):
        if not may_move(world, host):
            found.add("move-not-allowed")
        if not all(can_follow(world, at, f) for f in follows(asks)):
            found.add("nothing-follows")
        if not all(
            need.met(at)
            or is_waived(world, need, now)
            or permits(world, need, now)
            for need in needs
        ):
            found.add(NEED)
    return found


def follows(asks: list[Ask]) -> list[Any]:
    """Return all that has to be able to follow."""
    return [follow for ask in asks for follow in ask.follows]


def read_asks(world: World) -> list[Ask]:
    """Return what floor, flavor and hints ask for."""
    request = world.request
    asks = [
        read(Source.FLAVOR, request.extra_specs, world.catalogue),
        read(Source.HINT, request.hints, world.catalogue),
    ]
    policy = world.policy
    project = policy.projects.get(request.project_id) if policy else None
    if project is not None and project.floor is not None:
        asks.append(project.floor)
    return asks


def glass_is_broken(world: World, uuid: str, host: str, now: Instant) -> bool:
    """Whether an officer waives everything here."""
    names = {
        BreakGlassTarget.SERVER: world.request.server,
        BreakGlassTarget.HOST: host,
        BreakGlassTarget.PROJECT: world.request.project_id,
    }
    return any(
        glass.since <= now < glass.until
        and glass.name
        and glass.name == names[glass.target]
        for glass in world.break_glass
    )


def closures(world: World, host: str, now: Instant) -> set[str]:
    """Return why no server of this project, asking or not, may be here."""
    policy = world.policy
    project = policy.projects.get(world.request.project_id)
    domain = project.trust_domain if project else None
    found = set()
    for pool in policy.pools.values():
        if host not in pool.members:
            continue
        if now < policy.permissive.pools.get(pool.name, NEVER):
            continue
        if pool.exclusive_to is not None and domain not in pool.exclusive_to:
            found.add("pool-exclusive")
        rules = world.catalogue.classes[pool.host_class]
        if (
            rules.management is not Management.SHARED
            and world.management_domain not in pool.management_domains
        ):
            found.add("management-domain")
    return found


def may_move(world: World, host: str) -> bool:
    """Whether the pools of where the server is let it come here."""
    source = world.request.source
    if source is None or source == host:
        return True
    pools = world.policy.pools.values()
    there = [pool for pool in pools if source in pool.members]
    here = [pool for pool in pools if host in pool.members]
    for pool in there:
        if pool.host_class is HostClass.SINGLE_RESTRICTED:
            allowed = host in pool.moves_to
        elif pool.host_class is HostClass.POOLED_RESTRICTED:
            allowed = pool in here
        elif pool.host_class is HostClass.POOLED_RESTRICTED_CONCEALED:
            allowed = any(
                other.host_class is pool.host_class
                and other.exclusive_to == pool.exclusive_to
                for other in here
            )
        else:
            allowed = any(p.host_class is pool.host_class for p in here)
        if allowed:
            return True
    return not there


def all_permissive(world: World, host: Host) -> bool:
    """Whether all pools of a host are permissive, of which it has some."""
    modes = world.policy.permissive.pools
    ends = [modes.get(pool.name, NEVER) for pool in host.listed]
    return bool(ends) and all(host.now < end for end in ends)


def permits(world: World, need: Need, now: Instant) -> bool:
    """Whether the profile that brings a need is permissive."""
    modes = world.policy.permissive.profiles
    return need.profile is not None and now < modes.get(need.profile, NEVER)


def is_waived(world: World, need: Need, now: Instant) -> bool:
    return any(
        waiver.profile == need.profile
        and waiver.requirement == need.name
        and now < waiver.until
        for waiver in world.policy.waivers
    )


def can_follow(world: World, here: Host, follow: Any) -> bool:
    """Whether some host could take a server of the followed profile."""
    if world.room is None:
        return False
    profile = profile_named(world, follow.profile)
    room = world.room(world.policy.footprints.get(profile.name, {}))
    if room is None:
        return False
    granting = dataclasses.replace(world, application=None)
    needs = list(profile_needs(granting, profile))
    for binding in world.policy.hosts.values():
        there = Host(granting, binding, here.now)
        if (
            binding.node_uuid in room
            and shares(here, there, follow)
            and (
                all_permissive(world, there)
                or all(
                    need.met(there)
                    or is_waived(world, need, here.now)
                    or permits(world, need, here.now)
                    for need in needs
                )
            )
        ):
            return True
    return False


def shares(one: Host, other: Host, follow: Any) -> bool:
    """Whether two hosts share what has to be shared."""
    axis = axis_of(follow)
    if axis is not None:
        return bool(where(one, axis) & where(other, axis))
    if follow.axis.value == "host":
        return one.binding.host == other.binding.host
    return any(pool in other.listed for pool in one.listed)


def where(host: Host, axis: Any) -> set[str]:
    """Return the regions that contain a host, by all who speak of it."""
    term = Term(Subject.HOST, "location", key=axis.value)
    found: set[str] | None = None
    for voice in host.voices(term):
        if (
            axis.value not in voice.claim.values
            or voice.claim.status is Status.NONE
        ):
            continue
        inside: set[str] = set()
        for region in voice.claim.values[axis.value]:
            inside |= host.around(axis.value, region)
        found = inside if found is None else found & inside
    regions = host.world.policy.regions.get(axis)
    return (found or set()) - (regions.groups if regions else set())
