# SPDX-License-Identifier: Apache-2.0
"""The monitor's HTTP interface: who gets what, and what a knock does.

Without a socket where that is enough; the last classes have real TLS.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import sys
import unittest
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.monitor import knocks
from nfv_mla_scheduler.monitor import web
from nfv_mla_scheduler.monitor.web import ROUTES
from nfv_mla_scheduler.monitor.web import App
from nfv_mla_scheduler.monitor.web import Readiness
from nfv_mla_scheduler.serving import application
from nfv_mla_scheduler.serving import listener
from nfv_mla_scheduler.serving.exchange import BODY_MAX
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings
from tests.unit.monitor.reporting.test_metrics import status
from tests.unit.serving.asking import Answered
from tests.unit.serving.asking import ask
from tests.unit.serving.site import HERE
from tests.unit.serving.site import ServerTestCase

AGENT = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
KEYLIME = "/v1/webhook/keylime"
PLAIN = "/v1/webhook"
JSON = {"Content-Type": "application/json"}
OPEN = (KEYLIME, PLAIN, "/live", "/ready")


def revocation(**changed: Any) -> dict[str, Any]:
    """Return what Keylime posts of an agent that fails, as it is sent."""
    message = {
        "type": "revocation",
        "ip": "198.51.100.7",
        "agent_id": AGENT,
        "port": 9002,
        "tpm_policy": '{"mask": "0x400"}',
        "meta_data": "{}",
        "event_time": "Mon Mar 02 09:14:11 2026",
        "event_id": "pcr_validation.invalid_pcr_16",
        "severity_label": "CRITICAL",
        "context": {"context": "", "pcr": 16},
        **changed,
    }
    return {"msg": json.dumps(message), "signature": ""}


class WebTestCase(unittest.TestCase):
    """An application, who knocked at it, and a clock that stands still."""

    def setUp(self) -> None:
        super().setUp()
        self.status: dict[str, Any] = status()
        self.is_live = True
        self.ready = Readiness.READY
        self.knocks: list[tuple[str, ...]] = []
        self.certified: list[bool] = []
        self.now = 1000.0
        self.app = self.new_app()

    def new_app(self, **settings: Any) -> App:
        return App(
            lambda: self.status,
            lambda: self.is_live,
            lambda: self.ready,
            self.knock,
            clock=lambda: self.now,
            **settings,
        )

    def knock(self, attesters: tuple[str, ...], certified: bool) -> None:
        self.knocks.append(attesters)
        self.certified.append(certified)

    def post(self, path: str, body: Any, **client: Any) -> Answered:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.app, "POST", path, JSON, data, **client)

    def get(self, path: str, certified: bool = False) -> Answered:
        return ask(self.app, "GET", path, certified=certified)


class RoutesTest(WebTestCase):
    def test_who_has_no_certificate_gets_what_is_for_anybody(self) -> None:
        for path, methods in ROUTES.items():
            for method in methods:
                with self.subTest(path=path):
                    refused = ask(self.app, method, path).status == 403
                    self.assertEqual(path not in OPEN, refused)
                    found = ask(self.app, method, path, certified=True)
                    self.assertNotIn(found.status, (403, 404, 405))

    def test_a_webhook_may_need_a_certificate(self) -> None:
        self.app = self.new_app(knock_certified=True)
        for path in (KEYLIME, PLAIN):
            found = self.post(path, revocation())
            self.assertEqual(403, found.status)
            self.assertIn(path, found.error)
        self.assertEqual([], self.knocks)
        found = self.post(KEYLIME, revocation(), certified=True)
        self.assertEqual(202, found.status)
        self.assertEqual([(AGENT,)], self.knocks)
        self.assertEqual({"knocks": 1, "refused": 2}, self.app.webhook())

    def test_it_is_said_whether_who_knocks_is_known(self) -> None:
        for certified in (False, True):
            for path in (KEYLIME, PLAIN):
                body = revocation() if path == KEYLIME else {}
                self.post(path, body, certified=certified)
        self.assertEqual([False, False, True, True], self.certified)

    def test_nothing_may_be_kept_by_a_cache(self) -> None:
        for path in ROUTES:
            found = self.get(path)
            self.assertEqual("no-store", found.headers["cache-control"])


class KeylimeTest(WebTestCase):
    def test_a_revocation_knocks_for_its_agent(self) -> None:
        for body in (
            revocation(),
            {**revocation(), "signature": "bm90IG91cnM="},
            {"msg": json.dumps({"agent_id": AGENT})},
            {**revocation(), "of a later version": [1]},
        ):
            self.knocks.clear()
            found = self.post(KEYLIME, body)
            # the only ones, with 200, that Keylime takes for success
            self.assertEqual(202, found.status)
            self.assertEqual({"accepted": True}, found.json)
            self.assertEqual([(AGENT,)], self.knocks)

    def test_what_is_malformed_says_what_is_wrong(self) -> None:
        deep = '{"agent_id": ' + "[" * 99 + "]" * 99 + "}"
        cases: tuple[tuple[Any, str], ...] = (
            (b"", "JSON"),
            (b"\xff", "UTF-8"),
            (b"[" * 1000, "deep"),
            (b"NaN", "NaN"),
            (b'{"msg": "{}", "msg": "{}"}', "twice"),
            ([], "object"),
            ({}, "msg"),
            ({"msg": {"agent_id": AGENT}}, "string"),
            ({"msg": None}, "string"),
            ({"msg": "half"}, "msg: is not JSON"),
            ({"msg": "[]"}, "object"),
            ({"msg": "\ud800"}, "JSON"),
            ({"msg": deep}, "deep"),
            ({"msg": "{}"}, "agent_id"),
            (revocation(agent_id=""), "agent_id"),
            (revocation(agent_id=7), "agent_id"),
            (revocation(agent_id="x" * 256), "agent_id"),
            (revocation(agent_id="a\nb"), "agent_id"),
        )
        for body, word in cases:
            with self.subTest(body=body):
                found = self.post(KEYLIME, body)
                self.assertEqual(400, found.status)
                self.assertIn(word, found.error)
        self.assertEqual([], self.knocks)
        counts = {"knocks": 0, "refused": len(cases)}
        self.assertEqual(counts, self.app.webhook())

    def test_a_body_is_bounded_and_said_to_be_json(self) -> None:
        plain = {"Content-Type": "text/plain"}
        self.assertEqual(
            415, ask(self.app, "POST", KEYLIME, plain, b"{}").status
        )
        large = revocation(context="x" * BODY_MAX)
        self.assertEqual(413, self.post(KEYLIME, large).status)
        self.assertEqual([], self.knocks)


class PlainTest(WebTestCase):
    def test_everything_may_be_left_out(self) -> None:
        cases: tuple[tuple[Any, tuple[str, ...]], ...] = (
            ({}, ()),
            ({"authority": "ear"}, ()),
            ({"attesters": []}, ()),
            ({"attesters": ["b", "a", "b"]}, ("b", "a")),
            ({"authority": "ear", "attesters": ["a"]}, ("a",)),
        )
        for body, expected in cases:
            with self.subTest(body=body):
                self.knocks.clear()
                self.assertEqual(202, self.post(PLAIN, body).status)
                self.assertEqual([expected], self.knocks)
        self.assertEqual(202, ask(self.app, "POST", PLAIN).status)
        self.assertEqual((), self.knocks[-1])

    def test_what_is_malformed_says_what_is_wrong(self) -> None:
        cases: tuple[tuple[Any, str], ...] = (
            (b"x", "JSON"),
            ([], "object"),
            ({"act": "all"}, "not known"),
            ({"attesters": "a"}, "array"),
            ({"attesters": [1]}, "names"),
            ({"attesters": [""]}, "names"),
            ({"authority": None}, "names"),
            ({"attesters": ["a"] * 257}, "256"),
        )
        for body, word in cases:
            with self.subTest(body=body):
                found = self.post(PLAIN, body)
                self.assertEqual(400, found.status)
                self.assertIn(word, found.error)
        chunked = ask(
            self.app, "POST", PLAIN, {"Transfer-Encoding": "chunked"}
        )
        self.assertEqual(415, chunked.status)
        self.assertEqual([], self.knocks)

    @hypothesis_settings(max_examples=100, deadline=None)
    @given(
        body=st.binary(max_size=200), path=st.sampled_from((PLAIN, KEYLIME))
    )
    def test_whatever_is_sent_is_taken_or_refused(
        self, body: bytes, path: str
    ) -> None:
        self.app = self.new_app()
        found = self.post(path, body)
        self.assertIn(found.status, (202, 400))
        if found.status == 400:
            self.assertTrue(found.error)


class LimitTest(WebTestCase):
    def _knock(self, **client: Any) -> int:
        return self.post(PLAIN, {}, **client).status

    def _until_refused(self, **client: Any) -> int:
        """Return how many knocks were taken before one was refused."""
        for count in range(1000):
            found = self.post(PLAIN, {}, **client)
            if found.status != 202:
                self.assertEqual(429, found.status)
                self.assertEqual("1", found.headers["retry-after"])
                self.assertIn("too many", found.error)
                return count
        raise AssertionError("nobody was refused")

    def test_one_caller_leaves_some_to_the_others(self) -> None:
        first = self._until_refused(address="192.0.2.1")
        self.assertEqual(knocks.EACH_KNOCKS_MAX, first)
        for _ in range(500):
            self._knock(address="192.0.2.1")
        second = self._until_refused(address="192.0.2.2")
        self.assertEqual(knocks.EACH_KNOCKS_MAX, second)
        # there is no more for anybody now
        self.assertEqual(429, self._knock(address="192.0.2.3"))
        self.now += 1
        taken = [self._knock(address="192.0.2.1") for _ in range(50)]
        self.assertEqual(knocks.EACH_KNOCKS_PER_S, taken.count(202))
        taken = [self._knock(address="192.0.2.4") for _ in range(50)]
        left = knocks.KNOCKS_PER_S - knocks.EACH_KNOCKS_PER_S
        self.assertEqual(left, taken.count(202))

    def test_strangers_take_nothing_from_who_has_a_certificate(self) -> None:
        for number in range(300):
            self._knock(address=f"192.0.2.{number % 256}")
        self.assertEqual(429, self._knock(address="192.0.2.1"))
        self.assertEqual(202, self._knock(address="192.0.2.1", certified=True))
        found = self._until_refused(address="192.0.2.1", certified=True)
        self.assertEqual(knocks.EACH_KNOCKS_MAX - 1, found)

    def test_an_ipv6_network_is_one_caller(self) -> None:
        found = [
            self._knock(address=f"2001:db8::{number:x}")
            for number in range(knocks.EACH_KNOCKS_MAX + 1)
        ]
        self.assertEqual(429, found[-1])
        self.assertEqual(202, self._knock(address="2001:db8:0:1::1"))

    def test_what_is_malformed_counts_as_well(self) -> None:
        for _ in range(knocks.EACH_KNOCKS_MAX):
            self.assertEqual(400, self.post(KEYLIME, []).status)
        self.assertEqual(429, self.post(KEYLIME, revocation()).status)
        self.assertEqual([], self.knocks)

    def test_what_is_over_the_limit_is_not_read(self) -> None:
        self._until_refused()
        self.assertEqual(429, self.post(PLAIN, b"not read").status)

    def test_other_paths_stay_open(self) -> None:
        self._until_refused()
        for path in ("/live", "/ready"):
            self.assertEqual(200, self.get(path).status)

    def test_they_are_counted(self) -> None:
        taken = self._until_refused()
        self.assertEqual({"knocks": taken, "refused": 1}, self.app.webhook())
        self.assertEqual(taken, len(self.knocks))


class StandingTest(WebTestCase):
    def test_the_status_is_what_the_monitor_says(self) -> None:
        found = self.get("/v1/status", certified=True)
        self.assertEqual(self.status, found.json)

    def test_metrics(self) -> None:
        found = self.get("/metrics", certified=True)
        self.assertEqual(200, found.status)
        self.assertTrue(found.headers["content-type"].startswith("text/plain"))
        self.assertIn(b"nfv_mla_monitor_policy_version 7.0", found.body)

    def test_metrics_without_their_library(self) -> None:
        with mock.patch.dict(sys.modules, {"prometheus_client": None}):
            found = self.get("/metrics", certified=True)
        self.assertEqual(501, found.status)
        self.assertIn("nfv-mla-scheduler[monitor]", found.error)

    def test_one_word_on_how_it_is(self) -> None:
        found = self.get("/live")
        self.assertEqual((200, b"live\n"), (found.status, found.body))
        self.is_live = False
        found = self.get("/live")
        self.assertEqual((503, b"stuck\n"), (found.status, found.body))
        for self.ready in Readiness:
            found = self.get("/ready")
            expected = 200 if self.ready is Readiness.READY else 503
            self.assertEqual(expected, found.status)
            self.assertEqual(f"{self.ready.value}\n".encode(), found.body)
            self.assertEqual(
                "text/plain; charset=utf-8", found.headers["content-type"]
            )

    def test_a_knock_that_fails_is_an_error_in_one_line(self) -> None:

        def fail(attesters: tuple[str, ...], certified: bool) -> None:
            raise RuntimeError("for a test")

        self.app = App(status, lambda: True, lambda: Readiness.READY, fail)
        with self.assertLogs(application.LOG, "ERROR"):
            found = self.post(KEYLIME, revocation())
        self.assertEqual(500, found.status)
        self.assertIn("the monitor failed", found.error)
        self.assertEqual(0, self.app.webhook()["knocks"])


class ServedTestCase(ServerTestCase):
    """Over the real server, with real certificates."""

    PATH = "/live"

    def setUp(self) -> None:
        self.knocks: list[tuple[str, ...]] = []
        super().setUp()

    def start(self, **settings: object) -> Server:
        return super().start(**{"anybody": True, **settings})

    def new_server(self, settings: ServerSettings) -> Server:
        app = App(
            status,
            lambda: True,
            lambda: Readiness.READY,
            lambda attesters, certified: self.knocks.append(attesters),
        )
        return web.new_server(settings, app)

    def _client(self, tls: Tls | None = None) -> Client:
        tls = tls or Tls(self.ca_file)
        client = Client(
            f"https://{HERE}:{self.server.port}/",
            tls,
            deadline_s=10,
            max_bytes=2**16,
        )
        self.addCleanup(client.close)
        return client

    def _own(self) -> Client:
        return self._client(
            Tls(self.ca_file, self.client.cert_file, self.client.key_file)
        )


class ServedTest(ServedTestCase):
    """Who gets what."""

    def test_keylime_may_come_with_or_without_a_certificate(self) -> None:
        body = json.dumps(revocation()).encode()
        for client in (self._client(), self._own()):
            answer = client.post(
                KEYLIME, body, "application/json", accept=(), also=(202,)
            )
            self.assertEqual(202, answer.status)
        self.assertEqual([(AGENT,)] * 2, self.knocks)

    def test_status_and_metrics_are_for_who_has_one(self) -> None:
        stranger, known = self._client(), self._own()
        for path in ("/v1/status", "/metrics"):
            with self.assertRaises(ContactFailed) as caught:
                stranger.get(path, accept=())
            self.assertIn("403", str(caught.exception))
            self.assertEqual(200, known.get(path, accept=()).status)

    def test_anybody_may_ask_how_it_is(self) -> None:
        for path, word in (("/live", b"live\n"), ("/ready", b"ready\n")):
            answer = self._client().get(path, accept=())
            self.assertEqual((200, word), (answer.status, answer.body))

    def test_what_is_not_http_is_an_error_and_no_knock(self) -> None:
        head = f"POST {KEYLIME} HTTP/1.1\r\nHost: x\r\n".encode()
        kind = b"Content-Type: application/json\r\nConnection: close\r\n"
        cases = {
            head + kind + b"\r\n": 411,
            head + kind + b"Content-Length: -1\r\n\r\n": 400,
            head + kind + b"Content-Length: 999999\r\n\r\n": 413,
            b"\0" * 200 + b"\r\n\r\n": 400,
        }
        for data, expected in cases.items():
            with self.subTest(data=data[:60]):
                found, said = self.send(data)
                self.assertEqual(expected, found)
                self.assertTrue(json.loads(said)["error"])
        self.assertEqual([], self.knocks)

    def test_one_address_cannot_take_all_threads(self) -> None:
        bound = web.CONNECTIONS_EACH_MAX
        self.assertLess(bound, web.THREADS)
        for _ in range(bound):
            self.known(b"/live")
        with self.assertRaises(OSError):
            self.raw()

    def test_where_everybody_needs_a_certificate(self) -> None:
        self.server = self.start(anybody=False)
        with self.assertRaises(ContactFailed) as caught:
            self._client().get("/live", accept=())
        self.assertIn("wants a client certificate", str(caught.exception))
        self.assertEqual(200, self._own().get("/live", accept=()).status)

    def test_without_a_ca_nobody_sees_the_status(self) -> None:
        self.server = self.start(client_ca_file=None)
        with self.assertRaises(ContactFailed) as caught:
            self._own().get("/v1/status", accept=())
        self.assertIn("403", str(caught.exception))
        self.assertEqual(200, self._own().get("/live", accept=()).status)


class HeldTest(ServedTestCase):
    """Who has no certificate holds connections, and others are answered."""

    def hold(self, address: str, data: bytes | None) -> socket.socket:
        """Hold a connection; None: not even its handshake begins."""
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.settimeout(10)
        sock.bind((address, 0))
        sock.connect((HERE, self.server.port))
        if data is None:
            return sock
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with contextlib.suppress(OSError):
            sock = context.wrap_socket(sock, server_hostname=HERE)
            self.addCleanup(sock.close)
            sock.sendall(data)
        return sock

    def assert_answered(self) -> None:
        with self.in_time(5):
            for client in (self._client(), self._own()):
                for path in ("/live", "/ready"):
                    answer = client.get(path, accept=())
                    self.assertEqual(200, answer.status)

    def test_by_one_address_it_is_that_of_the_others_as_well(self) -> None:
        half = b"POST /v1/webhook HTTP/1.1\r\nHost: x\r\n"
        for data in (None, b"", half):
            with self.subTest(data=data):
                self.server = self.start()
                held = [
                    self.hold(HERE, data)
                    for _ in range(2 * web.CONNECTIONS_EACH_MAX)
                ]
                self.assert_answered()
                self.assertEqual(2 * web.CONNECTIONS_EACH_MAX, len(held))

    def test_by_so_many_addresses_that_no_more_are_kept(self) -> None:
        with mock.patch.object(listener.Listener, "keep_alive_conn_limit", 20):
            for number in range(30):
                self.hold(f"127.0.1.{number + 1}", b"")
            self.assert_answered()

    def test_who_has_a_certificate_keeps_its_connection(self) -> None:
        own = self._own()
        own.get("/live", accept=())
        wire = own._wire
        for _ in range(2 * web.CONNECTIONS_EACH_MAX):
            self.hold(HERE, b"")
        own.get("/live", accept=())
        self.assertIs(wire, own._wire)

    def test_half_requests_of_several_addresses(self) -> None:
        half = b"POST /v1/webhook HTTP/1.1\r\nHost: x\r\n"
        for number in range(8):
            for _ in range(16):
                self.hold(f"127.0.1.{number + 1}", half)
        # those that came while all threads were free have more time
        with self.in_time(listener.ASK_S + 5):
            answer = self._client().get("/live", accept=())
        self.assertEqual(200, answer.status)
