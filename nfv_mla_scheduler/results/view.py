# SPDX-License-Identifier: Apache-2.0
"""Merge policy and results into one immutable snapshot.

Pure.  A snapshot is a generation: what did not change since the one before is
the very same object in it, so that whatever was judged of it stays judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue

_FreshnessByAttester = Mapping[str, Freshness]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """What one authority claims about every host of a shape."""

    authority: str
    claims: Claims
    knows_boot: bool


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What hosts have in common for the judge, all but the times.

    Many hosts are of one shape; what a demand means for a shape is worked
    out once.
    """

    pools: tuple[str, ...]
    voices: tuple[Voice, ...]
    declared: tuple[DeclaredFact, ...]
    pinned: bool


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HostRecord:
    """One bound host in a snapshot; a new object whenever it changed.

    :ivar results: in the order of the shape's voices
    """

    binding: Binding
    shape: Shape
    results: tuple[Result, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that is known at one moment.

    :ivar generation: rises by one with every snapshot
    :ivar epoch: rises when policy or our own state changed, so that every
        decision has to be made anew
    :ivar policy: the policy in force, or the last good one, perhaps expired;
        ``None``: there never was any
    :ivar records: compute-node UUID -> host
    :ivar uuids: Nova's host name -> compute-node UUID
    :ivar freshness: authority -> attester id -> when it was appraised
    :ivar own_state: self term -> whether it holds; ``None``: not judged
    :ivar unbound: (authority, attester) pairs in the results that no host is
        bound to
    """

    generation: int
    epoch: int
    catalogue: Catalogue
    policy: Policy | None
    document: ResultsDocument | None
    records: Mapping[str, HostRecord]
    uuids: Mapping[str, str]
    freshness: Mapping[str, _FreshnessByAttester]
    own_state: Mapping[str, bool | None]
    break_glass: tuple[BreakGlass, ...]
    unbound: tuple[tuple[str, str], ...]
    shapes: Mapping[object, Shape]


def empty(catalogue: Catalogue) -> Snapshot:
    """Return the snapshot of knowing nothing."""
    return Snapshot(
        generation=0,
        epoch=0,
        catalogue=catalogue,
        policy=None,
        document=None,
        records={},
        uuids={},
        freshness={},
        own_state={},
        break_glass=(),
        unbound=(),
        shapes={},
    )


def merge(
    previous: Snapshot,
    policy: Policy | None,
    document: ResultsDocument | None,
    own_state: Mapping[str, bool | None],
    break_glass: tuple[BreakGlass, ...] = (),
) -> Snapshot:
    """Return the snapshot that follows ``previous``.

    :param document: the newest good results; ``None``: there are none
    :returns: ``previous`` itself when nothing at all changed
    """
    same_rules = policy is previous.policy and own_state == previous.own_state
    if (
        same_rules
        and document is previous.document
        and break_glass == previous.break_glass
    ):
        return previous
    if policy is None:
        builder = _Builder({}, {})
    elif policy is previous.policy:
        builder = _Builder(previous.records, previous.shapes)
    else:
        builder = _Builder({}, {})
    records = builder.records(policy, document, previous)
    return Snapshot(
        generation=previous.generation + 1,
        epoch=previous.epoch + (0 if same_rules else 1),
        catalogue=previous.catalogue,
        policy=policy,
        document=document,
        records=records,
        uuids={r.binding.host: uuid for uuid, r in records.items()},
        freshness=document.freshness if document else {},
        own_state=own_state,
        break_glass=break_glass,
        unbound=_unbound(policy, document, previous),
        shapes=builder.shapes,
    )


class _Builder:
    """Builds records, keeping what is as it was."""

    def __init__(
        self,
        old: Mapping[str, HostRecord],
        shapes: Mapping[object, Shape],
    ) -> None:
        self._old = old
        self.shapes = dict(shapes)

    def records(
        self,
        policy: Policy | None,
        document: ResultsDocument | None,
        previous: Snapshot,
    ) -> Mapping[str, HostRecord]:
        if policy is None:
            return {}
        fresh = document.freshness if document else {}
        receded = _receded(previous.freshness, fresh)
        same = _same_results(previous.document, document)
        if self._old and same and not receded:
            return self._old
        pools: dict[str, list[str]] = {}
        for pool in policy.pools.values():
            for member in pool.members:
                pools.setdefault(member, []).append(pool.name)
        records = {
            binding.node_uuid: self._record(
                binding,
                tuple(sorted(pools.get(binding.host, ()))),
                _results(binding, document),
                receded,
            )
            for binding in policy.hosts.values()
        }
        self._forget_unused_shapes(records)
        return records

    def _forget_unused_shapes(
        self, records: Mapping[str, HostRecord]
    ) -> None:
        if len(self.shapes) > 2 * len(records) + 64:
            used = {id(record.shape) for record in records.values()}
            self.shapes = {
                key: shape
                for key, shape in self.shapes.items()
                if id(shape) in used
            }

    def _record(
        self,
        binding: Binding,
        pools: tuple[str, ...],
        results: tuple[Result, ...],
        receded: frozenset[tuple[str, str]],
    ) -> HostRecord:
        old = self._old.get(binding.node_uuid)
        if (
            old is not None
            and old.results == results
            and not (receded and receded.intersection(_names(results)))
        ):
            return old
        shape = self._shape(binding, pools, results)
        return HostRecord(binding, shape, results)

    def _shape(
        self,
        binding: Binding,
        pools: tuple[str, ...],
        results: tuple[Result, ...],
    ) -> Shape:
        pinned = bool(binding.pinned_keys)
        key = (
            pools,
            tuple(
                (r.authority, id(r.claims), r.boot is not None)
                for r in results
            ),
            tuple(_content(fact) for fact in binding.declared),
            pinned,
        )
        shape = self.shapes.get(key)
        if shape is None:
            voices = tuple(
                Voice(r.authority, r.claims, r.boot is not None)
                for r in results
            )
            shape = Shape(pools, voices, binding.declared, pinned)
            # the shape holds the claims, so that their id stays theirs
            self.shapes[key] = shape
        return shape


def _results(
    binding: Binding, document: ResultsDocument | None
) -> tuple[Result, ...]:
    """Return the results about a host, in the order of the binding."""
    if document is None:
        return ()
    found = []
    for authority, attester in binding.attesters.items():
        result = document.results.get(authority, {}).get(attester)
        if result is not None:
            found.append(result)
    return tuple(found)


def _same_results(
    old: ResultsDocument | None, new: ResultsDocument | None
) -> bool:
    if old is None or new is None:
        return old is new
    return old.results.keys() == new.results.keys() and all(
        old.results[name] is results for name, results in new.results.items()
    )


def _names(results: tuple[Result, ...]) -> list[tuple[str, str]]:
    return [(r.authority, r.attester) for r in results]


def _content(fact: DeclaredFact) -> tuple[object, ...]:
    claim = fact.claim
    return (
        claim.capability,
        fact.until,
        tuple(sorted((k, tuple(sorted(v))) for k, v in claim.values.items())),
    )


def _receded(
    old: Mapping[str, _FreshnessByAttester],
    new: Mapping[str, _FreshnessByAttester],
) -> frozenset[tuple[str, str]]:
    """Return the results whose time went back, or whose boot changed.

    Later times only lengthen what was decided; these may shorten it.
    """
    receded = []
    for authority, before in old.items():
        after = new.get(authority, {})
        for attester, was in before.items():
            now = after.get(attester)
            if now is was:
                continue
            if now is None or now.at < was.at or now.boot != was.boot:
                receded.append((authority, attester))
    return frozenset(receded)


def _unbound(
    policy: Policy | None,
    document: ResultsDocument | None,
    previous: Snapshot,
) -> tuple[tuple[str, str], ...]:
    if policy is None or document is None:
        return ()
    before = previous.document
    if (
        policy is previous.policy
        and before is not None
        and before.body_digest == document.body_digest
    ):
        return previous.unbound
    bound = {
        pair
        for binding in policy.hosts.values()
        for pair in binding.attesters.items()
    }
    return tuple(
        sorted(
            (authority, attester)
            for authority, results in document.results.items()
            for attester in results
            if (authority, attester) not in bound
        )
    )
