# SPDX-License-Identifier: Apache-2.0
"""How things stand by what was seen and found.

Pure.  Nothing here speaks of servers of a trust domain whose entries are
sealed (5.0.3, Table 5).
"""

from __future__ import annotations

import collections
from collections.abc import Iterable

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.wording import GAP_MAX
from nfv_mla_scheduler.monitor.reporting.wording import count_of
from nfv_mla_scheduler.monitor.reporting.wording import reasons


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
                bounded(found.detail, 120),
                found.detail,
                {"what": found.what, **_subject(found)},
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


def of_picture(picture: Picture) -> dict[Topic, dict[str, Said]]:
    """Return what is out of sight, and what cannot be read."""
    return {
        Topic.MISSING: {
            bounded(gap, GAP_MAX): Said("is out of sight")
            for gap in picture.missing
        },
        Topic.UNREAD: {
            bounded(text, GAP_MAX): Said("is left out")
            for text in picture.unread
        },
    }


def _subject(found: Tampered) -> dict[str, str]:
    what = "server" if found.what == "allocation" else found.what
    return {what: bounded(found.name, 120)}


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
            f"{count_of(hosts[name], 'host')} and "
            f"{count_of(servers[name], 'server')} cannot be judged: "
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


def _codes(refusals: tuple[Refusal, ...]) -> list[str]:
    return sorted({refusal.code.value for refusal in refusals})
