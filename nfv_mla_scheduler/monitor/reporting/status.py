# SPDX-License-Identifier: Apache-2.0
"""How the monitor stands, as values that JSON can hold.

Pure but for :class:`Tally`, which counts what was done.  Servers of a trust
domain whose entries are sealed are not in it, nor in any count (5.0.3,
Table 5).  ``metrics.py`` and ``nfv-mla monitor status`` read it.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.planning.guard import WINDOW_S
from nfv_mla_scheduler.monitor.planning.guard import disturbing
from nfv_mla_scheduler.monitor.reporting.changes import reasons
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import InFlight
from nfv_mla_scheduler.monitor.steps import Plan

LIST_MAX = 200

_FINE = (Result.DONE, Result.GONE, Result.PRECONDITION, Result.CONFLICT)


class HostState(enum.Enum):
    """How one host stands; of several that hold, the first one."""

    FENCED = "fenced"
    FAILING = "failing"
    NOT_JUDGED = "not-judged"
    DISABLED = "disabled"
    DOWN = "down"
    UNKNOWN = "unknown"
    WELL = "well"


class Tally:
    """Counts what became of steps since the process started."""

    def __init__(self) -> None:
        self._steps: dict[str, collections.Counter[str]] = {}
        self.traits_failed = 0

    def add(
        self,
        outcomes: Iterable[Outcome],
        sealed: frozenset[str] = frozenset(),
    ) -> None:
        """Count the outcomes of a cycle.

        :param sealed: UUIDs of servers that nobody is told about
        """
        failed = set()
        for outcome in outcomes:
            if outcome.subject in sealed:
                continue
            name = _step_name(outcome)
            if not name:
                if outcome.code not in _FINE:
                    failed.add(outcome.subject)
                continue
            counts = self._steps.setdefault(name, collections.Counter())
            counts[outcome.code.value] += 1
        self.traits_failed = len(failed)

    @property
    def steps(self) -> dict[str, dict[str, int]]:
        """Step, or ``release``, -> how it ended -> count."""
        return {step: dict(counts) for step, counts in self._steps.items()}


def _step_name(outcome: Outcome) -> str:
    if outcome.step is not None:
        return outcome.step.value
    return "release" if isinstance(outcome.ask, Ask) else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """What there is to say of a process beside its last cycle.

    :ivar ended_at: when the last cycle ended
    :ivar webhook: what came of the knocks
    """

    started_at: Instant
    act: str
    ended_at: Instant = NEVER
    seconds: float = 0.0
    webhook: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"knocks": 0, "refused": 0}
    )


def status(
    now: Instant, process: Process, report: CycleReport | None, tally: Tally
) -> dict[str, Any]:
    """Return what there is to say, all of it made of plain JSON values.

    :param report: of the last cycle; None: there was none yet
    """
    found: dict[str, Any] = {
        "now": now,
        "started_at": process.started_at,
        "act": process.act,
        "policy": None,
        "results": None,
        "picture": None,
        "cycle": None,
        "hosts": {},
        "findings": {},
        "in_flight": 0,
        "not_halted": 0,
        "held": {},
        "suspects": [],
        "braked": False,
        "paused_until": None,
        "pause_reason": "",
        "steps": tally.steps,
        "evictions_last_minute": 0,
        "traits": {"providers": 0, "failed": tally.traits_failed},
        "webhook": dict(process.webhook),
        "failures_list": [],
        "findings_list": [],
        "in_flight_list": [],
        "held_list": [],
        "fenced_list": [],
        "dirty": None,
    }
    if report is not None:
        found |= _of_report(now, report)
        found["cycle"] = {
            "at": process.ended_at,
            "seconds": round(process.seconds, 3),
            "failures": len(report.failures)
            + sum(o.code not in _FINE for o in report.outcomes),
        }
        if report.picture is not None:
            found["traits"]["providers"] = len(
                frozenset().union(*report.picture.traits.values())
            )
    return found


def _of_report(now: Instant, report: CycleReport) -> dict[str, Any]:
    policy, document = report.snapshot.policy, report.snapshot.document
    found: dict[str, Any] = {
        "failures_list": [
            {"part": f.part.value, "code": f.code, "text": f.text}
            for f in report.failures
        ],
    }
    if policy is not None:
        found["policy"] = {
            "version": policy.version,
            "expires_at": policy.expires_at,
        }
    if document is not None:
        found["results"] = {"issued_at": document.issued_at}
    if report.holds.pauses(now):
        paused = report.holds.paused
        found["paused_until"] = paused.until if paused else None
        found["pause_reason"] = (
            paused.reason if paused else bounded(report.holds.fault, 160)
        )
    if report.picture is not None:
        found["picture"] = {
            "at": report.seen_at if report.seen_at > 0 else None,
            "full_at": _or_none(report.picture.full_at),
            "missing": [bounded(m, 120) for m in report.picture.missing],
        }
        found["hosts"] = _hosts(report, report.picture)
        found["fenced_list"] = _fenced(report)
    if report.dirty is not None:
        # whole: a scheduler goes by it
        found["dirty"] = [
            {"node": bounded(d.node), "since": d.since, "for": d.tag}
            for d in report.dirty
        ]
    if report.ruling is not None:
        found |= _of_findings(report)
    if report.plan is not None:
        found |= _of_plan(report.plan, report.sealed)
    return found


def _or_none(at: Instant) -> Instant | None:
    return at if at > NEVER else None


def _hosts(report: CycleReport, picture: Picture) -> dict[str, int]:
    counts = collections.Counter(
        host_state(report, name, node).value
        for name, node in picture.nodes.items()
    )
    return {s.value: counts[s.value] for s in HostState if counts[s.value]}


def host_state(report: CycleReport, name: str, node: Node) -> HostState:
    """Return how one host stands."""
    ruling = report.ruling
    if ruling is not None:
        finding = ruling.verdict.hosts.get(node.host)
        if node.host in ruling.host_marks:
            return HostState.FENCED
        if finding is not None:
            outage = finding.kind is Kind.OUTAGE
            return HostState.NOT_JUDGED if outage else HostState.FAILING
    if not node.enabled:
        return HostState.DISABLED
    if not node.up or node.forced_down:
        return HostState.DOWN
    strangers = ruling.verdict.strangers if ruling is not None else ()
    if name in strangers or node.host in strangers:
        return HostState.UNKNOWN
    return HostState.WELL


def _fenced(report: CycleReport) -> list[dict[str, Any]]:
    if report.ruling is None:
        return []
    marks = report.ruling.host_marks
    return [
        {
            "host": bounded(host),
            "mark": bounded(marks[host].id),
            "since": marks[host].since,
        }
        for host in sorted(marks)[:LIST_MAX]
    ]


def _of_findings(report: CycleReport) -> dict[str, Any]:
    assert report.ruling is not None
    verdict = report.ruling.verdict
    servers = [f for f in verdict.servers.values() if not f.sealed]
    counts = collections.Counter(f.kind.value for f in servers)
    counts.update(f.kind.value for f in verdict.hosts.values())
    counts[Kind.COPIED.value] += sum(not c.sealed for c in verdict.copied)
    counts[Kind.TAMPERED.value] += sum(not t.sealed for t in verdict.tampered)
    order = {kind: rank for rank, kind in enumerate(Kind)}
    listed = [
        {
            "subject": f"host {bounded(h.host)}",
            "host": bounded(h.host),
            "kind": h.kind.value,
            "axis": h.axis.value,
            "permissive": h.permissive,
            "why": reasons(h.refusals),
        }
        for h in sorted(
            verdict.hosts.values(), key=lambda h: (order[h.kind], h.host)
        )
    ]
    listed += [
        {
            "subject": f.server,
            "host": bounded(f.host),
            "kind": f.kind.value,
            "axis": f.axis.value,
            "permissive": f.permissive,
            "why": reasons(f.refusals),
        }
        for f in sorted(
            servers, key=lambda f: (order[f.kind], f.host, f.server)
        )
    ]
    return {
        "findings": {
            k.value: counts[k.value] for k in Kind if counts[k.value]
        },
        "findings_list": listed[:LIST_MAX],
    }


def _evictions(report: CycleReport) -> int:
    """Return how many began within a minute: as the guard counts them."""
    assert report.ruling is not None
    return sum(
        disturbing(mark) and mark.at > report.at - WINDOW_S
        for uuid, mark in report.ruling.server_marks.items()
        if uuid not in report.sealed
    )


def _of_plan(plan: Plan, sealed: frozenset[str]) -> dict[str, Any]:
    not_halted = [f for f in plan.not_halted if f.server not in sealed]
    loud = {f.server for f in not_halted}
    others = [
        f
        for f in plan.in_flight
        if f.server not in sealed and f.server not in loud
    ]
    held = [h for h in plan.held if h.subject not in sealed]
    return {
        "in_flight": len(not_halted) + len(others),
        "not_halted": len(not_halted),
        "held": dict(collections.Counter(h.why.value for h in held)),
        "suspects": sorted(bounded(s.name) for s in plan.suspects),
        "braked": plan.braked is not None,
        "in_flight_list": [
            _in_flight(f) for f in (*not_halted, *others)[:LIST_MAX]
        ],
        "held_list": [
            {
                "subject": bounded(h.subject),
                "host": bounded(h.host),
                "step": h.step.value,
                "why": h.why.value,
                "detail": bounded(h.detail, 120),
            }
            for h in held[:LIST_MAX]
        ],
    }


def _in_flight(each: InFlight) -> dict[str, Any]:
    return {
        "server": each.server,
        "host": bounded(each.host),
        "step": each.step.value,
        "state": each.state.value,
        "since": each.since,
        "halt_by": each.halt_by,
    }
