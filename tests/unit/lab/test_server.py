# SPDX-License-Identifier: Apache-2.0
"""The lab over a real socket: whom it answers, how badly, and how it stops."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import pathlib
import socket
import ssl
import threading
import time
import unittest
from typing import Any
from unittest import mock

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.lab import certificates
from nfv_mla_scheduler.lab import connections
from nfv_mla_scheduler.lab import edits
from nfv_mla_scheduler.lab.server import NOTICE
from nfv_mla_scheduler.lab.server import LabServer
from nfv_mla_scheduler.lab.values import Fault
from tests.unit.lab import labs

STOP_S = 1.0


class LabTest(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = labs.make(self, "ber-1", "ber-2")
        self.said: list[str] = []
        self.lab = LabServer(self.directory, say=self.said.append)

    def start(self) -> None:
        self.lab.start()
        self.addCleanup(self.lab.stop)

    def connect(self, timeout_s: float = 10) -> http.client.HTTPSConnection:
        connection = labs.connect(self.lab.url, self.directory, timeout_s)
        self.addCleanup(connection.close)
        return connection

    def get(
        self, target: str, timeout_s: float = 10
    ) -> tuple[int, str, bytes]:
        return labs.get(self.connect(timeout_s), target)

    def open_tls(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """Return a connection of which every byte is ours."""
        context = context or labs.client_context(self.directory)
        raw = self.open_tcp()
        found = context.wrap_socket(raw, server_hostname="127.0.0.1")
        self.addCleanup(found.close)
        return found

    def _await_said(self, count: int) -> None:
        """Wait until so much was said: who is refused knows it sooner."""
        until = time.monotonic() + 5
        while len(self.said) < count and time.monotonic() < until:
            time.sleep(0.02)

    def open_tcp(self) -> socket.socket:
        port = int(self.lab.url.rpartition(":")[2])
        found = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.addCleanup(found.close)
        return found

    def read_all(self, connection: socket.socket) -> bytes:
        parts = []
        with contextlib.suppress(ssl.SSLEOFError):  # there is no close_notify
            while part := connection.recv(65_536):
                parts.append(part)
        return b"".join(parts)


class ServingTest(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_everything_that_it_serves(self) -> None:
        status, kind, body = self.get("/keys")
        self.assertEqual((200, "application/jwk-set+json"), (status, kind))
        keys = json.loads(body)
        self.assertEqual(
            keys, json.loads((self.directory / "keys.json").read_text())
        )
        status, kind, body = self.get("/results")
        self.assertEqual((200, "application/json"), (status, kind))
        tokens = json.loads(body)["results"]
        self.assertEqual(
            ["ber-1", "ber-2"],
            [labs.verified(token, keys)["sub"] for token in tokens],
        )
        status, kind, body = self.get("/results/ber-2")
        self.assertEqual((200, "application/eat+jwt"), (status, kind))
        found = labs.verified(body.decode(), keys)
        self.assertEqual(("ber-2", "lab"), (found["sub"], found["iss"]))
        self.assertAlmostEqual(time.time(), found["iat"], delta=5)
        self.assertEqual(404, self.get("/results/gone")[0])

    def test_many_requests_in_one_connection(self) -> None:
        connection = self.connect()
        labs.get(connection, "/keys")
        first = connection.sock
        for target in ("/results", "/gone", "/results/ber-1", "/results?x"):
            labs.get(connection, target)
            self.assertIs(first, connection.sock, target)

    def test_an_edit_counts_for_the_next_request(self) -> None:
        connection = self.connect()
        for status in ("warning", "contraindicated", "affirming"):
            edits.set_claim(self.directory, "ber-1", "tpm", status=status)
            body = labs.get(connection, "/results/ber-1")[2]
            found = labs.payload(body.decode())
            self.assertEqual(status, found["nfv_mla"]["tpm"]["status"])
            self.assertEqual(status, found["submods"]["host"]["ear.status"])
        edits.put_attester(self.directory, "new", {"claims": {}})
        body = labs.get(connection, "/results")[2]
        self.assertEqual(3, len(json.loads(body)["results"]))

    def test_an_edit_is_noticed_while_nobody_asks(self) -> None:
        (self.directory / "attesters.yaml").write_text("attesters: 17\n")
        self._await_said(2)
        self.assertEqual(
            "attesters.yaml: line 1: attesters: must be a mapping ('17'); "
            "what was read before stays",
            self.said[1],
        )
        self.assertEqual(200, self.get("/results/ber-1")[0])
        time.sleep(0.6)
        self.assertEqual(2, len(self.said))

    def test_answers_are_dated_by_its_own_clock(self) -> None:
        for ahead_s in (0, 90, -3600):
            edits.set_knobs(self.directory, ahead_s=ahead_s)
            connection = self.connect()
            connection.request("GET", "/results/ber-1")
            answer = connection.getresponse()
            at = email.utils.parsedate_to_datetime(answer.headers["Date"])
            off_s = at.timestamp() - time.time()
            self.assertAlmostEqual(ahead_s, off_s, delta=5)
            found = labs.payload(answer.read().decode())
            self.assertAlmostEqual(at.timestamp(), found["iat"], delta=2)

    def test_what_is_no_request_is_refused(self) -> None:
        requests = (
            (b"POST /results HTTP/1.1\r\nHost: x\r\n\r\n", 501),
            (b"HEAD /results HTTP/1.1\r\nHost: x\r\n\r\n", 501),
            (b"GET /results HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400),
            (
                b"GET /results HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                b"\r\n0\r\n\r\n",
                400,
            ),
            (b"nonsense\r\n\r\n", 400),
            (b"GET /results HTTP/9.9\r\n\r\n", 505),
            (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
            (
                b"GET /keys HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
                431,
            ),
            (
                b"GET /keys HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
                431,
            ),
        )
        for request, status in requests:
            with self.subTest(request=request[:40]):
                connection = self.open_tls()
                connection.sendall(request)
                answer = self.read_all(connection)
                head, _, body = answer.partition(b"\r\n\r\n")
                self.assertTrue(
                    head.startswith(b"HTTP/1.1 %d " % status), head
                )
                self.assertIn(b"Connection: close", head)
                if not request.startswith(b"HEAD"):
                    self.assertIn("error", json.loads(body))
        self.assertEqual([NOTICE], self.said)


class TlsTest(LabTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def _refused(self, context: ssl.SSLContext) -> str:
        """Return why the server does not talk to somebody."""
        with self.assertRaises(ssl.SSLError) as caught:
            connection = self.open_tls(context)
            connection.sendall(b"GET /keys HTTP/1.1\r\n\r\n")
            connection.recv(1)
        return str(caught.exception.reason)

    def test_nobody_is_answered_without_a_certificate(self) -> None:
        context = ssl.create_default_context(cafile=self.directory / "ca.pem")
        self.assertIn("CERTIFICATE_REQUIRED", self._refused(context))
        self._refused(context)
        self._await_said(2)
        self.assertEqual(
            [
                NOTICE,
                "the TLS handshake failed: PEER_DID_NOT_RETURN_A_CERTIFICATE",
            ],
            self.said,
        )
        self.get("/keys")
        self._refused(context)
        self._await_said(3)
        self.assertEqual(3, len(self.said))

    def test_nor_with_one_of_somebody_else(self) -> None:
        other = labs.make(self)
        context = ssl.create_default_context(cafile=self.directory / "ca.pem")
        context.load_cert_chain(other / "client.pem", other / "client.key")
        self.assertIn("UNKNOWN_CA", self._refused(context))
        # the server's own certificate is for servers
        context = ssl.create_default_context(cafile=self.directory / "ca.pem")
        context.load_cert_chain(
            self.directory / "server.pem", self.directory / "server.key"
        )
        self.assertIn("UNSUPPORTED_CERTIFICATE", self._refused(context))

    def test_a_client_can_tell_that_it_is_another_lab(self) -> None:
        other = labs.make(self)
        context = ssl.create_default_context(cafile=other / "ca.pem")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.open_tls(context)

    def test_a_client_can_tell_that_it_is_for_another_name(self) -> None:
        self.directory = labs.make(self, hosts=("lab.example.org",))
        self.lab = LabServer(self.directory, say=self.said.append)
        self.start()
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "127.0.0.1"):
            self.open_tls()

    def test_old_tls_is_refused(self) -> None:
        context = labs.client_context(self.directory)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with mock.patch("warnings.warn"):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(ssl.SSLError):
            self.open_tls(context)

    def test_plain_http_gets_no_answer(self) -> None:
        connection = self.open_tcp()
        connection.sendall(b"GET /keys HTTP/1.1\r\n\r\n")
        self.assertNotIn(b"HTTP", self.read_all(connection))

    def test_who_stalls_delays_nobody(self) -> None:
        stalled = [self.open_tcp() for _ in range(20)]
        half = self.open_tls()
        half.sendall(b"GET /res")
        begun = time.monotonic()
        self.assertEqual(200, self.get("/results")[0])
        self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(20, len(stalled))

    def test_a_handshake_has_its_time(self) -> None:
        with mock.patch.object(connections, "HANDSHAKE_S", 0.1):
            connection = self.open_tcp()
            self.assertEqual(b"", connection.recv(1))
        self.assertEqual("no TLS handshake within 0.1 s", self.said[1])

    def test_only_so_many_are_served_at_once(self) -> None:
        with mock.patch.object(connections, "CONNECTIONS_MAX", 2):
            kept = [self.connect(), self.connect()]
            for connection in kept:
                labs.get(connection, "/keys")
            with self.assertRaises(OSError):
                self.get("/keys")
            kept[0].close()
            until = time.monotonic() + 5
            while True:
                try:
                    self.assertEqual(200, self.get("/keys")[0])
                    break
                except OSError:
                    self.assertLess(time.monotonic(), until)
                    time.sleep(0.02)


class KnobsTest(LabTest):
    """What is wrong with answers, as a client sees it."""

    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_slow(self) -> None:
        edits.set_knobs(self.directory, "ber-1", slow_s=0.4)
        for target, least_s in (
            ("/results", 0.4),
            ("/results/ber-1", 0.4),
            ("/results/ber-2", 0.0),
        ):
            begun = time.monotonic()
            self.assertEqual(200, self.get(target)[0])
            self.assertGreaterEqual(time.monotonic() - begun, least_s)
            self.assertLess(time.monotonic() - begun, least_s + 2)

    def test_silent(self) -> None:
        edits.set_knobs(self.directory, "ber-1", silent=True)
        with self.assertRaises(TimeoutError):
            self.get("/results/ber-1", timeout_s=0.3)
        body = self.get("/results")[2]
        self.assertEqual(1, len(json.loads(body)["results"]))
        edits.set_knobs(self.directory, silent=True)
        with self.assertRaises(TimeoutError):
            self.get("/results", timeout_s=0.3)
        self.assertEqual(200, self.get("/keys")[0])

    def test_who_gives_up_waiting_takes_the_thread_along(self) -> None:
        edits.set_knobs(self.directory, silent=True)
        before = threading.active_count()
        for _ in range(5):
            connection = self.connect(0.1)
            with self.assertRaises(TimeoutError):
                labs.get(connection, "/results")
            connection.close()
        until = time.monotonic() + 5
        while threading.active_count() > before:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)

    def test_a_status(self) -> None:
        for status in (401, 404, 429, 500, 503, 599):
            edits.set_knobs(self.directory, answers={"status": status})
            found, kind, body = self.get("/results")
            self.assertEqual((status, "application/json"), (found, kind))
            self.assertNotIn("results", json.loads(body))

    def test_a_redirect_that_leads_to_the_truth(self) -> None:
        edits.set_knobs(self.directory, answers="redirect")
        for target in ("/results/ber-1", "/results?attester=ber-1"):
            connection = self.connect()
            connection.request("GET", target)
            answer = connection.getresponse()
            self.assertEqual((302, b""), (answer.status, answer.read()))
            moved = answer.headers["Location"]
            self.assertEqual(f"/moved{target}", moved)
            status, _, body = labs.get(connection, moved)
            self.assertEqual(200, status)
            self.assertIn(b"eyJ", body[:16])

    def test_the_wrong_type(self) -> None:
        good = self.get("/results")
        edits.set_knobs(self.directory, answers="wrong-type")
        status, kind, body = self.get("/results")
        self.assertEqual((200, "text/html"), (status, kind))
        self.assertEqual(len(good[2]), len(body))

    def test_what_is_not_json(self) -> None:
        edits.set_knobs(self.directory, answers="not-json")
        status, kind, body = self.get("/results")
        self.assertEqual((200, "application/json"), (status, kind))
        with self.assertRaises(ValueError):
            json.loads(body)

    def test_an_endless_answer(self) -> None:
        edits.set_knobs(self.directory, answers="endless")
        connection = self.connect()
        connection.request("GET", "/results")
        answer = connection.getresponse()
        self.assertEqual(
            (200, None), (answer.status, answer.headers["Content-Length"])
        )
        beginning = answer.read(4 * 2**20)
        self.assertEqual(4 * 2**20, len(beginning))
        self.assertTrue(beginning.startswith(b'{"results":["AAA'))

    def test_a_dripping_answer(self) -> None:
        edits.set_knobs(self.directory, answers="dripping")
        connection = self.connect(1)
        connection.request("GET", "/results")
        answer = connection.getresponse()
        self.assertEqual(b'{"results":["', answer.read(13))
        begun = time.monotonic()
        self.assertEqual(b"AAA", answer.read(3))
        self.assertGreater(time.monotonic() - begun, 0.3)

    def test_a_truncated_answer(self) -> None:
        length = len(self.get("/results")[2])
        edits.set_knobs(self.directory, answers="truncated")
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.get("/results")
        found = caught.exception
        self.assertEqual(length, len(found.partial) + (found.expected or 0))

    def test_a_hang_up(self) -> None:
        edits.set_knobs(self.directory, answers="hang-up")
        with self.assertRaises((http.client.RemoteDisconnected, ssl.SSLError)):
            self.get("/results")

    def test_every_fault_has_its_test(self) -> None:
        tested = " ".join(dir(self)).replace("_", "-")
        for fault in Fault:
            word = fault.value.replace("not-json", "what-is-not-json")
            self.assertIn(word, tested)


class StoppingTest(LabTest):
    def _stops(self) -> None:
        begun = time.monotonic()
        self.lab.stop()
        self.assertLess(time.monotonic() - begun, STOP_S)
        with self.assertRaises(OSError):
            self.open_tcp()

    def test_it_stops_under_all_kinds_of_connections(self) -> None:
        self.start()
        before = threading.active_count()
        edits.set_knobs(self.directory, "ber-1", silent=True)
        edits.set_knobs(self.directory, "ber-2", slow_s=3600)
        for name, answers in (("c", "endless"), ("d", "dripping")):
            entry = {"claims": {}, "answers": answers}
            edits.put_attester(self.directory, name, entry)
        opened: list[Any] = [self.open_tcp()]
        idle = self.connect()
        labs.get(idle, "/keys")
        half = self.open_tls()
        half.sendall(b"GET /res")
        opened += [idle, half]
        for target in ("ber-1", "ber-2", "c", "d"):
            connection = self.open_tls()
            connection.sendall(
                f"GET /results/{target} HTTP/1.1\r\n\r\n".encode()
            )
            opened.append(connection)
        opened[-1].recv(100)
        opened[-2].recv(100)
        self.assertEqual(before + len(opened), threading.active_count())
        self._stops()
        self.assertLessEqual(threading.active_count(), before - 2)
        self.assertEqual([], [line for line in self.said if "cannot" in line])

    def test_it_stops_while_many_are_asking(self) -> None:
        self.start()
        asked, going = [0], threading.Event()

        def ask() -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                while not going.is_set():
                    self.get("/results")
                    asked[0] += 1

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        self._stops()
        going.set()
        for thread in threads:
            thread.join(5)
            self.assertFalse(thread.is_alive())
        self.assertGreater(asked[0], 0)
        self.assertEqual([], [line for line in self.said if "cannot" in line])

    def test_it_starts_again_where_it_was_and_says_so_again(self) -> None:
        self.start()
        url = self.lab.url
        self.lab.stop()
        self.lab.stop()
        with self.lab:
            self.assertEqual(url, self.lab.url)
            self.assertEqual(200, self.get("/results")[0])
        self.assertEqual([NOTICE, NOTICE], self.said)

    def test_it_serves_on_ipv6(self) -> None:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as exc:
            self.skipTest(f"there is no IPv6 here: {exc}")
        self.lab = LabServer(
            self.directory, listen="::1", say=self.said.append
        )
        self.start()
        self.assertRegex(self.lab.url, r"^https://\[::1\]:\d+$")
        self.assertEqual(200, self.get("/keys")[0])


class StartingTest(LabTest):
    def _refuses(
        self, error: type[Exception], message: str, **settings: Any
    ) -> None:
        lab = LabServer(self.directory, say=self.said.append, **settings)
        with self.assertRaisesRegex(error, message):
            lab.start()
        lab.stop()

    def test_a_file_that_is_missing_is_named(self) -> None:
        for name in (
            "signing.key",
            "attesters.yaml",
            "server.pem",
            "server.key",
            "ca.pem",
        ):
            path = self.directory / name
            data = path.read_bytes()
            path.unlink()
            named = "server.pem" if name == "server.key" else name
            with self.subTest(name=name):
                self._refuses(KeyFileError, f"/{named}: .*No such file")
            path.write_bytes(data)

    def test_a_file_that_is_unfit_is_named(self) -> None:
        (self.directory / "server.key").write_bytes(
            (self.directory / "client.key").read_bytes()
        )
        self._refuses(KeyFileError, "server.pem: cannot be used with its key")
        (self.directory / "ca.pem").write_bytes(b"nonsense")
        self._refuses(KeyFileError, "ca.pem: holds no certificate in PEM")
        (self.directory / "attesters.yaml").write_bytes(b"x: 1\n")
        self._refuses(DocumentError, "line 1: .*/attesters.yaml: x: is not")

    def test_certificates_that_have_run_out_are_told(self) -> None:
        year_s = (certificates.LIFE_DAYS * 86_400) + 60
        self._refuses(
            KeyFileError,
            r"ca.pem: ran out on \d{4}-\d\d-\d\d; make another directory",
            clock=lambda: time.time() + year_s,
        )

    def test_a_port_that_is_taken_is_told(self) -> None:
        self.start()
        port = int(self.lab.url.rpartition(":")[2])
        self._refuses(OSError, "Address already in use", port=port)
        self.assertEqual(200, self.get("/keys")[0])

    def test_a_directory_that_is_none_is_told(self) -> None:
        self.directory = pathlib.Path("/nowhere")
        self._refuses(KeyFileError, "/nowhere/signing.key: No such file")


if __name__ == "__main__":
    unittest.main()
