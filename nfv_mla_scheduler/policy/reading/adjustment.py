# SPDX-License-Identifier: Apache-2.0
"""Read a policy's profiles: the standard's, adjusted, and the operator's own.

Pure.  A key that is given replaces the base's; of ``strength``, ``values``
and ``refuse_values`` each entry by itself; ``add`` adds.  An own profile
starts from its base as this policy adjusts it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.reading.facts import HOST
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.policy.reading.vocabulary import Names
from nfv_mla_scheduler.policy.reading.vocabulary import check_known
from nfv_mla_scheduler.policy.reading.vocabulary import check_values
from nfv_mla_scheduler.policy.reading.vocabulary import known_words
from nfv_mla_scheduler.policy.reading.vocabulary import read_groups
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Profile

_STRENGTHS = {s.value: s for s in Strength}
_ALWAYS = Strength.REQUIRED
CHOICES_MAX = 256


def read_profiles(
    part: Part, catalogue: Catalogue, names: Names
) -> dict[str, Profile]:
    """Return every profile of the standard and of the policy, by name."""
    profiles = dict(catalogue.profiles)
    for name, entry in part.entries():
        if name in catalogue.profiles:
            base = entry.at("base")
            if base.present:
                base.wrong(
                    "cannot be given: this name is the standard's own, and "
                    "adjusts the standard's profile"
                )
            profiles[name] = _adjusted(
                catalogue.profiles[name], entry, catalogue, names
            )
    for name, entry in part.entries():
        if name not in catalogue.profiles:
            start = _base(name, entry, profiles, catalogue)
            profiles[name] = dataclasses.replace(
                _adjusted(start, entry, catalogue, names), name=name
            )
    return profiles


def _base(
    name: str,
    entry: Part,
    profiles: Mapping[str, Profile],
    catalogue: Catalogue,
) -> Profile:
    if "." in name:
        entry.wrong(
            "is no profile of the standard; the name of an own profile has "
            "no dot"
        )
    base = entry.at("base")
    if not base.present:
        there = ", ".join(catalogue.profiles)
        base.wrong(
            f"is missing: {name} is no profile of the standard, so name one "
            f"to start from: {there}"
        )
    elif base.text():
        check_known(
            base, base.text(), catalogue.profiles, "profile of the standard"
        )
    start = profiles.get(base.text())
    if start is None or base.text() not in catalogue.profiles:
        start = next(iter(catalogue.profiles.values()))
    return dataclasses.replace(start, handle=None)


def _adjusted(
    base: Profile, entry: Part, catalogue: Catalogue, names: Names
) -> Profile:
    changes: dict[str, Any] = {}
    strength, requirements = _strength(base, entry.at("strength"), catalogue)
    accepted = entry.at("accept_declared")
    if accepted.present:
        changes["accept_declared"] = known_words(
            accepted, catalogue.capabilities, "capability"
        )
    for word, item in accepted.words():
        capability = catalogue.capabilities.get(word)
        if capability and HOST.isdisjoint(capability.subjects):
            item.wrong("is no capability that a host has", word)
    if entry.at("handle").text():
        changes["handle"] = entry.at("handle").text()
    if entry.at("max_age_s").present:
        changes["max_age_s"] = entry.at("max_age_s").number(1)
    return dataclasses.replace(
        base,
        requirements=requirements,
        strength=strength,
        values={
            **base.values,
            **check_values(entry.at("values"), catalogue, names),
        },
        refuse_values={
            **base.refuse_values,
            **check_values(entry.at("refuse_values"), catalogue, names),
        },
        add=(*base.add, *_added(base, entry.at("add"), catalogue, names)),
        vouchers_min=entry.at("vouchers_min").number(base.vouchers_min),
        external_voucher=entry.at("external_voucher").flag(
            base.external_voucher
        ),
        **changes,
    )


def _strength(
    base: Profile, part: Part, catalogue: Catalogue
) -> tuple[dict[str, Strength], tuple[str, ...]]:
    """Return strengths and requirements; naming an unmarked one adds it."""
    strength = dict(base.strength)
    requirements = list(base.requirements)
    for name, entry in part.entries():
        if not check_known(
            entry, name, catalogue.requirements, "requirement of Table 9"
        ):
            continue
        strength[name] = _STRENGTHS.get(entry.text(), _ALWAYS)
        if name not in requirements:
            requirements.append(name)
    ordered = [r for r in catalogue.requirements if r in requirements]
    return strength, tuple(ordered)


def _added(
    base: Profile, part: Part, catalogue: Catalogue, names: Names
) -> list[tuple[str, str, Any]]:
    added = []
    taken = set(waivable(base))
    for text, item in part.words():
        groups = read_groups(item, catalogue, names)
        if not groups:
            continue
        if text in taken:
            item.wrong("is a need of this profile already", text)
        taken.add(text)
        first = catalogue.capabilities.get(groups[0][0].name)
        added.append((text, first.clause if first else "6", groups))
    return added


def check_vouchers(
    profiles: Mapping[str, Profile],
    part: Part,
    authorities: Mapping[str, Authority],
) -> None:
    """Report profiles whose vouchers could be chosen in too many ways.

    Every choice is a way to meet a need, and is looked at for every host.
    """
    voices = sum("attestation" in a.vouches for a in authorities.values())
    for name, profile in profiles.items():
        ways = math.comb(voices, profile.vouchers_min)
        if profile.vouchers_min > 1 and ways > CHOICES_MAX:
            part.at(name).at("vouchers_min").wrong(
                f"leaves {ways} ways to choose among {voices} authorities "
                f"that attest; at most {CHOICES_MAX} are judged",
                str(profile.vouchers_min),
            )


def read_bases(part: Part, catalogue: Catalogue) -> dict[str, str]:
    """Return, by own profile, the standard's that it starts from."""
    return {
        name: entry.at("base").text()
        for name, entry in part.entries()
        if name not in catalogue.profiles
    }


def read_footprints(part: Part, names: Names) -> dict[str, dict[str, int]]:
    """Return, by profile, the room that one server of it takes."""
    return {
        name: {
            resource: amount.number(1)
            for resource, amount in entry.at("footprint").entries()
        }
        for name, entry in part.entries()
        if name in names.profiles and entry.at("footprint").present
    }


def waivable(profile: Profile) -> frozenset[str]:
    """Return the names of a profile's needs: what a waiver may name."""
    found = {*profile.requirements, *profile.refuse_values}
    found.update(name for name, _, _ in profile.add)
    if profile.vouchers_min > 1:
        found.add("vouchers")
    if profile.external_voucher:
        found.add("external-voucher")
    return frozenset(found)
