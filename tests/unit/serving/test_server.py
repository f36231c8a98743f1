# SPDX-License-Identifier: Apache-2.0
"""The real server over the real cheroot: what clients can do to it."""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import pathlib
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time
from unittest import mock

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.serving import listener
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings
from tests.authorities.certificates import make_ca
from tests.unit.serving.site import HERE
from tests.unit.serving.site import LARGE_BYTES
from tests.unit.serving.site import SOON_S
from tests.unit.serving.site import ServerTestCase
from tests.unit.serving.site import Small


class ServesTest(ServerTestCase):
    def test_one_connection_serves_many_requests(self) -> None:
        client = self.new_client()
        client.get("/v1/live", accept=())
        wire = client._wire
        for _ in range(5):
            client.get("/v1/status", accept=())
        self.assertIs(wire, client._wire)

    def test_what_is_not_http_gets_an_error_in_json(self) -> None:
        cases = {
            b"nonsense\r\n\r\n": 400,
            b"GET /v1/live HTTP/3.0\r\n\r\n": 505,
            b"get /v1/live HTTP/1.1\r\n\r\n": 400,
            b"GET v1 HTTP/1.1\r\n\r\n": 400,
            b"GET /v1/live HTTP/1.1\r\nno colon\r\n\r\n": 400,
            b"GET /v1/live HTTP/1.1\r\nX: " + b"x" * 20_000: 413,
            b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n": 414,
            b"POST /v1/body HTTP/1.1\r\nContent-Length: x\r\n\r\n": 400,
            b"POST /v1/body HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n": 413,
        }
        for data, expected in cases.items():
            with self.subTest(data=data[:60]):
                found, body = self.send(data)
                self.assertEqual(expected, found)
                self.assertTrue(json.loads(body)["error"])
        self.assert_alive()

    def test_bodies_that_do_not_fit(self) -> None:
        head = (
            b"POST /v1/body HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\n"
        )
        body = b" " * 70_000
        found, said = self.send(head + b"Content-Length: 70000\r\n\r\n" + body)
        self.assertEqual(413, found)
        self.assertIn("65536", json.loads(said)["error"])
        chunked = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        self.assertEqual(411, self.send(head + chunked)[0])
        self.assertEqual([], self.app.taken)


class TlsTest(ServerTestCase):
    def _refused(self, client: Client) -> ContactFailed:
        with self.assertRaises(ContactFailed) as caught:
            client.get("/v1/live", accept=())
        return caught.exception

    def test_who_has_no_certificate_of_the_ca_is_told_so(self) -> None:
        url = f"https://{HERE}:{self.server.port}/"
        other = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        strange = make_ca("another").issue_client(other)
        cases = (
            (Tls(self.ca_file), "wants a client certificate"),
            (
                Tls(self.ca_file, strange.cert_file, strange.key_file),
                "does not know the CA",
            ),
        )
        for tls, word in cases:
            self.server._listener._refusals._at = -math.inf
            with self.assertLogs(listener.LOG, "INFO") as logs:
                for _ in range(3):
                    client = Client(url, tls, deadline_s=5, max_bytes=1000)
                    failed = self._refused(client)
                    self.assertIs(ContactCode.TLS, failed.reason)
                    self.assertIn(word, str(failed))
            # and so is the operator, once in a while
            self.assertEqual(1, len(logs.records), logs.output)
            self.assertIn(HERE, logs.output[0])
        self.assert_alive()

    def test_lines_about_who_is_turned_away_are_few(self) -> None:
        server = self.server._listener
        now = [1000.0]
        server._refusals._clock = server._errors._clock = lambda: now[0]
        with self.assertLogs(listener.LOG, "INFO") as logs:
            for number in range(600):

                class Somebody:
                    remote_addr = f"192.0.2.{number}"

                server._refused(Somebody(), f"reason {number}")
                server.error_log(f"error {number}", 40)
                now[0] += 0.1
            now[0] += 60
            server._refused(Somebody(), "another")
            server.error_log("another", 40)
        self.assertEqual(4, len(logs.output), logs.output)
        self.assertIn("another (and 599 others before it)", logs.output[2])
        self.assertIn("599 others", logs.output[3])

    def test_whose_ca_is_taken_out_has_to_leave(self) -> None:
        own = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        let_in = own / "clients.pem"
        shutil.copy(self.ca_file, let_in)
        self.server = self.start(client_ca_file=let_in)
        client = self.new_client()
        self.assertEqual(200, client.get("/v1/live", accept=()).status)
        # a file that cannot be used changes nothing
        let_in.write_bytes(b"half")
        self.assertEqual(200, client.get("/v1/live", accept=()).status)
        shutil.copy(make_ca("another").write(own), let_in)
        self.assertIs(ContactCode.TLS, self._refused(client).reason)
        shutil.copy(self.ca_file, let_in)
        self.assertEqual(200, client.get("/v1/live", accept=()).status)

    def test_kept_connections_do_not_notice_a_new_certificate(self) -> None:
        own = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        first = self.ca.issue_server(own, HERE)
        self.server = self.start(
            cert_file=first.cert_file, key_file=first.key_file
        )
        client = self.new_client()
        for _ in range(3):
            self.assertEqual(200, client.get("/v1/live", accept=()).status)
            self.ca.issue_server(own, HERE)

    def test_an_expired_certificate_is_refused(self) -> None:
        gone = self.ca.issue_client(
            self.directory, "gone", ends=-datetime.timedelta(hours=1)
        )
        failed = self._refused(self.new_client(gone))
        self.assertIs(ContactCode.TLS, failed.reason)

    def test_nothing_older_than_tls_1_2(self) -> None:
        for version, fine in (
            (ssl.TLSVersion.TLSv1_1, False),
            (ssl.TLSVersion.TLSv1_2, True),
            (ssl.TLSVersion.TLSv1_3, True),
        ):
            context = ssl.create_default_context(cafile=str(self.ca_file))
            context.load_cert_chain(
                self.client.cert_file, self.client.key_file
            )
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            with socket.create_connection((HERE, self.server.port)) as sock:
                if fine:
                    with context.wrap_socket(sock, server_hostname=HERE) as s:
                        self.assertEqual(
                            version.name, (s.version() or "").replace(".", "_")
                        )
                else:
                    with self.assertRaises(OSError):
                        context.wrap_socket(sock, server_hostname=HERE)

    def test_clear_text_is_no_way_in(self) -> None:
        with socket.create_connection((HERE, self.server.port), 5) as sock:
            sock.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                self.assertNotIn(b"200", sock.recv(1000))
        self.assert_alive()

    def test_certificates_are_read_again_when_they_change(self) -> None:
        own = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        first = self.ca.issue_server(own, HERE)
        self.server = self.start(
            cert_file=first.cert_file, key_file=first.key_file
        )

        def serial() -> int:
            with self.raw() as sock:
                found = sock.getpeercert()
                assert found is not None
                return int(str(found["serialNumber"]), 16)

        before = serial()
        self.assertEqual(before, serial())
        first.key_file.write_bytes(b"half")
        self.assertEqual(before, serial())
        self.ca.issue_server(own, HERE)
        self.assertNotEqual(before, serial())
        first.cert_file.unlink()
        serial()


class AnybodyTest(ServerTestCase):
    """Clients without a certificate, where they are let in."""

    def start(self, **settings: object) -> Server:
        return super().start(**{"anybody": True, **settings})

    def _certified(self, tls: Tls) -> bool:
        url = f"https://{HERE}:{self.server.port}/v1/status"
        client = Client(url, tls, deadline_s=5, max_bytes=1000)
        self.addCleanup(client.close)
        answers = [client.get(accept=()).body for _ in range(2)]
        # as well on a connection that is kept
        self.assertEqual(answers[0], answers[1])
        return bool(json.loads(answers[0])["certified"])

    def _own(self) -> Tls:
        return Tls(self.ca_file, self.client.cert_file, self.client.key_file)

    def test_the_application_knows_who_has_one(self) -> None:
        self.assertFalse(self._certified(Tls(self.ca_file)))
        self.assertTrue(self._certified(self._own()))

    def test_nobody_can_say_so_of_themselves(self) -> None:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        for name in (b"SSL_CLIENT_VERIFY", b"SSL-Client-Verify"):
            address = (HERE, self.server.port)
            with (
                socket.create_connection(address, 10) as sock,
                context.wrap_socket(sock, server_hostname=HERE) as secured,
            ):
                secured.sendall(
                    b"GET /v1/status HTTP/1.1\r\nHost: x\r\n"
                    b"Connection: close\r\n" + name + b": SUCCESS\r\n\r\n"
                )
                answer = b"".join(iter(lambda: secured.recv(1000), b""))
            self.assertIn(b'"certified": false', answer)

    def test_who_shows_one_of_another_ca_is_told_so(self) -> None:
        other = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        strange = make_ca("another").issue_client(other)
        tls = Tls(self.ca_file, strange.cert_file, strange.key_file)
        with self.assertRaises(ContactFailed) as caught:
            self._certified(tls)
        self.assertIn("does not know the CA", str(caught.exception))

    def test_without_a_ca_nobody_is_asked(self) -> None:
        self.server = self.start(client_ca_file=None)
        self.assertFalse(self._certified(self._own()))
        with self.assertRaises(SettingsError) as caught:
            self.start(client_ca_file=None, anybody=False)
        self.assertIn("client_ca_file", str(caught.exception))

    def test_a_ca_that_is_put_in_counts_from_then_on(self) -> None:
        own = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        let_in = make_ca("another").write(own, "clients.pem")
        self.server = self.start(client_ca_file=let_in)
        with self.assertRaises(ContactFailed):
            self._certified(self._own())
        shutil.copy(self.ca_file, let_in)
        self.assertTrue(self._certified(self._own()))


class EachTest(ServerTestCase):
    """Connections of one address are bounded."""

    def new_server(self, settings: ServerSettings) -> Server:
        return Server(settings, Small(), threads=12, each_max=3)

    def test_the_next_one_is_closed_until_one_has_gone(self) -> None:
        kept = [self.known(b"/v1/live") for _ in range(3)]
        for _ in range(5):
            with self.assertRaises(OSError):
                self.raw()
        kept[0].close()
        end = time.monotonic() + SOON_S
        while True:
            try:
                self.raw()
                break
            except OSError:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.01)

    def test_places_are_given_back_however_a_connection_ends(self) -> None:
        places = self.server._listener._places
        address = (HERE, self.server.port)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(address, 5) as sock,
        ):
            sock.sendall(b"no TLS at all\r\n")
            sock.recv(1000)
        for _ in range(4):
            self.send(b"nonsense\r\n\r\n")
            client = self.new_client()
            client.get("/v1/live", accept=())
            client.close()
        self.raw().close()
        end = time.monotonic() + SOON_S
        while places._taken and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual({}, dict(places._taken))


class SlowTest(ServerTestCase):
    """Who is slow or silent takes nothing from the others."""

    def test_handshakes_that_stall(self) -> None:
        stalled = [
            socket.create_connection((HERE, self.server.port), 5)
            for _ in range(200)
        ]
        self.addCleanup(lambda: [sock.close() for sock in stalled])
        for sock in stalled[:100]:
            # the beginning of a record that never ends
            sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        self.assert_alive()

    def test_a_handshake_does_not_last_for_ever(self) -> None:
        handshakes = self.server._listener.handshakes
        handshakes._handshake_s = 0.2
        with socket.create_connection((HERE, self.server.port), 5) as sock:
            sock.settimeout(SOON_S)
            with contextlib.suppress(ConnectionError):
                self.assertEqual(b"", sock.recv(1))
        self.assertEqual({}, handshakes._pending)

    def test_requests_that_come_a_byte_at_a_time(self) -> None:
        threads = self.server._listener.requests.min
        slow = [self.raw() for _ in range(threads - 1)]
        over = threading.Event()

        def trickle() -> None:
            for byte in b"GET /v1/live HTTP/1.1\r\nX: " + b"x" * 1000:
                for sock in slow:
                    with contextlib.suppress(OSError):
                        sock.send(bytes([byte]))
                if over.wait(0.05):
                    return

        with mock.patch.object(listener, "ASK_S", 0.5):
            thread = threading.Thread(target=trickle)
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(over.set)
            time.sleep(0.2)
            self.assert_alive()
            # each of them has been sent away by now
            time.sleep(0.6)
            for sock in slow:
                with self.in_time(), contextlib.suppress(ConnectionError):
                    answer = sock.recv(1000)
                    self.assertIn(b" 408 ", answer)
                    self.assertEqual(b"", sock.recv(1000))

    def test_half_requests_of_clients_that_are_let_in(self) -> None:
        # more than there are threads; each keeps one for a few seconds
        threads = self.server._listener.requests.min
        for _ in range(threads + 1):
            self.raw().sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n")
        time.sleep(0.2)
        with self.in_time(listener.ASK_S + SOON_S):
            answer = self.new_client().get("/v1/live", accept=())
        self.assertEqual(200, answer.status)
        self.assertLessEqual(listener.ASK_S, 5)

    def test_bodies_that_do_not_come(self) -> None:
        head = (
            b"POST /v1/body HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        slow = mock.patch.object(listener, "ASK_S", 0.3)
        with slow, self.in_time(), self.raw() as sock:
            sock.sendall(head)
            answer = b"".join(iter(lambda: sock.recv(1000), b""))
            self.assertIn(b" 408 ", answer)
            self.assertIn(b"did not come in time", answer)
        self.assert_alive()


class EndsTest(ServerTestCase):
    def test_all_threads_end_and_nobody_is_listening(self) -> None:
        before = threading.active_count()
        server = self.start()
        self.assertGreater(threading.active_count(), before)
        port = server.port
        server.stop()
        self.assertEqual(before, threading.active_count())
        with self.assertRaises(ConnectionError):
            socket.create_connection((HERE, port))
        server.stop()

    def test_who_does_not_read_does_not_keep_it_from_ending(self) -> None:
        with self.raw() as sock:
            sock.sendall(b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.2)
            with self.in_time(6):
                self.server.stop()
            # cut off, and never in clear text
            got = b""
            with contextlib.suppress(OSError):
                while part := sock.recv(2**20):
                    got += part
            self.assertLess(len(got), LARGE_BYTES)

    def test_a_stalled_handshake_does_not_keep_it_from_ending(self) -> None:
        sock = socket.create_connection((HERE, self.server.port), 5)
        with sock, self.in_time(3):
            self.server.stop()

    def test_who_waits_is_woken(self) -> None:
        found: list[int] = []
        client = self.new_client()
        thread = threading.Thread(
            target=lambda: found.append(
                client.get(
                    "/v1/wait", accept=(), deadline_s=60, also=(304,)
                ).status
            )
        )
        thread.start()
        time.sleep(0.2)
        with self.in_time(4):
            self.server.stop()
            thread.join(5)
        self.assertEqual([304], found)


class BeginsTest(ServerTestCase):
    def _failure(self, **settings: object) -> str:
        with self.assertRaises(SettingsError) as caught:
            self.start(**settings)
        return str(caught.exception)

    def test_what_cannot_be_used_is_named(self) -> None:
        port = self.server.port
        nothing = self.directory / "nothing.pem"
        empty = self.directory / "empty.pem"
        empty.write_bytes(b"")
        self.assertIn(f"port {port}", self._failure(port=port))
        self.assertIn("cannot listen", self._failure(host="192.0.2.1"))
        for option in ("cert_file", "client_ca_file"):
            for path in (nothing, empty, self.client.key_file):
                found = self._failure(**{option: path})
                self.assertIn(option, found)
                self.assertIn(path.name, found)
        self.assertIn("key", self._failure(key_file=self.client.key_file))

    def test_it_says_what_to_install(self) -> None:
        missing = {
            "cheroot": None,
            "nfv_mla_scheduler.serving.listener": None,
        }
        with (
            mock.patch.dict(sys.modules, missing),
            mock.patch.object(
                sys.modules["nfv_mla_scheduler.serving"],
                "listener",
                create=True,
            ),
        ):
            del sys.modules["nfv_mla_scheduler.serving"].listener
            found = self._failure()
        self.assertIn("nfv-mla-scheduler[collector]", found)
