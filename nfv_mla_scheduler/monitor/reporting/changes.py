# SPDX-License-Identifier: Apache-2.0
"""How things stand, topic by topic, and what has changed since.

Pure.  Nothing here speaks of servers of a trust domain whose entries are
sealed (5.0.3, Table 5).
"""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.steps import InFlight
from nfv_mla_scheduler.monitor.steps import Plan
from nfv_mla_scheduler.monitor.steps import Share

NAMED_MAX = 3
_REFUSALS_MAX = 4
_NOT_HALTED = "should have been halted, and is not"


class Topic(enum.Enum):
    """What can change; see ``report.TOPICS`` for how it is said."""

    NOT_HALTED = "not-halted"
    SUSPECT = "suspect"
    TAMPERED = "tampered"
    REPLACED = "lock-replaced"
    COPIED = "copied"
    FINDING = "finding"
    HOST = "host-finding"
    OUTAGE = "outage"
    FENCED = "fenced"
    HELD = "held"
    PAUSED = "paused"
    PART = "part-failed"
    MISSING = "missing"
    WOULD = "would"
    STRANGER = "stranger"
    ABSENT = "absent"
    EVADES = "evades"


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """How one thing stands.

    :ivar text: for people, bounded
    :ivar same: what makes it the same as before, whatever the text
    :ivar fields: for the audit
    """

    text: str
    same: str = ""
    fields: Mapping[str, JSON] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One thing that begins to stand so, or does so no more.

    :ivar name: server's UUID, host, authority, ... by the topic
    """

    topic: Topic
    name: str
    over: bool
    said: Said


Standings = Mapping[Topic, Mapping[str, Said]]


def changes(before: Standings, now: Standings) -> Iterator[Change]:
    """Yield what has changed, by the order of the topics.

    A topic that ``now`` has not is not known now, hence as it was.
    """
    for topic in Topic:
        if topic not in now:
            continue
        was, there = before.get(topic, {}), now[topic]
        for name in sorted(was.keys() - there.keys()):
            yield Change(topic, name, True, was[name])
        for name in sorted(there):
            old, said = was.get(name), there[name]
            if old is None or old.same != said.same:
                yield Change(topic, name, False, said)


def of_verdict(verdict: Verdict) -> dict[Topic, dict[str, Said]]:
    """Return how things stand by a verdict."""
    return {
        Topic.FINDING: {
            uuid: _finding(finding)
            for uuid, finding in verdict.servers.items()
            if not finding.sealed and finding.kind is not Kind.OUTAGE
        },
        Topic.HOST: {
            bounded(name): _host(finding)
            for name, finding in verdict.hosts.items()
            if finding.kind is not Kind.OUTAGE
        },
        Topic.OUTAGE: _outages(verdict),
        Topic.TAMPERED: {
            f"{found.what} {bounded(found.name, 120)}": Said(
                bounded(found.detail, 120), found.detail, {"what": found.what}
            )
            for found in verdict.tampered
            if not found.sealed
        },
        Topic.COPIED: {
            f"{found.server} {bounded(found.request_id)}": Said(
                f"{bounded(found.action)} by project "
                f"{bounded(found.by_project)}",
                fields={
                    "server": found.server,
                    "action": bounded(found.action),
                    "request": bounded(found.request_id),
                    "by_project": bounded(found.by_project),
                },
            )
            for found in verdict.copied
            if not found.sealed
        },
        Topic.STRANGER: _names(
            verdict.strangers, "is in Nova and not in the policy"
        ),
        Topic.ABSENT: _names(
            verdict.absent, "is in the policy and not in Nova"
        ),
    }


def of_plan(
    plan: Plan, sealed: frozenset[str]
) -> dict[Topic, dict[str, Said]]:
    """Return how things stand by a plan.

    :param sealed: UUIDs of servers that nobody is told about
    """
    held: dict[str, list[str]] = collections.defaultdict(list)
    suspects = {
        bounded(share.name): Said(
            f"fails for {share.failing} of {_count(share.of, 'host')} at "
            "once: nothing is evicted for it before a person has released it",
            fields={"failing": share.failing, "of": share.of},
        )
        for share in plan.suspects
    }
    if plan.braked is not None:
        suspects["policy"] = _braked(plan.braked, sealed)
    for each in plan.held:
        if each.subject not in sealed:
            held[each.why.value].append(each.subject)
    return {
        Topic.NOT_HALTED: _alarms(plan, sealed),
        Topic.SUSPECT: suspects,
        Topic.REPLACED: {
            uuid: Said("its owner's lock gives way to ours")
            for uuid in plan.replaced
            if uuid not in sealed
        },
        Topic.HELD: {
            why: Said(
                f"{_count(len(names), 'step')} held: {_few(names)}",
                fields={"count": len(names)},
            )
            for why, names in held.items()
        },
    }


def of_evasions(
    evasions: Evasions, sealed: frozenset[str]
) -> dict[Topic, dict[str, Said]]:
    """Return who changes each time before anything can be asked.

    :param sealed: UUIDs of servers that nobody is told about
    """
    return {
        Topic.EVADES: {
            bounded(subject): Said(
                f"{_on(outcome)}is never as it was a moment before, so that "
                f"{_step(outcome)} is not asked for: {outcome.text}",
                _step(outcome),
            )
            for subject, outcome in evasions.those().items()
            if subject not in sealed
        }
    }


def _on(outcome: Outcome) -> str:
    return f"on {bounded(outcome.host)} " if outcome.host else ""


def _step(outcome: Outcome) -> str:
    return outcome.step.value if outcome.step else "its release"


def of_picture(picture: Picture) -> dict[Topic, dict[str, Said]]:
    """Return what is out of sight."""
    return {Topic.MISSING: _names(picture.missing, "does not answer")}


def _names(names: Iterable[str], text: str) -> dict[str, Said]:
    return {bounded(name, 120): Said(text) for name in names}


def _finding(finding: Finding) -> Said:
    soft = " (permissive)" if finding.permissive else ""
    return Said(
        f"on {bounded(finding.host)}: {finding.kind.value}, "
        f"{finding.axis.value}{soft}: {reasons(finding.refusals)}",
        f"{finding.kind} {finding.host} {finding.permissive}",
        {
            "server": finding.server,
            "host": bounded(finding.host),
            "project": bounded(finding.project_id),
            "finding": finding.kind.value,
            "axis": finding.axis.value,
            "permissive": finding.permissive,
            "evicts": finding.evicts,
            "refusals": _codes(finding.refusals),
        },
    )


def _host(finding: HostFinding) -> Said:
    return Said(
        ": ".join(
            filter(
                None,
                (
                    f"{finding.kind.value}, {finding.axis.value}",
                    reasons(finding.refusals),
                ),
            )
        ),
        f"{finding.kind} {finding.fences} {finding.permissive}",
        {
            "host": bounded(finding.host),
            "finding": finding.kind.value,
            "axis": finding.axis.value,
            "permissive": finding.permissive,
            "refusals": _codes(finding.refusals),
        },
    )


def _outages(verdict: Verdict) -> dict[str, Said]:
    """Return one entry for each authority, not one for each server."""
    servers: collections.Counter[str] = collections.Counter()
    hosts: collections.Counter[str] = collections.Counter()
    codes: dict[str, set[str]] = collections.defaultdict(set)
    found: list[tuple[Finding | HostFinding, collections.Counter[str]]] = [
        *((f, servers) for f in verdict.servers.values() if not f.sealed),
        *((f, hosts) for f in verdict.hosts.values()),
    ]
    for finding, counts in found:
        if finding.kind is not Kind.OUTAGE:
            continue
        for name in finding.authorities or {"policy and monitor"}:
            counts[name] += 1
            codes[name].update(r.code.value for r in finding.refusals)
    return {
        bounded(name): Said(
            f"{_count(hosts[name], 'host')} and "
            f"{_count(servers[name], 'server')} cannot be judged: "
            f"{', '.join(sorted(codes[name]))}",
            fields={
                "authority": bounded(name),
                "hosts": hosts[name],
                "servers": servers[name],
                "codes": sorted(codes[name]),
            },
        )
        for name in codes
    }


def _braked(share: Share, sealed: frozenset[str]) -> Said:
    """Return what is said of a brake: it counts more than it says."""
    failing = share.failing - len(share.found & sealed)
    of = share.of - len(share.asking & sealed)
    return Said(
        f"{failing} of {_count(of, 'server')} are misplaced by its rules "
        "alone: nothing is evicted for that before a person has released it",
        share.name,
        {"failing": failing, "of": of},
    )


def _alarms(plan: Plan, sealed: frozenset[str]) -> dict[str, Said]:
    """Return what is not halted, by server.

    By no more than the host, and once, where nobody is told about any of its
    servers: an alarm that nobody hears would be none.
    """
    told = {
        each.server: _not_halted(each)
        for each in plan.not_halted
        if each.server not in sealed
    }
    named = {e.host for e in plan.not_halted if e.server in told}
    for host in {e.host for e in plan.not_halted} - named:
        told[f"on {bounded(host)}"] = Said(_NOT_HALTED, host)
    return told


def _not_halted(each: InFlight) -> Said:
    return Said(
        f"on {bounded(each.host)}: {_NOT_HALTED}",
        each.host,
        {
            "server": each.server,
            "host": bounded(each.host),
            "step": each.step.value,
            "since": each.since,
            "halt_by": each.halt_by,
        },
    )


def _codes(refusals: tuple[Refusal, ...]) -> list[str]:
    return sorted({refusal.code.value for refusal in refusals})


def reasons(refusals: tuple[Refusal, ...]) -> str:
    """Return why, for people: the first few refusals, bounded."""
    said = []
    for refusal in refusals[:_REFUSALS_MAX]:
        words = [refusal.code.value, refusal.capability]
        words += [f"by {refusal.authority}"] if refusal.authority else []
        said.append(" ".join(filter(None, words)))
    more = len(refusals) - _REFUSALS_MAX
    said += [f"and {more} more"] if more > 0 else []
    return bounded(", ".join(said), 200)


def _count(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def _few(names: list[str]) -> str:
    few = ", ".join(bounded(name) for name in sorted(names)[:NAMED_MAX])
    more = len(names) - NAMED_MAX
    return f"{few} and {more} more" if more > 0 else few
