# SPDX-License-Identifier: Apache-2.0
"""Everything that a policy says, one comparable aspect at a time.  Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.policy.diff import ALLOWED
from nfv_mla_scheduler.policy.diff import AT_LEAST
from nfv_mla_scheduler.policy.diff import CEILING
from nfv_mla_scheduler.policy.diff import DEMANDED
from nfv_mla_scheduler.policy.diff import DEMANDED_TEXT
from nfv_mla_scheduler.policy.diff import EXCEPTION
from nfv_mla_scheduler.policy.diff import IDENTITY
from nfv_mla_scheduler.policy.diff import PLAIN
from nfv_mla_scheduler.policy.diff import STRENGTH
from nfv_mla_scheduler.policy.diff import TRUST
from nfv_mla_scheduler.policy.diff import TRUST_SET
from nfv_mla_scheduler.policy.diff import Aspect
from nfv_mla_scheduler.policy.diff import Rule
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.policy.values import Place
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.policy.values import Wanted
from nfv_mla_scheduler.standard.strict_yaml import Path
from nfv_mla_scheduler.standard.terms import format_group
from nfv_mla_scheduler.standard.terms import format_term
from nfv_mla_scheduler.standard.values import Profile

_FLOOR_RULES = {
    "max_age_s": CEILING,
    "host_class": ALLOWED,
    "pool": ALLOWED,
    "conceals": ALLOWED,
    "copy": DEMANDED_TEXT,
}
_FLOOR_KEYS = {
    "profiles": "profile",
    "host_classes": "host_class",
    "pools": "pool",
    "places": "location",
    "capabilities": "capability",
    "authorities": "authority",
    "follows": "follow",
}


def aspects(policy: Policy) -> Iterator[Aspect]:
    """Yield everything that a policy says, save the digest."""
    yield Aspect(("version",), policy.version, PLAIN)
    yield Aspect(("issued",), policy.issued_at, PLAIN, True)
    yield Aspect(("expires",), policy.expires_at, PLAIN, True)
    yield Aspect(("operator",), policy.operator, IDENTITY)
    for name, key in policy.trust_domains.items():
        path = ("trust_domains", name, "seal_key")
        yield Aspect(path, key or "none", IDENTITY)
    for authority in policy.authorities.values():
        yield from _authority(authority)
    for collector in policy.collectors.values():
        yield from _collector(collector)
    yield from _hosts(policy)
    yield from _regions(policy)
    for pool in policy.pools.values():
        yield from _pool(pool)
    yield from _profiles(policy)
    yield from _exceptions(policy)
    yield from _projects(policy)
    for name, steps in policy.playbooks.items():
        yield Aspect(("playbooks", name), ", ".join(steps), PLAIN)
    for field in dataclasses.fields(policy.guard):
        value = getattr(policy.guard, field.name)
        yield Aspect(("guard", field.name), value, PLAIN)


def _authority(it: Authority) -> Iterator[Aspect]:
    path: Path = ("authorities", it.name)
    yield Aspect((*path, "trust_domain"), it.trust_domain, TRUST)
    yield Aspect((*path, "vouches"), it.vouches, TRUST_SET)
    yield Aspect((*path, "cadence_s"), it.cadence_s, PLAIN)
    yield Aspect((*path, "max_age_s"), it.max_age_s, CEILING)
    yield Aspect((*path, "may_evict"), it.may_evict, AT_LEAST)


def _collector(it: Collector) -> Iterator[Aspect]:
    path: Path = ("collectors", it.name)
    key = "".join(it.public_key.split("\n")[1:-2])
    yield Aspect((*path, "public_key"), key, TRUST)
    yield Aspect((*path, "authorities"), it.authorities, TRUST_SET)


def _hosts(policy: Policy) -> Iterator[Aspect]:
    for host, binding in policy.hosts.items():
        path: Path = ("hosts", host)
        yield Aspect((*path, "node_uuid"), binding.node_uuid, IDENTITY)
        for authority, attester in binding.attesters.items():
            at = (*path, "attesters", authority)
            yield Aspect(at, attester, IDENTITY)
        if binding.pinned_keys:
            keys = frozenset(binding.pinned_keys)
            yield Aspect((*path, "pinned_keys"), keys, ALLOWED)
        yield from _facts((*path, "declared"), binding.declared)
    yield from _facts(("site",), policy.site)


def _facts(path: Path, facts: tuple[DeclaredFact, ...]) -> Iterator[Aspect]:
    for fact in facts:
        values = show_values(fact.claim.values)
        name = fact.claim.capability
        at = (*path, f"{name} ({values})" if values else name)
        yield Aspect(at, fact.until, EXCEPTION, True)


def show_values(values: Mapping[str, frozenset[str]]) -> str:
    """Return a claim's values on one line."""
    parts = []
    for key, words in sorted(values.items()):
        listed = ", ".join(sorted(words))
        parts.append(f"{key}: {listed}" if key else listed)
    return "; ".join(parts)


def _regions(policy: Policy) -> Iterator[Aspect]:
    for axis, regions in policy.regions.items():
        for region, parent in regions.inside.items():
            path: Path = ("regions", axis.value, region)
            yield Aspect((*path, "in"), parent or "no other", IDENTITY)
            grouping = region in regions.groups
            yield Aspect((*path, "group"), grouping, AT_LEAST)


def _pool(it: Pool) -> Iterator[Aspect]:
    path: Path = ("pools", it.name)
    yield Aspect((*path, "host_class"), it.host_class.value, IDENTITY)
    # Whoever leaves an exclusive pool is open to everybody.
    exclusive = it.exclusive_to is not None
    yield Aspect(
        (*path, "members"), it.members, DEMANDED if exclusive else PLAIN
    )
    if it.prove:
        terms = frozenset(format_term(term) for term in it.prove)
        yield Aspect((*path, "prove"), terms, DEMANDED)
    if it.exclusive_to is not None:
        yield Aspect((*path, "exclusive_to"), it.exclusive_to, ALLOWED)
    if it.management_domains:
        at = (*path, "management_domains")
        yield Aspect(at, it.management_domains, ALLOWED)
    if it.moves_to:
        yield Aspect((*path, "moves_to"), it.moves_to, TRUST_SET)
    if it.handle:
        yield Aspect((*path, "handle"), it.handle, PLAIN)


def _profiles(policy: Policy) -> Iterator[Aspect]:
    for name, profile in policy.profiles.items():
        path: Path = ("profiles", name)
        if name in policy.bases:
            yield Aspect((*path, "base"), policy.bases[name], IDENTITY)
        yield from profile_aspects(profile)
        for resource, amount in policy.footprints.get(name, {}).items():
            yield Aspect((*path, "footprint", resource), amount, PLAIN)


def profile_aspects(it: Profile) -> Iterator[Aspect]:
    """Yield what one profile asks for."""
    path: Path = ("profiles", it.name)
    for name in it.requirements:
        strength = it.strength.get(name, Strength.REQUIRED)
        yield Aspect((*path, "strength", name), strength, STRENGTH)
    for field, limit in (
        ("max_age_s", it.max_age_s),
        ("boot_claim_max_age_s", it.boot_claim_max_age_s),
    ):
        if limit is not None:
            yield Aspect((*path, field), limit, CEILING)
    yield from _values((*path, "values"), it.values, ALLOWED)
    yield from _values((*path, "refuse_values"), it.refuse_values, DEMANDED)
    for name, _, groups in it.add:
        text = " or ".join(format_group(group) for group in groups)
        yield Aspect((*path, "add", name), text, DEMANDED_TEXT)
    if it.accept_declared:
        at = (*path, "accept_declared")
        yield Aspect(at, it.accept_declared, TRUST_SET)
    yield Aspect((*path, "vouchers_min"), it.vouchers_min, AT_LEAST)
    yield Aspect((*path, "external_voucher"), it.external_voucher, AT_LEAST)
    if it.handle:
        yield Aspect((*path, "handle"), it.handle, PLAIN)


def _values(
    path: Path, values: Mapping[str, frozenset[str]], rule: Rule
) -> Iterator[Aspect]:
    for capability, words in values.items():
        yield Aspect((*path, capability), words, rule)


def _exceptions(policy: Policy) -> Iterator[Aspect]:
    for waiver in policy.waivers:
        what = f"{waiver.profile} without {waiver.requirement}"
        yield Aspect(("waivers", what), waiver.until, EXCEPTION, True)
    permissive = policy.permissive
    for section in ("pools", "profiles", "projects"):
        for name, until in getattr(permissive, section).items():
            at: Path = ("modes", section, name, "permissive_until")
            yield Aspect(at, until, EXCEPTION, True)


def _projects(policy: Policy) -> Iterator[Aspect]:
    for project in policy.projects.values():
        path: Path = ("projects", project.project_id)
        domain = project.trust_domain or "none"
        yield Aspect((*path, "trust_domain"), domain, TRUST)
        if project.floor is not None:
            for name, value in floor_words(project.floor):
                rule = _FLOOR_RULES.get(name, DEMANDED)
                yield Aspect((*path, "floor", name), value, rule)


def floor_words(floor: Ask) -> Iterator[tuple[str, Any]]:
    """Yield what a floor asks for, as words: key, and word or words."""
    for field in dataclasses.fields(floor):
        value = getattr(floor, field.name)
        if field.name == "source" or value in (None, frozenset()):
            continue
        key = _FLOOR_KEYS.get(field.name, field.name)
        if isinstance(value, frozenset):
            yield key, frozenset(_word(item) for item in value)
        else:
            yield key, _word(value)


def _word(item: Any) -> Any:
    if isinstance(item, Place):
        regions = [*sorted(item.inside)]
        regions += [f"!{region}" for region in sorted(item.outside)]
        return f"{item.axis.value}: {' '.join(regions)}"
    if isinstance(item, Wanted):
        words = "|".join(sorted(item.any_of | item.keys))
        return f"{item.capability}={words or 'required'}"
    if isinstance(item, Follow):
        return f"{item.profile}@{item.axis.value}"
    if isinstance(item, HostClass | CopyRule):
        return item.value
    return item
