# SPDX-License-Identifier: Apache-2.0
"""What lies between a monitor and a cloud: counts requests, and fails.

One port on loopback.  Every request is passed on as it is; in answers the
cloud's own address is replaced by ours, so that whoever follows a link comes
back.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import enum
import http.client
import json
import re
import select
import socket
import threading
import typing as ty
import urllib.parse
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/)\d+(?=$|/)")
_OURS = ("host", "connection", "accept-encoding", "content-length")
_TIMEOUT_S = 60.0
#: Longer than any monitor of the tests waits for an answer.
_HANG_S = 20.0


class How(enum.Enum):
    """What becomes of a request."""

    # the monitor is killed, and its request is not passed on
    KILL_BEFORE = "killed before it leaves"
    # it is passed on, and the monitor killed before it has the answer
    KILL_AFTER = "killed before its answer arrives"
    CONFLICT = "409"
    BUSY = "429"
    ERROR = "500"
    # not passed on, nor answered
    HANG = "no answer"
    # passed on, and not answered
    DONE_HANG = "done, and no answer"
    # passed on, and half of the answer comes back
    HALF = "half an answer"


@dataclasses.dataclass(slots=True)
class Request:
    """One request of a monitor.

    :ivar number: the first one is 1
    :ivar path: without the cloud's address and without a query
    :ivar action: the first key of the body's; empty: it has none
    :ivar at: by the cloud's clock
    :ivar status: of the answer; 0: it was not passed on
    """

    number: int
    method: str
    path: str
    query: str
    action: str
    body: ty.Any
    at: float
    status: int = 0

    @property
    def kind(self) -> str:
        """What it is, whatever it is about."""
        path = _ID.sub("ID", self.path)
        return " ".join(filter(None, (self.method, path, self.action)))

    @property
    def writes(self) -> bool:
        return self.method != "GET" and "/auth/tokens" not in self.path


Matches = ty.Callable[[Request], bool]


@dataclasses.dataclass(slots=True)
class Fault:
    """Requests that fail, and how.

    :ivar times: how often; None: until it is taken away
    :ivar met: how often it did
    """

    how: How
    matches: Matches
    times: int | None = None
    met: int = 0


class Proxy:
    """Listens on a port from the start; to be closed."""

    def __init__(self, url: str, now: ty.Callable[[], float]) -> None:
        """Stand before a cloud.

        :param url: of the cloud
        :param now: its clock
        """
        self._theirs = urllib.parse.urlsplit(url).netloc
        self._now = now
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._going = 0
        self._open = True
        self.requests: list[Request] = []
        self.fault: Fault | None = None
        #: Kills the monitor.
        self.kill: ty.Callable[[], None] = lambda: None
        #: Called before each request is passed on.
        self.before: ty.Callable[[], None] = lambda: None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._ours = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="proxy",
            daemon=True,
        )
        self._thread.start()

    def ours(self, url: str) -> str:
        """Return a URL of the cloud's as it is here."""
        return url.replace(self._theirs, self._ours)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def again(self, fault: Fault | None = None) -> None:
        """Forget all requests, and let a fault befall those to come."""
        self.pass_on()
        with self._lock:
            self.requests = []
            self.fault = fault

    def pass_on(self) -> None:
        """Pass requests on again, once those under way are over."""
        with self._lock:
            if not self._idle.wait_for(lambda: not self._going, _TIMEOUT_S):
                raise AssertionError("a request does not come to its end")
            self._open = True

    def kinds(self) -> collections.Counter[str]:
        """Return what was asked, and how often."""
        return collections.Counter(r.kind for r in self.requests)

    def handle(self, handler: _Handler) -> None:
        """Do with one request what is to be done with it."""
        with self._lock:
            if not self._open:
                return
            self._going += 1
        try:
            self._serve(handler)
        finally:
            with self._lock:
                self._going -= 1
                self._idle.notify_all()

    def _serve(self, handler: _Handler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        data = handler.rfile.read(length)
        request, how = self._enter(handler, data)
        if how is How.KILL_BEFORE:
            self._kill()
        elif how in _STATUSES:
            _refuse(handler, *_STATUSES[how])
        elif how is How.HANG:
            _hang(handler.connection)
        else:
            answer = self._ask(handler, data, request)
            if how is How.KILL_AFTER:
                self._kill()
            elif how is How.DONE_HANG:
                _hang(handler.connection)
            else:
                self._answer(handler, answer, how is How.HALF)

    def _enter(
        self, handler: _Handler, data: bytes
    ) -> tuple[Request, How | None]:
        path, _, query = handler.path.partition("?")
        body: ty.Any = None
        with contextlib.suppress(ValueError):
            body = json.loads(data)
        action = ""
        if path.endswith("/action") and isinstance(body, dict):
            action = next(iter(body))
        with self._lock:
            request = Request(
                len(self.requests) + 1,
                handler.command,
                path,
                query,
                action,
                body,
                self._now(),
            )
            self.requests.append(request)
            fault = self.fault
            if fault is None or fault.met == fault.times:
                return request, None
            if not fault.matches(request):
                return request, None
            fault.met += 1
            return request, fault.how

    def _kill(self) -> None:
        # What it has sent besides is of no account.
        with self._lock:
            self._open = False
        self.kill()

    def _ask(
        self, handler: _Handler, data: bytes, request: Request
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self.before()
        connection = http.client.HTTPConnection(
            self._theirs, timeout=_TIMEOUT_S
        )
        headers = {
            name: value
            for name, value in handler.headers.items()
            if name.lower() not in _OURS
        }
        with contextlib.closing(connection):
            connection.request(
                handler.command, handler.path, data or None, headers
            )
            answer = connection.getresponse()
            content = answer.read()
        request.status = answer.status
        theirs, ours = self._theirs.encode(), self._ours.encode()
        return answer, content.replace(theirs, ours)

    def _answer(
        self,
        handler: _Handler,
        answer: tuple[http.client.HTTPResponse, bytes],
        half: bool,
    ) -> None:
        response, content = answer
        # What has no content is cut off within its status line.
        if half and not content:
            handler.wfile.write(b"HTTP/1.1 20")
            return
        handler.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _OURS:
                value = value.replace(self._theirs, self._ours)
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2] if half else content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    proxy: Proxy

    def handle_error(self, *_: object) -> None:
        """Say nothing: whoever asked may be dead."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _any(self) -> None:
        self.server.proxy.handle(self)

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


_STATUSES: dict[How, tuple[int, dict[str, str], str]] = {
    How.CONFLICT: (409, {}, "conflictingRequest"),
    How.BUSY: (429, {"Retry-After": "1"}, "overLimit"),
    How.ERROR: (500, {}, "computeFault"),
}


def _refuse(
    handler: _Handler, status: int, headers: dict[str, str], name: str
) -> None:
    content = json.dumps({name: {"code": status, "message": "no"}}).encode()
    handler.send_response_only(status)
    for header, value in headers.items():
        handler.send_header(header, value)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def _hang(peer: socket.socket) -> None:
    """Wait until whoever asked has given up."""
    select.select([peer], [], [], _HANG_S)
