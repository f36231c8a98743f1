# SPDX-License-Identifier: Apache-2.0
"""What a source needs of a host, each need as a question to be asked of it.

A part of the brute-force judge (``brute_force.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.standard.values import Profile
from tests.unit.brute_reading import KEYED
from tests.unit.brute_reading import RESOURCES
from tests.unit.brute_reading import Unreadable
from tests.unit.brute_terms import Ages
from tests.unit.brute_terms import Host

TYPE_1 = HostClass.POOLED_RESTRICTED
TYPE_2 = HostClass.POOLED_RESTRICTED_CONCEALED
CONFIDENTIAL = {"5.2.1", "5.2.2", "5.2.3", "5.2.4"}
HARDWARE = frozenset({"hardware", "equivalent-hardware"})


@dataclasses.dataclass(frozen=True)
class Need:
    """Something that has to be met, and who may do without it."""

    name: str
    met: Callable[[Host], bool]
    profile: str | None = None


def needs_of(world: Any, ask: Ask) -> list[Need]:
    """Return everything that one source needs.

    :raises Unreadable: for names that mean nothing, and contradictions
    """
    policy = world.policy
    profiles = [profile_named(world, name) for name in sorted(ask.profiles)]
    ages = Ages(source_s=FOREVER if ask.max_age_s is None else ask.max_age_s)
    needs: list[Need] = []
    for profile in profiles:
        needs.extend(profile_needs(world, profile, ages.source_s))
        named = {place.axis for place in ask.places if place.inside}
        if profile.location_explicit not in {None, *named}:
            raise Unreadable(profile.name)
    if ask.host_classes:
        needs.append(_class_need(ask.host_classes, policy, ages))
    if ask.pools:
        needs.append(_pool_need(world, ask.pools, ages))
    everywhere = (
        set.intersection(*({*profile.accept_declared} for profile in profiles))
        if profiles
        else set()
    )
    located = Grade.DECLARED if "location" in everywhere else Grade.BOOT
    for place in ask.places:
        regions = policy.regions.get(place.axis)
        for region in place.inside | place.outside:
            if regions is None or region not in regions.inside:
                raise Unreadable(region)
        term = Term(
            Subject.HOST,
            "location",
            key=place.axis.value,
            any_of=place.inside,
            none_of=place.outside,
            grade=located,
        )
        needs.append(need("location", [[term]], ages))
    for wanted in ask.capabilities:
        needs.append(_capability_need(world, wanted, ages))
    for name in ask.authorities:
        if name not in policy.authorities:
            raise Unreadable(name)
        term = Term(Subject.HOST, "attestation", authority=name)
        needs.append(need("authority", [[term]], ages))
    if ask.max_age_s is not None:
        named = ask.authorities or policy.authorities
        cadences = [policy.authorities[name].cadence_s for name in named]
        if cadences:
            least = max(cadences) if ask.authorities else min(cadences)
            if ask.max_age_s < 2 * least:
                raise Unreadable("max_age")
        term = Term(Subject.HOST, "attestation", grade=Grade.RUN_TIME)
        needs.append(need("max_age", [[term]], ages))
    for kind in ask.provision:
        signed = kind == "signed-image"
        value = "integrity" if signed else "confidentiality"
        group = [
            Term(
                Subject.HOST,
                "secure-provisioning",
                any_of=frozenset({value}),
            ),
            Term(Subject.APPLICATION, kind),
        ]
        needs.append(need("provision", [group], ages))
    for follow in ask.follows:
        profile_named(world, follow.profile)
        if follow.axis not in (FollowAxis.POOL, FollowAxis.HOST):
            term = Term(
                Subject.HOST, "location", key=follow.axis.value, grade=located
            )
            needs.append(need("follow", [[term]], ages))
    return needs


def profile_named(world: Any, name: str) -> Profile:
    """Return the profile of this name or handle."""
    name = world.policy.aliases.get(name, name)
    if name not in world.policy.profiles:
        raise Unreadable(name)
    return world.policy.profiles[name]


def need(
    name: str,
    groups: Iterable[Iterable[Term]],
    ages: Ages,
    profile: str | None = None,
) -> Need:
    """Return a need that any of ``groups`` meets."""
    listed = [list(group) for group in groups]
    return Need(
        name,
        lambda host: any(
            all(host.holds(term, ages) for term in group) for group in listed
        ),
        profile,
    )


def ages_of(profile: Profile, source_s: float = FOREVER) -> Ages:
    """Return what a profile says of the claims that carry its needs."""
    boot = profile.boot_claim_max_age_s
    return Ages(
        source_s,
        FOREVER if profile.max_age_s is None else profile.max_age_s,
        FOREVER if boot is None else boot,
        profile.accept_declared,
    )


def profile_needs(
    world: Any, profile: Profile, source_s: float = FOREVER
) -> Iterator[Need]:
    """Return everything that a profile needs."""
    ages = ages_of(profile, source_s)

    def of_profile(name, groups):
        cut = [_cut(profile, group) for group in groups]
        kept = [group for group in cut if group is not None]
        return need(name, kept, ages, profile.name)

    required = [
        name
        for name in profile.requirements
        if profile.strength_of(name) is Strength.REQUIRED
    ]
    for name in required:
        standard = world.catalogue.requirements[name]
        if name == "5.1.6":
            axes = [axis.value for axis in profile.location_axes] or [None]
            for axis in axes:
                yield of_profile(name, _located(standard.groups, axis))
            continue
        for _, groups in standard.expanded():
            yield of_profile(name, groups)
        if name == "5.1.3" and CONFIDENTIAL & set(required):
            yield of_profile(name, standard.further_groups)
    for name, _, groups in profile.add:
        yield of_profile(name, groups)
    for name, values in profile.refuse_values.items():
        term = Term(
            _subject(world, name), name, none_of=values, silence_counts=True
        )
        yield need(name, [[term]], ages, profile.name)
    if profile.vouchers_min > 1:
        everybody = list(world.policy.authorities)
        yield Need(
            "vouchers",
            lambda host: (
                host.attested_by(everybody, ages) >= profile.vouchers_min
            ),
            profile.name,
        )
    if profile.external_voucher:
        yield of_profile(
            "external-voucher",
            [
                [Term(Subject.SELF, "independent-authority")],
                [
                    Term(Subject.SELF, "pinned-tpm"),
                    Term(Subject.HOST, "tpm", any_of=HARDWARE),
                ],
            ],
        )


def _located(groups, axis):
    return [
        [
            dataclasses.replace(term, key=axis)
            if term.name == "location"
            else term
            for term in group
        ]
        for group in groups
    ]


def _cut(profile: Profile, group: Iterable[Term]) -> list[Term] | None:
    """Cut the values of which any will do down to those that count."""
    found = []
    for term in group:
        allowed = profile.values.get(term.name)
        of_claims = term.subject in (Subject.HOST, Subject.SITE)
        if allowed is None or not of_claims:
            found.append(term)
            continue
        left = term.any_of & allowed if term.any_of else allowed
        if not left:
            return None
        found.append(dataclasses.replace(term, any_of=left))
    return found


def _subject(world: Any, capability: str) -> Subject:
    if world.catalogue.capabilities[capability].subjects == ("site",):
        return Subject.SITE
    return Subject.HOST


def _capability_need(world: Any, wanted: Any, ages: Ages) -> Need:
    group = [
        Term(
            _subject(world, wanted.capability),
            wanted.capability,
            key=key,
            any_of=wanted.any_of,
        )
        for key in sorted(wanted.keys) or [None]
    ]
    return need(wanted.capability, [group], ages)


def _class_need(wanted: Any, policy: Any, ages: Ages) -> Need:
    pools = [
        (pool, TYPE_2 in wanted and pool.host_class not in wanted)
        for pool in policy.pools.values()
        if pool.host_class in wanted
        or (pool.host_class is TYPE_1 and TYPE_2 in wanted)
    ]
    return Need("host_class", lambda host: _in_one_of(host, pools, ages))


def _pool_need(world: Any, names: Any, ages: Ages) -> Need:
    policy = world.policy
    pools = []
    for name in names:
        name = policy.aliases.get(name, name)
        if name not in policy.pools:
            raise Unreadable(name)
        pools.append((policy.pools[name], False))
    return Need("pool", lambda host: _in_one_of(host, pools, ages))


def _in_one_of(host: Host, pools: Any, ages: Ages) -> bool:
    return any(
        pool in host.listed and proves(host, pool, conceal, ages)
        for pool, conceal in pools
    )


def proves(host: Host, pool: Any, conceal: bool, ages: Ages) -> bool:
    """Whether a host proves what class and pool ask for."""
    rules = host.world.catalogue.classes[pool.host_class]
    if not all(host.holds(term, ages) for term in (*rules.terms, *pool.prove)):
        return False
    return not conceal or all(
        host.holds(Term(Subject.APPLICATION, "conceals", key=key), ages)
        or host.holds(Term(Subject.HOST, KEYED, key=key), ages)
        for key in RESOURCES
    )


def axis_of(follow: Any) -> Axis | None:
    """Return the axis of location that is to be shared, if it is one."""
    if follow.axis in (FollowAxis.POOL, FollowAxis.HOST):
        return None
    return Axis(follow.axis.value)
