# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server on this machine that does byte by byte what a test says.

It speaks just enough HTTP to read a request; what it answers is a script:
bytes to send, seconds to wait, and how the connection ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import http
import pathlib
import select
import socket
import ssl
import struct
import threading
import unittest
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator

from tests.authorities.certificates import Issued

READ_MAX = 65536


class End(enum.Enum):
    """How a connection ends; of a script that has none it does not."""

    PROPER = "TLS says that it ends"
    RAGGED = "it is just gone"
    RESET = "the system says that it is gone"


Step = bytes | float | End
Script = Iterable[Step]


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    :ivar headers: by lower-case name
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


def head(status: int = 200, **headers: object) -> bytes:
    """Return a status line and headers; ``_`` in a name stands for ``-``."""
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"]
    lines += [
        f"{name.replace('_', '-')}: {value}" for name, value in headers.items()
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def page(
    body: bytes = b"",
    content_type: str = "application/json",
    status: int = 200,
    **headers: object,
) -> bytes:
    """Return a whole answer."""
    headers = {
        "Content_Type": content_type,
        "Content_Length": len(body),
        **headers,
    }
    return head(status, **headers) + body


class Server:
    """A server at port 0 of 127.0.0.1; each connection has a thread.

    :ivar answer: what it does with a request
    :ivar asked: what it was asked, in order
    :ivar connections: how many it has accepted
    :ivar mute: accepts, and says nothing: not even TLS
    :ivar stopping: set when it is told to stop
    """

    def __init__(
        self,
        answer: Callable[[Asked], Script],
        issued: Issued,
        client_ca: pathlib.Path | None = None,
        *,
        context: ssl.SSLContext | None = None,
        backlog: int = 16,
        port: int = 0,
    ) -> None:
        """Start it.

        :param client_ca: of the clients; ``None``: anyone may ask
        :param context: instead of the usual one
        """
        self.answer = answer
        self.asked: list[Asked] = []
        self.connections = 0
        self.mute = False
        self.context = context or server_context(issued, client_ca)
        self.stopping = threading.Event()
        self._listener = socket.create_server(
            ("127.0.0.1", port), backlog=backlog
        )
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [
            threading.Thread(
                target=self._accept, name="test server", daemon=True
            )
        ]
        self._threads[0].start()

    @classmethod
    def of(
        cls,
        test: unittest.TestCase,
        answer: Callable[[Asked], Script],
        issued: Issued,
        client_ca: pathlib.Path | None = None,
    ) -> Server:
        """Start one that stops when the test ends."""
        server = cls(answer, issued, client_ca)
        test.addCleanup(server.stop)
        return server

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop it, whatever it does; its port is free from then on."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.hang_up()
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()

    def hang_up(self) -> None:
        """End all connections."""
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            # so that waiting for nothing never outlasts a test
            sock.settimeout(20)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(
                target=self._serve,
                args=(sock,),
                name="test server connection",
                daemon=True,
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        self._open.add(sock)
        try:
            if self.mute:
                self.stopping.wait()
                return
            plain, sock = (
                sock,
                self.context.wrap_socket(sock, server_side=True),
            )
            self._open.discard(plain)
            self._open.add(sock)
            while (asked := _read(sock)) is not None:
                self.asked.append(asked)
                self._play(sock, self.answer(asked))
        except (OSError, ValueError):
            pass
        finally:
            self._open.discard(sock)
            sock.close()

    def _play(self, sock: socket.socket, script: Script) -> None:
        for step in script:
            if isinstance(step, bytes):
                sock.sendall(step)
            elif isinstance(step, End):
                _end(sock, step)
            elif self.stopping.wait(step) or _is_gone(sock):
                raise ConnectionAbortedError


def server_context(
    issued: Issued, client_ca: pathlib.Path | None = None
) -> ssl.SSLContext:
    """Return what a server needs for TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert_file, issued.key_file)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def drip(data: bytes, every_s: float) -> Iterator[Step]:
    """Send single bytes, slowly, and the last of them for ever."""
    for index in range(len(data)):
        yield data[index : index + 1]
        yield every_s
    while True:
        yield data[-1:]
        yield every_s


def _end(sock: socket.socket, end: End) -> None:
    if end is End.PROPER and isinstance(sock, ssl.SSLSocket):
        sock.settimeout(1)
        with contextlib.suppress(OSError):
            sock.unwrap()
    if end is End.RESET:
        sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    raise ConnectionAbortedError


def _is_gone(sock: socket.socket) -> bool:
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(0))


def _read(sock: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(READ_MAX)
        if not part or len(data) > READ_MAX:
            return None
        data += part
    start, _, body = data.partition(b"\r\n\r\n")
    lines = start.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    while len(body) < int(headers.get("content-length", 0)):
        part = sock.recv(READ_MAX)
        if not part:
            return None
        body += part
    return Asked(method, target, headers, body)
