# SPDX-License-Identifier: Apache-2.0
"""TLS handshakes, many at a time, in a thread of their own.

A client decides how long its part of a handshake takes.  Here none is waited
for, so that one that stalls delays nobody; and there is a bound on how many
may be under way and for how long.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Protocol

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.serving.limits import Seldom

LOG = logging.getLogger(__name__)

PENDING_MAX = 128
HANDSHAKE_S = 10.0
# What failed is told to the client, which may send on meanwhile; a reset
# would take that away from it.
FAREWELL_S = 1.0

FAULTS_TOLD_S = 60.0

_ROUND_S = 0.5
_READ_BYTES = 16 * 1024


class Connection(Protocol):
    """A connection that has been accepted."""

    socket: ssl.SSLSocket

    def close(self) -> None:
        """Close it; never fails."""


class _Pending:
    """A handshake under way, or one that has failed."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self.connection = connection
        self.deadline = deadline
        self.failed = False


class Handshakes:
    """Does the handshakes of connections.

    :param done: gets each connection whose handshake has succeeded
    :param failed: gets those that did not succeed, and why
    """

    def __init__(
        self,
        done: Callable[[Connection], None],
        failed: Callable[[Connection, str], None],
        *,
        pending_max: int = PENDING_MAX,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        self._done = done
        self._failed = failed
        self._pending_max = pending_max
        self._handshake_s = handshake_s
        self._incoming: collections.deque[Connection] = collections.deque()
        self._pending: dict[int, _Pending] = {}
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._faults = Seldom(FAULTS_TOLD_S, time.monotonic)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="nfv-mla TLS handshakes", daemon=True
        )

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def add(self, connection: Connection) -> None:
        """Begin the handshake of a connection; any thread may call it."""
        self._incoming.append(connection)
        self._ring()

    def stop(self) -> None:
        """End the thread, and all handshakes that are under way."""
        self._stop.set()
        self._ring()
        if self._thread.is_alive():
            self._thread.join()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._bell.send(b"!")

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._round()
                except Exception:
                    if self._faults.turn() is not None:
                        LOG.exception(
                            "nfv-mla HTTPS server: handshakes have failed"
                        )
                    self._stop.wait(_ROUND_S)
        finally:
            for pending in (*self._pending.values(),):
                pending.connection.close()
            while self._incoming:
                self._incoming.popleft().close()
            self._selector.close()
            self._bell.close()
            self._ear.close()

    def _round(self) -> None:
        timeout_s = _ROUND_S if self._pending else None
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._ear:
                with contextlib.suppress(OSError):
                    while self._ear.recv(_READ_BYTES):
                        pass
            else:
                self._step(self._pending[key.fd])
        now = time.monotonic()
        while self._incoming:
            self._begin(self._incoming.popleft(), now)
        for pending in [
            p for p in self._pending.values() if p.deadline <= now
        ]:
            self._give_up(pending, "it took too long")

    def _begin(self, connection: Connection, now: float) -> None:
        if len(self._pending) >= self._pending_max:
            oldest = next(iter(self._pending.values()))
            self._give_up(oldest, "too many are under way")
        pending = _Pending(connection, now + self._handshake_s)
        connection.socket.setblocking(False)
        number = connection.socket.fileno()
        self._selector.register(number, selectors.EVENT_READ)
        self._pending[number] = pending
        self._step(pending)

    def _step(self, pending: _Pending) -> None:
        """Go on with a handshake as far as it goes without waiting."""
        if pending.failed:
            self._hear_out(pending)
            return
        sock = pending.connection.socket
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self._selector.modify(sock.fileno(), selectors.EVENT_READ)
        except ssl.SSLWantWriteError:
            self._selector.modify(sock.fileno(), selectors.EVENT_WRITE)
        except (OSError, ValueError) as exc:
            said = getattr(exc, "reason", None) or exc
            self._take_leave(pending, bounded(said))
        else:
            self._forget(pending)
            self._done(pending.connection)

    def _take_leave(self, pending: _Pending, why: str) -> None:
        """Let the client read why the handshake has failed."""
        self._failed(pending.connection, why)
        pending.failed = True
        pending.deadline = time.monotonic() + FAREWELL_S
        sock = pending.connection.socket
        try:
            self._selector.modify(sock.fileno(), selectors.EVENT_READ)
            socket.socket.shutdown(sock, socket.SHUT_WR)
        except OSError:
            self._give_up(pending, why)

    def _hear_out(self, pending: _Pending) -> None:
        try:
            more = socket.socket.recv(pending.connection.socket, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self._give_up(pending, "")

    def _give_up(self, pending: _Pending, why: str) -> None:
        if not pending.failed:
            self._failed(pending.connection, why)
        self._forget(pending)
        pending.connection.close()

    def _forget(self, pending: _Pending) -> None:
        number = pending.connection.socket.fileno()
        self._selector.unregister(number)
        del self._pending[number]
