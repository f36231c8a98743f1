# SPDX-License-Identifier: Apache-2.0
"""A TLS connection on which nothing takes longer than it may.

Every wait is given what is left of the exchange's time, so that no server can
stretch it, whether it sends a byte a second or none.  A look-up of a name is
the one thing that cannot be cut short: it takes what the resolver is
configured to take, and the time is found to be over after it.
"""

from __future__ import annotations

import contextlib
import io
import select
import socket
import ssl
import threading
import time

BUFFER_BYTES = 64 * 1024
CONNECTING = "connecting"
HANDSHAKE = "in the TLS handshake"


class Stopped(Exception):
    """Another thread closed the client."""


class Overfull(Exception):
    """The server sends more than an answer can be."""


class Watch:
    """One exchange: when it has to be over, and how far it is.

    :ivar doing: for error messages: :const:`CONNECTING`
    """

    def __init__(self, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.doing = CONNECTING
        self.stopped = False
        self._end = time.monotonic() + deadline_s

    def left_s(self) -> float:
        """Return how many seconds are left: more than none.

        :raises TimeoutError: when none are
        :raises Stopped: when another thread closed the client
        """
        if self.stopped:
            raise Stopped
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Wire:
    """One connection, in the shape in which ``http.client`` uses a socket.

    One thread uses it; any may call :meth:`interrupt`.

    :ivar received: bytes since :meth:`begin`
    :ivar allowed: how many of them may come
    :ivar ended: whether the server has said that nothing more comes
    """

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.context = context
        self.received = 0
        self.allowed = 0
        self.ended = False
        self._server_name = server_name
        self._watch = Watch(0)
        # Guards against shutting down a number that is somebody else's
        # socket by then.
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None

    def begin(self, watch: Watch, allowed: int) -> None:
        """Start an exchange."""
        self._watch = watch
        self.received = 0
        self.allowed = allowed

    def connect(self, host: str, port: int) -> None:
        """Connect to the first address of ``host`` that answers.

        :raises OSError: when none does
        :raises ssl.SSLError: when TLS fails
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for index, (family, kind, proto, _, address) in enumerate(found):
            # An address that is silent may not take all the time.
            share_s = self._watch.left_s() / (len(found) - index)
            try:
                sock = socket.socket(family, kind, proto)
                self._hold(sock)
                sock.settimeout(share_s)
                sock.connect(address)
                break
            except OSError:
                self.release()
                self._watch.left_s()
                if index + 1 == len(found):
                    raise
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch.doing = HANDSHAKE
        secured = self.context.wrap_socket(
            sock,
            server_hostname=self._server_name,
            do_handshake_on_connect=False,
            # A body that ends with the connection has to end properly.
            suppress_ragged_eofs=False,
        )
        self._hold(secured)
        secured.settimeout(self._watch.left_s())
        secured.do_handshake()

    def is_stale(self) -> bool:
        """Whether the server said something, or left, since the answer."""
        sock = self._secured()
        if sock.pending():
            return True
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        sock = self._secured()
        view = memoryview(data)
        while view:
            sock.settimeout(self._watch.left_s())
            view = view[sock.send(view) :]

    def readinto(self, buffer: memoryview) -> int:
        """Read some; 0: the server has ended the connection properly.

        :raises Overfull: when more came than an answer can be
        """
        sock = self._secured()
        sock.settimeout(self._watch.left_s())
        try:
            count = sock.recv_into(buffer)
        except ssl.SSLZeroReturnError:
            count = 0
        except ssl.SSLEOFError:
            raise
        except ssl.SSLError as exc:
            if exc.reason == "UNEXPECTED_EOF_WHILE_READING":
                # earlier releases of Python 3.11 have no name for it
                raise ssl.SSLEOFError(*exc.args) from None
            raise
        if not count and self._watch.stopped:
            raise Stopped
        self.ended = not count
        self.received += count
        if self.received > self.allowed:
            raise Overfull
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what an answer is read from."""
        return io.BufferedReader(_Incoming(self), BUFFER_BYTES)

    def close(self) -> None:
        """Do nothing: ``http.client`` calls it with the body still to come.

        :meth:`release` closes.
        """

    def interrupt(self) -> None:
        """Wake the thread that waits; it fails."""
        with self._lock, contextlib.suppress(OSError):
            if self._sock is not None:
                # not the method of SSLSocket, which drops the TLS state
                # under the feet of the thread that uses it
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def release(self) -> None:
        """Close the connection."""
        with self._lock, contextlib.suppress(OSError):
            if self._sock is not None:
                self._sock.close()
            self._sock = None

    def _hold(self, sock: socket.socket) -> None:
        with self._lock:
            self._sock = sock
        self._watch.left_s()

    def _secured(self) -> ssl.SSLSocket:
        if not isinstance(self._sock, ssl.SSLSocket):
            raise Stopped
        return self._sock


class _Incoming(io.RawIOBase):
    """What comes over a wire, for a buffer to be put before it."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._wire.readinto(buffer)
