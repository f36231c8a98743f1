# SPDX-License-Identifier: Apache-2.0
"""cheroot, made fit for clients that are slow or mean.

Imported by the server alone and when it is made, since cheroot is of extras.
As it comes, cheroot does TLS handshakes in the thread that
accepts connections, so that one client that stalls locks out all others, and
it bounds each wait for a client but not how many waits a request takes.  Here
handshakes have a thread of their own, and everything has a deadline.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from cheroot import server
from cheroot import wsgi

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.serving.deferred import Deferred
from nfv_mla_scheduler.serving.exchange import CERTIFIED
from nfv_mla_scheduler.serving.exchange import JSON
from nfv_mla_scheduler.serving.exchange import error_body
from nfv_mla_scheduler.serving.handshakes import FAREWELL_S
from nfv_mla_scheduler.serving.handshakes import Handshakes
from nfv_mla_scheduler.serving.limits import PlacesEach
from nfv_mla_scheduler.serving.limits import Seldom
from nfv_mla_scheduler.serving.limits import caller
from nfv_mla_scheduler.serving.strangers import Strangers
from nfv_mla_scheduler.serving.tls import Certificates
from nfv_mla_scheduler.serving.tls import proven

LOG = logging.getLogger(__name__)

# To send a request, its body included, as it keeps a thread so long; and to be
# sent the answer, the longest wait not counted.
ASK_S = 3.0
# The same for who has no certificate, while others wait for a thread.
ASK_CROWDED_S = 0.5
ANSWER_S = 60.0
IDLE_S = 75
ROUND_S = 0.2
KEPT_MAX = 512
QUEUED_MAX = 256
HEADER_MAX_BYTES = 16 * 1024
BODY_MAX_BYTES = 256 * 1024
BACKLOG = 128
STOP_S = 2.0
# Clients decide how often something fails: of each kind one line a minute.
TOLD_AGAIN_S = 60.0


class _Request(server.HTTPRequest):
    """One request and its deadlines; errors are in JSON."""

    def parse_request(self) -> None:
        """Read what is asked, but for its body."""
        server = self.server
        crowded = server.requests.qsize and server.strangers.knows(self.conn)
        self._within(ASK_CROWDED_S if crowded else ASK_S)
        super().parse_request()

    def respond(self) -> None:
        """Have the application answer."""
        if self.method in (b"GET", b"HEAD"):
            self._within(self.server.wait_max_s + ANSWER_S)
        super().respond()
        self.conn.socket.ends_at = math.inf

    def send_headers(self) -> None:
        """Send the headers, and see to a body that was not read.

        One that is late is left where it is.  One that is too large is read,
        as a reset would take the answer away from the client.
        """
        status = int(self.status[:3])
        if status == 408:
            self._within(FAREWELL_S)
            self.close_connection = True
        elif status == 413 and not self.chunked_read:
            self.rfile.read(self.rfile.remaining)
        super().send_headers()

    def simple_response(self, status: str, msg: str = "") -> None:
        """Answer what cheroot itself has against a request."""
        self._within(FAREWELL_S)
        self.close_connection = True
        number, _, phrase = str(status).partition(" ")
        body = error_body(msg or phrase)
        lines = (
            f"{self.server.protocol} {number} {phrase}",
            f"Content-Type: {JSON}",
            f"Content-Length: {len(body)}",
            "Connection: close",
            "",
            "",
        )
        with contextlib.suppress(OSError):
            self.conn.wfile.write("\r\n".join(lines).encode("latin-1") + body)

    def _within(self, seconds: float) -> None:
        self.conn.socket.ends_at = time.monotonic() + seconds


class _Connection(server.HTTPConnection):
    """A connection; knows whether its handshake is done."""

    RequestHandlerClass = _Request
    socket: ssl.SSLSocket
    secured = False
    place_of: str | None = None
    _closed = False

    def communicate(self) -> bool:
        """Answer one request; return whether to keep the connection."""
        if self.server.is_outdated(self):
            # The client has to prove itself anew, and knows how.
            return False
        with self.server.busy(self):
            keep: bool = super().communicate()  # type: ignore[no-untyped-call]
            return keep and not self.server.is_outdated(self)

    def close(self) -> None:
        """Close the connection; never fails, which would end a worker."""
        if self._closed:
            return
        self._closed = True
        self.server.left(self)
        try:
            super().close()
        except Exception as exc:
            LOG.debug("nfv-mla HTTPS server: closing failed: %s", bounded(exc))
            with contextlib.suppress(OSError):
                self.socket.close()


class Listener(wsgi.Server):
    """Accepts, and has a bounded number of threads answer.

    :param name: what it is called in its replies
    :param threads: how many requests are answered at a time
    :param wait_max_s: how long the application may let a request wait
    :param each_max: how many connections one address may have at a time;
        None: all.  The oldest of those without a certificate goes for the next
    """

    ConnectionClass = _Connection
    max_request_header_size = HEADER_MAX_BYTES
    max_request_body_size = BODY_MAX_BYTES
    keep_alive_conn_limit = KEPT_MAX
    expiration_interval = ROUND_S

    def __init__(
        self,
        address: tuple[str, int],
        app: Callable[..., Any],
        certificates: Certificates,
        *,
        name: str,
        threads: int,
        wait_max_s: float,
        each_max: int | None = None,
    ) -> None:
        super().__init__(
            address,
            app,
            numthreads=threads,
            max=threads,
            server_name=name,
            request_queue_size=BACKLOG,
            timeout=IDLE_S,
            shutdown_timeout=int(STOP_S),
            accepted_queue_size=QUEUED_MAX,
            accepted_queue_timeout=0,
        )
        self.software = name
        self.wait_max_s = wait_max_s
        self._certificates = certificates
        self.ssl_adapter = Deferred(certificates)
        self.handshakes = Handshakes(self._secured, self._refused)
        self._busy: set[_Connection] = set()
        self._places = PlacesEach(each_max)
        self.strangers = Strangers()
        self._lock = threading.Lock()
        self._refusals = Seldom(TOLD_AGAIN_S, time.monotonic)
        self._errors = Seldom(TOLD_AGAIN_S, time.monotonic)

    def process_conn(self, conn: _Connection) -> None:
        """Take on a connection that was accepted, or one with a request."""
        if not conn.secured:
            if self._place(conn, caller(conn.remote_addr or "")):
                self.strangers.add(conn)
                self.handshakes.add(conn)
            else:
                conn.close()
            return
        try:
            self.requests.put(conn)
        except queue.Full:
            conn.close()

    def _place(self, conn: _Connection, who: str) -> bool:
        """Give a connection a place, if need be that of an older one."""
        if not self._places.take(who):
            older = self.strangers.end_oldest(who)
            if older is None:
                return False
            self.left(older)
            if not self._places.take(who):
                return False
        conn.place_of = who
        return True

    def left(self, conn: Any) -> None:
        """Give a place free: its connection has ended, whichever way."""
        self.strangers.discard(conn)
        with self._lock:
            who, conn.place_of = conn.place_of, None
        if who is not None:
            self._places.leave(who)

    def put_conn(self, conn: _Connection) -> None:
        """Keep a connection until its next request; never fails."""
        try:
            super().put_conn(conn)
        except Exception as exc:
            LOG.debug("nfv-mla HTTPS server: not kept: %s", bounded(exc))
            conn.close()

    def is_outdated(self, conn: _Connection) -> bool:
        """Whether certificates have changed since a client was let in."""
        return conn.socket.context is not self._certificates.context()

    @contextlib.contextmanager
    def busy(self, conn: _Connection) -> Any:
        """Note which connections are being answered."""
        with self._lock:
            self._busy.add(conn)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(conn)

    def stop(self) -> None:
        """End everything; requests under way get a little time."""
        end = time.monotonic() + STOP_S
        while self._busy and time.monotonic() < end:
            time.sleep(0.01)
        with self._lock:
            for conn in self._busy:
                with contextlib.suppress(OSError):
                    conn.socket.shutdown(socket.SHUT_RDWR)
        super().stop()
        self.handshakes.stop()

    def error_log(
        self, msg: str = "", level: int = logging.INFO, traceback: bool = False
    ) -> None:
        """Log what cheroot has to say, in one line, once in a while."""
        said = bounded(msg, LINE_MAX)
        if said.startswith("socket.error"):
            level = logging.DEBUG  # a client has left, or is too slow
        fault = traceback and level >= logging.ERROR
        if level > logging.DEBUG:
            others = self._errors.turn()
            if others is None:
                level = logging.DEBUG
            elif others:
                said += f" (and {others} others of which nothing was said)"
        LOG.log(level, "nfv-mla HTTPS server: %s", said, exc_info=fault)

    def _secured(self, conn: Any) -> None:
        """Wait for the first request of a client that has been let in."""
        conn.secured = True
        certified = proven(conn.socket)
        conn.ssl_env = {CERTIFIED: "SUCCESS" if certified else "NONE"}
        if certified:
            self.strangers.discard(conn)
        if not self.can_add_keepalive_connection:
            older = self.strangers.end_oldest(but=conn)
            if older is None:
                conn.close()
                return
            self.left(older)
        self.put_conn(conn)

    def _refused(self, conn: Any, why: str) -> None:
        """Tell of a client that was turned away, once in a while."""
        others = self._refusals.turn()
        if others is None:
            return
        LOG.info(
            "nfv-mla HTTPS server: the TLS handshake of %s failed: %s%s",
            conn.remote_addr,
            why,
            f" (and {others} others before it)" if others else "",
        )
