# SPDX-License-Identifier: Apache-2.0
"""Only the pinned CA vouches for a server, and only for its own name."""

from __future__ import annotations

import datetime
import os
import pathlib
import shutil
import socket
import ssl
import tempfile
import unittest.mock
import warnings

from cryptography.hazmat.primitives import serialization

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from tests.authorities.certificates import Issued
from tests.authorities.certificates import make_ca
from tests.authorities.servers import Server
from tests.authorities.servers import server_context
from tests.unit.https.stage import HttpsTest
from tests.unit.https.stage import fine

DAY = datetime.timedelta(days=1)


class ServerCertificateTest(HttpsTest):
    def refused(self, issued: Issued, tls: Tls | None = None) -> str:
        server = self.serve(issued=issued)
        client = self.client_of(server, tls)
        message = self.assert_fails(ContactCode.TLS, lambda: self.get(client))
        self.assertEqual([], server.asked)
        return message

    def test_one_of_another_ca(self) -> None:
        issued = make_ca("another").issue_server(
            self.directory, "127.0.0.1", file="another-ca"
        )
        self.assertIn("not of a CA in ca_file", self.refused(issued))

    def test_one_of_another_ca_of_the_same_name(self) -> None:
        issued = make_ca().issue_server(
            self.directory, "127.0.0.1", file="twin"
        )
        self.assertRegex(self.refused(issued), "ca_file|refused")

    def test_one_for_another_name(self) -> None:
        issued = self.ca.issue_server(
            self.directory, "elsewhere.example", file="another-name"
        )
        self.assertIn("for another name", self.refused(issued))

    def test_one_for_another_address(self) -> None:
        issued = self.ca.issue_server(
            self.directory, "127.0.0.9", file="another-address"
        )
        message = self.refused(issued)
        self.assertIn("for another name", message)
        self.assertIn("127.0.0.1", message)

    def test_a_common_name_is_no_name(self) -> None:
        issued = self.ca.issue_server(self.directory, file="localhost")
        server = self.serve(issued=issued)
        client = self.client_of(f"https://localhost:{server.port}")
        self.assert_fails(ContactCode.TLS, lambda: self.get(client))

    def test_one_that_has_expired(self) -> None:
        issued = self.ca.issue_server(
            self.directory,
            "127.0.0.1",
            file="late",
            starts=-DAY,
            ends=-DAY / 2,
        )
        self.assertIn("has expired", self.refused(issued))

    def test_one_that_is_not_valid_yet(self) -> None:
        issued = self.ca.issue_server(
            self.directory, "127.0.0.1", file="early", starts=DAY / 2, ends=DAY
        )
        self.assertIn("not valid yet", self.refused(issued))

    def test_one_of_a_client(self) -> None:
        issued = self.ca.issue_client(self.directory, "127.0.0.1")
        self.refused(issued)

    def test_the_name_may_be_given_apart_from_the_url(self) -> None:
        issued = self.ca.issue_server(
            self.directory, "authority.example", file="given-name"
        )
        server = self.serve(issued=issued)
        tls = Tls(self.ca_file, server_name="authority.example")
        self.assertEqual(b"{}", self.get(self.client_of(server, tls)).body)
        self.assertEqual(
            f"127.0.0.1:{server.port}", server.asked[0].headers["host"]
        )

    def test_the_cas_of_the_system_count_for_nothing(self) -> None:
        other = make_ca("another").write(self.directory, "other-ca.pem")
        with unittest.mock.patch.dict(
            os.environ, SSL_CERT_FILE=str(self.ca_file)
        ):
            self.assertIn(
                "not of a CA in ca_file",
                self.refused(self.issued, Tls(other)),
            )

    def test_a_server_may_be_pinned_by_its_own_certificate(self) -> None:
        server = self.serve()
        client = self.client_of(server, Tls(self.issued.cert_file))
        self.assertEqual(b"{}", self.get(client).body)


class ProtocolTest(HttpsTest):
    def test_a_server_that_speaks_only_old_versions(self) -> None:
        context = server_context(self.issued)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        server = Server(fine, self.issued, context=context)
        self.addCleanup(server.stop)
        client = self.client_of(server)
        message = self.assert_fails(ContactCode.TLS, lambda: self.get(client))
        self.assertIn("nothing as new as TLS 1.2", message)

    def test_a_server_that_speaks_tls_1_2(self) -> None:
        context = server_context(self.issued)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        server = Server(fine, self.issued, context=context)
        self.addCleanup(server.stop)
        self.assertEqual(200, self.get(self.client_of(server)).status)

    def test_a_server_that_does_not_speak_tls(self) -> None:
        server = self.serve()
        server.context = _Plain()  # type: ignore[assignment]
        client = self.client_of(server)
        message = self.assert_fails(ContactCode.TLS, lambda: self.get(client))
        self.assertIn("does not speak TLS at this port", message)

    def test_a_server_that_hangs_up_in_the_handshake(self) -> None:
        server = self.serve()
        server.context = _Rude()  # type: ignore[assignment]
        client = self.client_of(server)
        self.assert_fails(ContactCode.TLS, lambda: self.get(client))


class _Rude:
    """In the place of a context for TLS: hangs up at the first word."""

    says = b""

    def wrap_socket(self, sock: socket.socket, server_side: bool) -> None:
        sock.recv(4096)
        sock.sendall(self.says)
        raise ConnectionAbortedError


class _Plain(_Rude):
    says = b"HTTP/1.0 400 Bad Request\r\n\r\n"


class ClientCertificateTest(HttpsTest):
    def server_of(self, newest: ssl.TLSVersion) -> Server:
        context = server_context(self.issued, self.ca_file)
        context.maximum_version = newest
        server = Server(fine, self.issued, context=context)
        self.addCleanup(server.stop)
        return server

    def refused(self, tls: Tls | None = None) -> list[str]:
        messages = []
        for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.server_of(newest)
            for method in ("get", "post"):
                with self.subTest(newest=newest, method=method):
                    client = self.client_of(server, tls)
                    ask = {
                        "get": lambda client=client: self.get(client),
                        "post": lambda client=client: client.post(
                            "", b" " * 90_000, "text/plain", accept=()
                        ),
                    }[method]
                    messages.append(self.assert_fails(ContactCode.TLS, ask))
            self.assertEqual([], server.asked)
        return messages

    def test_one_that_the_server_takes(self) -> None:
        for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.server_of(newest)
            client = self.client_of(server, self.as_client())
            self.assertEqual(b"{}", self.get(client).body)

    def test_key_and_certificate_may_be_in_one_file(self) -> None:
        both = self.directory / "both.pem"
        both.write_bytes(
            self.client.cert_file.read_bytes()
            + self.client.key_file.read_bytes()
        )
        server = self.server_of(ssl.TLSVersion.TLSv1_3)
        client = self.client_of(server, Tls(self.ca_file, both))
        self.assertEqual(b"{}", self.get(client).body)

    def test_none_where_one_is_wanted(self) -> None:
        for message in self.refused():
            self.assertRegex(message, "want(s a client| a) certificate")

    def test_one_of_another_ca(self) -> None:
        stranger = make_ca("another").issue_client(self.directory, "stranger")
        tls = Tls(self.ca_file, stranger.cert_file, stranger.key_file)
        for message in self.refused(tls):
            self.assertIn("does not know the CA of our certificate", message)

    def test_one_that_has_expired(self) -> None:
        late = self.ca.issue_client(self.directory, "late", ends=-DAY / 2)
        tls = Tls(self.ca_file, late.cert_file, late.key_file)
        for message in self.refused(tls):
            self.assertIn("refuses our certificate", message)


class FilesTest(HttpsTest):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.empty = self.place / "empty.pem"
        self.empty.touch()

    def encrypted(self) -> pathlib.Path:
        key = serialization.load_pem_private_key(
            self.client.key_file.read_bytes(), None
        )
        path = self.place / "encrypted.key"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        return path

    def test_a_file_that_cannot_be_used_is_named(self) -> None:
        missing = self.place / "missing.pem"
        cert, key = self.client.cert_file, self.client.key_file
        wrong = {
            "ca_file": (
                (missing, Tls(missing)),
                (self.empty, Tls(self.empty)),
                (key, Tls(key)),
                (self.place, Tls(self.place)),
            ),
            "cert_file": (
                (missing, Tls(self.ca_file, missing, key)),
                (cert, Tls(self.ca_file, cert, missing)),
                (self.empty, Tls(self.ca_file, self.empty, key)),
                (cert, Tls(self.ca_file, cert, self.issued.key_file)),
                (cert, Tls(self.ca_file, cert)),
                (cert, Tls(self.ca_file, cert, self.encrypted())),
            ),
        }
        for option, cases in wrong.items():
            for path, tls in cases:
                with self.subTest(option=option, tls=tls):
                    with self.assertRaises(SettingsError) as caught:
                        self.client_of("https://127.0.0.1", tls)
                    message = str(caught.exception)
                    self.assertTrue(message.startswith(option), message)
                    self.assertIn(str(path), message)

    def test_a_key_without_its_certificate(self) -> None:
        with self.assertRaisesRegex(SettingsError, "^key_file: is set, and"):
            self.client_of(
                "https://127.0.0.1",
                Tls(self.ca_file, key_file=self.client.key_file),
            )

    def test_nobody_is_asked_for_a_passphrase(self) -> None:
        # At a terminal OpenSSL would ask, and wait for ever.
        tls = Tls(self.ca_file, self.client.cert_file, self.encrypted())
        with self.assertRaisesRegex(SettingsError, "has a passphrase"):
            self.client_of("https://127.0.0.1", tls)

    def rotating(self) -> tuple[Server, Client, dict[str, pathlib.Path]]:
        paths = {
            name: self.place / f"{name}.pem" for name in ("ca", "cert", "key")
        }
        shutil.copy(self.ca_file, paths["ca"])
        shutil.copy(self.client.cert_file, paths["cert"])
        shutil.copy(self.client.key_file, paths["key"])
        server = self.serve(client_ca=self.ca_file)
        client = self.client_of(
            server, Tls(paths["ca"], paths["cert"], paths["key"])
        )
        self.get(client)
        return server, client, paths

    def test_what_has_not_changed_is_not_loaded_again(self) -> None:
        server, client, _ = self.rotating()
        for _ in range(3):
            self.get(client)
        self.assertEqual(1, server.connections)

    def test_a_certificate_that_changed_is_used(self) -> None:
        _server, client, paths = self.rotating()
        stranger = make_ca("another").issue_client(self.place, "stranger")
        shutil.copy(stranger.cert_file, paths["cert"])
        shutil.copy(stranger.key_file, paths["key"])
        self.assert_fails(ContactCode.TLS, lambda: self.get(client))
        fresh = self.ca.issue_client(self.place, "fresh")
        shutil.copy(fresh.cert_file, paths["cert"])
        shutil.copy(fresh.key_file, paths["key"])
        self.assertEqual(b"{}", self.get(client).body)

    def test_a_ca_that_changed_counts_at_once(self) -> None:
        server, client, paths = self.rotating()
        make_ca("another").write(self.place, paths["ca"].name)
        message = self.assert_fails(ContactCode.TLS, lambda: self.get(client))
        self.assertIn("not of a CA in ca_file", message)
        self.assertEqual(1, len(server.asked))

    def test_files_that_became_unusable_are_named_until_they_are_not(
        self,
    ) -> None:
        _, client, paths = self.rotating()
        for name, option in (("ca", "ca_file"), ("key", "cert_file")):
            kept = paths[name].read_bytes()
            for spoil in (
                lambda path: path.write_bytes(b"garbage"),
                lambda path: path.unlink(),
            ):
                spoil(paths[name])
                message = self.assert_fails(
                    ContactCode.TLS, lambda: self.get(client)
                )
                self.assertIn(option, message)
                paths[name].write_bytes(kept)
                self.assertEqual(b"{}", self.get(client).body)
