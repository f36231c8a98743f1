# SPDX-License-Identifier: Apache-2.0
"""An event now and then, so that its absence shows.

Touches the audit port.
"""

from __future__ import annotations

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.view import Snapshot

INTERVAL_S = 60.0


class Heartbeat:
    """Records what a worker judges by, at once and after each interval."""

    def __init__(self, audit: AuditPort, origin: str) -> None:
        self._audit = audit
        self._origin = origin
        self._last: Instant = NEVER

    def beat(self, snapshot: Snapshot, now: Instant) -> None:
        """Record an event if it is time; also when clocks went back."""
        if 0 <= now - self._last < INTERVAL_S:
            return
        self._last = now
        policy, document = snapshot.policy, snapshot.document
        fields = {
            "policy_version": policy.version if policy else None,
            "policy_digest": policy.digest if policy else None,
            "results_age_s": (
                round(now - document.issued_at, 1) if document else None
            ),
            "generation": snapshot.generation,
        }
        self._audit.record(
            Event(EventKind.HEARTBEAT, now, self._origin, fields)
        )
