# SPDX-License-Identifier: Apache-2.0
"""A server of a small application, and clients of its CA."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import ssl
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator

from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.serving.application import Application
from nfv_mla_scheduler.serving.application import Routes
from nfv_mla_scheduler.serving.exchange import Reply
from nfv_mla_scheduler.serving.exchange import Request
from nfv_mla_scheduler.serving.exchange import json_reply
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings
from tests.authorities.certificates import Ca
from tests.authorities.certificates import Issued
from tests.authorities.certificates import make_ca

HERE = "127.0.0.1"
SOON_S = 2.0
LARGE_BYTES = 2**23
WAIT_S = 50.0


class Small(Application):
    """Says who asks, sends much, lets wait, and takes a body.

    :ivar taken: the bodies that came
    """

    NAME = "collector"

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self._closed = threading.Event()

    def routes(self) -> Routes:
        return {
            "/v1/live": {"GET": lambda self, *_: json_reply(200, "live")},
            "/v1/status": {"GET": Small._status},
            "/v1/large": {"GET": Small._large},
            "/v1/wait": {"GET": Small._wait},
            "/v1/body": {"POST": Small._body},
            "/v1/fault": {"GET": Small._fault},
        }

    def close(self) -> None:
        self._closed.set()

    def _status(self, request: Request, held: object) -> Reply:
        said = {"certified": request.certified, "address": request.address}
        return json_reply(200, said)

    def _large(self, request: Request, held: object) -> Reply:
        headers = (("Content-Type", "application/octet-stream"),)
        return Reply(200, headers, b"x" * LARGE_BYTES)

    def _wait(self, request: Request, held: object) -> Reply:
        self._closed.wait(WAIT_S)
        return Reply(304, ())

    def _body(self, request: Request, held: object) -> Reply:
        self.taken.append(request.json_body())
        return json_reply(202, None)

    def _fault(self, request: Request, held: object) -> Reply:
        raise RuntimeError("a fault, for a test")


class ServerTestCase(unittest.TestCase):
    """A server, and clients that it lets in."""

    # what a client asks for that does not say
    PATH = "/v1/live"

    directory: pathlib.Path
    ca: Ca
    ca_file: pathlib.Path
    issued: Issued
    client: Issued

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        cls.ca = make_ca()
        cls.ca_file = cls.ca.write(cls.directory)
        cls.issued = cls.ca.issue_server(cls.directory, HERE)
        cls.client = cls.ca.issue_client(cls.directory)

    def setUp(self) -> None:
        super().setUp()
        self.server = self.start()

    def new_server(self, settings: ServerSettings) -> Server:
        """Return a server; another one where a test is of another."""
        self.app = Small()
        return Server(settings, self.app, threads=12, wait_max_s=WAIT_S)

    def start(self, **settings: object) -> Server:
        """Start a server that stops when the test ends."""
        server = self.new_server(self.settings(**settings))
        server.start()
        self.addCleanup(server.stop)
        return server

    def settings(self, **changed: object) -> ServerSettings:
        values = {
            "host": HERE,
            "port": 0,
            "cert_file": self.issued.cert_file,
            "key_file": self.issued.key_file,
            "client_ca_file": self.ca_file,
            **changed,
        }
        return ServerSettings(**values)  # type: ignore[arg-type]

    def new_client(self, issued: Issued | None = None) -> Client:
        issued = issued or self.client
        client = Client(
            f"https://{HERE}:{self.server.port}{self.PATH}",
            Tls(self.ca_file, issued.cert_file, issued.key_file),
            deadline_s=10,
            max_bytes=2**24,
        )
        self.addCleanup(client.close)
        return client

    def raw(self) -> ssl.SSLSocket:
        """Return a connection on which a test writes what it likes."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.load_cert_chain(self.client.cert_file, self.client.key_file)
        sock = socket.create_connection((HERE, self.server.port), 10)
        secured = context.wrap_socket(sock, server_hostname=HERE)
        self.addCleanup(secured.close)
        return secured

    def known(self, path: bytes) -> ssl.SSLSocket:
        """Return a connection of which the server has seen who it is.

        A handshake ends for the client before the server has its certificate.

        :param path: that is answered
        """
        sock = self.raw()
        sock.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b" 200 ", sock.recv(10_000))
        return sock

    def send(self, data: bytes) -> tuple[int, bytes]:
        """Send bytes; return status and body of what is answered."""
        with self.raw() as sock:
            sock.sendall(data)
            answer = b""
            with contextlib.suppress(TimeoutError):
                while part := sock.recv(65536):
                    answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 "), answer)
        return int(head.split()[1]), body

    @contextlib.contextmanager
    def in_time(self, seconds: float = SOON_S) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.assertLess(time.monotonic() - began, seconds)

    def assert_alive(self) -> None:
        """Others are answered, on new connections and at once."""
        for path in ("/v1/live", "/v1/status"):
            with self.in_time():
                answer = self.new_client().get(path, accept=())
            self.assertEqual(200, answer.status)
