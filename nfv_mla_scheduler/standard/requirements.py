# SPDX-License-Identifier: Apache-2.0
"""Read the requirements of clause 5 and the marks of Table 9.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.standard.groups import GroupReader
from nfv_mla_scheduler.standard.reading import Place
from nfv_mla_scheduler.standard.values import EVERY_KEY
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import StandardRequirement


def read_requirements(
    place: Place, groups: GroupReader
) -> Mapping[str, StandardRequirement]:
    found = {}
    names = tuple(name for name, _ in place.entries())
    for name, at in place.entries():
        at.only(
            "title",
            "marks",
            "any",
            "per_key",
            "further_if",
            "further_any",
            "why",
        )
        found[name] = StandardRequirement(
            name=name,
            title=at.at("title").text(),
            groups=groups.read(at.at("any")),
            per_key=at.maybe("per_key").texts(),
            further_if=at.maybe("further_if").texts(names),
            further_groups=groups.read(at.maybe("further_any")),
            why=at.at("why").text(),
        )
        if not found[name].groups:
            raise at.at("any").fault("nothing would ever meet it")
        _check_keys(at, found[name], groups.words.capabilities)
    return MappingProxyType(found)


def _check_keys(
    place: Place,
    requirement: StandardRequirement,
    capabilities: Mapping[str, Capability],
) -> None:
    """Every ``*`` stands for the keys of a requirement that lists them."""
    starred = [t for g in requirement.groups for t in g if t.key == EVERY_KEY]
    if bool(starred) is not bool(requirement.per_key):
        raise place.fault("per_key and [*] go together")
    for term in starred:
        capability = capabilities.get(term.name)
        if capability and set(requirement.per_key) - set(capability.keys):
            raise place.at("per_key").fault(f"not all keys of {term.name}")


def read_marks(
    place: Place, use_cases: tuple[str, ...]
) -> Mapping[str, tuple[str, ...]]:
    """Return Table 9 by columns: use case -> requirements."""
    found: dict[str, list[str]] = {name: [] for name in use_cases}
    for name, at in place.entries():
        marks = at.at("marks").text().split()
        if len(marks) != len(use_cases) or set(marks) - {"X", "-"}:
            raise at.at("marks").fault(f"must be {len(use_cases)} X or -")
        for use_case, mark in zip(use_cases, marks, strict=True):
            if mark == "X":
                found[use_case].append(name)
    return {name: tuple(marked) for name, marked in found.items()}
