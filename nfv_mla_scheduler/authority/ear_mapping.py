# SPDX-License-Identifier: Apache-2.0
"""The mapping table of one authority: what its words mean in ours.

Pure: bytes in, values out.  doc/source/reference/ear.rst describes the file.
"""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Collection
from types import MappingProxyType

from nfv_mla_scheduler.authority.ear_table import BOOT_ALONE
from nfv_mla_scheduler.authority.ear_table import NOTHING
from nfv_mla_scheduler.authority.ear_table import Circle
from nfv_mla_scheduler.authority.ear_table import EntryRule
from nfv_mla_scheduler.authority.ear_table import LocationRule
from nfv_mla_scheduler.authority.ear_table import Mapping as Mapping
from nfv_mla_scheduler.authority.ear_tiers import ENTRIES
from nfv_mla_scheduler.authority.ear_tiers import TIERS
from nfv_mla_scheduler.authority.mapping_file import is_mapping
from nfv_mla_scheduler.authority.mapping_file import read_table
from nfv_mla_scheduler.model import REGION_PATTERN
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.draft import ANYWHERE
from nfv_mla_scheduler.standard.values import Catalogue

LOCATION_MAX_AGE_S = 86_400
_SECONDS_MAX = 31_536_000
_METRES_MAX = 1_000_000
_KILOMETRES_MAX = 20_000

_RULE = ("entry", "submod", "capability", "grade", "values", "affirming")
_LOCATION = ("grade", "assume_accuracy_m", "max_age_s", "regions")
_CIRCLE = ("latitude", "longitude", "radius_km")
_GRADES = {grade.value: grade for grade in (Grade.BOOT, Grade.RUN_TIME)}
_AXES = {axis.value: axis for axis in Axis}
_DECIMAL = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,9})?", re.ASCII)
_REGION = re.compile(REGION_PATTERN, re.ASCII)


def read_mapping(data: bytes, catalogue: Catalogue) -> Mapping:
    """Return the mapping table in ``data``.

    :raises DocumentError: with everything that is wrong, by path and line
    """
    return read_table(data, _Reader(catalogue).read)


class _Reader:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._claims = claim_sets.Reader(catalogue, ANYWHERE)

    def read(self, top: Part) -> Mapping:
        if not is_mapping(top, ("entries", "location")):
            return NOTHING
        entries, location = top.at("entries"), top.at("location")
        if not entries.present and not location.present:
            top.wrong("maps nothing: say entries, location, or both")
        if entries.present and not isinstance(entries.value, list):
            entries.wrong("must be a list")
        rules: dict[str, EntryRule] = {}
        found: list[EntryRule] = []
        for item in entries.items():
            rule = self._rule(item)
            if rule is not None:
                found.append(rule)
                first = rules.setdefault(rule.capability, rule)
                if first.values != rule.values:
                    item.wrong(
                        f"the rules for {rule.capability} differ in their "
                        "values, so that one would contradict the other"
                    )
        return Mapping(
            tuple(found),
            _location(location) if location.present else None,
        )

    def _rule(self, part: Part) -> EntryRule | None:
        if not is_mapping(part, _RULE):
            return None
        entry = _choice(part.at("entry"), ENTRIES)
        grade = _choice(part.at("grade"), _GRADES)
        submod = part.at("submod")
        if submod.present and not strict_json.is_name(submod.value):
            submod.wrong("must be the name of a submod", submod.value)
        affirming = _affirming(part.at("affirming"))
        values = self._values(part) if grade else None
        if not entry or not grade or values is None:
            return None
        rule = EntryRule(
            entry,
            submod.text() or None,
            part.at("capability").text(),
            _GRADES[grade],
            values,
            affirming,
        )
        if rule.is_of_executables_running and rule.tier(BOOT_ALONE) is not (
            Status.NONE
        ):
            part.at("affirming").wrong(
                f"{BOOT_ALONE} of executables is about the boot alone, and "
                "cannot affirm what holds at run time"
            )
        return rule

    def _values(self, part: Part) -> claim_sets.Values | None:
        """Return the values of a rule, read as those of a claim are."""
        named, given = part.at("capability"), part.at("values")
        capability = self._catalogue.capabilities.get(named.text())
        if capability is None:
            named.wrong("is not a capability of the catalogue", named.value)
            return None
        if capability.name == claim_sets.LOCATION:
            named.wrong("no entry says where a host is: use 'location'")
            return None
        if capability.keys and not given.value:
            given.wrong(
                f"{capability.name} is split by keys: say of which, "
                + ", ".join(capability.keys)
            )
            return None
        claim = {"status": "affirming", "grade": part.at("grade").text()}
        if given.present:
            claim["values"] = given.value
        try:
            found, _ = self._claims.read({capability.name: claim}, "")
        except claim_sets.BadClaim as exc:
            given.wrong(exc.message, exc.value)
            return None
        return found[capability.name].values


def _affirming(part: Part) -> frozenset[int] | None:
    if not part.present:
        return None
    for item in part.items():
        if (
            type(item.value) is not int
            or TIERS.get(item.value) is not Status.AFFIRMING
        ):
            item.wrong("must be a value of the tier affirming", item.value)
    if not isinstance(part.value, list) or not part.value:
        part.wrong("must be a list of values of the tier affirming")
        return None
    return frozenset(i.value for i in part.items() if type(i.value) is int)


def _location(part: Part) -> LocationRule | None:
    if not is_mapping(part, _LOCATION):
        return None
    grade = _choice(part.at("grade"), _GRADES)
    assumed, age = part.at("assume_accuracy_m"), part.at("max_age_s")
    assumed_m = max_age_s = None
    if assumed.present:
        assumed_m = _decimal(assumed, 0, _METRES_MAX)
    if age.present:
        max_age_s = _decimal(age, 0, _SECONDS_MAX)
    regions = part.at("regions")
    circles: dict[Axis, abc.Mapping[str, tuple[Circle, ...]]] = {}
    if is_mapping(regions, tuple(_AXES)):
        for axis, named in regions.entries():
            if axis in _AXES:
                circles[_AXES[axis]] = _regions(named)
        if not regions.value:
            regions.wrong("names no axis: " + ", ".join(_AXES))
    if not grade:
        return None
    return LocationRule(
        _GRADES[grade],
        MappingProxyType(circles),
        assumed_m,
        LOCATION_MAX_AGE_S if max_age_s is None else max_age_s,
    )


def _regions(part: Part) -> abc.Mapping[str, tuple[Circle, ...]]:
    found: dict[str, tuple[Circle, ...]] = {}
    if not isinstance(part.value, dict) or not part.value:
        part.wrong("must be a mapping from regions to circles")
    for name, listed in part.entries():
        if not _REGION.fullmatch(name):
            listed.wrong("is no name of a region")
        if not isinstance(listed.value, list) or not listed.value:
            listed.wrong("must be a list of circles")
        circles = [_circle(item) for item in listed.items()]
        found[name] = tuple(c for c in circles if c is not None)
    return MappingProxyType(found)


def _circle(part: Part) -> Circle | None:
    if not is_mapping(part, _CIRCLE):
        return None
    latitude = _decimal(part.at("latitude"), -90, 90)
    longitude = _decimal(part.at("longitude"), -180, 180)
    radius = _decimal(part.at("radius_km"), 0, _KILOMETRES_MAX)
    if latitude is None or longitude is None or radius is None:
        return None
    return Circle(latitude, longitude, radius * 1000)


def _choice(part: Part, choices: Collection[str]) -> str:
    """Return one of ``choices``; an empty text when it is none."""
    if part.text() in choices:
        return part.text()
    part.wrong("must be one of " + ", ".join(choices), part.value)
    return ""


def _decimal(part: Part, least: int, greatest: int) -> float | None:
    """Return a number; strict YAML leaves one with a point as text."""
    value = part.value
    text = str(value) if type(value) in (int, str) else ""
    if _DECIMAL.fullmatch(text) and least <= float(text) <= greatest:
        return float(text)
    part.wrong(f"must be a number from {least} to {greatest}", value)
    return None
