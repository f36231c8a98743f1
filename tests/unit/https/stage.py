# SPDX-License-Identifier: Apache-2.0
"""Servers and clients that trust one another, for the tests beside this."""

from __future__ import annotations

import pathlib
import tempfile
import unittest
from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from tests.authorities.certificates import Ca
from tests.authorities.certificates import Issued
from tests.authorities.certificates import make_ca
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import Server
from tests.authorities.servers import page

JSON = ("application/json",)
DEADLINE_S = 0.2
MAX_BYTES = 100_000


def fine(_asked: Asked) -> Script:
    return [page(b"{}")]


class HttpsTest(unittest.TestCase):
    """A directory with a CA, a server's certificate and a client's."""

    ca: Ca
    directory: pathlib.Path
    ca_file: pathlib.Path
    issued: Issued
    client: Issued

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.directory = pathlib.Path(place.name)
        cls.ca = make_ca()
        cls.ca_file = cls.ca.write(cls.directory)
        cls.issued = cls.ca.issue_server(
            cls.directory, "127.0.0.1", "localhost"
        )
        cls.client = cls.ca.issue_client(cls.directory)

    def serve(
        self,
        answer: Callable[[Asked], Script] = fine,
        issued: Issued | None = None,
        client_ca: pathlib.Path | None = None,
    ) -> Server:
        return Server.of(self, answer, issued or self.issued, client_ca)

    def client_of(
        self, server: Server | str, tls: Tls | None = None, **options: Any
    ) -> Client:
        url = server.url if isinstance(server, Server) else server
        given = {"deadline_s": 5.0, "max_bytes": MAX_BYTES, **options}
        client = Client(url, tls or Tls(self.ca_file), **given)
        self.addCleanup(client.close)
        return client

    def as_client(self) -> Tls:
        return Tls(self.ca_file, self.client.cert_file, self.client.key_file)

    def get(self, client: Client, reference: str = "", **more: Any) -> Answer:
        return client.get(reference, **{"accept": JSON, **more})

    def assert_fails(
        self, code: ContactCode, ask: Callable[[], object]
    ) -> str:
        """Return the message of the failure."""
        with self.assertRaises(ContactFailed) as caught:
            ask()
        message = str(caught.exception)
        self.assertEqual(code, caught.exception.reason, message)
        self.assertEqual(1, len(message.splitlines()))
        return message
