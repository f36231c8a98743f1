# SPDX-License-Identifier: Apache-2.0
"""What is known of each bound host, sorted into shapes.

Pure.  A record is the same object for as long as nothing shortens what was
decided by it: later times only lengthen that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Result


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """What one authority claims about every host of a shape.

    :ivar pinned: whether a key attests them that the policy pins, host by
        host, as the authority's driver found
    """

    authority: str
    claims: Claims
    faulty: bool = False
    pinned: bool = False


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What hosts have in common for the judge, all but the times.

    Many hosts are of one shape; what a demand means for a shape is worked
    out once.

    :ivar contents: of the declared facts, each beginning with its capability;
        what makes facts about two hosts equal
    :ivar pinned: whether the policy pins keys of them
    """

    pools: tuple[str, ...]
    voices: tuple[Voice, ...]
    declared: tuple[DeclaredFact, ...]
    contents: tuple[tuple[object, ...], ...]
    pinned: bool


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HostRecord:
    """One bound host in a snapshot; a new object whenever it changed.

    :ivar host: Nova's name of it
    :ivar results: in the order of the shape's voices
    """

    host: str
    binding: Binding
    shape: Shape
    results: tuple[Result, ...]


Bound = Mapping[str, Mapping[str, str]]
"""Authority -> attester id -> UUID of the compute node that is bound to it."""
_Results = Mapping[str, Mapping[str, Result]]


def bound_by(policy: Policy) -> Bound:
    """Return which hosts a policy binds to which attesters."""
    bound: dict[str, dict[str, str]] = {}
    for binding in policy.hosts.values():
        for authority, attester in binding.attesters.items():
            bound.setdefault(authority, {})[attester] = binding.node_uuid
    return bound


class RecordBuilder:
    """Builds records, of hosts that are alike with one shape.

    :param shapes: that there are
    """

    def __init__(self, shapes: Mapping[object, Shape]) -> None:
        self.shapes = dict(shapes)

    def all_anew(
        self, policy: Policy, results: _Results
    ) -> Mapping[str, HostRecord]:
        """Return compute-node UUID -> record, for every bound host."""
        pools: dict[str, list[str]] = {}
        for pool in policy.pools.values():
            for member in pool.members:
                pools.setdefault(member, []).append(pool.name)
        return {
            binding.node_uuid: self._record(
                binding,
                tuple(sorted(pools.get(binding.host, ()))),
                results,
            )
            for binding in policy.hosts.values()
        }

    def follow_up(
        self,
        old: Mapping[str, HostRecord],
        changed: Iterable[str],
        results: _Results,
    ) -> Mapping[str, HostRecord]:
        """Return the records that follow ``old`` under the same policy.

        :param changed: UUIDs of the hosts whose record has to be a new one
        """
        new = {
            uuid: self._record(
                old[uuid].binding, old[uuid].shape.pools, results
            )
            for uuid in changed
        }
        if not new:
            return old
        records = {**old, **new}
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
        self, binding: Binding, pools: tuple[str, ...], results: _Results
    ) -> HostRecord:
        about = tuple(
            [
                result
                for authority, attester in binding.attesters.items()
                if (result := results.get(authority, {}).get(attester))
            ]
        )
        shape = self._shape(binding, pools, about)
        return HostRecord(binding.host, binding, shape, about)

    def _shape(
        self,
        binding: Binding,
        pools: tuple[str, ...],
        results: tuple[Result, ...],
    ) -> Shape:
        pinned = binding.pinned_keys
        contents = tuple([_content(fact) for fact in binding.declared])
        key = (
            pools,
            tuple(
                [
                    (r.authority, id(r.claims), r.faulty, r.key in pinned)
                    for r in results
                ]
            ),
            contents,
            bool(pinned),
        )
        shape = self.shapes.get(key)
        if shape is None:
            voices = tuple(
                Voice(r.authority, r.claims, r.faulty, r.key in pinned)
                for r in results
            )
            shape = Shape(
                pools, voices, binding.declared, contents, bool(pinned)
            )
            # the shape holds the claims, so that their id stays theirs
            self.shapes[key] = shape
        return shape


def changed_hosts(
    bound: Bound,
    old: _Results,
    new: _Results,
    receded: Mapping[str, Iterable[str]],
) -> frozenset[str]:
    """Return the UUIDs of the hosts of which something may be otherwise.

    :param receded: authority -> attesters whose times went back
    """
    changed: set[str | None] = set()
    for authority in {*old, *new, *receded}:
        node_of = bound.get(authority, {}).get
        before, after = old.get(authority, {}), new.get(authority, {})
        changed.update(map(node_of, receded.get(authority, ())))
        if before is after:
            continue
        changed.update(
            node_of(attester)
            for attester, result in after.items()
            if before.get(attester) is not result
        )
        changed.update(map(node_of, before.keys() - after.keys()))
    return frozenset(uuid for uuid in changed if uuid is not None)


def _content(fact: DeclaredFact) -> tuple[object, ...]:
    claim = fact.claim
    return (
        claim.capability,
        fact.until,
        tuple(sorted((k, tuple(sorted(v))) for k, v in claim.values.items())),
    )
