# SPDX-License-Identifier: Apache-2.0
"""What a driver is asked, and what it answers.  Frozen values, pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result


@dataclasses.dataclass(frozen=True, slots=True)
class Inquiry:
    """What an authority is to be asked.

    :ivar attesters: the ids, at this authority, of the hosts that the policy
        binds to it, sorted; of a targeted inquiry, those that are meant
    :ivar pinned: attester id -> digests of EK or AK that the policy pins
    :ivar regions: the policy's, against which locations are checked
    :ivar targeted: whether to ask about ``attesters`` alone, soon
    :ivar max_skew_s: how far ahead of ours the authority's clock may be
    """

    attesters: tuple[str, ...]
    regions: Mapping[Axis, Regions]
    max_skew_s: float
    pinned: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )
    targeted: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """By which keys an authority's results are known.

    :ivar keys: what tells one public key from another, whatever it is called
    :ivar issuer: who has to have issued them; empty: whoever has a key
    """

    keys: frozenset[str]
    issuer: str = ""

    def overlaps(self, other: Trust) -> bool:
        """Whether one signed result could pass as the word of both."""
        if self.issuer and other.issuer and self.issuer != other.issuer:
            return False
        return not self.keys.isdisjoint(other.keys)


@dataclasses.dataclass(frozen=True, slots=True)
class Collected:
    """What one authority answered at one moment.

    :ivar results: attester id -> result; an attester may be one that no host
        is bound to
    :ivar freshness: attester id -> when; one for each result
    :ivar complete: whether an attester that was asked for and is not in it is
        none that the authority has a result about.  False as soon as any
        answer was not taken, so that a fault never looks like an absence.
    :ivar problems: of each answer that gave no result: why
    :ivar skew_s: how far the authority's clock is ahead of ours, in seconds;
        None: it did not say
    :ivar rules: what tells the rules by which results were taken (keys and
        all else that decides what is believed) from others; what was taken
        by others counts for nothing from now on.  Empty: there are none
    :ivar notes: about results that are in it: what was left out, or lowered
    :ivar trust: by which keys it was known; None: by none of that kind
    """

    results: Mapping[str, Result]
    freshness: Mapping[str, Freshness]
    complete: bool
    problems: tuple[Problem, ...] = ()
    skew_s: float | None = None
    rules: str = ""
    notes: tuple[Problem, ...] = ()
    trust: Trust | None = None
