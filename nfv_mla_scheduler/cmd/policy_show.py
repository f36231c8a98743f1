# SPDX-License-Identifier: Apache-2.0
"""A policy as tables, for the officers who read what they sign."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

import prettytable

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.aspects import floor_words
from nfv_mla_scheduler.policy.aspects import profile_aspects
from nfv_mla_scheduler.policy.aspects import show_values
from nfv_mla_scheduler.policy.diff import compare
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.root import read_public_key
from nfv_mla_scheduler.policy.root import short
from nfv_mla_scheduler.policy.values import DeclaredFact
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.terms import format_term
from nfv_mla_scheduler.standard.values import Catalogue

CELL_WIDTH = 52
_CELL_MAX = 4096
_Row = Sequence[str]


def table(headings: Sequence[str], rows: Iterable[_Row]) -> str:
    """Return rows under headings; cells are bounded and printable."""
    made = prettytable.PrettyTable(
        list(headings), max_width=CELL_WIDTH, align="l"
    )
    for row in rows:
        made.add_row([_cell(text) for text in row])
    return str(made.get_string())


def _cell(text: str) -> str:
    return "\n".join(bounded(line, _CELL_MAX) for line in text.split("\n"))


def summary(policy: Policy, now: Instant) -> str:
    """Return what identifies a policy, and how much it holds."""
    left = int((policy.expires_at - now) // DAY_S)
    when = f"in {left} days" if left >= 0 else "has passed"
    counts = (
        f"hosts: {len(policy.hosts)}",
        f"pools: {len(policy.pools)}",
        f"authorities: {len(policy.authorities)}",
        f"projects: {len(policy.projects)}",
        f"waivers: {len(policy.waivers)}",
    )
    listed = ", ".join(counts)
    return (
        f"  version   {policy.version}\n"
        f"  operator  {policy.operator}\n"
        f"  issued    {write_instant(policy.issued_at)}\n"
        f"  expires   {write_instant(policy.expires_at)} ({when})\n"
        f"  holds     {listed}"
    )


def everything(policy: Policy, catalogue: Catalogue) -> str:
    """Return every section that holds anything, as tables."""
    parts = []
    for heading, headings, make in _SECTIONS:
        rows = list(make(policy, catalogue))
        if rows:
            parts.append(f"\n{heading}\n{table(headings, rows)}")
    return "\n".join(parts)


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "-"


def _key(pem: str) -> str:
    """Return the id of a collector's key, as ``openssl`` would tell it."""
    return short(read_public_key(pem.encode(), "the key").keyid)


def _domains(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for name, key in policy.trust_domains.items():
        mark = " (operator)" if name == policy.operator else ""
        yield [f"{name}{mark}", "yes" if key else "no"]


def _authorities(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for it in policy.authorities.values():
        yield [
            it.name,
            it.trust_domain,
            _list(it.vouches),
            f"{it.cadence_s} s",
            f"{it.max_age_s} s",
            "yes" if it.may_evict else "no",
        ]


def _collectors(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for it in policy.collectors.values():
        yield [it.name, _key(it.public_key), _list(it.authorities)]


def _hosts(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    homes: dict[str, list[str]] = {}
    for pool in policy.pools.values():
        for host in pool.members:
            homes.setdefault(host, []).append(pool.name)
    for it in policy.hosts.values():
        attesters = [f"{a}: {i}" for a, i in it.attesters.items()]
        pinned = [f"pinned keys: {len(it.pinned_keys)}"]
        yield [
            it.host,
            it.node_uuid,
            "\n".join(attesters + pinned if it.pinned_keys else attesters)
            or "-",
            _list(homes.get(it.host, ())),
        ]


def _facts(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    owners: list[tuple[str, tuple[DeclaredFact, ...]]] = [
        (host, binding.declared) for host, binding in policy.hosts.items()
    ]
    for owner, facts in [*owners, ("the site", policy.site)]:
        for it in facts:
            values = show_values(it.claim.values) or "-"
            until = write_instant(it.until)
            yield [owner, it.claim.capability, values, it.reference, until]


def _regions(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for axis, regions in policy.regions.items():
        for region, parent in regions.inside.items():
            group = "yes" if region in regions.groups else "no"
            yield [axis.value, region, parent or "-", group]


def _pools(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for it in policy.pools.values():
        more = []
        if it.handle:
            more.append(f"handle {it.handle}")
        if it.prove:
            terms = ", ".join(format_term(term) for term in it.prove)
            more.append(f"proves {terms}")
        if it.moves_to:
            more.append(f"moves to {_list(it.moves_to)}")
        exclusive = "everybody's"
        if it.exclusive_to is not None:
            exclusive = _list(it.exclusive_to)
        yield [
            it.name,
            it.host_class.value,
            _list(it.members),
            exclusive,
            _list(it.management_domains),
            "; ".join(more) or "-",
        ]


def _profiles(policy: Policy, catalogue: Catalogue) -> Iterator[_Row]:
    """Yield where a profile differs from the standard's behind it."""
    for name, profile in policy.profiles.items():
        behind = policy.bases.get(name, name)
        standard = dataclasses.replace(catalogue.profiles[behind], name=name)
        shown = name if behind == name else f"{name}\n({behind})"
        for change in compare(
            profile_aspects(standard), profile_aspects(profile)
        ):
            aspect = ".".join(str(step) for step in change.path[2:])
            mark = " (WEAKER)" if change.weaker else ""
            new = f"{change.new or 'gone'}{mark}"
            yield [shown, aspect, change.old or "-", new]
            shown = ""
        for resource, amount in policy.footprints.get(name, {}).items():
            yield [shown, f"footprint.{resource}", "-", str(amount)]
            shown = ""
        if shown and behind != name:
            yield [shown, "-", "-", "the same"]


def _waivers(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for it in policy.waivers:
        until = write_instant(it.until)
        yield [it.profile, it.requirement, it.reason, it.reference, until]


def _projects(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for it in policy.projects.values():
        words = []
        for name, value in floor_words(it.floor) if it.floor else ():
            several = isinstance(value, frozenset)
            words.append(f"{name} = {_list(value) if several else value}")
        domain = it.trust_domain or "-"
        yield [it.project_id, domain, "; ".join(words) or "-"]


def _permissive(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for section in ("pools", "profiles", "projects"):
        for name, until in getattr(policy.permissive, section).items():
            yield [section, name, write_instant(until)]


def _playbooks(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    for name, steps in policy.playbooks.items():
        yield [name, ", ".join(steps)]


def _guard(policy: Policy, _: Catalogue) -> Iterator[_Row]:
    guard = policy.guard
    yield ["evictions per minute", str(guard.evictions_per_minute)]
    yield ["evictions at once", str(guard.evictions_at_once)]
    yield ["of them per host", str(guard.per_host)]
    yield ["of them per project", str(guard.per_project)]
    yield [
        "authority is suspect from",
        f"{guard.suspect_share_percent} % of hosts",
    ]


_SECTIONS: tuple[
    tuple[
        str,
        tuple[str, ...],
        Callable[[Policy, Catalogue], Iterator[_Row]],
    ],
    ...,
] = (
    ("Trust domains", ("Name", "Ledger sealed"), _domains),
    (
        "Authorities",
        ("Name", "Domain", "Vouches for", "Cadence", "Max. age", "May evict"),
        _authorities,
    ),
    ("Collectors", ("Name", "Key", "Authorities"), _collectors),
    ("Hosts", ("Host", "Compute node", "Attesters", "Pools"), _hosts),
    (
        "Declared facts",
        ("Of", "Capability", "Values", "Reference", "Until"),
        _facts,
    ),
    ("Regions", ("Axis", "Region", "Lies in", "Group"), _regions),
    (
        "Pools",
        ("Name", "Class", "Members", "Exclusive to", "Managed by", "More"),
        _pools,
    ),
    (
        "Profiles that differ from the standard's",
        ("Name", "Aspect", "Standard", "Here"),
        _profiles,
    ),
    (
        "Waivers",
        ("Profile", "Without", "Reason", "Reference", "Until"),
        _waivers,
    ),
    ("Projects", ("Project", "Trust domain", "Floor"), _projects),
    ("Permissive", ("Section", "Name", "Until"), _permissive),
    ("Playbooks", ("Failure", "Steps"), _playbooks),
    ("Guard", ("Limit", "Value"), _guard),
)
