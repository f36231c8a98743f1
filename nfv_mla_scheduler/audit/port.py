# SPDX-License-Identifier: Apache-2.0
"""Where audit events go in: the one port, whatever stands behind it.

Standard library only, and no input or output of its own.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Protocol
from typing import TypeAlias

from nfv_mla_scheduler.model import Instant

JSON: TypeAlias = (
    "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
)


class EventKind(enum.Enum):
    """What an event is about; the values are what is written."""

    REQUEST_REFUSED = "request-refused"
    WOULD_REFUSE = "would-refuse"
    POLICY_LOADED = "policy-loaded"
    POLICY_REFUSED = "policy-refused"
    POLICY_EXPIRED = "policy-expired"
    RESULTS_LOADED = "results-loaded"
    RESULTS_REFUSED = "results-refused"
    WAIVER_USED = "waiver-used"
    BREAK_GLASS_USED = "break-glass-used"
    WORKER_STARTED = "worker-started"
    HEARTBEAT = "heartbeat"
    EVENTS_DROPPED = "events-dropped"
    # of the monitor
    MONITOR_STARTED = "monitor-started"
    FINDING = "finding"
    FINDING_OVER = "finding-over"
    STEP_INTENDED = "step-intended"
    STEP_DONE = "step-done"
    GUARD_HELD = "guard-held"
    GUARD_RELEASED = "guard-released"
    MARK_TAMPERED = "mark-tampered"
    LOCK_REPLACED = "lock-replaced"
    COPIED = "copied"
    # of the monitor: where servers with requirements are, as observed
    STANDING = "standing"
    PLACED = "placed"
    MOVED = "moved"
    GONE = "gone"
    PLANNED = "planned"
    # of the collector
    COLLECTOR_STARTED = "collector-started"
    AUTHORITY_FAILED = "authority-failed"
    AUTHORITY_WELL = "authority-well"
    RESULTS_PUBLISHED = "results-published"
    RESULTS_UNPUBLISHED = "results-unpublished"
    # of the ledger itself
    LEDGER_OPENED = "ledger-opened"
    LEDGER_CLOSED = "ledger-closed"
    LEDGER_INTERRUPTED = "ledger-interrupted"
    LEDGER_MOVED = "ledger-moved"
    CLOCK_BACK = "clock-back"
    CHECKPOINT = "checkpoint"
    SEALED_HEADS = "sealed-heads"
    SEALED = "sealed"


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    :ivar origin: the process it happened in, as a reader knows it
    :ivar fields: what there is to say of it; not to be changed any more
    :ivar domain: the trust domain that alone may read it; None: all who read
        the ledger may
    """

    kind: EventKind
    at: Instant
    origin: str
    fields: Mapping[str, JSON]
    domain: str | None = None


class AuditPort(Protocol):
    """Takes events.  For use by any number of threads at once."""

    @property
    def healthy(self) -> bool:
        """Whether the last event was kept and there is room for the next."""

    @property
    def ledger(self) -> bool | None:
        """Whether events go to a ledger in which deletion shows.

        False: there is one, and it cannot be written or signed now.
        ``None``: what stands behind this port is none, so that nobody can
        judge whether the ledger is writable.
        """

    def record(self, event: Event) -> None:
        """Take ``event``; never waits for a device, and never raises."""

    def commit(self, event: Event, timeout_s: float) -> bool:
        """Take ``event``, and wait until it survives a power cut.

        For what must be known before it is done.  Never raises.

        :returns: whether it does, within ``timeout_s``; where nothing is kept
            at all, True
        """

    def seal_for(self, domains: Mapping[str, str | None]) -> None:
        """Seal from now on for these trust domains, as the policy has them.

        :param domains: name -> public key in PEM; None: not sealed
        """

    def close(self) -> None:
        """Write what was taken, for as long as that is bearable."""


class NullAudit:
    """Keeps nothing, for those who want no events."""

    @property
    def healthy(self) -> bool:
        """Always: nothing can fail."""
        return True

    @property
    def ledger(self) -> bool | None:
        """``None``: not a ledger."""
        return None

    def record(self, event: Event) -> None:
        """Forget ``event``."""

    def commit(self, event: Event, timeout_s: float) -> bool:
        """Forget ``event``: it is wanted nowhere."""
        return True

    def seal_for(self, domains: Mapping[str, str | None]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
