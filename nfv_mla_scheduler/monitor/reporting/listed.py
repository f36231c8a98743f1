# SPDX-License-Identifier: Apache-2.0
"""What is found, counted and listed for the status.

Pure.  Servers of a trust domain whose entries are sealed are in neither
(5.0.3, Table 5).
"""

from __future__ import annotations

import collections
import itertools
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Copied
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.reporting.wording import reasons

LIST_MAX = 200

_ORDER = {kind: rank for rank, kind in enumerate(Kind)}


def of_findings(verdict: Verdict, report: CycleReport) -> dict[str, Any]:
    """Return ``findings`` and ``findings_list`` of a status.

    :param report: says which servers nobody is told about, and where others
        are
    """
    hosts = list(verdict.hosts.values())
    servers = [f for f in verdict.servers.values() if not f.sealed]
    copied = [
        c
        for c in verdict.copied
        if not c.sealed and c.server not in report.sealed
    ]
    tampered = [
        t
        for t in verdict.tampered
        if not t.sealed and t.name not in report.sealed
    ]
    counts = collections.Counter(f.kind for f in servers)
    counts.update(h.kind for h in hosts)
    counts[Kind.COPIED] += len(copied)
    counts[Kind.TAMPERED] += len(tampered)
    hosts.sort(key=lambda h: (_ORDER[h.kind], h.host))
    servers.sort(key=lambda f: (_ORDER[f.kind], f.host, f.server))
    listed = itertools.chain(
        (_judged(f"host {bounded(h.host)}", h) for h in hosts),
        (_judged(f.server, f) for f in servers),
        (_copied(c, _host(c.server, report)) for c in copied),
        (_tampered(t, _host(t.name, report)) for t in tampered),
    )
    return {
        "findings": {k.value: counts[k] for k in Kind if counts[k]},
        "findings_list": list(itertools.islice(listed, LIST_MAX)),
    }


def _judged(subject: str, finding: Finding | HostFinding) -> dict[str, Any]:
    return {
        "subject": subject,
        "host": bounded(finding.host),
        "kind": finding.kind.value,
        "axis": finding.axis.value,
        "permissive": finding.permissive,
        "why": reasons(finding.refusals),
    }


def _host(server: str, report: CycleReport) -> str:
    """Return where a server is; empty: it is gone, or no server."""
    picture = report.picture
    seen = picture.servers.get(server) if picture is not None else None
    return bounded(seen.host) if seen is not None else ""


def _copied(found: Copied, host: str) -> dict[str, Any]:
    return _seen(
        found.server,
        Kind.COPIED,
        f"{bounded(found.action)} by project {bounded(found.by_project)}, "
        f"{bounded(found.request_id)}",
        host,
    )


def _tampered(found: Tampered, host: str) -> dict[str, Any]:
    name = bounded(found.name, 120)
    subject = name if found.what == "server" else f"{found.what} {name}"
    return _seen(
        subject,
        Kind.TAMPERED,
        bounded(found.detail, 120),
        name if found.what == "host" else host,
    )


def _seen(subject: str, kind: Kind, why: str, host: str) -> dict[str, Any]:
    """Return what is not judged, hence of no axis."""
    return {
        "subject": subject,
        "host": host,
        "kind": kind.value,
        "axis": None,
        "permissive": False,
        "why": why,
    }
