# SPDX-License-Identifier: Apache-2.0
"""Rules that rest on other hosts: where a server comes from, who follows it.

Pure.  Worked out for one request, since both change without any claim about
the host itself changing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.judge.closures import pools_permissive_until
from nfv_mla_scheduler.judge.follow import Followers
from nfv_mla_scheduler.judge.follow import Room
from nfv_mla_scheduler.judge.follow import nothing_follows
from nfv_mla_scheduler.judge.follow import shared_by
from nfv_mla_scheduler.judge.moves import Destinations
from nfv_mla_scheduler.judge.moves import destinations
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.results.view import Snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What one request knows beyond the host that is judged.

    :ivar source: Nova's name of the host that a moving server is on
    """

    followers: Followers
    room: Room
    source: str | None


class Elsewhere:
    """Judges hosts for one request by what is on others."""

    def __init__(
        self, demand: Demand, snapshot: Snapshot, around: Surroundings
    ) -> None:
        self._demand = demand
        self._snapshot = snapshot
        self._around = around
        self._destinations = self._moves()
        self._ways: dict[Follow, Mapping[str, Instant]] = {}

    @property
    def matters(self) -> bool:
        """Whether there is any such rule for this request."""
        return self._destinations is not None or bool(self._demand.follows)

    def refusals(
        self, uuid: str, host: str, now: Instant
    ) -> tuple[Refusal, ...]:
        """Return why a server must not come to a host."""
        found = []
        moves = self._destinations
        if moves is not None and not moves.allows(host):
            found.append(moves.refusal)
        for follow in self._demand.follows:
            if self._followed_until(follow, uuid, now) <= now:
                found.append(nothing_follows(follow))
        return tuple(found)

    def followed_until(self, uuid: str, now: Instant) -> Instant:
        """Return until when everybody can follow a server to a host."""
        return min(
            (
                self._followed_until(follow, uuid, now)
                for follow in self._demand.follows
            ),
            default=FOREVER,
        )

    def permissive_until(self, uuid: str) -> Instant:
        """Return until when such refusals are only said aloud for a host."""
        until = self._demand.permissive_until
        record = self._snapshot.records.get(uuid)
        policy = self._snapshot.policy
        if record is None or policy is None:
            return until
        return max(until, pools_permissive_until(policy, record.shape.pools))

    def _moves(self) -> Destinations | None:
        policy, source = self._snapshot.policy, self._around.source
        if policy is None or source is None:
            return None
        return destinations(policy, self._snapshot.catalogue, source)

    def _followed_until(
        self, follow: Follow, uuid: str, now: Instant
    ) -> Instant:
        record = self._snapshot.records.get(uuid)
        if record is None:
            return NEVER
        ways = self._ways.get(follow)
        if ways is None:
            ways = self._around.followers.ways(
                follow, self._snapshot, self._around.room, now
            )
            self._ways[follow] = ways
        shared = shared_by(record, follow.axis, self._snapshot)
        return max((ways.get(what, NEVER) for what in shared), default=NEVER)
