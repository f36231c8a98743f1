# SPDX-License-Identifier: Apache-2.0
"""How the monitor stands, as values that JSON can hold.

Pure.  Servers of a trust domain whose entries are sealed are not in it, nor in
any count (5.0.3, Table 5).  ``metrics.py`` and ``nfv-mla monitor status`` read
it.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.planning.spent import WINDOW_S
from nfv_mla_scheduler.monitor.planning.spent import disturbing
from nfv_mla_scheduler.monitor.plans import InFlight
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.reporting.host_states import counted
from nfv_mla_scheduler.monitor.reporting.listed import LIST_MAX
from nfv_mla_scheduler.monitor.reporting.listed import of_findings
from nfv_mla_scheduler.monitor.reporting.tally import FINE
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.monitor.reporting.wording import GAP_MAX


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """What there is to say of a process beside its last cycle.

    :ivar would_act: what it would be armed to do; None: it is no dry run
    :ivar ended_at: when the last cycle ended
    :ivar webhook: what came of the knocks
    :ivar ledger: whether what happens is recorded; None: there is no ledger
    """

    started_at: Instant
    act: str
    would_act: str | None = None
    ended_at: Instant = NEVER
    seconds: float = 0.0
    webhook: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"knocks": 0, "refused": 0}
    )
    ledger: bool | None = None


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
        "would_act": process.would_act,
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
        "paused": False,
        "paused_until": None,
        "pause_reason": "",
        "ledger": process.ledger,
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
            + sum(
                o.code not in FINE
                for o in report.outcomes
                if not (o.sealed or o.subject in report.sealed)
            ),
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
        found["paused"] = True
        found["paused_until"] = paused.until if paused else None
        found["pause_reason"] = (
            paused.reason if paused else bounded(report.holds.fault, 160)
        )
    if report.picture is not None:
        found["picture"] = {
            "at": report.seen_at if report.seen_at > 0 else None,
            "full_at": _or_none(report.picture.full_at),
            "missing": [bounded(m, GAP_MAX) for m in report.picture.missing],
            "unread": [bounded(u, GAP_MAX) for u in report.picture.unread],
        }
        found["hosts"] = counted(report, report.picture)
        found["fenced_list"] = _fenced(report)
    if report.dirty is not None:
        # whole: a scheduler goes by it
        found["dirty"] = [
            {"node": bounded(d.node), "since": d.since, "for": d.tag}
            for d in report.dirty
        ]
    if report.ruling is not None:
        found |= of_findings(report.ruling.verdict, report)
    if report.plan is not None:
        found |= _of_plan(report.plan, report.sealed)
    return found


def _or_none(at: Instant) -> Instant | None:
    return at if at > NEVER else None


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


def _evictions(report: CycleReport) -> int:
    """Return how many began within a minute: as the guard counts them."""
    assert report.ruling is not None
    return sum(
        disturbing(mark) and mark.at > report.at - WINDOW_S
        for uuid, mark in report.ruling.server_marks.items()
        if uuid not in report.sealed
    )


def _of_plan(plan: Plan, sealed: Collection[str]) -> dict[str, Any]:
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
