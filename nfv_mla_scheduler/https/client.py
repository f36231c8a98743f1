# SPDX-License-Identifier: Apache-2.0
"""A client of one HTTPS server: bounded in time, in bytes and in trust.

Follows no redirect, asks no proxy, reads no netrc and no system's CAs.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import answer as answers
from nfv_mla_scheduler.https import wire as wires
from nfv_mla_scheduler.https.address import is_host
from nfv_mla_scheduler.https.address import read_url
from nfv_mla_scheduler.https.answer import Answer
from nfv_mla_scheduler.https.request import Request
from nfv_mla_scheduler.https.trust import Tls
from nfv_mla_scheduler.https.trust import Trust
from nfv_mla_scheduler.https.wire import Watch
from nfv_mla_scheduler.https.wire import Wire

HEADERS_MAX_BYTES = 256 * 1024
# What a chunked body may be wrapped in beside one byte in so many: each piece
# costs time, however small it is.  Enough for twenty thousand pieces, and
# beyond for such of some hundred bytes.
WRAPPING_BYTES = 128 * 1024
WRAPPING_SHARE = 64

_GONE = (ConnectionError, ssl.SSLEOFError)


class Client:
    """One server; for one thread at a time; keeps its connection.

    References are resolved against the URL as RFC 3986 says: ``""`` is the
    URL itself, ``"?a=b"`` it with this query, ``"/x"`` a path of the server.

    :ivar peer: host and port, for messages
    """

    def __init__(
        self,
        url: str,
        tls: Tls,
        *,
        deadline_s: float,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a client; opens no connection.

        :param deadline_s: how long an exchange may take, all in all
        :param max_bytes: how long the body of an answer may be
        :param clock: against which the server's ``Date`` is held
        :raises SettingsError: when the URL or a file cannot be used
        """
        self._address = read_url(url)
        self.peer = self._address.peer
        self._server_name = tls.server_name or self._address.host
        if not is_host(self._server_name):
            raise SettingsError(
                "server_name: must be a host name or an address, not "
                f"{bounded(self._server_name)!r}"
            )
        self._trust = Trust(tls)
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._watch: Watch | None = None

    def get(
        self,
        path_or_query: str = "",
        *,
        accept: Sequence[str],
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        also: Container[int] = (),
    ) -> Answer:
        """Ask for something.

        :param accept: media types that are taken; none: any
        :param deadline_s: instead of the client's, for a long poll
        :param also: statuses other than 200 that are answers; what is below
            200 or above 299 is returned whatever its media type
        :raises ContactFailed: and nothing else
        """
        target = self._address.at(path_or_query).target
        return self._exchange(
            Request("GET", target, None, headers or {}, accept, also),
            deadline_s,
        )

    def post(
        self,
        path: str,
        body: bytes,
        content_type: str,
        *,
        accept: Sequence[str],
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        also: Container[int] = (),
    ) -> Answer:
        """Send something; never twice.

        :raises ContactFailed: and nothing else
        """
        target = self._address.at(path).target
        headers = {**(headers or {}), "Content-Type": content_type}
        return self._exchange(
            Request("POST", target, body, headers, accept, also), deadline_s
        )

    def close(self) -> None:
        """Let go of the connection; any thread may call it.

        An exchange that is under way fails; the next one connects anew.
        """
        with self._lock:
            wire, watch = self._wire, self._watch
            if watch is None:
                self._wire = None
            else:
                watch.stopped = True
        if wire is not None:
            if watch is None:
                wire.release()
            else:
                wire.interrupt()

    def _exchange(self, request: Request, deadline_s: float | None) -> Answer:
        watch = Watch(deadline_s or self._deadline_s)
        with self._lock:
            self._watch = watch
        done = False
        try:
            answer = self._ask(request, watch)
            done = True
            return answer
        except NfvMlaError:
            raise
        except Exception as exc:
            raise self._failure(exc, watch) from exc
        finally:
            with self._lock:
                self._watch = None
                done = done and not watch.stopped
            if not done:
                self._drop()

    def _ask(self, request: Request, watch: Watch) -> Answer:
        wire = self._kept()
        if wire is not None:
            try:
                return self._over(wire, request, watch)
            except _GONE:
                # It left between our look and our asking; what was not
                # answered at all may be asked again, if asking does nothing.
                if request.method != "GET" or wire.received or watch.stopped:
                    raise
                self._drop()
        return self._over(self._open(watch), request, watch)

    def _kept(self) -> Wire | None:
        """Return the connection of the last exchange, if it is any good."""
        try:
            context = self._trust.context()
        except SettingsError as exc:
            raise ContactFailed(ContactCode.TLS, str(exc)) from exc
        wire = self._wire
        if wire and (wire.context is not context or wire.is_stale()):
            self._drop()
        return self._wire

    def _open(self, watch: Watch) -> Wire:
        wire = Wire(self._trust.context(), self._server_name)
        with self._lock:
            self._wire = wire
        wire.begin(watch, HEADERS_MAX_BYTES)
        wire.connect(self._address.host, self._address.port)
        return wire

    def _drop(self) -> None:
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.release()

    def _over(self, wire: Wire, request: Request, watch: Watch) -> Answer:
        wire.begin(watch, HEADERS_MAX_BYTES)
        watch.doing = "waiting for an answer"
        response = request.send(wire, self._address)
        status = response.status
        headers = answers.headers_of(self.peer, response.msg)
        skew_s = answers.skew_s(headers, self._clock())
        answers.check_status(self.peer, status, headers, request.also)
        answers.check_length(self.peer, headers, self._max_bytes)
        if status == 200:
            answers.check_content(self.peer, headers, request.accept)
        watch.doing = "reading its answer"
        body = self._body(response, wire)
        if body and 200 < status < 300:
            answers.check_content(self.peer, headers, request.accept)
        if response.will_close:
            self._drop()
        return Answer(status, headers, body, skew_s)

    def _body(self, response: http.client.HTTPResponse, wire: Wire) -> bytes:
        parts = []
        size = 0
        # a part, and what the wire has read ahead
        most = wire.received + 2 * wires.BUFFER_BYTES + WRAPPING_BYTES
        wire.allowed = most
        try:
            while part := response.read(wires.BUFFER_BYTES):
                size += len(part)
                if size > self._max_bytes:
                    raise answers.too_large(self.peer, self._max_bytes)
                parts.append(part)
                wire.allowed = most + size + size // WRAPPING_SHARE
        except wires.Overfull as exc:
            raise ContactFailed(
                ContactCode.TOO_LARGE,
                f"{self.peer}: sends far more than its answer holds, such as "
                "chunks of a few bytes",
            ) from exc
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(parts)

    def _failure(self, exc: Exception, watch: Watch) -> ContactFailed:
        """Return what an exception means for whoever asked."""
        code, why = _reading(exc, watch)
        if watch.stopped:
            code, why = ContactCode.INTERRUPTED, "we were told to stop asking"
        elif isinstance(exc, socket.gaierror):
            code = ContactCode.UNREACHABLE
            why = f"its name cannot be looked up: {bounded(exc.strerror)}"
        elif isinstance(exc, TimeoutError):
            code = ContactCode.TIMED_OUT
            why = f"not done within {watch.deadline_s:g} s, {watch.doing}"
        elif isinstance(exc, ssl.SSLError):
            if watch.doing == wires.HANDSHAKE or not isinstance(
                exc, ssl.SSLEOFError
            ):
                code, why = ContactCode.TLS, self._trust.why(exc)
        elif isinstance(exc, OSError) and watch.doing == wires.CONNECTING:
            code = ContactCode.UNREACHABLE
            why = bounded(exc.strerror or exc, 100)
        return ContactFailed(code, f"{self.peer}: {why}")


def _reading(exc: Exception, watch: Watch) -> tuple[ContactCode, str]:
    """Return what an exception means when it is HTTP that failed."""
    if isinstance(exc, wires.Overfull | http.client.LineTooLong):
        return ContactCode.TOO_LARGE, "it sends more than an answer can be"
    if isinstance(exc, OSError | http.client.IncompleteRead):
        return (
            ContactCode.INTERRUPTED,
            f"it ended the connection, {watch.doing}",
        )
    if isinstance(exc, http.client.HTTPException):
        # its own class has no name: too many headers
        if "more than" in str(exc):
            return ContactCode.TOO_LARGE, "it sends more headers than we read"
        return ContactCode.BAD_ANSWER, "its answer is not HTTP"
    return (
        ContactCode.BAD_ANSWER,
        f"nothing that HTTP can carry, {watch.doing}: {bounded(exc)}",
    )
