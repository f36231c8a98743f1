# SPDX-License-Identifier: Apache-2.0
"""Pools and their members: who is one now, and which hosts have become bad.

Pure but for its memory.  A listed host is a member only while it proves its
class (7.2.2.0).  What was decided of a host holds as long as its record and
its moment do, so that a look at ten thousand hosts is mostly a look at those
that changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.judge.strangers import MISMATCH
from nfv_mla_scheduler.judge.unmet import alone
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.judging.evidence import Sorting
from nfv_mla_scheduler.monitor.judging.host_findings import add
from nfv_mla_scheduler.monitor.judging.host_findings import host_finding
from nfv_mla_scheduler.monitor.judging.weighing import Charge
from nfv_mla_scheduler.monitor.judging.weighing import Past
from nfv_mla_scheduler.monitor.judging.weighing import charge
from nfv_mla_scheduler.monitor.judging.weighing import weigh
from nfv_mla_scheduler.monitor.judging.weighing import words_of
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.policy.application import IDEAL
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.requirement import Requirement
from nfv_mla_scheduler.policy.traits import trait_of
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.results.view import Snapshot

# For how long what ails a host is believed to be the same while nothing about
# it changes.  In an outage all members of all pools are refused, look after
# look; and a host that has failed fails until its authority says otherwise.
_KEPT_S = 30.0
# It counts however old it is, and whoever else falls silent.
_LASTS = RefusalCode.CONTRAINDICATED


@dataclasses.dataclass(slots=True)
class Membership:
    """What one look at all pools has found; filled while it goes on.

    :ivar traits, kept, unproven: see ``findings.Verdict``
    """

    traits: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    kept: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    hosts: dict[str, HostFinding] = dataclasses.field(default_factory=dict)
    unproven: set[str] = dataclasses.field(default_factory=set)


class Pools:
    """Judges the members of all pools, from look to look."""

    def __init__(self, bearings: Bearings) -> None:
        self._bearings = bearings
        self._epoch = -1
        self._decisions: dict[str, Decisions | None] = {}
        self._were: dict[tuple[str, str], str] = {}
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._nodes: Mapping[str, Node] = {}
        self._names = _names(self._nodes)

    def look(
        self,
        picture: Picture,
        snapshot: Snapshot,
        sorting: Sorting,
        now: Instant,
    ) -> Membership:
        """Return who is a member of which pool now, and what ails others."""
        found = Membership()
        policy = snapshot.policy
        if policy is None:
            return found
        if snapshot.epoch != self._epoch:
            self._epoch = snapshot.epoch
            self._kept.clear()
            self._decisions = {
                pool.name: self._of(pool, policy, snapshot)
                for pool in policy.pools.values()
            }
        look = _Look(
            self._were,
            self._kept,
            policy,
            picture,
            snapshot,
            sorting,
            now,
            self._names_in(picture.nodes),
            found,
        )
        for name, pool in policy.pools.items():
            look.at(pool, self._decisions[name])
        listed = sum(len(pool.members) for pool in policy.pools.values())
        if len(self._were) > listed:
            self._forget(policy)
        return found

    def _names_in(self, nodes: Mapping[str, Node]) -> _Names:
        if nodes is not self._nodes:
            self._nodes, self._names = nodes, _names(nodes)
        return self._names

    def _of(
        self, pool: Pool, policy: Policy, snapshot: Snapshot
    ) -> Decisions | None:
        """Return what decides whether hosts are members of a pool.

        As ``judge.considered`` looks at pools, but kept across generations.
        """
        ask = Ask(Source.FLAVOR, pools=frozenset({pool.name}))
        requirement = Requirement(frozenset({ask}), IDEAL)
        try:
            demand = bind(requirement, policy, snapshot.catalogue)
        except Malformed:
            return None
        return Decisions(demand, self._bearings)

    def _forget(self, policy: Policy) -> None:
        for key in list(self._were):
            pool = policy.pools.get(key[0])
            if pool is None or key[1] not in pool.members:
                del self._were[key]


@dataclasses.dataclass(frozen=True, slots=True)
class _Kept:
    """What a member came to at some moment, and by what it was judged.

    :ivar basis: its record, and of an outage all results there are
    """

    charged: Charge
    at: Instant
    basis: tuple[object, ...]

    def holds(self, basis: tuple[object, ...], now: Instant) -> bool:
        """Whether it would come to the same now."""
        return self.at <= now < self.at + _KEPT_S and all(
            one is other for one, other in zip(self.basis, basis, strict=False)
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Names:
    """How Nova names compute nodes; a service may have several.

    :ivar uuids: Nova's host name -> UUIDs of its compute nodes
    :ivar hosts: UUID of a compute node -> Nova's names of its hosts
    """

    uuids: dict[str, list[str]]
    hosts: dict[str, list[str]]


def _names(nodes: Mapping[str, Node]) -> _Names:
    names = _Names({}, {})
    for node in nodes.values():
        names.uuids.setdefault(node.host, []).append(node.uuid)
        if node.uuid:
            names.hosts.setdefault(node.uuid, []).append(node.host)
    return names


@dataclasses.dataclass(frozen=True, slots=True)
class _Look:
    """One look at all pools.

    :ivar were: (pool, host) -> digest of the policy by which it was a member
    :ivar names: how Nova names compute nodes
    """

    were: dict[tuple[str, str], str]
    ailing: dict[tuple[str, str], _Kept]
    policy: Policy
    picture: Picture
    snapshot: Snapshot
    sorting: Sorting
    now: Instant
    names: _Names
    found: Membership

    def at(self, pool: Pool, decisions: Decisions | None) -> None:
        """Judge all hosts that a pool lists."""
        trait = trait_of(pool.handle or pool.name)
        members = self.found.traits.setdefault(trait, set())
        if decisions is None:
            return
        lenient = pool.name in self.policy.permissive.pools
        for host in pool.members:
            uuid = self.snapshot.uuids.get(host)
            if uuid is None:
                continue
            uuids = self.names.uuids.get(host, ())
            mistaken = {
                name for name in self.names.hosts.get(uuid, ()) if name != host
            }
            if uuids and uuid not in uuids and "" not in uuids:
                mistaken.add(host)  # another one goes by its name
            for name in sorted(mistaken):
                self._mistaken(pool, host, name, uuid, decisions)
            if not uuids and self.picture.partial:
                self.found.kept.add((trait, uuid))
            if not uuids or host in mistaken:
                continue
            member = decisions.lapse(uuid, self.snapshot, self.now) > self.now
            charged = None
            if lenient or not member:
                charged = self._charge(pool, host, uuid, decisions)
            if uuid not in uuids:
                self.found.kept.add((trait, uuid))
            elif member:
                members.add(uuid)
                self.were[pool.name, host] = self.policy.digest
            elif charged is not None and charged.pending:
                self.found.kept.add((trait, uuid))
            if charged is not None:
                self._note(host, uuid, charged)

    def _charge(
        self, pool: Pool, host: str, uuid: str, decisions: Decisions
    ) -> Charge | None:
        """Return what a listed host comes to, that may not be a member."""
        key = pool.name, host
        basis = self._basis(uuid)
        known = self.ailing.get(key)
        if known is not None and known.holds(basis, self.now):
            return known.charged
        unmet = decisions.unmet(uuid, host, self.snapshot, self.now)
        weighed = weigh(unmet, uuid, self.sorting)
        was = self.were.get(key)
        past = Past(was is not None, was not in (None, self.policy.digest))
        charged = charge(weighed, past, self.snapshot.catalogue, listed=True)
        self.ailing.pop(key, None)
        if charged is not None and not charged.permissive:
            if charged.kind is Kind.OUTAGE:
                self.ailing[key] = _Kept(charged, self.now, basis)
            elif any(r.code is _LASTS for r in charged.refusals):
                self.ailing[key] = _Kept(charged, self.now, basis[:1])
        return charged

    def _mistaken(
        self, pool: Pool, host: str, name: str, uuid: str, decisions: Decisions
    ) -> None:
        """Note a host that may be a listed one, and is not known to be it.

        :param name: Nova's of it
        :param host: of the listed one, to which ``uuid`` is bound
        """
        permissive_until = self.policy.permissive.pools.get(pool.name, NEVER)
        wrong = alone(MISMATCH, permissive_until > self.now)
        unmet = decisions.unmet(uuid, host, self.snapshot, self.now)
        was = self.were.get((pool.name, host))
        charged = charge(
            (
                *weigh((wrong,), uuid, self.sorting),
                *words_of(weigh(unmet, uuid, self.sorting)),
            ),
            Past(was is not None, was not in (None, self.policy.digest)),
            self.snapshot.catalogue,
            listed=True,
        )
        if charged is not None:
            self._note(name, uuid, charged)

    def _basis(self, uuid: str) -> tuple[object, ...]:
        """Return all that would have to change for an outage to end."""
        record = self.snapshot.records[uuid]
        freshness = self.snapshot.freshness
        return record, *(freshness.get(r.authority) for r in record.results)

    def _note(self, host: str, uuid: str, charged: Charge) -> None:
        if charged.fences:
            add(self.found.hosts, host_finding(host, uuid, charged))
        elif charged.pending and not charged.permissive:
            self.found.unproven.add(host)
