# SPDX-License-Identifier: Apache-2.0
"""Turn a profile into needs, as the policy adjusts and waives it.

Pure.  Table 9 says which requirements a use case has, the catalogue which
capabilities meet a requirement, the profile how strictly it takes each.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from collections.abc import Iterator

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Group
from nfv_mla_scheduler.standard.values import Profile
from nfv_mla_scheduler.standard.values import StandardRequirement

_LOCATION = "5.1.6"


def profile_needs(
    profile: Profile,
    policy: Policy,
    catalogue: Catalogue,
    preferred: bool = False,
) -> Iterator[Need]:
    """Yield what ``profile`` needs of a host.

    :param preferred: yield instead what it merely prefers, for weighing
    """
    strength = Strength.PREFERRED if preferred else Strength.REQUIRED
    chosen = [
        catalogue.requirements[name]
        for name in profile.requirements
        if profile.strength.get(name, Strength.REQUIRED) is strength
    ]
    names = {requirement.name for requirement in chosen}
    for requirement in chosen:
        for need in _standard_needs(requirement, profile, names):
            yield _framed(need, profile, policy)
    if not preferred:
        for need in _own_needs(profile, policy, catalogue):
            yield _framed(need, profile, policy)


def subject_of(capability: Capability) -> Subject:
    """Return whom a term about ``capability`` is about, host or site."""
    site = capability.subjects == ("site",)
    return Subject.SITE if site else Subject.HOST


def _standard_needs(
    requirement: StandardRequirement, profile: Profile, names: set[str]
) -> Iterator[Need]:
    for _key, groups in requirement.expanded():
        if requirement.name == _LOCATION and profile.location_axes:
            groups = _on_axes(groups[0], profile)
        yield Need(
            requirement.name, requirement.name, _adjusted(groups, profile)
        )
    if names.intersection(requirement.further_if):
        yield Need(
            requirement.name,
            requirement.name,
            _adjusted(requirement.further_groups, profile),
        )


def _own_needs(
    profile: Profile, policy: Policy, catalogue: Catalogue
) -> Iterator[Need]:
    """Yield what the notes of Tables 1 to 8, or the officers, add."""
    for name, clause, groups in profile.add:
        yield Need(name, clause, _adjusted(groups, profile))
    for name in sorted(profile.refuse_values):
        term = Term(
            subject_of(catalogue.capabilities[name]),
            name,
            none_of=profile.refuse_values[name],
            grade=Grade.DECLARED,
            silence_counts=True,
        )
        yield Need(name, catalogue.capabilities[name].clause, ((term,),))
    if profile.vouchers_min > 1:
        groups = _adjusted(_vouchers(profile, policy), profile)
        yield Need("vouchers", "5.1.1", groups)
    if profile.external_voucher:
        independent = Term(Subject.SELF, "independent-authority")
        pinned = Term(Subject.SELF, "pinned-tpm")
        tpm = Term(
            Subject.HOST,
            "tpm",
            any_of=frozenset({"hardware", "equivalent-hardware"}),
        )
        groups = _adjusted(((independent,), (pinned, tpm)), profile)
        yield Need("external-voucher", "5.2.10", groups)


def _vouchers(profile: Profile, policy: Policy) -> tuple[Group, ...]:
    """Return every choice of as many authorities as have to vouch."""
    names = sorted(
        name
        for name, authority in policy.authorities.items()
        if "attestation" in authority.vouches
    )
    return tuple(
        tuple(Term(Subject.HOST, "attestation", authority=n) for n in chosen)
        for chosen in itertools.combinations(names, profile.vouchers_min)
    )


def _on_axes(group: Group, profile: Profile) -> tuple[Group, ...]:
    """Return the location terms of 5.1.6 for each axis that matters."""
    return (
        tuple(
            dataclasses.replace(term, key=axis.value)
            for term in group
            for axis in profile.location_axes
        ),
    )


def _adjusted(
    groups: Iterable[Iterable[Term]], profile: Profile
) -> tuple[Group, ...]:
    """Apply the profile's values and grades; drop what no value can meet."""
    adjusted = []
    for group in groups:
        terms = [_adjusted_term(term, profile) for term in group]
        known = tuple(term for term in terms if term is not None)
        if len(known) == len(terms):
            adjusted.append(known)
    return tuple(adjusted)


def _adjusted_term(term: Term, profile: Profile) -> Term | None:
    if term.subject not in (Subject.HOST, Subject.SITE):
        return term
    if term.name in profile.accept_declared:
        term = dataclasses.replace(term, grade=Grade.DECLARED)
    wanted = profile.values.get(term.name)
    if wanted is None:
        return term
    any_of = term.any_of & wanted if term.any_of else wanted
    return dataclasses.replace(term, any_of=any_of) if any_of else None


def _framed(need: Need, profile: Profile, policy: Policy) -> Need:
    """Add what holds for all of a profile's needs, and the waivers."""
    waived = max(
        (
            waiver.until
            for waiver in policy.waivers
            if waiver.profile == profile.name
            and waiver.requirement == need.requirement
        ),
        default=NEVER,
    )
    return dataclasses.replace(
        need,
        profile=profile.name,
        max_age_s=profile.max_age_s,
        boot_max_age_s=profile.boot_claim_max_age_s,
        waived_until=waived,
        permissive_until=policy.permissive.profiles.get(profile.name, NEVER),
    )
