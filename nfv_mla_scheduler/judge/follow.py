# SPDX-License-Identifier: Apache-2.0
"""Whether a function goes only where its follower can go, too (4.5.2, 8.2).

Pure.  A host will do when at least one host with room that satisfies the
followed profile shares its jurisdiction, or whatever else is to be shared.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import NamedTuple

from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.demand import profile_demand
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.view import Snapshot

# One server of a profile that states no footprint.
LEAST_FOOTPRINT: Mapping[str, int] = {"VCPU": 1}

Room = Callable[[Mapping[str, int]], frozenset[str] | None]
"""Amounts by resource class -> compute-node UUIDs of the hosts that have as
much left, or None when that is not known now."""


def room_on_all(
    snapshot: Snapshot, full: frozenset[str] = frozenset()
) -> Room:
    """Return the room that there is if nobody can tell: on every bound host.

    :param full: Nova's names of hosts that have none
    """
    roomy = frozenset(
        uuid for host, uuid in snapshot.uuids.items() if host not in full
    )
    return lambda _: roomy


class _Ways(NamedTuple):
    """What was worked out, and for what it holds."""

    generation: int
    roomy: frozenset[str]
    lapses: Instant
    shared: Mapping[str, Instant]


class Followers:
    """Where each followed profile can be, kept while nothing changes."""

    def __init__(self, bearings: Bearings) -> None:
        self._bearings = bearings
        self._ways: dict[Follow, _Ways] = {}
        self._decisions: dict[str, Decisions] = {}

    def ways(
        self, follow: Follow, snapshot: Snapshot, room: Room, now: Instant
    ) -> Mapping[str, Instant]:
        """Return what the hosts share on which the follower can be now.

        :returns: what is shared -> until when some host that shares it
            satisfies the followed profile
        """
        policy = snapshot.policy
        assert policy is not None
        footprint = policy.footprints.get(follow.profile, LEAST_FOOTPRINT)
        roomy = room(footprint)
        if roomy is None:
            return {}
        known = self._ways.get(follow)
        if (
            known is None
            or known.generation != snapshot.generation
            or known.roomy != roomy
            or known.lapses <= now
        ):
            known = self._work_out(follow, snapshot, roomy, now)
            self._ways[follow] = known
        return known.shared

    def _work_out(
        self,
        follow: Follow,
        snapshot: Snapshot,
        roomy: frozenset[str],
        now: Instant,
    ) -> _Ways:
        decisions = self._of_profile(follow.profile, snapshot)
        found: dict[str, Instant] = {}
        by_shape: dict[Shape, frozenset[str]] = {}
        earliest = FOREVER
        for uuid, record in snapshot.records.items():
            if uuid not in roomy:
                continue
            lapse = decisions.lapse(uuid, snapshot, now)
            if lapse == NEVER:
                continue
            earliest = min(earliest, lapse)
            ways = by_shape.get(record.shape)
            if ways is None or follow.axis is FollowAxis.HOST:
                ways = shared_by(record, follow.axis, snapshot)
                by_shape[record.shape] = ways
            for shared in ways:
                found[shared] = max(lapse, found.get(shared, NEVER))
        return _Ways(snapshot.generation, roomy, earliest, found)

    def _of_profile(self, profile: str, snapshot: Snapshot) -> Decisions:
        decisions = self._decisions.get(profile)
        if decisions is None:
            policy = snapshot.policy
            assert policy is not None
            demand = profile_demand(profile, policy, snapshot.catalogue)
            decisions = Decisions(demand, self._bearings)
            self._decisions[profile] = decisions
        return decisions


def nothing_follows(follow: Follow) -> Refusal:
    """Return the refusal of a host to which ``follow`` has no way."""
    return Refusal(
        RefusalCode.NOTHING_FOLLOWS,
        "follow",
        "4.5.2, 8.2",
        detail=f"no host with room for {follow.profile} shares its "
        f"{follow.axis.value}",
        requirement="follow",
        profile=follow.profile,
    )


def shared_by(
    record: HostRecord, axis: FollowAxis, snapshot: Snapshot
) -> frozenset[str]:
    """Return what a host has on ``axis`` that another may have as well."""
    if axis is FollowAxis.HOST:
        return frozenset({record.binding.node_uuid})
    if axis is FollowAxis.POOL:
        return frozenset(record.shape.pools)
    return _regions(record, Axis(axis.value), snapshot)


def _regions(
    record: HostRecord, axis: Axis, snapshot: Snapshot
) -> frozenset[str]:
    """The regions that everybody who speaks of them agrees on."""
    policy = snapshot.policy
    assert policy is not None
    tree = policy.regions.get(axis)
    if tree is None:
        return frozenset()
    claims = [
        claim
        for voice in record.shape.voices
        if "location" in policy.authorities[voice.authority].vouches
        and (claim := voice.claims.get("location")) is not None
        and claim.status is not Status.NONE
    ]
    claims += [
        fact.claim
        for fact in record.shape.declared
        if fact.claim.capability == "location"
    ]
    said = [
        frozenset().union(*(tree.shared_as(region) for region in regions))
        for claim in claims
        if (regions := claim.values.get(axis.value))
    ]
    return said[0].intersection(*said[1:]) if said else frozenset()
