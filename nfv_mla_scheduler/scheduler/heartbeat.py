# SPDX-License-Identifier: Apache-2.0
"""An event now and then, so that its absence shows.

Touches the audit port, and the log when events cannot be written.
"""

from __future__ import annotations

import logging

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.view import Snapshot

LOG = logging.getLogger(__name__)

INTERVAL_S = 60.0


class Heartbeat:
    """Records what a worker judges by, at once and after each interval."""

    def __init__(self, audit: AuditPort, origin: str) -> None:
        self._audit = audit
        self._origin = origin
        self._last: Instant = NEVER
        self._healthy = True

    def beat(self, snapshot: Snapshot, now: Instant) -> None:
        """Record an event if it is time; also when clocks went back."""
        self._watch()
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

    def _watch(self) -> None:
        """Say once that events are not written, and once that they are."""
        healthy = self._audit.healthy
        if healthy == self._healthy:
            return
        self._healthy = healthy
        if healthy:
            LOG.info("nfv-mla audit: events are written again")
        else:
            LOG.warning(
                "nfv-mla audit: events cannot be written, or not fast enough"
            )
