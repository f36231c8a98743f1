# SPDX-License-Identifier: Apache-2.0
"""Where a location of EAT lies, by the circles of a mapping table.

Pure.  RFC 9711, section 4.2.10: WGS 84 in degrees, accuracy in metres.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority.ear_table import Circle
from nfv_mla_scheduler.authority.ear_table import LocationRule
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import strict_json

EARTH_RADIUS_M = 6_371_009.0
# On a sphere distances are too short by less than this: the Earth's radii of
# curvature are from 6,335 to 6,400 km (WGS 84).
STRETCH = 1.006

Places = frozenset[tuple[Axis, str]]


def places_of(
    raw: Any,
    rule: LocationRule,
    regions: Mapping[Axis, Regions],
    at: Instant,
    max_skew_s: float,
    where: str,
) -> Places:
    """Return the regions in one of whose circles a location lies for sure.

    None, when the location does not say how exact it is, or is too old.

    :param at: when the token was issued
    :param max_skew_s: how far the attester's clock may be ahead of that
    :raises TokenRefused: BAD_CLAIM for what is no location
    """
    if type(raw) is not dict:
        raise _wrong(where, "is no object")
    latitude = _degrees(raw, "latitude", 90, where)
    longitude = _degrees(raw, "longitude", 180, where)
    accuracy = rule.assumed_accuracy_m
    if "accuracy" in raw:
        accuracy = _amount(raw, "accuracy", where)
    age = _age_s(raw, at, where)
    if accuracy is None or not -max_skew_s <= age <= rule.max_age_s:
        return frozenset()
    return frozenset(
        (axis, region)
        for axis, named in rule.circles.items()
        for region, circles in named.items()
        if region in regions.get(axis, ())
        and _is_inside(latitude, longitude, accuracy, circles)
    )


def values_of(
    places: Places, regions: Mapping[Axis, Regions]
) -> dict[str, frozenset[str]]:
    """Return axis -> regions, the inmost: they lie in the others anyway."""
    found: dict[str, frozenset[str]] = {}
    for axis in Axis:
        named = {region for of, region in places if of is axis}
        outer: set[str] = set()
        for region in named:
            outer.update(regions[axis].around(region)[1:])
        if named:
            found[axis.value] = frozenset(named - outer)
    return found


def distance_m(
    latitude: float, longitude: float, other: float, other_longitude: float
) -> float:
    """Return a distance along the ground, rather too long than too short."""
    phi, psi = math.radians(latitude), math.radians(other)
    chord = (
        math.sin((psi - phi) / 2) ** 2
        + math.cos(phi)
        * math.cos(psi)
        * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    )
    angle = 2 * math.asin(math.sqrt(min(1.0, chord)))
    return EARTH_RADIUS_M * angle * STRETCH


def _is_inside(
    latitude: float,
    longitude: float,
    accuracy_m: float,
    circles: Iterable[Circle],
) -> bool:
    return any(
        distance_m(latitude, longitude, circle.latitude, circle.longitude)
        + accuracy_m
        <= circle.radius_m
        for circle in circles
    )


def _age_s(raw: dict[str, Any], at: Instant, where: str) -> float:
    """Return how old the location was when the token was issued.

    By whichever of age and timestamp makes it older; negative, when it is
    from later than that; 0, when it does not say.
    """
    ages = []
    if "age" in raw:
        ages.append(_amount(raw, "age", where))
    if "timestamp" in raw:
        ages.append(at - _amount(raw, "timestamp", where))
    return max(ages, default=0.0)


def _degrees(raw: dict[str, Any], key: str, limit: int, where: str) -> float:
    value: Any = raw.get(key)
    if type(value) not in (int, float) or not -limit <= value <= limit:
        raise _wrong(
            where,
            f"{key} must be degrees from -{limit} to {limit}, and is "
            f"{strict_json.shown(value)!r}",
        )
    return float(value)


def _amount(raw: dict[str, Any], key: str, where: str) -> float:
    value = raw[key]
    if not strict_json.is_number(value):
        raise _wrong(
            where,
            f"{key} must be a number from 0 to 2**53, and is "
            f"{strict_json.shown(value)!r}",
        )
    return float(value)


def _wrong(where: str, message: str) -> TokenRefused:
    return TokenRefused(TokenCode.BAD_CLAIM, f"{bounded(where)}: {message}")
