# SPDX-License-Identifier: Apache-2.0
"""Read the words of the catalogue: capabilities and terms about us.

Pure.  Clause 6 with Tables 10 and 11, and what clauses 5 and 7 add.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Level
from nfv_mla_scheduler.standard.reading import Place
from nfv_mla_scheduler.standard.values import Capability

Differences = Mapping[HostClass, Mapping[str, Level]]


_SUBJECTS = ("host", "app", "site", "self", "other")
_MARKS = {"X": Level.CORE, "M": Level.MAY, "-": Level.NONE}
_COLUMN = {  # of Table 11; 7.2.2 is one column for both types of pool
    HostClass.SINGLE_RESTRICTED: 0,
    HostClass.POOLED_RESTRICTED: 1,
    HostClass.POOLED_RESTRICTED_CONCEALED: 1,
    HostClass.SECURE_EXECUTION: 2,
}
_TABLE10 = {  # word -> (static, boot_only)
    "static boot": (True, True),
    "static run-time": (True, False),
    "dynamic boot": (False, True),
    "dynamic run-time": (False, False),
}


def read_capabilities(
    root: Place, differs: Differences
) -> Mapping[str, Capability]:
    found: dict[str, Capability] = {}
    for section in ("measures", "further_capabilities"):
        for name, place in root.at(section).entries():
            if name in found:
                raise place.fault("is already a measure")
            found[name] = _capability(name, place, differs)
            if bool(found[name].levels) is not (section == "measures"):
                raise place.fault("table11 is for measures, and for all")
    return MappingProxyType(found)


def _capability(
    name: str,
    place: Place,
    differs: Differences,
) -> Capability:
    place.only(
        "clause",
        "title",
        "subjects",
        "table10",
        "least",
        "table11",
        "values",
        "keys",
        "open_values",
        "self_term",
    )
    clause = place.at("clause").text()
    static, boot_only = None, None
    if place.maybe("table10").given():
        words = place.at("table10").text()
        if words not in _TABLE10:
            raise place.at("table10").fault(f"not one of {list(_TABLE10)}")
        static, boot_only = _TABLE10[words]
    return Capability(
        name=name,
        clause=clause,
        title=place.at("title").text(),
        subjects=place.at("subjects").texts(_SUBJECTS),
        static=static,
        boot_only=boot_only,
        min_grade=place.at("least").word(Grade),
        values=place.maybe("values").texts(),
        keys=place.maybe("keys").texts(),
        levels=_levels(place.maybe("table11"), clause, differs),
        open_values=place.maybe("open_values").value is True,
    )


def _levels(
    place: Place,
    clause: str,
    differs: Differences,
) -> Mapping[HostClass, Level]:
    """Return a row of Table 11; a type 2 pool as 7.2.2.2 has it."""
    if not place.given():
        return MappingProxyType({})
    marks = place.text().split()
    if len(marks) != 3 or set(marks) - set(_MARKS):
        raise place.fault("must be three of X, M and -")
    levels = {host: _MARKS[marks[at]] for host, at in _COLUMN.items()}
    type2 = HostClass.POOLED_RESTRICTED_CONCEALED
    levels[type2] = differs[type2].get(clause, levels[type2])
    return MappingProxyType(levels)


def read_self_terms(place: Place) -> Mapping[str, str]:
    return MappingProxyType({name: at.text() for name, at in place.entries()})


def read_application_terms(place: Place) -> Mapping[str, str]:
    return MappingProxyType(
        {
            name: (
                at.only("text", "keys_of").at("text").text()
                if isinstance(at.value, dict)
                else at.text()
            )
            for name, at in place.entries()
        }
    )


def read_application_keys(
    place: Place, capabilities: Mapping[str, Capability]
) -> Mapping[str, tuple[str, ...]]:
    found = {}
    for name, at in place.entries():
        if isinstance(at.value, dict):
            whose = at.at("keys_of").text()
            if whose not in capabilities:
                raise at.at("keys_of").fault(f"{whose} is not a capability")
            found[name] = capabilities[whose].keys
    return MappingProxyType(found)
