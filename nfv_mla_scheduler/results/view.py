# SPDX-License-Identifier: Apache-2.0
"""Merge policy and results into one immutable snapshot.

Pure.  A snapshot is a generation: what did not change since the one before is
the very same object in it, so that whatever was judged of it stays judged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.records import RecordBuilder
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.values import Freshness
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
    freshness: Mapping[str, Mapping[str, Freshness]]
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
    keep = policy is not None and policy is previous.policy
    builder = RecordBuilder(
        previous.records if keep else {},
        previous.shapes if keep else {},
        previous.document,
    )
    records = builder.records(policy, document) if policy else {}
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
