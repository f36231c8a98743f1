# SPDX-License-Identifier: Apache-2.0
"""Claims as they travel, checked against the catalogue.  Pure.

On the wire a claim set is an object, capability -> ``{"status", "grade",
"values"}``; values are an array, or for a capability that the catalogue
splits by keys an object of arrays, and may be omitted when there are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue

LOCATION = "location"

Content = frozenset[tuple[Any, ...]]
Values = Mapping[str, frozenset[str]]
_Word = TypeVar("_Word")

_STATUSES = {status.value: status for status in Status}
_GRADES = {grade.value: grade for grade in Grade}
_FIELDS = frozenset({"status", "grade", "values"})
_NO_VALUES: Values = MappingProxyType({})
_NONE: frozenset[str] = frozenset()


class BadClaim(Exception):
    """A claim that cannot be taken; results that hold it are faulty."""

    def __init__(self, path: str, message: str, value: object = "") -> None:
        self.path = path
        self.message = message
        self.value = strict_json.shown(value)
        super().__init__(message)


def content(claims: Claims) -> Content:
    """Return what makes two claim sets equal; it can be hashed."""
    return frozenset(map(_claim_content, claims.values()))


def _claim_content(claim: Claim) -> tuple[Any, ...]:
    name, values = claim.capability, claim.values
    words = (name, claim.status.value, claim.grade.value)
    if len(values) <= 1:
        return (*words, *values.items())
    return (*words, frozenset(values.items()))


class Reader:
    """Reads the claim sets of one body; equal claims become one object."""

    def __init__(
        self, catalogue: Catalogue, regions: Mapping[Axis, Regions]
    ) -> None:
        self._catalogue = catalogue
        self._regions = regions
        self._known: dict[tuple[str, str], tuple[Claim, tuple[Any, ...]]] = {}

    def read(
        self, raw: Any, path: str, unknown: list[str] | None = None
    ) -> tuple[dict[str, Claim], Content]:
        """Return the claims of one set, and what makes it equal to others.

        :param unknown: gets the capabilities that the catalogue lacks, whose
            claims are left out unread; None: such a one is a BadClaim
        :raises BadClaim: for the first thing in it that is not in the
            catalogue or, for a location, not among the policy's regions
        """
        if type(raw) is not dict:
            raise BadClaim(path, "must be an object")
        claims: dict[str, Claim] = {}
        contents: list[tuple[Any, ...]] = []
        for name, wired in raw.items():
            if unknown is not None and (
                name not in self._catalogue.capabilities
            ):
                unknown.append(name)
                continue
            key = (name, repr(wired))
            if key not in self._known:
                claim = self._claim(name, wired, path)
                self._known[key] = (claim, _claim_content(claim))
            claims[name], claim_content = self._known[key]
            contents.append(claim_content)
        return claims, frozenset(contents)

    def salvage(self, raw: Any) -> dict[str, Claim]:
        """Return what counts of a set that :meth:`read` does not take.

        It carries nothing any more, but contradicts what it did.
        """
        claims: dict[str, Claim] = {}
        for name, wired in raw.items() if type(raw) is dict else ():
            capability = self._catalogue.capabilities.get(name)
            if capability is None:
                continue
            try:
                claims[name] = _claim(wired, name, capability, self._regions)
            except BadClaim:
                against = _against(wired, capability)
                if against is not None:
                    claims[name] = against
        return claims

    def _claim(self, name: str, wired: Any, path: str) -> Claim:
        capability = self._catalogue.capabilities.get(name)
        if capability is None:
            raise BadClaim(path, "is not a capability of the catalogue", name)
        return _claim(wired, f"{path}.{name}", capability, self._regions)


def _claim(
    raw: Any,
    path: str,
    capability: Capability,
    regions: Mapping[Axis, Regions],
) -> Claim:
    if type(raw) is not dict:
        raise BadClaim(path, "must be an object")
    for key in raw:
        if key not in _FIELDS:
            raise BadClaim(path, "has a key that is not known", key)
    status = _word(raw.get("status"), f"{path}.status", _STATUSES)
    grade = _word(raw.get("grade"), f"{path}.grade", _GRADES)
    values = _NO_VALUES
    if "values" in raw:
        values = _values(raw["values"], f"{path}.values", capability, regions)
    return Claim(capability.name, status, grade, values)


def _against(raw: Any, capability: Capability) -> Claim | None:
    """Return what a claim that is at fault holds against its capability.

    A warning is of some keys; which, cannot be told here, so it is of all.
    """
    word = raw.get("status") if type(raw) is dict else None
    status = _STATUSES.get(word) if type(word) is str else None
    if status not in (Status.WARNING, Status.CONTRAINDICATED):
        return None
    if capability.keys:
        status = Status.CONTRAINDICATED
    return Claim(capability.name, status, Grade.DECLARED, _NO_VALUES)


def worst(sets: Iterable[Claims]) -> dict[str, Claim]:
    """Return all that any of some faulty sets holds against the host."""
    found: dict[str, Claim] = {}
    for claims in sets:
        for name, claim in claims.items():
            if claim.status is Status.NONE:
                continue
            other = found.setdefault(name, claim)
            if (claim.status, claim.values) != (other.status, other.values):
                found[name] = _both(claim, other)
    return found


def _both(one: Claim, other: Claim) -> Claim:
    """Return a claim against whatever one of two that differ is against.

    Affirming claims that differ contradict each other: that is a warning.
    """
    status = Status.WARNING
    if Status.CONTRAINDICATED in (one.status, other.status):
        status = Status.CONTRAINDICATED
    values = {
        key: one.values.get(key, _NONE) | other.values.get(key, _NONE)
        for key in (*one.values, *other.values)
    }
    return Claim(one.capability, status, one.grade, MappingProxyType(values))


def _word(raw: Any, path: str, words: Mapping[str, _Word]) -> _Word:
    if type(raw) is not str or raw not in words:
        raise BadClaim(path, "must be one of " + ", ".join(words), raw)
    return words[raw]


def _values(
    raw: Any,
    path: str,
    capability: Capability,
    regions: Mapping[Axis, Regions],
) -> Values:
    """Return key -> values; ``""`` is the key of what has no keys."""
    if not capability.keys:
        found = _some(raw, path, frozenset(capability.values))
        return MappingProxyType({"": found}) if found else _NO_VALUES
    if type(raw) is not dict:
        raise BadClaim(path, "must be an object of arrays, one for each key")
    values: dict[str, frozenset[str]] = {}
    for key, some in raw.items():
        if key not in capability.keys:
            raise BadClaim(path, "is not a key of this capability", key)
        allowed: Any = frozenset(capability.values)
        if capability.name == LOCATION:
            allowed = regions.get(Axis(key), ())
        values[key] = _some(some, f"{path}.{key}", allowed)
    return MappingProxyType(values)


def _some(raw: Any, path: str, allowed: Any) -> frozenset[str]:
    if type(raw) is not list:
        raise BadClaim(path, "must be an array of strings")
    for value in raw:
        if type(value) is not str or value not in allowed:
            raise BadClaim(path, "is not a value that is known here", value)
    found = frozenset(raw)
    if len(found) != len(raw):
        raise BadClaim(path, "holds a value twice")
    return found


def wire(claims: Claims) -> dict[str, Any]:
    """Return a claim set as it travels, in a fixed order."""
    return {name: _wire_claim(claims[name]) for name in sorted(claims)}


def _wire_claim(claim: Claim) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": claim.status.value,
        "grade": claim.grade.value,
    }
    if set(claim.values) == {""}:
        found["values"] = sorted(claim.values[""])
    elif claim.values:
        found["values"] = {
            key: sorted(claim.values[key]) for key in sorted(claim.values)
        }
    return found
