# SPDX-License-Identifier: Apache-2.0
"""Merge policy and results into one immutable snapshot.

Pure.  A snapshot is a generation: what did not change since the one before is
the very same object in it, so that whatever was judged of it stays judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.records import Bound
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.records import RecordBuilder
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.records import bound_by
from nfv_mla_scheduler.results.records import changed_hosts
from nfv_mla_scheduler.results.times import Times
from nfv_mla_scheduler.results.times import receded
from nfv_mla_scheduler.results.times import times_of
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.values import Catalogue


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that is known at one moment.

    :ivar generation: rises by one with every snapshot
    :ivar epoch: rises when policy or our own state changed, so that every
        decision has to be made anew
    :ivar policy: the policy in force, or the last good one, perhaps expired;
        ``None``: there is none, and perhaps never was
    :ivar records: compute-node UUID -> host
    :ivar uuids: Nova's host name -> compute-node UUID
    :ivar bound: authority -> attester id -> compute-node UUID
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
    bound: Bound
    freshness: Mapping[str, Times]
    own_state: Mapping[str, bool | None]
    break_glass: tuple[BreakGlass, ...]
    unbound: tuple[tuple[str, str], ...]
    shapes: Mapping[object, Shape]

    def freshness_of(self, result: Result) -> Freshness | None:
        """Return when an attester was last appraised; None: nobody said."""
        times = self.freshness.get(result.authority)
        return None if times is None else times.find(result.attester)


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
        bound={},
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
    freshness = _freshness(document, previous)
    if policy is None or policy is not previous.policy:
        known = _under(policy, document)
    else:
        known = _followed_up(previous, document, freshness)
    return Snapshot(
        generation=previous.generation + 1,
        epoch=previous.epoch + (0 if same_rules else 1),
        catalogue=previous.catalogue,
        policy=policy,
        document=document,
        records=known.records,
        uuids=known.uuids,
        bound=known.bound,
        freshness=freshness,
        own_state=own_state,
        break_glass=break_glass,
        unbound=_unbound(known.bound, document, previous) if policy else (),
        shapes=known.shapes,
    )


class _Known(NamedTuple):
    """What is known of the hosts of a policy; see Snapshot."""

    records: Mapping[str, HostRecord]
    shapes: Mapping[object, Shape]
    uuids: Mapping[str, str]
    bound: Bound


def _under(policy: Policy | None, document: ResultsDocument | None) -> _Known:
    """Return what is known of the hosts under a policy that is new."""
    if policy is None:
        return _Known({}, {}, {}, {})
    builder = RecordBuilder({})
    records = builder.all_anew(policy, document.results if document else {})
    uuids = {record.host: uuid for uuid, record in records.items()}
    return _Known(records, builder.shapes, uuids, bound_by(policy))


def _followed_up(
    previous: Snapshot,
    document: ResultsDocument | None,
    freshness: Mapping[str, Times],
) -> _Known:
    """Return what is known now, under the same policy as before."""
    before = previous.document
    results = document.results if document else {}
    nothing = times_of({})
    changed = changed_hosts(
        previous.bound,
        before.results if before else {},
        results,
        {
            authority: tuple(receded(old, freshness.get(authority, nothing)))
            for authority, old in previous.freshness.items()
        },
    )
    builder = RecordBuilder(previous.shapes)
    records = builder.follow_up(previous.records, changed, results)
    return _Known(records, builder.shapes, previous.uuids, previous.bound)


def _freshness(
    document: ResultsDocument | None, previous: Snapshot
) -> Mapping[str, Times]:
    """Return all times in columns, those that are held as they are."""
    if document is None:
        return {}
    before: Mapping[str, Mapping[str, Freshness]] = {}
    if previous.document is not None:
        before = previous.document.freshness
    return {
        authority: previous.freshness[authority]
        if times is before.get(authority)
        else times_of(times)
        for authority, times in document.freshness.items()
    }


def _unbound(
    bound: Bound, document: ResultsDocument | None, previous: Snapshot
) -> tuple[tuple[str, str], ...]:
    if document is None:
        return ()
    before = previous.document
    if (
        bound is previous.bound
        and before is not None
        and before.body_digest == document.body_digest
    ):
        return previous.unbound
    return tuple(
        sorted(
            (authority, attester)
            for authority, results in document.results.items()
            for attester in results.keys() - bound.get(authority, {}).keys()
        )
    )
