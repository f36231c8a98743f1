# SPDX-License-Identifier: Apache-2.0
"""Results over HTTPS: a real server, a real feed, and what may go wrong.

No Nova; the last class has its objects, and a scheduler's worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import ssl
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from unittest import mock

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler import sources
from nfv_mla_scheduler.collector.server import new_server
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.feed import results_client
from nfv_mla_scheduler.feed import results_url
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.refresher import Refresher
from nfv_mla_scheduler.results import delta
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings
from tests import policies
from tests.authorities.certificates import Issued
from tests.authorities.certificates import make_ca
from tests.unit.collector.asking import status
from tests.unit.feed import files
from tests.unit.feed.files import NOW
from tests.unit.feed.files import results
from tests.unit.feed.files import version
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.test_worker import in_child

HERE = "127.0.0.1"
WORSE = {**site.ALL_GOOD, site.GOOD_1: site.Said(site.tpm("virtual"))}
MORE = [f"other-{number:03}" for number in range(50)]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HERE, 0)) as listening:
        return int(listening.getsockname()[1])


class Collectors:
    """A directory of certificates, and collectors that serve over HTTPS."""

    def __init__(self, test: unittest.TestCase) -> None:
        self._test = test
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.ca = make_ca()
        self.ca_file = self.ca.write(self.directory)
        self.issued = self.ca.issue_server(self.directory, HERE)
        self.client = self.ca.issue_client(self.directory)

    def serve(
        self, shelf: Shelf, port: int = 0, issued: Issued | None = None
    ) -> Server:
        """Start a server, which ends with the test."""
        issued = issued or self.issued
        server = new_server(
            ServerSettings(
                HERE, port, issued.cert_file, issued.key_file, self.ca_file
            ),
            shelf,
            status,
            lambda authority, attesters: True,
            waiting_max=8,
        )
        server.start()
        self._test.addCleanup(server.stop)
        return server

    def options(self, port: int) -> dict[str, Any]:
        """Return the options that lead to a server."""
        return {
            "results": "https",
            "results_url": f"https://{HERE}:{port}/v1/results",
            "results_ca_file": str(self.ca_file),
            "results_cert_file": str(self.client.cert_file),
            "results_key_file": str(self.client.key_file),
        }


class HttpsTestCase(unittest.TestCase):
    """A feed as a worker has it, refreshed in the background.

    Its clock stands still; nothing but news wakes it.
    """

    def setUp(self) -> None:
        super().setUp()
        self.collectors = Collectors(self)
        self.shelf = Shelf()
        # A port of its own from the start, which a successor can take over.
        self.server = self.collectors.serve(self.shelf, free_port())
        self.news: list[News] = []
        self.now = NOW + 10
        self.took: list[float] = []
        pauses = {"BACKOFF_S": 0.01, "BACKOFF_MAX_S": 0.05, "BREATH_S": 0.01}
        for name, seconds in pauses.items():
            quick = mock.patch.object(results_url, name, seconds)
            quick.start()
            self.addCleanup(quick.stop)

    def follow(self, **changed: Any) -> None:
        """Start a feed that follows the server."""
        directory = self.collectors.directory
        policy = directory / "policy.json"
        policy.write_bytes(version(7))
        keys = []
        for name in policies.NAMES:
            keys.append(directory / f"{name}.pub")
            keys[-1].write_text(policies.public_pem(name))
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf([], default_config_files=[], default_config_dirs=[])
        values = {
            "policy_file": str(policy),
            "officer_keys": [str(key) for key in keys],
            "state_dir": str(directory / "state"),
            **self.collectors.options(self.server.port),
            **changed,
        }
        for name, value in values.items():
            conf.set_override(name, value, group="nfv_mla")
        wake = threading.Event()
        self.feed = sources.new_feed(
            options.settings(conf), conf, dict, self.news.append, wake
        )
        self.addCleanup(self.feed.close)
        self.refresher = Refresher(self._refresh, 60, wake=wake)
        self.addCleanup(self.refresher.stop)
        self.refresher.start()

    def _refresh(self, _: float) -> None:
        began = time.monotonic()
        self.feed.refresh(self.now)
        self.took.append(time.monotonic() - began)

    def value(self) -> str | None:
        """Return what the results say of a host's TPM."""
        record = self.feed.snapshot.records.get(files.BER_1_UUID)
        if record is None or not record.results:
            return None
        (value,) = record.results[0].claims["tpm"].values[""]
        return value

    def codes(self) -> list[str]:
        """Return what was told of results."""
        return [n.code for n in self.news if n.subject == "results"]

    def wait_for(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), end, self.news)
            time.sleep(0.002)

    def last(self) -> News:
        return [n for n in self.news if n.subject == "results"][-1]


class FollowsTest(HttpsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.shelf.put(results(at=NOW + 1, more=MORE))
        self.follow()
        self.wait_for(self.value)

    def test_a_change_is_seen_within_a_second(self) -> None:
        self.assertEqual(["loaded"], self.codes())
        for number, value in enumerate(("virtual", "hardware") * 5, start=2):
            self.shelf.put(results(value, NOW + number, more=MORE))
            began = time.monotonic()
            self.wait_for(lambda wanted=value: self.value() == wanted)
            self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(["loaded"], self.codes())

    def test_only_changes_travel(self) -> None:
        with mock.patch.object(
            results_client.delta, "apply", wraps=delta.apply
        ) as applied:
            for number, value in ((2, "virtual"), (3, "hardware")):
                data = results(
                    value, NOW + 1, issued_at=NOW + number, more=MORE
                )
                self.shelf.put(data)
                self.wait_for(lambda wanted=value: self.value() == wanted)
                made = applied.call_args.args[1]
                self.assertLess(len(made), len(data) / 4)
        self.assertEqual(2, applied.call_count)

    def test_a_collector_that_is_killed_takes_nothing_with_it(self) -> None:
        port, before = self.server.port, self.feed.snapshot
        self.server.stop()
        self.wait_for(lambda: len(self.codes()) == 2)
        news = self.last()
        self.assertEqual("results-unreadable", news.code)
        self.assertIn(f"the collector: {HERE}:{port}", news.text)
        # many attempts later nothing else is told, and nothing was lost
        rounds = len(self.took)
        time.sleep(0.5)
        self.assertLessEqual(len(self.codes()), 3, self.news)
        self.assertIs(before, self.feed.snapshot)
        self.assertGreaterEqual(len(self.took), rounds)
        # its successor knows nothing of what we have
        shelf = Shelf()
        shelf.put(results("virtual", NOW + 9))
        self.collectors.serve(shelf, port)
        self.wait_for(lambda: self.value() == "virtual")
        self.assertEqual("loaded", self.codes()[-1])

    def test_a_collector_that_is_back_with_the_same_is_told(self) -> None:
        port, newest = self.server.port, self.shelf.newest()
        assert newest is not None
        self.server.stop()
        self.wait_for(lambda: len(self.codes()) >= 2)
        shelf = Shelf()
        shelf.put(newest.data)
        self.collectors.serve(shelf, port)
        self.wait_for(lambda: self.codes()[-1] == "loaded")

    def test_a_document_of_another_key_is_refused(self) -> None:
        self.shelf.put(results("virtual", NOW + 2, signer="mallory"))
        self.wait_for(lambda: len(self.codes()) == 2)
        self.assertEqual("results-wrong-key", self.last().code)
        self.assertEqual("hardware", self.value())
        self.shelf.put(results("virtual", NOW + 3))
        self.wait_for(lambda: self.value() == "virtual")
        self.assertEqual("loaded", self.codes()[-1])

    def test_a_document_of_another_collector_is_refused(self) -> None:
        other = results(
            "virtual",
            NOW + 2,
            collector="collector-b",
            signer="collector-b",
        )
        self.shelf.put(other)
        self.wait_for(lambda: len(self.codes()) == 2)
        self.assertEqual("results-wrong-key", self.last().code)
        self.assertEqual("hardware", self.value())

    def test_an_older_document_is_refused(self) -> None:
        self.shelf.put(results("virtual", NOW))
        self.wait_for(lambda: len(self.codes()) == 2)
        self.assertEqual("results-rolled-back", self.last().code)
        self.assertEqual("hardware", self.value())

    def test_the_feed_ends_at_once_while_its_thread_waits(self) -> None:
        began = time.monotonic()
        self.feed.close()
        self.assertLess(time.monotonic() - began, 1.0)
        names = [thread.name for thread in threading.enumerate()]
        self.assertNotIn("nfv-mla results", names)
        self.assertEqual(["loaded"], self.codes())


class RefusedTest(HttpsTestCase):
    """There is no way to the document, and the operator is told why."""

    def setUp(self) -> None:
        super().setUp()
        self.shelf.put(results())

    def _assert_told(
        self, word: str, code: str = "results-unreadable"
    ) -> None:
        self.wait_for(self.codes)
        self.assertEqual(code, self.last().code)
        self.assertIn("the collector: ", self.last().text)
        self.assertIn(word, self.last().text)
        self.assertIsNone(self.feed.snapshot.document)
        self.assertTrue(self.feed.settled)
        time.sleep(0.2)
        self.assertEqual(1, len(self.codes()), self.news)

    def _other(self, name: str) -> pathlib.Path:
        other = self.collectors.directory / name
        other.mkdir()
        return other

    def test_a_server_of_another_ca(self) -> None:
        ca_file = make_ca("another").write(self._other("x"))
        self.follow(results_ca_file=str(ca_file))
        self._assert_told("not of a CA in ca_file")

    def test_a_server_of_another_name(self) -> None:
        issued = self.collectors.ca.issue_server(self._other("x"), "localhost")
        self.server = self.collectors.serve(self.shelf, issued=issued)
        self.follow()
        self._assert_told("for another name")

    def test_a_certificate_that_does_not_let_us_in(self) -> None:
        issued = make_ca("another").issue_client(self._other("x"))
        self.follow(
            results_cert_file=str(issued.cert_file),
            results_key_file=str(issued.key_file),
        )
        self._assert_told("does not know the CA of our certificate")

    def test_a_file_that_is_missing(self) -> None:
        self.follow(results_key_file="/nonexistent/x.key")
        self._assert_told("cannot be used")

    def test_a_path_that_there_is_not(self) -> None:
        url = f"https://{HERE}:{self.server.port}/v2/results"
        self.follow(results_url=url)
        self._assert_told("404")

    def test_something_else_at_the_path(self) -> None:
        url = f"https://{HERE}:{self.server.port}/v1/status"
        self.follow(results_url=url)
        self._assert_told("application/json")

    def test_nobody_at_the_port(self) -> None:
        self.server.stop()
        self.follow()
        self._assert_told("refused")

    def test_more_than_is_read(self) -> None:
        self.shelf.put(b"x" * (2**16 + 1))
        self.follow(results_max_bytes=2**16)
        self._assert_told("longer than 65536 bytes", "results-too-large")

    def test_a_collector_that_has_nothing_yet(self) -> None:
        self.shelf = Shelf()
        self.server = self.collectors.serve(self.shelf)
        self.follow()
        self._assert_told("no results document yet", "results-missing")
        self.shelf.put(results())
        self.wait_for(self.value)
        self.assertEqual(["results-missing", "loaded"], self.codes())


class SlowTest(HttpsTestCase):
    """A server that is slow delays no refresh."""

    @contextlib.contextmanager
    def _bad_server(
        self, behave: Callable[[ssl.SSLSocket], None]
    ) -> Iterator[int]:
        """Yield the port of a server that behaves badly once it is asked."""
        issued = self.collectors.issued
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.cert_file, issued.key_file)
        listening = socket.create_server((HERE, 0))
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                    secured = context.wrap_socket(sock, server_side=True)
                    held.append(secured)
                    behave(secured)
                except OSError:
                    if listening.fileno() < 0:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            for sock in held:
                sock.close()
            thread.join(5)

    def _assert_never_delayed(self, port: int) -> None:
        self.follow(**self.collectors.options(port))
        self.wait_for(lambda: self.feed.snapshot.policy)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            self.refresher.hurry()
            time.sleep(0.01)
        self.assertGreater(len(self.took), 50)
        # loading the policy takes its time, once
        self.assertLess(sorted(self.took)[-2], 0.1)
        began = time.monotonic()
        self.feed.close()
        self.assertLess(time.monotonic() - began, 1.0)

    def test_one_that_never_answers(self) -> None:
        with self._bad_server(lambda sock: None) as port:
            self._assert_never_delayed(port)
        self.assertEqual([], self.codes())

    def test_one_that_sends_a_byte_at_a_time(self) -> None:
        over = threading.Event()
        self.addCleanup(over.set)

        def trickle(sock: ssl.SSLSocket) -> None:
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
                sock.send(bytes([byte]))
                if over.wait(0.05):
                    return

        with self._bad_server(trickle) as port:
            self._assert_never_delayed(port)

    def test_one_that_does_not_even_shake_hands(self) -> None:
        with socket.create_server((HERE, 0)) as silent:
            self._assert_never_delayed(silent.getsockname()[1])

    def test_one_that_leaves_in_the_middle(self) -> None:
        def leave(sock: ssl.SSLSocket) -> None:
            sock.recv(10_000)
            sock.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n"
                b"Content-Type: application/vnd.nfv-mla.results\r\n\r\nhalf"
            )
            sock.close()

        with self._bad_server(leave) as port:
            self._assert_never_delayed(port)
        self.assertEqual(["results-unreadable"], self.codes())
        self.assertIn("ended the connection", self.last().text)


class WorkerTest(site.SiteTestCase):
    """nova-scheduler's worker with ``results = https``."""

    def setUp(self) -> None:
        super().setUp()
        self.collectors = Collectors(self)
        self.shelf = Shelf()
        server = self.collectors.serve(self.shelf)
        self.set(
            results_file="",
            # results that come are taken at once, whatever the interval
            refresh_interval_s=60.0,
            **self.collectors.options(server.port),
        )
        self.site.put_policy()
        self.put()

    def put(self, said: Any = site.ALL_GOOD) -> None:
        self.site.put_results(said)
        self.shelf.put(self.site.results_file.read_bytes())

    def _left(self, filter_: NfvMlaFilter) -> list[str]:
        hosts = site.states(site.GOOD_1, site.GOOD_2)
        return site.names(filter_.filter_all(hosts, site.spec(TPM)))

    def test_the_first_request_has_results(self) -> None:
        self.assertEqual(
            [site.GOOD_1, site.GOOD_2], self._left(NfvMlaFilter())
        )

    def test_the_first_request_waits_no_longer_than_it_may(self) -> None:
        with socket.create_server((HERE, 0)) as silent:
            self.set(
                first_load_timeout_s=0.3,
                **self.collectors.options(silent.getsockname()[1]),
            )
            began = time.monotonic()
            with self.assertLogs("nfv_mla_scheduler", "WARNING") as logs:
                self.assertEqual([], self._left(NfvMlaFilter()))
            self.assertLess(time.monotonic() - began, 3)
            worker.stop_all()
        self.assertIn("has not loaded", logs.output[0])

    def test_a_change_is_seen_within_a_second(self) -> None:
        filter_ = NfvMlaFilter()
        self.assertEqual(2, len(self._left(filter_)))
        began = time.monotonic()
        self.put(WORSE)
        self.wait_for(lambda: self._left(filter_) == [site.GOOD_2])
        self.assertLess(time.monotonic() - began, 1.0)

    def test_children_each_have_a_thread_of_their_own(self) -> None:
        filter_ = NfvMlaFilter()
        self.assertEqual(2, len(self._left(filter_)))

        def serve(answers: Any) -> None:
            first = self._left(filter_)
            answers.write(json.dumps(first) + "\n")
            end = time.monotonic() + 10
            while self._left(filter_) == first and time.monotonic() < end:
                time.sleep(0.005)
            answers.write(json.dumps(self._left(filter_)) + "\n")

        children = [in_child(serve) for _ in range(3)]
        pipes = [(pid, os.fdopen(fd)) for pid, fd in children]
        for _, answers in pipes:
            self.assertEqual(2, len(json.loads(answers.readline())))
        self.put(WORSE)
        for pid, answers in pipes:
            self.assertEqual([site.GOOD_2], json.loads(answers.readline()))
            answers.close()
            self.assertEqual(0, os.waitpid(pid, 0)[1])
        # and so has the parent, still
        self.wait_for(lambda: self._left(filter_) == [site.GOOD_2])

    def test_stopping_ends_the_thread(self) -> None:
        self._left(NfvMlaFilter())
        began = time.monotonic()
        worker.stop_all()
        self.assertLess(time.monotonic() - began, 2)
        names = [thread.name for thread in threading.enumerate()]
        self.assertNotIn("nfv-mla results", names)

    def test_a_collector_that_cannot_be_reached_refuses_who_asks(self) -> None:
        self.set(results_url=f"https://{HERE}:9/v1/results")
        filter_ = NfvMlaFilter()
        self.assertEqual([], self._left(filter_))
        hosts = site.states(site.GOOD_1)
        self.assertEqual(
            [site.GOOD_1], site.names(filter_.filter_all(hosts, site.spec()))
        )
        codes = [e["fields"].get("code") for e in self.site.events()]
        self.assertEqual(1, codes.count("results-unreadable"))
