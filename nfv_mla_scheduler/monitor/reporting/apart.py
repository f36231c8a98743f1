# SPDX-License-Identifier: Apache-2.0
"""What is found and planned about the servers of each sealed trust domain.

Pure.  Nobody else is told about them (5.0.3): what is made here goes into
their domain's own store, and nowhere else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Set

from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.found import of_verdict
from nfv_mla_scheduler.monitor.reporting.intended import of_releases
from nfv_mla_scheduler.monitor.reporting.planned import of_plan

# Those that are about servers, and not about hosts or the cloud.
_TOPICS = (
    Topic.NOT_HALTED,
    Topic.TAMPERED,
    Topic.REPLACED,
    Topic.COPIED,
    Topic.FINDING,
    Topic.PLANNED,
    Topic.OUTAGE,
    Topic.HELD,
    Topic.RELEASED,
)


def of_domains(
    report: CycleReport, domains: Iterable[str]
) -> dict[str, dict[Topic, dict[str, Said]]]:
    """Return how things stand for each sealed domain, by its name.

    What is not known is left out, as for all others.
    """
    servers: dict[str, set[str]] = {domain: set() for domain in domains}
    for uuid, domain in report.sealed.items():
        servers.setdefault(domain, set()).add(uuid)
    return {name: _of_servers(report, its) for name, its in servers.items()}


def _of_servers(
    report: CycleReport, servers: Set[str]
) -> dict[Topic, dict[str, Said]]:
    found: dict[Topic, dict[str, Said]] = {}
    if report.ruling is not None:
        found |= of_verdict(_verdict(report.ruling.verdict, servers))
    if report.plan is not None:
        found |= of_plan(_plan(report.plan, servers), {})
    found[Topic.RELEASED] = of_releases(report.holds, report.at, servers)
    return {topic: said for topic, said in found.items() if topic in _TOPICS}


def _verdict(verdict: Verdict, servers: Set[str]) -> Verdict:
    return Verdict(
        {
            uuid: dataclasses.replace(verdict.servers[uuid], sealed=False)
            for uuid in verdict.servers.keys() & servers
        },
        hosts={},
        traits={},
        kept=frozenset(),
        strangers=(),
        absent=(),
        complies=frozenset(),
        asking=frozenset(),
        copied=tuple(
            dataclasses.replace(each, sealed=False)
            for each in verdict.copied
            if each.server in servers
        ),
        tampered=tuple(
            dataclasses.replace(each, sealed=False)
            for each in verdict.tampered
            if each.name in servers
        ),
    )


def _plan(plan: Plan, servers: Set[str]) -> Plan:
    return Plan(
        steps=tuple(p for p in plan.steps if p.server in servers),
        releases=tuple(r for r in plan.releases if r.server in servers),
        held=tuple(h for h in plan.held if h.subject in servers),
        not_halted=tuple(f for f in plan.not_halted if f.server in servers),
        replaced=plan.replaced & servers,
    )
