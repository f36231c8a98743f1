# SPDX-License-Identifier: Apache-2.0
"""Fetch the token of each attester by itself, a few at a time.

A server that does not answer is not asked again and again: after a row of
failures to reach it the rest is left for the next time, which begins with it.
What it answers about one attester, be it an error, says nothing about others.
"""

from __future__ import annotations

import collections
import threading
import time
import urllib.parse
from collections.abc import Callable
from collections.abc import Sequence

from nfv_mla_scheduler.authority.fetched import Fetched
from nfv_mla_scheduler.authority.fetched import Token
from nfv_mla_scheduler.authority.fetched import few
from nfv_mla_scheduler.authority.fetched import hang_up
from nfv_mla_scheduler.authority.fetched import problem
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.https import Client

PLACEHOLDER = "{attester}"
# RFC 9782 for the first; the second is what servers say that know only JWT.
MEDIA_TYPES = ("application/eat+jwt", "application/jwt")
FAILURES_IN_A_ROW = 16
# These say of the server that it will not answer about others either.
_OF_THE_SERVER = frozenset(
    (ContactCode.UNREACHABLE, ContactCode.TLS, ContactCode.TIMED_OUT)
)

_ABSENT = 404


class Each:
    """Fetches tokens one by one; for one thread at a time."""

    def __init__(
        self,
        url: str,
        clients: Sequence[Client],
        *,
        timeout_s: float,
        total_s: float,
        max_bytes: int,
    ) -> None:
        """Open no connection.

        :param url: with :const:`PLACEHOLDER` in it
        :param clients: one for each connection, at least one
        :param timeout_s: for one exchange
        :param total_s: for all of them together
        :param max_bytes: of all answers together
        """
        self._url = url
        self._clients = tuple(clients)
        self._timeout_s = timeout_s
        self._total_s = total_s
        self._max_bytes = max_bytes
        self._round: _Round | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._first = ""
        self._again: tuple[str, ...] = ()

    def fetch(self, inquiry: Inquiry) -> Fetched:
        """Return what the authority has about those who are asked for.

        :raises ContactFailed: when it has answered for none of them
        """
        attesters: Sequence[str] = inquiry.attesters
        if not inquiry.targeted:
            attesters = self._in_turn(attesters)
        begun = _Round(
            attesters,
            self._timeout_s,
            time.monotonic() + self._total_s,
            self._max_bytes,
        )
        self._round = begun
        self._idle.clear()
        try:
            self._run(begun, len(inquiry.attesters))
        finally:
            self._idle.set()
        if begun.fault is not None:
            raise begun.fault
        if not inquiry.targeted:
            self._first = begun.waiting[0] if begun.waiting else ""
            # Once, or one that is slow would come first for ever.
            self._again = tuple(
                name for name in begun.put_back if name not in self._again
            )
        return self._fetched(begun, len(inquiry.attesters))

    def close(self) -> None:
        """Let go of all connections; any thread may call it."""
        if self._round is not None:
            self._round.stop()
        hang_up(self._clients, self._idle)

    def _in_turn(self, attesters: Sequence[str]) -> Sequence[str]:
        """Return attesters in the order in which they are asked for.

        Who was cut short the last time, then who was not asked for then.
        """
        known = frozenset(attesters)
        again = {name: None for name in self._again if name in known}
        others = _from(self._first, attesters)
        return (*again, *(name for name in others if name not in again))

    def _run(self, begun: _Round, asked: int) -> None:
        threads = [
            threading.Thread(
                target=begun.run, args=(self._asking(client),), daemon=True
            )
            for client in self._clients[:asked]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _asking(self, client: Client) -> Callable[[str, float], Answer]:
        def ask(attester: str, deadline_s: float) -> Answer:
            return client.get(
                filled(self._url, attester),
                accept=MEDIA_TYPES,
                deadline_s=deadline_s,
                also=(_ABSENT,),
            )

        return ask

    def _fetched(self, ended: _Round, asked: int) -> Fetched:
        failed = ended.failed
        peer = self._clients[0].peer
        if asked and not ended.answered:
            nobody = ContactFailed(ended.code, f"{peer}: {ended.why}")
            first = next(iter(failed.values()), nobody)
            raise ContactFailed(
                first.reason, f"none of {asked} answers: {first}"
            )
        if asked > 1 and ended.absent == asked:
            raise ContactFailed(
                ContactCode.BAD_STATUS,
                f"{peer}: has none of {asked} attesters ({_ABSENT}); see "
                "whether the url is right",
            )
        problems = [
            problem(attester, exc.reason.value, str(exc))
            for attester, exc in sorted(failed.items())
        ]
        if ended.put_back or ended.waiting:
            problems.append(_left_out(ended))
        return Fetched(
            tuple(Token(data, name) for name, data in ended.tokens.items()),
            not problems,
            few(problems),
            ended.skew_s,
        )


class _Round:
    """One collection: whom to ask still, and what was said.

    :ivar waiting: who has not been asked
    :ivar put_back: who was asked, and cut short
    :ivar answered: how many exchanges went well
    :ivar absent: of how many of them there is no result
    :ivar fault: what happened that no server can bring about
    :ivar why: why nobody more is asked, with ``code``; empty: they are
    """

    def __init__(
        self,
        attesters: Sequence[str],
        timeout_s: float,
        end: float,
        max_bytes: int,
    ) -> None:
        self.waiting = collections.deque(attesters)
        self.put_back: list[str] = []
        self.tokens: dict[str, bytes] = {}
        self.failed: dict[str, ContactFailed] = {}
        self.answered = 0
        self.absent = 0
        self.skew_s: float | None = None
        self.fault: Exception | None = None
        self.code = ContactCode.INTERRUPTED
        self.why = ""
        self._timeout_s = timeout_s
        self._end = end
        self._room = max_bytes
        self._in_a_row = 0
        self._lock = threading.Lock()

    def run(self, ask: Callable[[str, float], Answer]) -> None:
        """Ask for one attester after the other, in a thread of its own."""
        try:
            while (attester := self._next()) is not None:
                left_s = max(self._end - time.monotonic(), 0.001)
                try:
                    allowed_s = min(left_s, self._timeout_s)
                    self._take(attester, ask(attester, allowed_s))
                except ContactFailed as exc:
                    late = exc.reason is ContactCode.TIMED_OUT
                    if late and left_s < self._timeout_s:
                        self._put_back(attester)
                    else:
                        self._fail(attester, exc)
        except Exception as exc:
            self.fault = exc
            self.stop()

    def stop(
        self,
        code: ContactCode = ContactCode.INTERRUPTED,
        why: str = "we were told to stop asking",
    ) -> None:
        """Ask for nobody more."""
        if not self.why:
            self.code, self.why = code, why

    def _next(self) -> str | None:
        with self._lock:
            if time.monotonic() >= self._end:
                self.stop(ContactCode.TIMED_OUT, "there was no time left")
            if self.why or not self.waiting:
                return None
            return self.waiting.popleft()

    def _take(self, attester: str, answer: Answer) -> None:
        with self._lock:
            self.answered += 1
            self._in_a_row = 0
            self.skew_s = answer.skew_s
            if answer.status == _ABSENT:
                self.absent += 1
                return
            if len(answer.body) > self._room:
                self.put_back.append(attester)
                self.stop(
                    ContactCode.TOO_LARGE,
                    "all answers together are too long, see max_bytes",
                )
                return
            self._room -= len(answer.body)
            # a token may stand in a file that ends with a line break
            self.tokens[attester] = answer.body.strip()

    def _put_back(self, attester: str) -> None:
        """Let somebody wait who was not given the time to answer."""
        with self._lock:
            self.put_back.append(attester)

    def _fail(self, attester: str, exc: ContactFailed) -> None:
        with self._lock:
            self.failed[attester] = exc
            if exc.reason not in _OF_THE_SERVER:
                if exc.reason is not ContactCode.INTERRUPTED:
                    self._in_a_row = 0
                return
            self._in_a_row += 1
            if self._in_a_row >= FAILURES_IN_A_ROW:
                self.stop(exc.reason, f"{self._in_a_row} failures in a row")


def filled(url: str, attester: str) -> str:
    """Return the URL of one attester's result."""
    encoded = urllib.parse.quote(attester, safe="")
    if not encoded.strip("."):
        # an attester named .. is not the directory above
        encoded = encoded.replace(".", "%2E")
    return url.replace(PLACEHOLDER, encoded)


def _from(first: str, attesters: Sequence[str]) -> Sequence[str]:
    """Return the attesters in order, beginning with ``first``."""
    if first not in attesters:
        return attesters
    index = attesters.index(first)
    return (*attesters[index:], *attesters[:index])


def _left_out(ended: _Round) -> Problem:
    left = (*ended.put_back, *ended.waiting)
    return problem(
        left[0],
        ended.code.value,
        f"not asked for, as one of {len(left)}: {ended.why}",
    )
