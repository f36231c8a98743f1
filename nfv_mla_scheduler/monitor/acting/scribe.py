# SPDX-License-Identifier: Apache-2.0
"""Records of requests: what is to be asked, before; what came of it, after.

Speaks to the audit port.  What cannot be recorded first is not asked for: a
ledger in which an action shows that nobody wrote down before is none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import Instant

# How long a request waits for its intent to be on the disk.  A disk that is
# busy takes tenths of a second; one that takes longer than this holds up a
# cycle.
COMMIT_S = 3.0
# The same while nothing can be written: it need not be waited out again.
HURRIED_S = 0.5
# After one that could not be written, nobody else tries for so long: a
# hundred servers do not wait one after the other.
PAUSE_S = 1.0
# A block of a sealed domain is written at a fixed rate and may be full: so
# many of them may pass before an intent is on the disk.
BLOCKS = 3
TEXT = "not asked for: the ledger cannot be written"


class Unrecorded(Exception):
    """What was to be asked for could not be recorded first."""


class Intents:
    """Has intents written and synced; for any thread, over all cycles.

    :param seal_interval_s: how often a block is written for a sealed domain
    """

    def __init__(
        self,
        audit: AuditPort,
        seal_interval_s: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._audit = audit
        self._sealed_s = COMMIT_S + BLOCKS * seal_interval_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failed: dict[str | None, float] = {}

    @property
    def kept(self) -> bool:
        """Whether there is a ledger; otherwise nothing ever waits."""
        return self._audit.ledger is not None

    def record(self, event: Event) -> None:
        """Hand over one event; it neither waits nor fails (see the port)."""
        self._audit.record(event)

    def commit(self, event: Event) -> bool | None:
        """Return whether an intent survives a power cut.

        :returns: None: it was not even tried, since another one failed now
        """
        domain = event.domain
        with self._lock:
            failed = self._failed.get(domain)
        if failed is not None and self._monotonic() < failed + PAUSE_S:
            return None
        written = self._audit.commit(event, self._timeout_s(event))
        with self._lock:
            if written:
                self._failed.pop(domain, None)
            else:
                self._failed[domain] = self._monotonic()
        return written

    def _timeout_s(self, event: Event) -> float:
        if event.domain is not None:
            # a block comes no sooner for being waited for
            return self._sealed_s
        return COMMIT_S if self._audit.healthy else HURRIED_S


class Scribe:
    """Writes the records of one cycle.

    :param clock: what time it is
    """

    def __init__(
        self,
        intents: Intents,
        origin: str,
        clock: Callable[[], Instant],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._intents = intents
        self._origin = origin
        self._clock = clock
        self.monotonic = monotonic

    def now(self) -> Instant:
        """Return what time it is: a cycle may last."""
        return self._clock()

    def intend(
        self, fields: dict[str, str], domain: str | None = None
    ) -> None:
        """Return once it is recorded what is about to be asked for.

        :raises Unrecorded: when it cannot be; then it must not be asked for
        """
        event = self._event(EventKind.STEP_INTENDED, fields, domain)
        written = self._intents.commit(event)
        if written:
            return
        if written is not None:
            # It may be written after all, once that is possible.
            self.done({**fields, "outcome": "unrecorded"}, domain)
        raise Unrecorded(TEXT)

    def intended(
        self, fields: dict[str, str], domain: str | None = None
    ) -> None:
        """Record what is about to be asked for, and do not wait."""
        event = self._event(EventKind.STEP_INTENDED, fields, domain)
        self._intents.record(event)

    def done(self, fields: dict[str, str], domain: str | None = None) -> None:
        """Record what came of it; this neither waits nor fails."""
        self._intents.record(self._event(EventKind.STEP_DONE, fields, domain))

    def _event(
        self, kind: EventKind, fields: dict[str, str], domain: str | None
    ) -> Event:
        told: dict[str, JSON] = {k: v for k, v in fields.items() if v}
        return Event(kind, self._clock(), self._origin, told, domain)
