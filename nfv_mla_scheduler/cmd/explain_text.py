# SPDX-License-Identifier: Apache-2.0
"""What was found out about a request, for people: short, whatever is found.

The summary comes first; each reason is told once, with the hosts to which it
applies.  Ten thousand hosts fill no more than some screens: what is left out
is counted, and ``--host`` or ``--all-refusals`` shows it.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import sys
import textwrap
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from nfv_mla_scheduler.cmd.explain_found import Found
from nfv_mla_scheduler.cmd.explain_found import Shared
from nfv_mla_scheduler.cmd.explain_found import grouped
from nfv_mla_scheduler.cmd.explain_found import shared_reasons
from nfv_mla_scheduler.cmd.explain_json import ask_words
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge.words import Remedy
from nfv_mla_scheduler.judge.words import general
from nfv_mla_scheduler.judge.words import together
from nfv_mla_scheduler.judge.words import words
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.instants import DAY_S
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.standard.values import Catalogue

WIDTH = 98
_CODE_WIDTH = 19


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much is shown of each.

    :ivar entries: of hosts that admit, and of hosts that do not
    :ivar hosts: names in an entry
    :ivar reasons: in an entry
    """

    entries: int
    hosts: int
    reasons: int


SHORT = Limits(10, 6, 6)
WHOLE = Limits(sys.maxsize, sys.maxsize, sys.maxsize)


def lines(found: Found, limits: Limits) -> Iterator[str]:
    """Yield everything there is to read, line by line."""
    yield "Asked for"
    yield from fields(_asked(found))
    yield ""
    yield "Judged by"
    yield from fields(_judged_by(found))
    yield ""
    yield from wrapped(_summary(found))
    if found.admitted:
        yield ""
        yield "Admitted"
        yield from _admitted(found, limits)
    entries = shared_reasons(found.decisions)
    if entries:
        yield ""
        yield "Refused"
        yield from _refused(found, entries, limits)
        yield ""
        yield "What would have to change"
        yield from _remedies(found, entries)


def some_of(names: Sequence[str], limit: int) -> str:
    """Return some names, and how many more there are."""
    shown = [bounded(name) or "any host" for name in names[:limit]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def reason_lines(
    refusals: Iterable[Refusal], catalogue: Catalogue, limit: int
) -> Iterator[str]:
    """Yield refusals: the code, what it says, and on what it rests."""
    told = together(refusals, catalogue)
    for code, said in told[:limit]:
        basis = said.basis[:1].upper() + said.basis[1:]
        mark = f"    {code.value:<{_CODE_WIDTH - 1}} "
        yield from wrapped(f"{said.says}  {basis}.", mark)
    left = len(told) - limit
    if left > 0:
        yield f"    and {counted(left, 'reason')} more: --all-refusals"


def _asked(found: Found) -> Iterator[tuple[str, str]]:
    asked, policy = found.asked, found.snapshot.policy
    request, requirement = asked.request, asked.requirement
    asks = {ask.source: ask for ask in requirement.asks} if requirement else {}
    for source in (Source.FLAVOR, Source.HINT, Source.FLOOR):
        if source in asks:
            listed = ask_words(asks[source]).items()
            yield (
                source.value,
                "; ".join(f"{key} {', '.join(v)}" for key, v in listed),
            )
    for problem in asked.problems:
        yield "malformed", str(problem)
    if requirement is not None and not requirement.demands:
        yield "nothing", "only the pools of others are closed to it"
    if asked.demand is not None and asked.demand.needs:
        yield "in all", _needs(found)
    project = policy.projects.get(request.project_id) if policy else None
    if project is not None:
        domain = project.trust_domain
        told = f"trust domain {domain}" if domain else "no trust domain"
        yield "project", f"{bounded(request.project_id)}, {told}"
    elif request.project_id:
        yield "project", f"{bounded(request.project_id)}, not in the policy"
    else:
        yield "project", "none given (--project): no floor, no trust domain"
    if request.source is not None:
        yield "moves", f"from {bounded(request.source)}"


def _needs(found: Found) -> str:
    """Return how much has to be met, and for whose sake."""
    demand = found.asked.demand
    assert demand is not None
    counts = collections.Counter(
        f"profile {need.profile}" if need.profile else need.requirement
        for need in demand.needs
    )
    parts = [
        f"{number} for {what}" if what.startswith("profile ") else what
        for what, number in counts.items()
    ]
    return f"{counted(len(demand.needs), 'need')}: {', '.join(parts)}"


def _judged_by(found: Found) -> Iterator[tuple[str, str]]:
    snapshot, now = found.snapshot, found.at
    policy, document = snapshot.policy, snapshot.document
    wrong = {
        n.subject: f"{n.text} ({n.code})" for n in found.news if not n.good
    }
    if policy is None:
        yield "policy", _none(wrong.pop("policy", ""))
    else:
        ends = write_instant(policy.expires_at)
        days = math.floor((policy.expires_at - now) / DAY_S)
        left = f"{counted(days, 'day')} left" if days >= 0 else "expired"
        yield "policy", f"version {policy.version}, until {ends} ({left})"
    if document is None:
        yield "results", _none(wrong.pop("results", ""))
    else:
        age = span(now - document.issued_at)
        yield "results", f"of {document.collector}, issued {age} ago"
    if snapshot.break_glass:
        number = len(snapshot.break_glass)
        yield "waivers", f"{counted(number, 'break-glass waiver')} in force"
    demand = found.asked.demand
    if demand is not None and demand.follows:
        but = f" but {some_of(found.full, 6)}" if found.full else ""
        yield (
            "room",
            f"for what has to follow: taken for granted on every host{but} "
            "(--no-room)",
        )
    yield from wrong.items()


def _none(reason: str) -> str:
    return f"none: {reason}" if reason else "none"


def span(seconds: float) -> str:
    """Return a time in the largest unit that says it."""
    for unit, size in (("days", DAY_S), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _summary(found: Found) -> str:
    total, admitted = len(found.decisions), found.admitted
    if not total:
        return "The policy binds no host."
    fallen = sorted(found.fallen.items(), key=lambda item: (-item[1], item[0]))
    if total == 1:
        host = bounded(found.decisions[0].host)
        who = f"Host {host}" if host else "Any host"
        codes = ", ".join(code for code, _ in fallen)
        if fallen:
            return f"{who} refuses the server: {codes}."
        return f"{who} admits the server."
    fell = ", ".join(
        f"{number} fall{'' if number > 1 else 's'} to {code}"
        if not place
        else f"{number} to {code}"
        for place, (code, number) in enumerate(fallen)
    )
    if not admitted:
        return f"None of {total} hosts admits the server: {fell}."
    verb = "admits" if admitted == 1 else "admit"
    said = f"{admitted} of {total} hosts {verb} the server"
    return f"{said}; {fell}." if fell else f"{said}."


def _admitted(found: Found, limits: Limits) -> Iterator[str]:
    """Yield the hosts that admit, by what was set aside for them."""
    groups = [g for g in grouped(found.decisions) if g.decision.admitted]
    catalogue = found.snapshot.catalogue
    for group in groups[: limits.entries]:
        names = f"{some_of(group.hosts, limits.hosts)}: {_until(group.ends)}"
        yield from wrapped(names, "  ", "    ")
        for refusals, heading in (
            (group.decision.would_refuse, "permissive mode"),
            (group.decision.waived, "a waiver"),
        ):
            if refusals:
                yield f"    set aside by {heading}:"
                yield from reason_lines(refusals, catalogue, limits.reasons)
    yield from _left([g.hosts for g in groups[limits.entries :]])


def _refused(
    found: Found, entries: Sequence[Shared], limits: Limits
) -> Iterator[str]:
    """Yield each reason once, with the hosts that it keeps the server off."""
    total = len(found.decisions)
    for entry in entries[: limits.entries]:
        names = some_of(entry.hosts, limits.hosts)
        if len(entry.hosts) == total > 1:
            names = f"all {total} hosts"
        yield from wrapped(names, "  ", "    ")
        catalogue = found.snapshot.catalogue
        yield from reason_lines(entry.refusals, catalogue, limits.reasons)
    yield from _left([entry.hosts for entry in entries[limits.entries :]])


def _left(entries: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield how much is left out."""
    if entries:
        hosts = len({host for hosts in entries for host in hosts})
        yield (
            f"  and more of {counted(hosts, 'host')}: --all-refusals, or name "
            "one with --host"
        )


def _until(ends: tuple[Instant, Instant]) -> str:
    first, last = ends
    if not math.isfinite(first):
        return "until the policy changes"
    if math.isfinite(last) and write_instant(last) == write_instant(first):
        return f"until {write_instant(first)}"
    return f"until {write_instant(first)}, the first of them"


def _remedies(found: Found, entries: Iterable[Shared]) -> Iterator[str]:
    """Yield what would help: for each code once, however many fall to it."""
    by_code: dict[RefusalCode, dict[tuple[Remedy, ...], None]] = {}
    for entry in entries:
        for refusal in entry.refusals:
            said = words(refusal, found.snapshot.catalogue)
            by_code.setdefault(refusal.code, {})[said.remedies] = None
    for code in RefusalCode:
        variants = list(by_code.get(code, ()))
        if not variants:
            continue
        remedies = (
            variants[0] if len(variants) == 1 else general(code).remedies
        )
        mark = f"  {code.value}"
        for remedy in remedies:
            lead = f"{mark:<{_CODE_WIDTH + 2}}{remedy.role.value}: "
            rest = " " * (_CODE_WIDTH + 4)
            yield from wrapped(remedy.text, lead, rest)
            mark = ""


def fields(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield named texts, one below the other."""
    for name, text in named:
        yield from wrapped(text, f"  {name:<10} ")


def wrapped(text: str, lead: str = "", rest: str | None = None) -> list[str]:
    """Return the lines of a text; ``rest`` indents all but the first."""
    indent = " " * len(lead) if rest is None else rest
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
