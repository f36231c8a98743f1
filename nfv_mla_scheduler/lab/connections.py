# SPDX-License-Identifier: Apache-2.0
"""Take connections, a thread for each, with mutual TLS.

The standard library's HTTP server, which is not made for hostile networks, is
enough here: this is a tool for development.  Each handshake is done in the
connection's own thread and within a time, so that whoever stalls delays nobody
else, and at most ``CONNECTIONS_MAX`` are open.
"""

from __future__ import annotations

import contextlib
import http.server
import select
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.errors import bounded

CONNECTIONS_MAX = 128
HANDSHAKE_S = 5.0
# How long a stop waits for those who are being answered.
LEAVE_S = 0.5

_TICK_S = 0.05
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Connections(http.server.HTTPServer):
    """Serves until it is stopped; a stop closes what is still open.

    :ivar stopping: set once no more answers are to be given
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        handler: Callable[..., socketserver.BaseRequestHandler],
        say: Callable[[str], None],
    ) -> None:
        """Listen.

        :param handler: as ``http.server`` wants it
        :param say: gets one line when a handshake fails for a new reason
        :raises OSError: when the address cannot be listened on
        """
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.stopping = threading.Event()
        self._context = context
        self._say = say
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._failure = ""
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind; unlike the standard library, ask no name server."""
        socketserver.TCPServer.server_bind(self)
        self.server_name = str(self.server_address[0])
        self.server_port = int(self.server_address[1])

    def serve(self) -> None:
        """Take connections until :meth:`stop`."""
        self.serve_forever(_TICK_S)

    def stop(self) -> None:
        """Take no more, close what is open, and wait ``LEAVE_S`` for it."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            left = dict(self._open)
        for connection in left.values():
            _cut(connection)
        until = time.monotonic() + LEAVE_S
        for thread in left:
            thread.join(max(0.0, until - time.monotonic()))

    def pause(self, connection: socket.socket, seconds: float) -> bool:
        """Wait; return False as soon as there is nobody to answer any more."""
        until = time.monotonic() + seconds
        poll = select.poll()
        poll.register(connection.fileno(), _GONE)
        while (left := until - time.monotonic()) > 0:
            if self.stopping.wait(min(_TICK_S, left)) or poll.poll(0):
                return False
        return not self.stopping.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread of its own, unless there are too many."""
        with self._lock:
            full = len(self._open) >= CONNECTIONS_MAX
            if not full:
                thread = threading.Thread(
                    target=self._attend,
                    args=(request, client_address),
                    name="nfv-mla-lab-connection",
                    daemon=True,
                )
                self._open[thread] = request
        if full:
            self.shutdown_request(request)
            return
        try:
            thread.start()
        except RuntimeError as exc:  # the system has no more threads
            with self._lock:
                del self._open[thread]
            self.shutdown_request(request)
            self._say(bounded(f"cannot take a connection: {exc}", 200))

    def _attend(self, request: socket.socket, client_address: Any) -> None:
        """Serve one connection to its end; nothing is raised."""
        request.settimeout(HANDSHAKE_S)
        connection = request
        try:
            connection = self._context.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
            with self._lock:
                self._open[threading.current_thread()] = connection
            if self.stopping.is_set() or not self._shake_hands(connection):
                return
            self.finish_request(connection, client_address)
        except OSError:
            pass  # they are gone, or too slow
        except Exception as exc:
            self._say(bounded(f"cannot answer: {type(exc).__name__}: {exc}"))
        finally:
            if not self.stopping.is_set():
                _hear_out(connection)
            connection.close()
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def _shake_hands(self, connection: ssl.SSLSocket) -> bool:
        try:
            connection.do_handshake()
        except TimeoutError:
            why = f"no TLS handshake within {HANDSHAKE_S:g} s"
        except OSError as exc:
            why = getattr(exc, "reason", None) or exc.strerror or str(exc)
            why = f"the TLS handshake failed: {why}"
        else:
            self._failure = ""
            return True
        if not self.stopping.is_set() and why != self._failure:
            self._failure = why
            self._say(bounded(why, 200))
        return False


def _hear_out(connection: socket.socket) -> None:
    """Say goodbye, and wait a little for the other side to do so.

    To close while something unread is there would reset the connection, and
    could take away what was said last: an alert of TLS, or an answer.
    """
    until = time.monotonic() + LEAVE_S
    raw = socket.socket
    with contextlib.suppress(OSError):
        raw.shutdown(connection, socket.SHUT_WR)
        while (left := until - time.monotonic()) > 0:
            raw.settimeout(connection, left)
            if not raw.recv(connection, 65_536):
                break


def _cut(connection: socket.socket) -> None:
    """End a connection, also under a thread that reads or writes there."""
    with contextlib.suppress(OSError):
        # beneath TLS: its state belongs to that thread
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
