# SPDX-License-Identifier: Apache-2.0
"""What another policy would let through that the present one does not.

Pure: two snapshots and the time in, everything that changes out, in an order
that depends on names alone.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.judge.closures import closures
from nfv_mla_scheduler.judge.considered import Bench
from nfv_mla_scheduler.judge.considered import Considered
from nfv_mla_scheduler.judge.considered import Kind
from nfv_mla_scheduler.judge.considered import considered
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.view import Snapshot


class Direction(enum.Enum):
    """What happens to a host."""

    LOST = "lost"
    GAINED = "gained"


class Alarm(enum.Enum):
    """What is worrying about what is left."""

    NONE_LEFT = "none-left"
    HALF_LEFT = "half-left"


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """Hosts to which the same happens for the same reasons.

    :ivar pools: that list these hosts, by the policy that binds them last
    :ivar refusals: of a host that is lost, by the new policy; of one that is
        gained, by the old one
    :ivar hosts: sorted
    """

    direction: Direction
    pools: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    hosts: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one requirement.

    :ivar before: how many hosts admit who asks for it by the old policy
    :ivar permissive: how many of them only in permissive mode, old and new
    """

    what: Considered
    before: int
    after: int
    permissive: tuple[int, int]
    changes: tuple[Change, ...]

    @property
    def alarm(self) -> Alarm | None:
        """What is worrying about the hosts that are left."""
        if self.after == 0 < self.before:
            return Alarm.NONE_LEFT
        if 2 * self.after <= self.before and self.before:
            return Alarm.HALF_LEFT
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class PoolEffect:
    """What becomes of a pool.

    :ivar host_class: by the new policy, or the old one if the pool is gone
    :ivar listed: how many members it has by either policy, old and new
    :ivar proven: how many of them prove its class now, likewise
    :ivar changes: members that do so no longer, or newly
    """

    name: str
    host_class: HostClass
    listed: tuple[int, int]
    proven: tuple[int, int]
    changes: tuple[Change, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Closing:
    """Hosts that open or close to servers that ask for nothing.

    :ivar trust_domain: of the servers' projects; None: they have none
    """

    trust_domain: str | None
    changes: tuple[Change, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Impact:
    """Everything that changes, and what does not."""

    effects: tuple[Effect, ...]
    pools: tuple[PoolEffect, ...]
    closings: tuple[Closing, ...]

    @property
    def refuses(self) -> bool:
        """Whether anything is refused that was not before."""
        found: list[Effect | Closing] = [*self.effects, *self.closings]
        return any(
            change.direction is Direction.LOST
            for one in found
            for change in one.changes
        )


def impact(
    old: Snapshot,
    new: Snapshot,
    bearings: Bearings,
    flavors: Mapping[str, Mapping[str, str]],
    now: Instant,
) -> Impact:
    """Return what changes from ``old`` to ``new``, both with a policy.

    :param bearings: of the scheduler that places
    :param flavors: name -> extra specs, which are looked at as well
    """
    return _Comparison(old, new, bearings, now).everything(flavors)


Excuse = Callable[[Decision], tuple[Refusal, ...]]


def _refusals(decision: Decision) -> tuple[Refusal, ...]:
    return decision.refusals


def _unproven(decision: Decision) -> tuple[Refusal, ...]:
    """Return why a host is no proven member, permissive mode or not."""
    return decision.refusals + decision.would_refuse + decision.waived


def _only_permissive(decisions: Iterable[Decision]) -> int:
    """Return how many hosts would refuse if permissive mode ended."""
    return sum(d.admitted and bool(d.would_refuse) for d in decisions)


class _Comparison:
    """Compares two snapshots at one moment."""

    def __init__(
        self, old: Snapshot, new: Snapshot, bearings: Bearings, now: Instant
    ) -> None:
        self._now = now
        self._bearings = bearings
        self._benches = (Bench(old, bearings), Bench(new, bearings))
        names = sorted({*old.uuids, *new.uuids})
        # A host goes by the same compute node although one of them does not
        # know it by that name.
        self._hosts = tuple(
            (
                name,
                old.uuids.get(name) or new.uuids[name],
                new.uuids.get(name) or old.uuids[name],
            )
            for name in names
        )
        self._pools_of = _pools_of([bench.policy for bench in self._benches])

    def everything(self, flavors: Mapping[str, Mapping[str, str]]) -> Impact:
        policies = tuple(bench.policy for bench in self._benches)
        effects, pools = [], []
        for what in considered(policies, flavors):
            decided = self._decided(what)
            effects.append(self._effect(what, decided))
            if what.kind is Kind.POOL:
                pools.append(self._pool(what.name, decided))
        domains = {d for policy in policies for d in policy.trust_domains}
        closings = [self._closing(d) for d in (*sorted(domains), None)]
        return Impact(
            tuple(effects),
            tuple(pools),
            tuple(closing for closing in closings if closing.changes),
        )

    def _decided(
        self, what: Considered
    ) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
        old, new = (bench.sit(what) for bench in self._benches)
        now = self._now
        return (
            tuple(old.decision(uuid, h, now) for h, uuid, _ in self._hosts),
            tuple(new.decision(uuid, h, now) for h, _, uuid in self._hosts),
        )

    def _effect(
        self,
        what: Considered,
        decided: tuple[tuple[Decision, ...], tuple[Decision, ...]],
    ) -> Effect:
        before, after = decided
        return Effect(
            what,
            sum(decision.admitted for decision in before),
            sum(decision.admitted for decision in after),
            (_only_permissive(before), _only_permissive(after)),
            self._changes(zip(before, after, strict=True), _refusals),
        )

    def _pool(
        self,
        name: str,
        decided: tuple[tuple[Decision, ...], tuple[Decision, ...]],
    ) -> PoolEffect:
        old, new = (b.policy.pools.get(name) for b in self._benches)
        pool = new or old
        assert pool is not None
        before, after = decided
        return PoolEffect(
            name,
            pool.host_class,
            (len(old.members) if old else 0, len(new.members) if new else 0),
            (
                sum(not _unproven(decision) for decision in before),
                sum(not _unproven(decision) for decision in after),
            ),
            self._changes(zip(before, after, strict=True), _unproven),
        )

    def _closing(self, trust_domain: str | None) -> Closing:
        before, after = (
            self._open(bench, trust_domain) for bench in self._benches
        )
        pairs = zip(before, after, strict=True)
        return Closing(trust_domain, self._changes(pairs, _refusals))

    def _open(
        self, bench: Bench, trust_domain: str | None
    ) -> Iterable[Decision]:
        """Yield what is decided about servers that ask for nothing."""
        known: dict[tuple[str, ...], tuple[Refusal, ...]] = {}
        pools_of = _pools_of([bench.policy])
        by_uuid = {
            binding.node_uuid: pools_of.get(name, ())
            for name, binding in bench.policy.hosts.items()
        }
        for host, *uuids in self._hosts:
            uuid = uuids[self._benches.index(bench)]
            pools = pools_of.get(host) or by_uuid.get(uuid, ())
            if pools not in known:
                found = closures(
                    bench.policy,
                    bench.snapshot.catalogue,
                    pools,
                    trust_domain,
                    self._bearings.management_domain,
                )
                known[pools] = tuple(
                    closure.refusal
                    for closure in found
                    if closure.permissive_until <= self._now
                )
            yield Decision(host, known[pools], self._now)

    def _changes(
        self, pairs: Iterable[tuple[Decision, Decision]], why: Excuse
    ) -> tuple[Change, ...]:
        """Return the hosts of which one decision is good and one is not."""
        groups: dict[
            tuple[Direction, tuple[str, ...], tuple[Refusal, ...]], list[str]
        ] = {}
        for old, new in pairs:
            before, after = why(old), why(new)
            if bool(before) == bool(after):
                continue
            direction = Direction.LOST if after else Direction.GAINED
            pools = self._pools_of.get(old.host, ())
            key = (direction, pools, before or after)
            groups.setdefault(key, []).append(old.host)
        changes = [
            Change(direction, pools, refusals, tuple(hosts))
            for (direction, pools, refusals), hosts in groups.items()
        ]
        return tuple(sorted(changes, key=_order))


def _order(change: Change) -> tuple[object, ...]:
    """Losses first, the larger the earlier, and then by names."""
    return (
        change.direction is not Direction.LOST,
        -len(change.hosts),
        change.hosts,
    )


def _pools_of(policies: Iterable[Policy]) -> dict[str, tuple[str, ...]]:
    """Return host -> pools that list it, by the last policy that binds it."""
    found: dict[str, tuple[str, ...]] = {}
    for policy in policies:
        listed: dict[str, list[str]] = {host: [] for host in policy.hosts}
        for name in sorted(policy.pools):
            for host in policy.pools[name].members:
                listed.setdefault(host, []).append(name)
        found |= {host: tuple(names) for host, names in listed.items()}
    return found
