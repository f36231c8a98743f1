# SPDX-License-Identifier: Apache-2.0
"""Two policies compared by the results of one moment.  Values, and pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.impact import Impact
from nfv_mla_scheduler.judge.impact import impact
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.aspects import aspects
from nfv_mla_scheduler.policy.diff import Change
from nfv_mla_scheduler.policy.diff import compare
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.standard.values import Catalogue

# What sets refusals aside, of all that two policies may differ in.
_EXCEPTIONS = ("waivers", "modes")


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One of the two policies, and the results that count under it.

    :ivar name: of the file that it is from, or what else tells it
    :ivar missing: why no results count; empty: some do
    """

    name: str
    policy: Policy
    document: ResultsDocument | None
    missing: str


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """Everything there is to print.

    :ivar differences: of waivers and modes
    :ivar ended: those of the new policy that are over by now
    """

    catalogue: Catalogue
    old: Side
    new: Side
    bearings: Bearings
    at: Instant
    impact: Impact
    differences: tuple[Change, ...]
    ended: tuple[str, ...]


def compared(
    old: Side,
    new: Side,
    catalogue: Catalogue,
    own_state: Mapping[str, bool | None],
    bearings: Bearings,
    flavors: Mapping[str, Mapping[str, str]],
    at: Instant,
) -> Compared:
    """Return what changes from ``old`` to ``new``."""

    def snapshot(side: Side) -> Snapshot:
        empty = view.empty(catalogue)
        return view.merge(empty, side.policy, side.document, own_state)

    found = impact(snapshot(old), snapshot(new), bearings, flavors, at)
    differences = compare(aspects(old.policy), aspects(new.policy))
    return Compared(
        catalogue,
        old,
        new,
        bearings,
        at,
        found,
        tuple(d for d in differences if d.path[0] in _EXCEPTIONS),
        _ended(new.policy, at),
    )


def _ended(policy: Policy, at: Instant) -> tuple[str, ...]:
    """Return the waivers and permissive modes that are over."""
    found = [
        f"waiver of {waiver.requirement} for profile {waiver.profile}"
        for waiver in policy.waivers
        if waiver.until <= at
    ]
    for noun in ("pool", "profile", "project"):
        modes: Mapping[str, Instant] = getattr(policy.permissive, f"{noun}s")
        found += [
            f"permissive mode of {noun} {name}"
            for name, until in modes.items()
            if until <= at
        ]
    return tuple(sorted(found))
