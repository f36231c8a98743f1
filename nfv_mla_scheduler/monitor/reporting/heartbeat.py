# SPDX-License-Identifier: Apache-2.0
"""An event now and then, so that its absence shows.

Touches the audit port.
"""

from __future__ import annotations

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.reporting.status import Process

INTERVAL_S = 60.0


class Heartbeat:
    """Records what a monitor goes by, at once and after each interval.

    It beats also while a cycle hangs; then it says since when.
    """

    def __init__(self, audit: AuditPort, origin: str) -> None:
        self._audit = audit
        self._origin = origin
        self._last: Instant = NEVER

    def beat(
        self, now: Instant, process: Process, report: CycleReport | None
    ) -> None:
        """Record an event if it is time; also when clocks went back."""
        if 0 <= now - self._last < INTERVAL_S:
            return
        self._last = now
        fields: dict[str, JSON] = {
            "act": process.act,
            "cycle_s": round(process.seconds, 3),
            "cycle_age_s": _age_s(process.ended_at, now),
        }
        if report is not None:
            policy = report.snapshot.policy
            document = report.snapshot.document
            fields |= {
                "policy_version": policy.version if policy else None,
                "policy_digest": policy.digest if policy else None,
                "results_age_s": (
                    _age_s(document.issued_at, now) if document else None
                ),
                "picture_age_s": _age_s(report.seen_at, now),
                "paused": report.holds.pauses(now),
            }
        self._audit.record(
            Event(EventKind.HEARTBEAT, now, self._origin, fields)
        )


def _age_s(at: Instant, now: Instant) -> float | None:
    return round(now - at, 1) if at > NEVER else None
