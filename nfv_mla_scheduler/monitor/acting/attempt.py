# SPDX-License-Identifier: Apache-2.0
"""One subject's requests in a row, each recorded before and after.

Speaks through the port and to the audit port, and keeps no state of a cloud.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.acting.scribe import Scribe
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
# After so long a look is none any more; a block of a sealed domain takes it.
LONG_S = 1.0
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


class Attempt:
    """The requests about one subject, in one thread.

    :param subject: server's or provider's UUID, or Nova's host name
    :param told: what records say of it, besides mark, step and request
    :param domain: the sealed trust domain that alone may read of it; None:
        whoever reads records may
    :ivar patience: shared by all of one class
    :ivar mark: id of the mark that these requests belong to; empty: none
    :ivar forced: see ``Outcome``
    :ivar insists: whether it is also asked of what has changed meanwhile
    :ivar withdrawn: whether it is not to be done any more
    """

    def __init__(
        self,
        scribe: Scribe,
        patience: Patience,
        subject: str,
        host: str,
        step: Step | None,
        told: dict[str, str],
        domain: str | None = None,
    ) -> None:
        self._scribe = scribe
        self.patience = patience
        self._subject = subject
        self._host = host
        self._step = step
        self._told = told
        self._domain = domain
        self._ask: Ask | None = None
        self._open = False
        self._looked: tuple[Reader, Server] | None = None
        self.mark = ""
        self.forced = False
        self.insists = False
        self.withdrawn: Callable[[], bool] = lambda: False

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
        self._looked = cloud, server
        return server

    def make(self, ask: Ask | None, request: Callable[[], None]) -> None:
        """Have one request made.

        :param ask: None: about a trait
        :raises CloudFailed: as the request does
        :raises Unrecorded: when it cannot be recorded first; nothing is asked
        :raises Unmet: when recording it took so long that things changed
        """
        self._ask = ask
        began = self._scribe.monotonic()
        self._scribe.intend(self._fields(), self._domain)
        self._open = True
        if self._scribe.monotonic() - began > LONG_S:
            self._look_again(ask)
        try:
            request()
        except CloudFailed as exc:
            self.patience.note(exc, self.place)
            self.settle(result_of(exc), text_of(exc))
            raise
        self.patience.note(None, self.place)
        self.settle(Result.DONE)

    def next(self, ask: Ask) -> None:
        """Say which request is made now, on behalf of several subjects.

        It is recorded where it is made, by the host that it is about.  Who
        reads the records of a sealed domain does not see which of its servers
        that was for: they say so themselves.
        """
        self._ask = ask
        if self._domain is not None:
            self._scribe.intended(self._fields(), self._domain)
            self._open = True

    def settle(self, code: Result, text: str = "") -> None:
        """Record what came of the last request, unless that is recorded."""
        if not self._open:
            return
        self._open = False
        fields = {**self._fields(), "outcome": code.value}
        # what is sealed holds no words of others
        if self._domain is None:
            fields["text"] = bounded(text, TEXT_MAX)
        self._scribe.done(fields, self._domain)

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
            self._domain is not None,
        )

    def _look_again(self, ask: Ask | None) -> None:
        """See to it that a server is still as it was looked at.

        :raises Unmet: when it is not, or is held by now
        """
        if self.withdrawn():
            raise Unmet("it is held by now")
        if self._looked is None or self.insists:
            return
        cloud, was = self._looked
        now = self.look(cloud, was.uuid)
        same = now.host == was.host
        if ask in (Ask.LOCK, Ask.UNLOCK):
            same &= now.locked_reason == was.locked_reason
            same &= now.locked == was.locked
        else:
            same &= (now.vm_state, now.task) == (was.vm_state, was.task)
        if not same:
            raise Unmet("it has changed while that was being recorded")

    def _fields(self) -> dict[str, str]:
        return {
            "step": self._step.value if self._step else "",
            "ask": self._ask.value if self._ask else "",
            "mark": self.mark,
            **self._told,
        }
