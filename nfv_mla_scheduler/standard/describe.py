# SPDX-License-Identifier: Apache-2.0
"""Say in words, and as plain data, what requirements and profiles ask.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.standard.terms import format_group
from nfv_mla_scheduler.standard.values import Profile
from nfv_mla_scheduler.standard.values import StandardRequirement


def describe_requirement(requirement: StandardRequirement) -> Iterator[str]:
    """Yield one line per way to meet it, and per further condition."""
    if requirement.per_key:
        yield "for each of " + ", ".join(requirement.per_key) + ":"
    for number, group in enumerate(requirement.groups):
        yield ("or " if number else "") + format_group(group)
    if requirement.further_groups:
        yield "with any of " + ", ".join(requirement.further_if) + " also:"
    for number, group in enumerate(requirement.further_groups):
        yield ("or " if number else "") + format_group(group)


def describe_profile(profile: Profile) -> Iterator[str]:
    """Yield what a profile says beyond the marks of Table 9."""
    yield f"{profile.clause} {profile.title}"
    for name, strength in profile.strength.items():
        yield f"{name}: {strength.value}"
    if profile.max_age_s is not None:
        yield f"run-time claims: at most {profile.max_age_s} s old"
    if profile.boot_claim_max_age_s is not None:
        days = profile.boot_claim_max_age_s // 86400
        yield f"boot-time claims: at most {days} days old"
    for name, values in profile.values.items():
        yield f"{name}: only {_listed(values)}"
    for name, values in profile.refuse_values.items():
        yield f"{name}: refused with {_listed(values)}"
    for name, clause, groups in profile.add:
        ways = " or ".join(format_group(group) for group in groups)
        yield f"{clause} {name}" + (f": {ways}" if ways != name else "")
    if profile.location_axes:
        axes = ", ".join(axis.value for axis in profile.location_axes)
        yield f"location must be known: {axes}"
    if profile.location_explicit is not None:
        yield f"must be asked for by name: {profile.location_explicit.value}"
    if profile.external_voucher:
        yield "trust from outside the operator's domain"
    if profile.prefer:
        yield f"prefers: {', '.join(profile.prefer)}"
    if profile.conditional_measures:
        yield f"some need: {', '.join(profile.conditional_measures)}"
    if profile.unneeded_measures:
        yield f"hardly needed: {', '.join(profile.unneeded_measures)}"
    for key, value in profile.conduct.items():
        yield _conduct(key, value)


def plain(value: Any) -> Any:
    """Return ``value`` as JSON has it: lists and dictionaries, sets sorted."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


_SPOKEN_KEYS = {
    "first": "on failure, first",
    "nowhere": "with nowhere to go",
    "stress": "about, above all",
    "spare_hosts_min": "spare hosts, at least",
}


def _conduct(key: str, value: Any) -> str:
    spoken = _SPOKEN_KEYS.get(key, key.removesuffix("_s").replace("_", " "))
    unit = " s" if key.endswith("_s") else ""
    return f"{spoken}: {_spoken(value)}{unit}"


def _listed(values: frozenset[str]) -> str:
    return " or ".join(sorted(values))


def _spoken(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(
            f"{key.replace('_', ' ')} {_spoken(entry)}"
            for key, entry in value.items()
        )
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
