# SPDX-License-Identifier: Apache-2.0
"""One subject's requests in a row, each recorded before and after.

Speaks through the port and to the audit port, and keeps no state of a cloud.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.outcomes import TEXT_MAX
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.outcomes import result_of
from nfv_mla_scheduler.monitor.outcomes import text_of
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

PATIENCE = 3
_TIRES = (CloudCode.BUSY, CloudCode.UNAVAILABLE, CloudCode.UNAUTHORISED)


class Unmet(Exception):
    """Things are not as they were when this was planned."""


class Patience:
    """How many requests in a row came to nothing; for several threads.

    A host can make Nova fail for its own servers, and is not to keep us from
    those of others: each has its own row, and only when those of several
    hosts came to nothing, with none in between that did not, or Nova turns us
    away, is there no use in asking at all.

    :ivar reason: of the last one that did, bounded
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streak = 0
        self._hosts: dict[str, int] = {}
        self._failing: dict[str, None] = {}
        self.reason = ""

    @property
    def lost(self) -> bool:
        """Whether there is no use in going on."""
        return max(self._streak, len(self._failing)) >= PATIENCE

    def lost_with(self, host: str) -> bool:
        """Whether there is no use in going on with a host."""
        return self.lost or self._hosts.get(host, 0) >= PATIENCE

    @property
    def tired(self) -> int:
        """With how many hosts there is none."""
        with self._lock:
            return sum(n >= PATIENCE for n in self._hosts.values())

    def regain(self) -> None:
        """Let one more request show whether it is still of no use."""
        most = PATIENCE - 1
        with self._lock:
            self._streak = min(self._streak, most)
            self._hosts = {h: min(n, most) for h, n in self._hosts.items()}
            self._failing = dict.fromkeys(list(self._failing)[:most])

    def note(self, failure: CloudFailed | None, host: str) -> None:
        """Take note of how a request ended that concerned a host."""
        with self._lock:
            if failure is None or failure.reason not in _TIRES:
                self._streak = 0
                self._hosts.pop(host, None)
                self._failing.clear()
                return
            self.reason = text_of(failure)
            if failure.reason is CloudCode.UNAVAILABLE:
                self._hosts[host] = self._hosts.get(host, 0) + 1
                self._failing[host] = None
            else:
                self._streak += 1


class Scribe:
    """Writes events of one process into the audit port.

    :param clock: what time it is
    """

    def __init__(
        self, audit: AuditPort, origin: str, clock: Callable[[], Instant]
    ) -> None:
        self._audit = audit
        self._origin = origin
        self._clock = clock

    def now(self) -> Instant:
        """Return what time it is: a cycle may last."""
        return self._clock()

    def record(self, kind: EventKind, fields: dict[str, str]) -> None:
        """Hand over one event; it neither waits nor fails (see the port)."""
        told: dict[str, JSON] = {k: v for k, v in fields.items() if v}
        self._audit.record(Event(kind, self._clock(), self._origin, told))


class Attempt:
    """The requests about one subject, in one thread.

    :param subject: server's or provider's UUID, or Nova's host name
    :param told: what records may say of it, besides mark, step and request
    :ivar patience: shared by all of one class
    :ivar mark: id of the mark that these requests belong to; empty: none
    :ivar forced: see ``Outcome``
    """

    def __init__(
        self,
        scribe: Scribe,
        patience: Patience,
        subject: str,
        host: str,
        step: Step | None,
        told: dict[str, str],
    ) -> None:
        self._scribe = scribe
        self.patience = patience
        self._subject = subject
        self._host = host
        self._step = step
        self._told = told
        self._ask: Ask | None = None
        self.mark = ""
        self.forced = False

    @property
    def place(self) -> str:
        """Whose fault it may be when Nova fails: the host's, or its own."""
        return self._host or self._subject

    def look(
        self, cloud: Reader, uuid: str, known: Server | None = None
    ) -> Server:
        """Return a server as it is now.

        :param known: what to take where Nova cannot show it; one that is gone
            is gone
        :raises CloudFailed: with GONE, among others
        """
        try:
            server = cloud.server(uuid)
        except CloudFailed as exc:
            self.patience.note(exc, self.place)
            if known is None or exc.reason is CloudCode.GONE:
                raise
            return known
        # That reading works gives no hope for what is refused to writers.
        if server is None:
            raise CloudFailed(CloudCode.GONE, "it is gone")
        return server

    def make(self, ask: Ask | None, request: Callable[[], None]) -> None:
        """Have one request made.

        :param ask: None: about a trait
        :raises CloudFailed: as the request does
        """
        self._ask = ask
        self._record(EventKind.STEP_INTENDED)
        try:
            request()
        except CloudFailed as exc:
            self.patience.note(exc, self.place)
            code = result_of(exc)
            self._record(EventKind.STEP_DONE, code, text_of(exc))
            raise
        self.patience.note(None, self.place)
        self._record(EventKind.STEP_DONE, Result.DONE)

    def next(self, ask: Ask) -> None:
        """Say which request is made now, on behalf of several subjects."""
        self._ask = ask

    def outcome(self, code: Result, text: str = "") -> Outcome:
        """Return how it ended, at the request that was the last."""
        return Outcome(
            self._subject,
            self._host,
            self._step,
            self._ask,
            code,
            bounded(text, TEXT_MAX),
            self.mark,
            self.forced,
        )

    def _record(
        self, kind: EventKind, code: Result | None = None, text: str = ""
    ) -> None:
        fields = {
            "step": self._step.value if self._step else "",
            "ask": self._ask.value if self._ask else "",
            "mark": self.mark,
            **self._told,
        }
        if code is not None:
            fields["outcome"] = code.value
            # what Nova says of a sealed server may name it
            if self._told:
                fields["text"] = text
        self._scribe.record(kind, fields)
