# SPDX-License-Identifier: Apache-2.0
"""What a client asks, what it takes for an answer, and what it keeps."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
import unittest
import unittest.mock
from collections.abc import Callable
from collections.abc import Iterator

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.https import Client
from tests.authorities.servers import Asked
from tests.authorities.servers import End
from tests.authorities.servers import Script
from tests.authorities.servers import Server
from tests.authorities.servers import head
from tests.authorities.servers import page
from tests.unit.https.stage import DEADLINE_S
from tests.unit.https.stage import MAX_BYTES
from tests.unit.https.stage import HttpsTest
from tests.unit.https.stage import fine


class UrlTest(HttpsTest):
    def test_only_an_https_url_is_taken(self) -> None:
        for url in (
            *("", "https://", "https:///x", "https:a", "//a/b", "a.example"),
            *("http://a", "HTTP://a", "ftp://a", "file:///etc/passwd"),
            *("https://a:0", "https://a:65536", "https://a:b", "https://a:-1"),
            *("https://a b", "https://a/\n", "https://a/\x7f", "https://a/é"),
            *(
                "https://é.example",
                "https://a..b",
                "https://[::1",
                "https://.",
            ),
            *("https://a/#b", "https://a%00b/", f"https://{'a' * 64}.example"),
            *("https://u:p@a", "https://u@a", "https://@a"),
        ):
            with self.subTest(url), self.assertRaises(SettingsError) as caught:
                self.client_of(url)
            self.assertRegex(str(caught.exception), "^url: ")

    def test_a_password_in_a_url_is_not_said_again(self) -> None:
        with self.assertRaises(SettingsError) as caught:
            self.client_of("https://someone:secret@host/")
        self.assertNotIn("secret", str(caught.exception))

    def test_a_peer_is_named_by_host_and_port(self) -> None:
        for url, peer in (
            ("https://a.example", "a.example:443"),
            ("https://A.example:8443/x?y", "a.example:8443"),
            ("https://[::1]:1/", "[::1]:1"),
        ):
            self.assertEqual(peer, self.client_of(url).peer)


class ReferenceTest(HttpsTest):
    def test_a_reference_is_resolved_against_the_url(self) -> None:
        server = self.serve()
        client = self.client_of(f"{server.url}/a/b?c=d")
        for reference, target in (
            ("", "/a/b?c=d"),
            ("?e=f", "/a/b?e=f"),
            ("/g", "/g"),
            ("h?i", "/a/h?i"),
            ("../j", "/j"),
            ("%2e%2E/k", "/a/%2e%2E/k"),
            (f"{server.url}/l", "/l"),
        ):
            with self.subTest(reference):
                self.get(client, reference)
                self.assertEqual(target, server.asked[-1].target)
        self.get(self.client_of(server))
        self.assertEqual("/", server.asked[-1].target)

    def test_no_reference_leads_to_another_server(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        for reference in (
            "https://elsewhere/",
            "//elsewhere/",
            f"http://127.0.0.1:{server.port}/",
            f"https://127.0.0.1:{server.port + 1}/",
            f"https://127.0.0.1:{server.port}@elsewhere/",
            f"https://someone@127.0.0.1:{server.port}/",
            "https://[/",
            "file:///etc/passwd",
            "/a b",
            "/a\r\nX: y",
            "/é",
        ):
            with self.subTest(reference):
                self.assert_fails(
                    ContactCode.BAD_ANSWER,
                    lambda reference=reference: self.get(client, reference),
                )
        self.assertEqual([], server.asked)


class RequestTest(HttpsTest):
    def test_a_get_says_what_it_takes_and_no_more(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        client.get(
            accept=("application/json", "text/plain"),
            headers={"If-None-Match": '"x"'},
        )
        self.assertEqual(
            {
                "host": f"127.0.0.1:{server.port}",
                "accept-encoding": "identity",
                "accept": "application/json, text/plain",
                "user-agent": "nfv-mla-scheduler",
                "if-none-match": '"x"',
            },
            server.asked[0].headers,
        )

    def test_a_post_sends_its_body_once(self) -> None:
        server = self.serve()
        body = bytes(range(256)) * 1000
        answer = self.client_of(server).post(
            "/x",
            body,
            "application/octet-stream",
            accept=("application/json",),
        )
        self.assertEqual(b"{}", answer.body)
        asked = server.asked[0]
        self.assertEqual(
            ("POST", "/x", body), (asked.method, asked.target, asked.body)
        )
        self.assertEqual(
            "application/octet-stream", asked.headers["content-type"]
        )

    def test_a_header_that_is_none_is_not_sent(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        for value in ("a\r\nb: c", "a\nb", "\u20ac"):
            self.assert_fails(
                ContactCode.BAD_ANSWER,
                lambda value=value: self.get(client, headers={"X": value}),
            )
        self.assertEqual([], server.asked)

    def test_no_proxy_and_no_netrc_is_asked(self) -> None:
        server = self.serve()
        netrc = self.directory / "netrc"
        netrc.write_text("machine 127.0.0.1 login a password b\n")
        names = ("http_proxy", "https_proxy", "all_proxy")
        proxies = dict.fromkeys(
            (*names, *map(str.upper, names)), "http://127.0.0.1:1"
        )
        with unittest.mock.patch.dict(
            os.environ, {**proxies, "NETRC": str(netrc)}
        ):
            self.get(self.client_of(server))
        self.assertNotIn("authorization", server.asked[0].headers)


class AnswerTest(HttpsTest):
    def ask(self, *script: bytes | End, **more: object) -> object:
        server = self.serve(lambda _asked: script)
        return self.get(self.client_of(server), **more)

    def test_a_whole_one(self) -> None:
        answer = self.ask(page(b"[1]", ETag='"a"', X="1", x="2"))
        self.assertEqual(200, answer.status)
        self.assertEqual(b"[1]", answer.body)
        self.assertEqual('"a"', answer.headers["etag"])
        self.assertEqual("1, 2", answer.headers["x"])

    def test_media_types_are_compared_as_http_says(self) -> None:
        for kind in (
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            " application/json ;x=y",
        ):
            with self.subTest(kind):
                self.assertEqual(b"1", self.ask(page(b"1", kind)).body)
        answer = self.ask(page(b"1", "text/x"), accept=())
        self.assertEqual(b"1", answer.body)
        for kind in ("application/jsonp", "application/*", "*/*", ""):
            with self.subTest(kind), self.assertRaises(ContactFailed):
                self.ask(page(b"1", kind))

    def test_a_parameter_that_is_asked_for_need_not_be_answered(self) -> None:
        accept = ('application/eat+jwt; eat_profile="x"',)
        answer = self.ask(page(b"1", "application/eat+jwt"), accept=accept)
        self.assertEqual(b"1", answer.body)

    def test_a_body_may_be_as_long_as_it_may_be(self) -> None:
        chunk = b"%x\r\n%s\r\n"
        whole = b"x" * MAX_BYTES
        json = "application/json"
        chunked = head(Content_Type=json, Transfer_Encoding="chunked")
        until_the_end = head(Content_Type=json)
        for over in (b"", b"x"):
            for name, script in {
                "a length": [page(whole + over)],
                "chunks": [
                    chunked,
                    chunk % (MAX_BYTES, whole),
                    chunk % (1, over) if over else b"",
                    b"0\r\n\r\n",
                ],
                "small chunks": [
                    chunked,
                    (chunk % (8, b"x" * 8)) * (MAX_BYTES // 8),
                    chunk % (1, over) if over else b"",
                    b"0\r\n\r\n",
                ],
                "the end": [until_the_end, whole + over, End.PROPER],
            }.items():
                with self.subTest(name, over=bool(over)):
                    if over:
                        self.assert_fails(
                            ContactCode.TOO_LARGE,
                            lambda script=script: self.ask(*script),
                        )
                    else:
                        self.assertEqual(whole, self.ask(*script).body)

    def test_many_small_pieces_are_not_waited_for(self) -> None:
        chunked = head(
            Content_Type="application/json", Transfer_Encoding="chunked"
        )
        many = b"1\r\nx\r\n" * 10_000

        def endless() -> Iterator[bytes]:
            yield chunked
            while True:
                yield many

        server = self.serve(lambda _asked: endless())
        client = self.client_of(server, max_bytes=2**26)
        began = time.thread_time()
        error = self.assert_fails(
            ContactCode.TOO_LARGE, lambda: self.get(client)
        )
        self.assertLess(time.thread_time() - began, 1.0)
        self.assertIn("chunks of a few bytes", error)

    def test_pieces_of_a_sane_size_are_taken_however_many(self) -> None:
        chunk = b"200\r\n" + b"x" * 512 + b"\r\n"
        count = 8000
        chunked = head(
            Content_Type="application/json", Transfer_Encoding="chunked"
        )
        script = [chunked, chunk * count, b"0\r\n\r\n"]
        client = self.client_of(
            self.serve(lambda _asked: script), max_bytes=2**26
        )
        self.assertEqual(512 * count, len(self.get(client).body))

    def test_a_length_over_the_limit_is_refused_before_the_body(self) -> None:
        started = time.monotonic()
        self.assert_fails(
            ContactCode.TOO_LARGE,
            lambda: self.ask(
                head(
                    Content_Type="application/json",
                    Content_Length=MAX_BYTES + 1,
                ),
            ),
        )
        self.assertLess(time.monotonic() - started, 2)

    def test_an_empty_body(self) -> None:
        self.assertEqual(b"", self.ask(page(b"")).body)

    def test_a_status_that_was_asked_for_too(self) -> None:
        for status, body in (
            (304, b""),
            (404, b"<h1>"),
            (503, b"x"),
            (307, b""),
        ):
            with self.subTest(status):
                answer = self.ask(
                    page(body, "text/html", status)
                    if body
                    else head(status, Content_Length=0),
                    also=(status,),
                )
                self.assertEqual((status, body), (answer.status, answer.body))

    def test_of_all_that_went_well_the_media_type_counts(self) -> None:
        self.assertEqual(
            202, self.ask(head(202, Content_Length=0), also=(202,)).status
        )
        self.assertEqual(204, self.ask(head(204), also=(204,)).status)
        self.assertEqual(
            b"1", self.ask(page(b"1", status=226), also=(226,)).body
        )
        self.assert_fails(
            ContactCode.BAD_CONTENT_TYPE,
            lambda: self.ask(page(b"1", "text/html", 226), also=(226,)),
        )

    def test_where_a_redirect_leads_is_said_without_its_query(self) -> None:
        for location, said in (
            ("https://other.example:1/x?secret", "https://other.example:1 "),
            ("https://me:secret@other.example/", "https://other.example "),
            ("/elsewhere?secret", "elsewhere on the same server"),
            ("//other.example", "other.example"),
            ("https://[/", "somewhere"),
        ):
            with self.subTest(location):
                message = self.assert_fails(
                    ContactCode.REDIRECTED,
                    lambda location=location: self.ask(
                        page(status=301, Location=location)
                    ),
                )
                self.assertIn(said, message)
                self.assertNotIn("secret", message)

    def test_a_redirect_to_the_same_server_is_not_followed(self) -> None:
        server = self.serve(lambda _asked: [page(status=308, Location="/b")])
        self.assert_fails(
            ContactCode.REDIRECTED, lambda: self.get(self.client_of(server))
        )
        self.assertEqual(1, len(server.asked))

    def test_a_ragged_end_is_not_the_end_of_a_body(self) -> None:
        # a body that says no length ends with the connection
        start = head(Content_Type="application/json") + b"{}"
        self.assertEqual(b"{}", self.ask(start, End.PROPER).body)
        self.assert_fails(
            ContactCode.INTERRUPTED, lambda: self.ask(start, End.RAGGED)
        )

    def test_how_far_its_clock_is_off(self) -> None:
        at = 1_000_000_000.0
        for date, skew_s in (
            ("Sun, 09 Sep 2001 01:46:40 GMT", 0.0),
            ("Sun, 09 Sep 2001 01:47:40 GMT", 60.0),
            ("Sun, 09 Sep 2001 01:45:40 -0000", -60.0),
            ("Sun, 09 Sep 2001 02:46:40 +0100", 0.0),
            ("yesterday", None),
            ("Sun, 09 Sep 20010000 01:47:40 GMT", None),
            (None, None),
        ):
            with self.subTest(date):
                dated = {} if date is None else {"Date": date}
                server = self.serve(
                    lambda _asked, dated=dated: [page(b"{}", **dated)]
                )
                client = self.client_of(server, clock=lambda: at)
                self.assertEqual(skew_s, self.get(client).skew_s)


class KeptTest(HttpsTest):
    def test_a_connection_is_kept(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        for _ in range(5):
            self.get(client)
        self.assertEqual(1, server.connections)

    def test_not_one_that_the_server_ends(self) -> None:
        server = self.serve(lambda _asked: [page(b"{}", Connection="close")])
        client = self.client_of(server)
        self.get(client)
        self.get(client)
        self.assertEqual(2, server.connections)

    def test_not_one_that_says_something_unasked(self) -> None:
        server = self.serve(lambda _asked: [page(b"{}"), page(b"[]")])
        client = self.client_of(server)
        for _ in range(3):
            self.assertEqual(b"{}", self.get(client).body)
            time.sleep(0.02)

    def test_one_that_is_gone_is_opened_again(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        for ask in (
            lambda: self.get(client),
            lambda: client.post("", b"x", "text/plain", accept=()),
        ):
            self.get(client)
            server.hang_up()
            time.sleep(0.02)
            self.assertEqual(b"{}", ask().body)

    def test_one_that_goes_while_we_ask_is_opened_once_for_a_get(self) -> None:
        for end in (End.PROPER, End.RAGGED, End.RESET):
            with self.subTest(end):
                server = self.serve(_once_each_connection(end))
                client = self.client_of(server)
                for _ in range(3):
                    self.assertEqual(b"{}", self.get(client).body)
                self.assertEqual(3, server.connections)

    def test_and_never_for_a_post(self) -> None:
        server = self.serve(_once_each_connection(End.PROPER))
        client = self.client_of(server)
        self.get(client)
        self.assert_fails(
            ContactCode.INTERRUPTED,
            lambda: client.post("", b"x", "text/plain", accept=()),
        )
        self.assertEqual(2, len(server.asked))

    def test_nor_after_the_first_byte_of_an_answer(self) -> None:
        scripts = iter([[page(b"{}")], [b"H", End.RAGGED], [page(b"[]")]])
        server = self.serve(lambda _asked: next(scripts))
        client = self.client_of(server)
        self.get(client)
        self.assert_fails(ContactCode.INTERRUPTED, lambda: self.get(client))
        self.assertEqual(2, len(server.asked))

    def test_one_that_never_lives_is_opened_no_more_than_once(self) -> None:
        scripts = itertools.chain(
            [[page(b"{}")]], itertools.repeat([End.PROPER])
        )
        server = self.serve(lambda _asked: next(scripts))
        client = self.client_of(server)
        self.get(client)
        self.assert_fails(ContactCode.INTERRUPTED, lambda: self.get(client))
        self.assertEqual(3, len(server.asked))

    def test_a_server_that_came_back_is_asked_again(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        self.get(client)
        server.stop()
        self.assert_fails(ContactCode.UNREACHABLE, lambda: self.get(client))
        back = Server(fine, self.issued, port=server.port)
        self.addCleanup(back.stop)
        self.assertEqual(b"{}", self.get(client).body)


def _once_each_connection(end: End) -> Callable[[Asked], Script]:
    """Answer every first request of a connection; end it at the second."""
    answered = set()

    def answer(_asked: Asked) -> Script:
        here = threading.get_ident()
        if here in answered:
            answered.discard(here)
            return [end]
        answered.add(here)
        return [page(b"{}")]

    return answer


class SlowTest(HttpsTest):
    def assert_times_out(self, client: Client) -> str:
        started = time.monotonic()
        message = self.assert_fails(
            ContactCode.TIMED_OUT, lambda: self.get(client)
        )
        took_s = time.monotonic() - started
        self.assertGreater(took_s, DEADLINE_S * 0.9)
        self.assertLess(took_s, DEADLINE_S + 1)
        self.assertIn(f"not done within {DEADLINE_S:g} s", message)
        return message

    def full(self) -> int:
        """Return a port at which nobody takes up connections any more."""
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            sock = socket.socket()
            self.addCleanup(sock.close)
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        return listener.getsockname()[1]

    def test_while_connecting(self) -> None:
        client = self.client_of(
            f"https://127.0.0.1:{self.full()}", deadline_s=DEADLINE_S
        )
        self.assertIn("connecting", self.assert_times_out(client))

    def test_in_the_handshake(self) -> None:
        server = self.serve()
        server.mute = True
        client = self.client_of(server, deadline_s=DEADLINE_S)
        self.assertIn("in the TLS handshake", self.assert_times_out(client))

    def test_a_server_that_reads_slowly(self) -> None:
        server = self.serve()
        server.context = _SlowReader(server)  # type: ignore[assignment]
        client = self.client_of(server, deadline_s=30)
        self.get(client)
        started = time.monotonic()
        message = self.assert_fails(
            ContactCode.TIMED_OUT,
            lambda: client.post(
                "",
                b"x" * 50_000_000,
                "text/plain",
                accept=(),
                deadline_s=DEADLINE_S,
            ),
        )
        self.assertLess(time.monotonic() - started, DEADLINE_S + 1)
        self.assertIn("waiting for an answer", message)

    def test_one_exchange_may_take_longer_than_others(self) -> None:
        server = self.serve(lambda _asked: [DEADLINE_S * 1.5, page(b"{}")])
        client = self.client_of(server, deadline_s=DEADLINE_S)
        self.assert_times_out(client)
        self.assertEqual(b"{}", self.get(client, deadline_s=9).body)

    def test_another_address_of_the_name_is_tried(self) -> None:
        server = self.serve()
        found = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0)),
            (
                socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                ("127.0.0.1", self.full()),
            ),
            (
                socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                ("127.0.0.1", server.port),
            ),
        ]
        with unittest.mock.patch("socket.getaddrinfo", return_value=found):
            client = self.client_of("https://localhost", deadline_s=1)
            self.assertEqual(b"{}", self.get(client).body)


class _SlowReader:
    """In place of a server's context: one answer, and then hardly a byte."""

    def __init__(self, server: Server) -> None:
        self._context = server.context
        self._stopping = server.stopping

    def wrap_socket(self, sock: socket.socket, server_side: bool) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        secured = self._context.wrap_socket(sock, server_side=True)
        with secured:
            secured.recv(4096)
            secured.sendall(page(b"{}"))
            while not self._stopping.wait(0.01):
                secured.recv(1024)
        raise ConnectionAbortedError


class CloseTest(HttpsTest):
    def assert_interrupts(self, client: Client) -> None:
        timer = threading.Timer(0.1, client.close)
        timer.start()
        self.addCleanup(timer.join)
        started = time.monotonic()
        message = self.assert_fails(
            ContactCode.INTERRUPTED, lambda: self.get(client)
        )
        self.assertLess(time.monotonic() - started, 2)
        self.assertIn("told to stop", message)

    def test_interrupts_connecting(self) -> None:
        port = SlowTest.full(self)  # type: ignore[arg-type]
        self.assert_interrupts(self.client_of(f"https://127.0.0.1:{port}"))

    def test_interrupts_a_handshake(self) -> None:
        server = self.serve()
        server.mute = True
        self.assert_interrupts(self.client_of(server))

    def test_interrupts_waiting_for_an_answer(self) -> None:
        server = self.serve(lambda _asked: [99.0])
        client = self.client_of(server)
        self.assert_interrupts(client)
        server.answer = fine
        self.assertEqual(b"{}", self.get(client).body)

    def test_interrupts_a_kept_connection_for_good(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        self.get(client)
        server.answer = lambda _asked: [99.0]
        self.assert_interrupts(client)
        self.assertEqual(2, len(server.asked))

    def test_interrupts_a_body(self) -> None:
        server = self.serve(
            lambda _asked: [head(Content_Type="application/json"), 99.0]
        )
        self.assert_interrupts(self.client_of(server))

    def test_interrupts_a_body_that_does_not_stop(self) -> None:
        server = self.serve(
            lambda _asked: itertools.chain(
                [head(Content_Type="application/json")],
                itertools.repeat(b" " * 100),
            )
        )
        self.assert_interrupts(
            self.client_of(server, max_bytes=10**12, deadline_s=60)
        )

    def test_lets_go_of_a_connection_that_nobody_uses(self) -> None:
        server = self.serve()
        client = self.client_of(server)
        client.close()
        for _ in range(2):
            self.get(client)
            client.close()
            client.close()
        self.assertEqual(2, server.connections)

    def test_at_any_moment(self) -> None:
        # whatever it hits, an answer or a failure comes out, and no socket
        # of anybody else is touched
        server = self.serve()
        client = self.client_of(server)
        stop = threading.Event()

        def nag() -> None:
            while not stop.wait(0.0007):
                client.close()

        nagger = threading.Thread(target=nag)
        nagger.start()
        self.addCleanup(nagger.join)
        self.addCleanup(stop.set)
        outcomes = set()
        for _ in range(300):
            try:
                outcomes.add(self.get(client).status)
            except ContactFailed as exc:
                outcomes.add(exc.reason)
        self.assertLessEqual(outcomes, {200, ContactCode.INTERRUPTED})
        stop.set()
        nagger.join()
        self.assertEqual(b"{}", self.get(client).body)
