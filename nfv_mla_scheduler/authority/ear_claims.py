# SPDX-License-Identifier: Apache-2.0
"""What a verified token claims, in our capabilities.

Pure.  Three sources: the status of the token, the private claim that carries
our capabilities, and what the authority's mapping table makes of trust vectors
and locations.  Where two claim the same capability, the worse counts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nfv_mla_scheduler.authority import ear_location
from nfv_mla_scheduler.authority import ear_table
from nfv_mla_scheduler.authority import ear_tiers
from nfv_mla_scheduler.authority.ear_submods import SUBMODS
from nfv_mla_scheduler.authority.ear_submods import Appraised
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results.ear_names import (
    LOCATION_CLAIM as LOCATION_CLAIM,
)
from nfv_mla_scheduler.results.ear_names import PRIVATE_CLAIM as PRIVATE_CLAIM
from nfv_mla_scheduler.results.worse import worse as worse
from nfv_mla_scheduler.results.worse import worse_of_both as worse_of_both
from nfv_mla_scheduler.standard.values import Catalogue

ATTESTATION = "attestation"

STRANGERS_MAX = 5
_NO_VALUES: claim_sets.Values = MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """A part of a token that makes claims: the whole of it, or a submod.

    :ivar status: that its claims cannot be better than
    :ivar submod: its name; ``None``: it is the whole
    """

    where: str
    status: Status
    content: Mapping[str, Any]
    submod: str | None = None
    vector: ear_tiers.Vector = dataclasses.field(default_factory=dict)


class ClaimsReader:
    """Reads claims; equal ones become one object.

    :ivar notes: what the mapping table names in vain
    """

    def __init__(
        self,
        catalogue: Catalogue,
        regions: Mapping[Axis, Regions],
        mapping: ear_table.Mapping,
        max_skew_s: float,
    ) -> None:
        self._catalogue = catalogue
        self._regions = regions
        self._mapping = mapping
        self._max_skew_s = max_skew_s
        self.notes = tuple(_unknown_regions(mapping, regions))
        self.forget()

    def forget(self) -> None:
        """Let go of the claims that were read."""
        self._private = claim_sets.Reader(self._catalogue, self._regions)

    def read(
        self, content: Mapping[str, Any], appraised: Appraised, at: Instant
    ) -> tuple[dict[str, Claim], tuple[str, ...]]:
        """Return capability -> claim, and what was left out or lowered.

        :param content: the claims at the top of the token
        :param at: when the token was issued
        :raises TokenRefused: BAD_CLAIM
        """
        holders = _holders(content, appraised)
        found: dict[str, Claim] = {}
        notes: list[str] = []
        status = Claim(
            ATTESTATION, appraised.status, Grade.RUN_TIME, _NO_VALUES
        )
        _add([status], found, notes)
        for holder in holders:
            _add(self._capabilities(holder, notes), found, notes)
        _add(self._mapped(holders, notes), found, notes)
        _add(self._location(holders, at, notes), found, notes)
        return found, tuple(notes)

    def depends_on_time(self, content: Mapping[str, Any]) -> bool:
        """Whether claims are other ones when the same is issued later."""
        if self._mapping.location is None:
            return False
        return any(
            type(raw := holder.get(LOCATION_CLAIM)) is dict
            and "timestamp" in raw
            for holder in (content, *content[SUBMODS].values())
        )

    def _capabilities(
        self, holder: Holder, notes: list[str]
    ) -> Iterator[Claim]:
        """Yield the private claims of one holder, no better than its status.

        An authority that has just found something may go on to list what it
        listed before.  To refuse that token would be to keep the one before.
        """
        if PRIVATE_CLAIM not in holder.content:
            return
        strangers: list[str] = []
        try:
            claims, _ = self._private.read(
                holder.content[PRIVATE_CLAIM],
                f"{holder.where}.{PRIVATE_CLAIM}",
                strangers,
            )
        except claim_sets.BadClaim as exc:
            value = f" ({exc.value!r})" if exc.value else ""
            raise TokenRefused(
                TokenCode.BAD_CLAIM,
                f"{bounded(exc.path, 96)}: {exc.message}{value}",
            ) from None
        notes.extend(_left_out(strangers))
        for claim in claims.values():
            yield _lowered(claim, holder.status, notes)

    def _mapped(
        self, holders: list[Holder], notes: list[str]
    ) -> Iterator[Claim]:
        """Yield what the mapping table makes of the trust vectors."""
        for rule in self._mapping.entries:
            for holder in holders:
                value = holder.vector.get(rule.entry, 0)
                if value == 0 or rule.submod not in (None, holder.submod):
                    continue
                claim = Claim(
                    rule.capability,
                    rule.tier(value),
                    rule.grade,
                    rule.values,
                )
                yield _lowered(claim, holder.status, notes)

    def _location(
        self, holders: list[Holder], at: Instant, notes: list[str]
    ) -> Iterator[Claim]:
        """Yield the regions in which all locations of the token lie."""
        rule = self._mapping.location
        located = [h for h in holders if LOCATION_CLAIM in h.content]
        if rule is None or not located:
            return
        places = frozenset.intersection(
            *(
                ear_location.places_of(
                    holder.content[LOCATION_CLAIM],
                    rule,
                    self._regions,
                    at,
                    self._max_skew_s,
                    f"{holder.where}.{LOCATION_CLAIM}",
                )
                for holder in located
            )
        )
        if places:
            claim = Claim(
                claim_sets.LOCATION,
                Status.AFFIRMING,
                rule.grade,
                MappingProxyType(
                    ear_location.values_of(places, self._regions)
                ),
            )
            status = ear_tiers.worst(holder.status for holder in located)
            yield _lowered(claim, status, notes)


def _holders(content: Mapping[str, Any], appraised: Appraised) -> list[Holder]:
    """Return what makes claims; what is said of the whole is of all parts."""
    whole = appraised.whole or Status.AFFIRMING
    return [
        Holder("the token", appraised.status, content),
        *(
            Holder(
                f"submods.{name}",
                ear_tiers.worst((submod.status, whole)),
                submod.content,
                name,
                submod.vector,
            )
            for name, submod in appraised.submods.items()
        ),
    ]


def _lowered(claim: Claim, status: Status, notes: list[str]) -> Claim:
    """Return a claim, no better than the status of what makes it.

    One of status ``none`` says nothing, whatever makes it.
    """
    if claim.status is Status.NONE or not ear_tiers.is_better(
        claim.status, status
    ):
        return claim
    notes.append(
        f"{claim.capability} counts as {status.value}, the status of what "
        "claims it"
    )
    return dataclasses.replace(claim, status=status)


def _add(
    claims: Iterable[Claim], found: dict[str, Claim], notes: list[str]
) -> None:
    """Put claims to those found before; where both speak, the worse counts."""
    for claim in claims:
        name = claim.capability
        before = found.get(name)
        if before is None:
            found[name] = claim
            continue
        found[name] = worse(before, claim)
        if before.status is claim.status is not found[name].status:
            notes.append(
                f"{name} is affirmed with different values, which is a warning"
            )


def _left_out(strangers: list[str]) -> Iterator[str]:
    """Say which claims are left out: an authority may know more than we."""
    for name in strangers[:STRANGERS_MAX]:
        yield f"{bounded(name)!r} is no capability of the catalogue; left out"
    if len(strangers) > STRANGERS_MAX:
        yield "more capabilities that are not in the catalogue are left out"


def _unknown_regions(
    mapping: ear_table.Mapping, regions: Mapping[Axis, Regions]
) -> Iterator[str]:
    circles = mapping.location.circles if mapping.location else {}
    for axis, named in circles.items():
        for region in named:
            if region not in regions.get(axis, ()):
                yield (
                    f"the mapping table has circles for {bounded(region)}, "
                    f"which is no {axis.value} region of the policy"
                )
