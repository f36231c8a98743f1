# SPDX-License-Identifier: Apache-2.0
"""What is known of each bound host, sorted into shapes.

Pure.  A record is the same object for as long as nothing shortens what was
decided by it: later times only lengthen that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """What one authority claims about every host of a shape."""

    authority: str
    claims: Claims
    faulty: bool = False


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


class RecordBuilder:
    """Builds the records of a generation, keeping what is as it was.

    :param old: the records of the generation before, under the same policy
    :param before: the results of the generation before
    """

    def __init__(
        self,
        old: Mapping[str, HostRecord],
        shapes: Mapping[object, Shape],
        before: ResultsDocument | None,
    ) -> None:
        self._old = old
        self._before = before
        self.shapes = dict(shapes)

    def records(
        self, policy: Policy, document: ResultsDocument | None
    ) -> Mapping[str, HostRecord]:
        """Return compute-node UUID -> record, for every bound host."""
        receded = _receded(_freshness(self._before), _freshness(document))
        same = _same_results(self._before, document)
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

    def _forget_unused_shapes(self, records: Mapping[str, HostRecord]) -> None:
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
            tuple((r.authority, id(r.claims), r.faulty) for r in results),
            tuple(_content(fact) for fact in binding.declared),
            pinned,
        )
        shape = self.shapes.get(key)
        if shape is None:
            voices = tuple(
                Voice(r.authority, r.claims, r.faulty) for r in results
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


def _freshness(
    document: ResultsDocument | None,
) -> Mapping[str, Mapping[str, Freshness]]:
    return document.freshness if document else {}


def _receded(
    old: Mapping[str, Mapping[str, Freshness]],
    new: Mapping[str, Mapping[str, Freshness]],
) -> frozenset[tuple[str, str]]:
    """Return the results whose times went back, or whose boot changed.

    Later times only lengthen what was decided; these may shorten it.
    """
    receded = []
    for authority, before in old.items():
        after = new.get(authority, {})
        for attester, was in before.items():
            now = after.get(attester)
            if now is was:
                continue
            if (
                now is None
                or now.at < was.at
                or now.until < was.until
                or now.boot != was.boot
            ):
                receded.append((authority, attester))
    return frozenset(receded)
