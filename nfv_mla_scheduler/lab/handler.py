# SPDX-License-Identifier: Apache-2.0
"""Answer requests over HTTP, well or badly, as the reply has it."""

from __future__ import annotations

import http.server
import math
from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.lab.connections import Connections
from nfv_mla_scheduler.lab.replies import MOVED
from nfv_mla_scheduler.lab.replies import Reply
from nfv_mla_scheduler.lab.replies import refusal
from nfv_mla_scheduler.lab.values import Fault

IDLE_S = 60.0

_FOUND = 302
_BAD_REQUEST = 400
_OTHER_TYPE = "text/html"
_NOT_JSON = b"<html>It works</html>"
_CHUNK = b'"' + b"A" * (64 * 1024 - 3) + b'",'
_DRIP_S = 0.2

Answer = Callable[[str], Reply]


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection, with one request after the other."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    server: Connections

    def __init__(
        self,
        request: Any,
        client_address: Any,
        server: Connections,
        *,
        answer: Answer,
        clock: Callable[[], float],
    ) -> None:
        """Serve the connection.

        :param answer: from the target of a GET to the reply
        :param clock: gives the time that answers are dated with
        """
        self._answer = answer
        self._clock = clock
        super().__init__(request, client_address, server)

    def do_GET(self) -> None:
        """Answer one request."""
        length = self.headers.get("Content-Length", "0")
        if length != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(refusal(_BAD_REQUEST, "a GET has no body here"))
            return
        self._give(self._answer(self.path))

    def _give(self, reply: Reply) -> None:
        """Answer as late and as badly as the reply has it."""
        knobs = reply.knobs
        late_s = math.inf if knobs.silent else knobs.slow_s
        if late_s and not self.server.pause(self.connection, late_s):
            self.close_connection = True
        elif knobs.status:
            self._send(refusal(knobs.status, "as attesters.yaml has it"))
        elif knobs.fault is None:
            self._send(reply)
        else:
            _FAULTS[knobs.fault](self, reply)

    def _send(self, reply: Reply, **headers: str) -> None:
        self._head(reply, str(len(reply.body)), **headers)
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _head(self, reply: Reply, length: str | None, **headers: str) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        if length is None:
            self.close_connection = True
        else:
            self.send_header("Content-Length", length)
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _redirect(self, reply: Reply) -> None:
        moved = Reply(b"", status=_FOUND)
        self._send(moved, Location=MOVED + self.path)

    def _wrong_type(self, reply: Reply) -> None:
        self._send(Reply(reply.body, _OTHER_TYPE, reply.status))

    def _not_json(self, reply: Reply) -> None:
        self._send(Reply(_NOT_JSON, reply.content_type, reply.status))

    def _endless(self, reply: Reply) -> None:
        self._head(reply, None)
        self.wfile.write(b'{"results":[')
        while not self.server.stopping.is_set():
            self.wfile.write(_CHUNK)

    def _dripping(self, reply: Reply) -> None:
        self._head(reply, None)
        self.wfile.write(b'{"results":["')
        while self.server.pause(self.connection, _DRIP_S):
            self.wfile.write(b"A")

    def _truncated(self, reply: Reply) -> None:
        self._head(reply, str(len(reply.body)))
        self.close_connection = True
        self.wfile.write(reply.body[: len(reply.body) // 2])

    def _hang_up(self, reply: Reply) -> None:
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return a date for headers, by the lab's own clock."""
        return super().date_time_string(
            self._clock() if timestamp is None else timestamp
        )

    def version_string(self) -> str:
        """Return what the header Server says."""
        return "nfv-mla-lab"

    def send_error(
        self,
        code: int,
        message: str | None = None,
        explain: str | None = None,
    ) -> None:
        """Refuse what cannot be read, and any other method than GET."""
        self.close_connection = True
        # or it would be answered as HTTP/0.9 is: without a status
        self.request_version = self.protocol_version
        self._send(refusal(code, bounded(message or "only GET is served")))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of single requests."""


_FAULTS: dict[Fault, Callable[[Handler, Reply], None]] = {
    Fault.REDIRECT: Handler._redirect,
    Fault.WRONG_TYPE: Handler._wrong_type,
    Fault.NOT_JSON: Handler._not_json,
    Fault.ENDLESS: Handler._endless,
    Fault.DRIPPING: Handler._dripping,
    Fault.TRUNCATED: Handler._truncated,
    Fault.HANG_UP: Handler._hang_up,
}
