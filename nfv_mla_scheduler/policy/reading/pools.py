# SPDX-License-Identifier: Apache-2.0
"""Read a policy's pools, and hold them to the rules of their class (7.2).

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.policy.reading.parts import Part
from nfv_mla_scheduler.policy.reading.vocabulary import Names
from nfv_mla_scheduler.policy.reading.vocabulary import known_words
from nfv_mla_scheduler.policy.reading.vocabulary import read_term
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import ClassRules
from nfv_mla_scheduler.standard.values import Dedication
from nfv_mla_scheduler.standard.values import Management
from nfv_mla_scheduler.standard.values import Moves

_CLASSES = {c.value: c for c in HostClass}


def read_pools(
    part: Part, catalogue: Catalogue, names: Names
) -> dict[str, Pool]:
    """Return the pools; every contradiction to 7.2 is reported."""
    pools = {}
    for name, entry in part.entries():
        host_class = _CLASSES.get(entry.at("host_class").text())
        if host_class is None:
            continue
        pool = _pool(name, host_class, entry, catalogue, names)
        _check_class(entry, catalogue.classes[host_class])
        pools[name] = pool
    _check_members(part, pools)
    return pools


def _pool(
    name: str,
    host_class: HostClass,
    entry: Part,
    catalogue: Catalogue,
    names: Names,
) -> Pool:
    exclusive = entry.at("exclusive_to")
    domains = names.trust_domains
    terms = [
        read_term(item, catalogue, names) for item in entry.at("prove").items()
    ]
    return Pool(
        name=name,
        host_class=host_class,
        members=known_words(entry.at("members"), names.hosts, "host"),
        prove=tuple(term for term in terms if term is not None),
        exclusive_to=known_words(exclusive, domains, "trust domain")
        if exclusive.present
        else None,
        management_domains=known_words(
            entry.at("management_domains"), domains, "trust domain"
        ),
        moves_to=known_words(entry.at("moves_to"), names.hosts, "host"),
        handle=entry.at("handle").text() or None,
    )


def _check_class(entry: Part, rules: ClassRules) -> None:
    """Report where a pool breaks the rules of its class."""
    kind = f"a {rules.host_class.value} pool ({rules.clause})"
    exclusive = entry.at("exclusive_to")
    dedicated = rules.dedicated_to is Dedication.TRUST_DOMAIN
    if dedicated and _count(exclusive) != 1:
        exclusive.wrong(
            f"{kind} is dedicated: name exactly one trust domain",
            _shown(exclusive),
        )
    managed = entry.at("management_domains")
    own_only = rules.management is Management.OWN_DOMAIN_ONLY
    if own_only and _count(managed) != 1:
        managed.wrong(
            f"{kind} is managed from its own domain only: name exactly one "
            "trust domain",
            _shown(managed),
        )
    restricted = rules.management is Management.SHARED_RESTRICTED
    if restricted and not _count(managed):
        managed.wrong(
            f"{kind} is managed by a restricted set: name at least one trust "
            "domain"
        )
    moves = entry.at("moves_to")
    if moves.present and rules.moves is not Moves.LISTED_SET:
        moves.wrong(
            f"{kind} has no list of hosts to move to: only single-restricted "
            "pools (7.2.1) do"
        )


def _count(part: Part) -> int:
    return len({word for word, _ in part.words()})


def _shown(part: Part) -> str:
    return ", ".join(word for word, _ in part.words())


def _check_members(part: Part, pools: Mapping[str, Pool]) -> None:
    """Report hosts whose pools contradict one another."""
    homes: dict[str, list[Pool]] = {}
    for name, pool in pools.items():
        for host, item in part.at(name).at("members").words():
            for other in homes.setdefault(host, []):
                conflict = _conflict(pool, other)
                if conflict and other is not pool:
                    item.wrong(
                        f"is a member of the pool {other.name} as well: "
                        f"{conflict}",
                        host,
                    )
            homes[host].append(pool)


def _conflict(one: Pool, other: Pool) -> str:
    """Return why a host cannot be in both pools, or nothing."""
    single = HostClass.SINGLE_RESTRICTED
    if single in (one.host_class, other.host_class):
        return "a single-restricted host (7.2.1) is in one pool only"
    if _apart(one.exclusive_to, other.exclusive_to):
        return "they are exclusive to different trust domains"
    if _apart(one.management_domains, other.management_domains):
        return "no scheduler may place in both"
    return ""


def _apart(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """Whether both name somebody, and nobody is named by both."""
    return bool(one and other and one.isdisjoint(other))
