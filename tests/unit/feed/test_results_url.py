# SPDX-License-Identifier: Apache-2.0
"""The thread that waits for a collector's documents, and never its reader."""

from __future__ import annotations

import logging
import threading
import time
import unittest
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from unittest import mock

from nfv_mla_scheduler.collector.app import App
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed import results_client
from nfv_mla_scheduler.feed import results_url
from nfv_mla_scheduler.feed.results_client import ResultsClient
from nfv_mla_scheduler.feed.results_url import WatchedUrl
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import TooLarge
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.https import Answer
from tests.unit.collector.asking import Getting
from tests.unit.collector.asking import status
from tests.unit.collector.test_shelf import document
from tests.unit.collector.test_shelf import tag

MAX_BYTES = 2**20
LOG = results_url.LOG


class Answering:
    """A server that answers what a test has prepared, in order.

    :param answers: or errors; the last one again and again
    """

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, str]] = []

    def get(
        self,
        path_or_query: str = "",
        *,
        accept: Sequence[str],
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        also: Container[int] = (),
    ) -> Answer:
        self.asked.append(dict(headers or {}))
        answer = self.answers[0]
        if len(self.answers) > 1:
            del self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


class Silent(Answering):
    """A server that never answers; closing the client wakes it."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = threading.Event()

    def get(self, *args: object, **kwargs: object) -> Answer:  # type: ignore[override]
        self.asked.append({})
        self.woken.wait(30)
        raise ContactFailed(ContactCode.INTERRUPTED, "told to stop")

    def close(self) -> None:
        self.woken.set()


def answer(code: int, body: bytes = b"", etag: str = "") -> Answer:
    return Answer(code, {"etag": etag} if etag else {}, body, None)


def failed(code: ContactCode = ContactCode.UNREACHABLE) -> ContactFailed:
    return ContactFailed(code, f"a:1: {code.value}")


class WatchedTestCase(unittest.TestCase):
    def watch(
        self,
        server: object,
        wake: Callable[[], None] = lambda: None,
        **more: object,
    ) -> WatchedUrl:
        """Return what watches a server; no thread runs yet."""
        client = ResultsClient(
            lambda: server,  # type: ignore[arg-type,return-value]
            MAX_BYTES,
            **more,  # type: ignore[arg-type]
        )
        watched = WatchedUrl(client, wake)
        self.addCleanup(watched.close)
        return watched

    def rounds(self, watched: WatchedUrl, count: int = 1) -> list[float]:
        """Do what the thread would; return the pauses after each round."""
        watched._thread = threading.Thread()
        return [watched._round() for _ in range(count)]

    def look(self, watched: WatchedUrl, good: bool = True) -> bytes | None:
        """Do what a reader would; return what it got."""
        data = watched.changed()
        if data is not None:
            watched.judged(data, good)
        return data

    def fault(self, watched: WatchedUrl) -> Unread:
        with self.assertRaises(Unread) as caught:
            watched.changed()
        return caught.exception

    def wait_until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 5
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.001)


class CollectorTest(WatchedTestCase):
    """With the collector's own application at the other end."""

    def setUp(self) -> None:
        self.shelf = Shelf()
        self.addCleanup(self.shelf.close)
        self.client = Getting(App(self.shelf, status, lambda *_: True))

    def test_a_document_is_returned_once(self) -> None:
        watched = self.watch(self.client, wait_s=0)
        self.shelf.put(document(1))
        self.rounds(watched)
        self.assertEqual(document(1), watched.changed())
        self.rounds(watched, 3)
        self.assertIsNone(watched.changed())
        watched.forget()
        self.assertEqual(document(1), watched.changed())

    def test_the_next_one_is_rebuilt_from_what_has_changed(self) -> None:
        watched = self.watch(self.client, wait_s=0)
        for number in (1, 2, 3):
            self.shelf.put(document(number))
            self.rounds(watched)
            self.assertEqual(document(number), self.look(watched))
        first, *others = self.client.asked
        self.assertNotIn("A-IM", first)
        self.assertNotIn("If-None-Match", first)
        for number, headers in enumerate(others, start=1):
            self.assertEqual("nfv-mla-entries", headers["A-IM"])
            self.assertEqual(f'"{tag(number)}"', headers["If-None-Match"])

    def test_only_the_newest_is_returned(self) -> None:
        watched = self.watch(self.client, wait_s=0)
        for number in (1, 2):
            self.shelf.put(document(number))
            self.rounds(watched)
        self.assertEqual(document(2), watched.changed())
        self.assertIsNone(watched.changed())

    def test_the_whole_one_is_asked_for_when_changes_lead_nowhere(
        self,
    ) -> None:
        watched = self.watch(self.client, wait_s=0)
        now = [100.0]
        watched._client._clock = lambda: now[0]
        self.shelf.put(document(1))
        self.rounds(watched)
        self.look(watched)
        client = watched._client
        client._data = client._verified = b"quite,another"
        self.shelf.put(document(2))
        with self.assertLogs(results_client.LOG, logging.INFO) as logs:
            self.rounds(watched)
        self.assertEqual(document(2), self.look(watched))
        self.assertEqual(1, len(logs.output))
        before, after = self.client.asked[-2:]
        self.assertIn("A-IM", before)
        self.assertNotIn("A-IM", after)
        # and changes again only after a while
        for number, now[0], changes in ((3, 159.0, False), (4, 160.0, True)):
            self.shelf.put(document(number))
            self.rounds(watched)
            self.assertEqual(document(number), self.look(watched))
            self.assertEqual(changes, "A-IM" in self.client.asked[-1])

    def test_a_thread_waits_for_the_next_one(self) -> None:
        woken = threading.Event()
        watched = self.watch(self.client, wake=woken.set, wait_s=20)
        self.shelf.put(document(1))
        self.assertIsNone(watched.changed())
        self.assertTrue(woken.wait(5))
        self.assertEqual(document(1), self.look(watched))
        woken.clear()
        self.wait_until(lambda: len(self.client.asked) == 2)
        self.shelf.put(document(2))
        self.assertTrue(woken.wait(5))
        self.assertEqual(document(2), watched.changed())
        self.shelf.close()

    def test_without_a_document_the_collector_says_so(self) -> None:
        watched = self.watch(self.client, wait_s=0)
        self.rounds(watched)
        fault = self.fault(watched)
        self.assertIsInstance(fault, Missing)
        self.assertEqual("there is no results document yet", fault.reason)


class FaultsTest(WatchedTestCase):
    def test_what_fails_is_told_until_it_is_mended(self) -> None:
        server = Answering(
            answer(200, b"one", '"1"'), failed(), failed(), answer(304)
        )
        watched = self.watch(server)
        self.rounds(watched)
        self.assertEqual(b"one", watched.changed())
        self.rounds(watched, 2)
        for _ in range(3):
            fault = self.fault(watched)
            self.assertEqual("contact-unreachable", fault.same)
        self.rounds(watched)
        # what comes after a fault counts as changed
        self.assertEqual(b"one", watched.changed())
        self.assertIsNone(watched.changed())

    def test_each_kind_of_fault(self) -> None:
        cases: tuple[tuple[Answer | Exception, type[Unread], str], ...] = (
            (failed(ContactCode.TLS), Unread, "contact-tls"),
            (failed(ContactCode.TOO_LARGE), TooLarge, "contact-too-large"),
            (answer(503, b'{"error": "busy"}'), Missing, "busy"),
            (answer(503, b"<html>"), Missing, "no results document"),
            (answer(503, b'{"error": ["x"]}'), Missing, "no results"),
            (answer(503, b'{"error": ""}'), Missing, "no results"),
            (answer(503, b"[" * 9999), Missing, "no results"),
            (answer(226, b"{}"), Unread, "changes, which nobody asked for"),
            (SettingsError("ca_file: no"), Unread, "ca_file: no"),
        )
        for said, kind, word in cases:
            with self.subTest(said=said):
                watched = self.watch(Answering(said))
                self.rounds(watched)
                fault = self.fault(watched)
                self.assertIs(kind, type(fault))
                self.assertIn(word, fault.reason)
                self.assertLessEqual(len(fault.reason), 240)

    def test_a_client_that_cannot_be_made_is_made_later(self) -> None:
        made: list[object] = [
            SettingsError("ca_file: cannot be used"),
            Answering(answer(200, b"one")),
        ]

        def connect() -> object:
            found = made.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        client = ResultsClient(connect, MAX_BYTES)  # type: ignore[arg-type]
        watched = WatchedUrl(client)
        self.rounds(watched)
        self.assertIn("ca_file", self.fault(watched).reason)
        self.rounds(watched, 2)
        self.assertEqual(b"one", watched.changed())

    def test_a_fault_of_ours_is_logged_once(self) -> None:
        watched = self.watch(Answering(ValueError("odd")))
        with self.assertLogs(LOG, logging.ERROR) as logs:
            self.rounds(watched, 3)
        self.assertEqual(1, len(logs.output))
        self.assertIn("ValueError: odd", self.fault(watched).reason)

    def test_changes_that_nobody_asked_for_after_changes_that_lead_nowhere(
        self,
    ) -> None:
        server = Answering(
            answer(200, b"one", '"1"'), answer(226, b"{}", '"2"')
        )
        watched = self.watch(server)
        self.rounds(watched)
        self.look(watched)
        self.rounds(watched)
        self.assertIn("nobody asked", self.fault(watched).reason)
        self.assertEqual(3, len(server.asked))
        self.assertNotIn("A-IM", server.asked[-1])

    def test_a_tag_that_is_none_is_not_sent_back(self) -> None:
        for etag in ("", "1", '"', '"a"b"', '"' + "x" * 300 + '"', '"ü"'):
            server = Answering(answer(200, b"one", etag))
            self.rounds(self.watch(server), 2)
            self.assertEqual({"Prefer"}, set(server.asked[-1]), etag)

    def test_a_weak_tag_is_sent_back_as_it_is(self) -> None:
        server = Answering(answer(200, b"one", 'W/"1"'))
        self.rounds(self.watch(server), 2)
        self.assertEqual('W/"1"', server.asked[-1]["If-None-Match"])

    def test_the_same_document_again_is_nothing_new(self) -> None:
        watched = self.watch(Answering(answer(200, b"one")))
        self.rounds(watched)
        self.assertEqual(b"one", watched.changed())
        self.rounds(watched, 3)
        self.assertIsNone(watched.changed())


class UntrustedTest(WatchedTestCase):
    """What was not verified costs no more than to look at it."""

    def test_changes_are_asked_for_only_of_what_was_verified(self) -> None:
        for good, asked in ((None, False), (False, False), (True, True)):
            with self.subTest(good=good):
                one = answer(200, b"one", '"1"')
                server = Answering(one, answer(304))
                watched = self.watch(server)
                self.rounds(watched)
                if good is not None:
                    self.look(watched, good)
                self.rounds(watched)
                self.assertEqual(asked, "A-IM" in server.asked[-1])
                self.assertEqual('"1"', server.asked[-1]["If-None-Match"])

    def test_changes_of_what_was_not_verified_are_not_looked_at(self) -> None:
        server = Answering(
            answer(200, b"one", '"1"'), answer(226, b"{}", '"2"')
        )
        watched = self.watch(server)
        self.rounds(watched)
        self.look(watched, False)
        with mock.patch.object(results_client.delta, "apply") as applied:
            self.rounds(watched)
        applied.assert_not_called()
        self.assertIn("nobody asked", self.fault(watched).reason)

    def test_after_changes_to_what_is_not_verified_the_whole_is_asked_for(
        self,
    ) -> None:
        shelf = Shelf()
        shelf.put(document(1))
        shelf.put(document(2))
        newest = shelf.newest()
        assert newest is not None
        changes = shelf.delta(tag(1), newest)
        assert changes is not None
        server = Answering(
            answer(200, document(1), '"1"'),
            answer(226, changes, '"2"'),
            answer(200, document(3), '"3"'),
            answer(304),
        )
        watched = self.watch(server)
        now = [100.0]
        watched._client._clock = lambda: now[0]
        self.rounds(watched)
        self.look(watched)
        self.rounds(watched)
        self.assertEqual(document(2), self.look(watched, False))
        self.assertGreaterEqual(watched._heard(), results_url.BACKOFF_S)
        self.rounds(watched)
        self.assertEqual({"Prefer"}, set(server.asked[-1]))
        self.assertEqual(document(3), self.look(watched))
        self.rounds(watched)
        self.assertNotIn("A-IM", server.asked[-1])
        now[0] += results_client.WHOLE_S
        self.rounds(watched)
        self.assertIn("A-IM", server.asked[-1])

    def test_whoever_sends_what_is_refused_is_asked_ever_less(self) -> None:
        answers = [answer(200, b"%d" % n, f'"{n}"') for n in range(20)]
        watched = self.watch(Answering(*answers))
        pauses = []
        with mock.patch.object(
            results_url.random, "uniform", side_effect=lambda low, high: high
        ):
            for good in (*[False] * 6, True, False):
                self.rounds(watched)
                self.look(watched, good)
                pauses.append(watched._heard())
        self.assertEqual([1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 0.0, 1.0], pauses)

    def test_the_same_document_is_held_against_a_server_once(self) -> None:
        watched = self.watch(Answering(answer(200, b"one", '"1"')))
        self.rounds(watched)
        for _ in range(5):
            self.look(watched, False)
            watched.forget()
        self.assertLessEqual(watched._heard(), 2 * results_url.BACKOFF_S)
        self.assertEqual(0.0, watched._heard())

    def test_the_next_is_not_asked_for_before_the_last_is_judged(self) -> None:
        server = Answering(
            answer(200, b"one", '"1"'), answer(200, b"two", '"2"')
        )
        watched = self.watch(server)
        self.addCleanup(watched.close)
        watched.changed()
        self.wait_until(lambda: watched._unseen)
        time.sleep(3 * results_url.BREATH_S)
        self.assertEqual(1, len(server.asked))
        self.look(watched)
        self.wait_until(lambda: len(server.asked) == 2)

    def test_what_came_before_a_fault_is_returned_before_it(self) -> None:
        server = Answering(
            answer(200, b"one", '"1"'), answer(200, b"two", '"2"'), failed()
        )
        watched = self.watch(server)
        self.rounds(watched)
        self.assertEqual(b"one", watched.changed())
        self.rounds(watched, 2)
        self.assertEqual(b"two", watched.changed())
        self.assertEqual("contact-unreachable", self.fault(watched).same)

    def test_nothing_can_be_the_same_as_no_document(self) -> None:
        server = Answering(answer(304))
        watched = self.watch(server)
        self.rounds(watched, 2)
        fault = self.fault(watched)
        self.assertEqual("contact-bad-answer", fault.same)
        self.assertIn("304", fault.reason)
        self.assertEqual("wait=1", server.asked[-1]["Prefer"])

    def test_lines_that_a_server_brings_about_are_few(self) -> None:
        class Alternating(Answering):
            count = 0

            def get(self, *args: object, **more: object) -> Answer:  # type: ignore[override]
                self.count += 1
                if "A-IM" in (more["headers"] or {}):  # type: ignore[operator]
                    return answer(226, b"{}", f'"x{self.count}"')
                return answer(200, b"%d" % self.count, f'"{self.count}"')

        watched = self.watch(Alternating())
        now = [100.0]
        watched._client._clock = lambda: now[0]
        with self.assertLogs(results_client.LOG, logging.INFO) as logs:
            for _ in range(100):
                self.rounds(watched)
                self.look(watched)
                now[0] += 0.1
        self.assertEqual(1, len(logs.output))


class PaceTest(WatchedTestCase):
    def test_failures_are_followed_by_longer_and_longer_pauses(self) -> None:
        watched = self.watch(Answering(failed()))
        with mock.patch.object(
            results_url.random, "uniform", side_effect=lambda low, high: high
        ):
            pauses = self.rounds(watched, 8)
        self.assertEqual(sorted(pauses), pauses)
        self.assertEqual([1.0, 2.0, 4.0, 8.0, 10.0], pauses[:5])
        self.assertEqual(results_url.BACKOFF_MAX_S, pauses[-1])

    def test_pauses_differ_from_worker_to_worker(self) -> None:
        watched = self.watch(Answering(failed()))
        self.rounds(watched, 9)
        pauses = self.rounds(watched, 20)
        self.assertGreater(len(set(pauses)), 10)
        self.assertGreaterEqual(min(pauses), results_url.BACKOFF_MAX_S / 2)

    def test_a_success_ends_the_long_pauses(self) -> None:
        server = Answering(*[failed()] * 6, answer(200, b"one"), failed())
        pauses = self.rounds(self.watch(server), 8)
        self.assertLessEqual(pauses[-1], 2 * results_url.BACKOFF_S)

    def test_a_server_that_lets_nobody_wait_is_left_in_peace(self) -> None:
        server = Answering(answer(200, b"one", '"1"'), answer(304))
        after_one, *pauses = self.rounds(self.watch(server), 5)
        self.assertEqual(results_url.BREATH_S, after_one)
        for pause in pauses:
            self.assertGreaterEqual(pause, results_url.PACE_S / 2)

    def test_a_wait_in_vain_is_followed_by_the_next_at_once(self) -> None:
        class Waiting(Answering):
            def get(self, *args: object, **kwargs: object) -> Answer:  # type: ignore[override]
                time.sleep(0.02)
                return super().get(*args, **kwargs)  # type: ignore[arg-type]

        one = answer(200, b"one", '"1"')
        watched = self.watch(Waiting(one, answer(304)), wait_s=0.02)
        self.assertEqual([0.0, 0.0], self.rounds(watched, 3)[1:])

    def test_only_a_server_that_is_known_to_answer_is_waited_for_long(
        self,
    ) -> None:
        server = Answering(
            answer(503),
            answer(200, b"one", '"1"'),
            failed(),
            answer(304),
            answer(304),
        )
        self.rounds(self.watch(server), 5)
        waits = [headers["Prefer"] for headers in server.asked]
        self.assertEqual(
            ["wait=1", "wait=25", "wait=25", "wait=1", "wait=25"], waits
        )

    def test_a_server_without_a_document_is_asked_again_soon(self) -> None:
        server = Answering(answer(503))
        for pause in self.rounds(self.watch(server), 9):
            self.assertLessEqual(pause, results_url.PACE_S)
            self.assertGreaterEqual(pause, results_url.PACE_S / 2)


class ThreadTest(WatchedTestCase):
    def _threads(self) -> list[threading.Thread]:
        return [
            t for t in threading.enumerate() if t.name == "nfv-mla results"
        ]

    def test_starts_with_the_first_look_and_only_once(self) -> None:
        self.assertEqual([], self._threads())
        server = Silent()
        watched = self.watch(server)
        self.assertEqual([], self._threads())
        for _ in range(5):
            self.assertIsNone(watched.changed())
        self.assertEqual(1, len(self._threads()))
        self.assertTrue(self._threads()[0].daemon)
        self.wait_until(lambda: server.asked)
        self.assertEqual(1, len(server.asked))

    def test_nobody_waits_for_a_server_that_does_not_answer(self) -> None:
        watched = self.watch(Silent())
        began = time.monotonic()
        for _ in range(1000):
            watched.changed()
        self.assertLess(time.monotonic() - began, 1)

    def test_ends_at_once_however_long_it_would_wait(self) -> None:
        server = Silent()
        watched = self.watch(server)
        watched.changed()
        self.wait_until(lambda: server.asked)
        began = time.monotonic()
        watched.close()
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual([], self._threads())
        # that it was told to stop is no news
        self.assertIsNone(watched.changed())
        self.assertEqual([], self._threads())

    def test_ends_at_once_in_a_pause(self) -> None:
        server = Answering(failed())
        watched = self.watch(server)
        watched.changed()
        self.wait_until(lambda: server.asked)
        began = time.monotonic()
        watched.close()
        self.assertLess(time.monotonic() - began, 0.5)
        self.assertEqual([], self._threads())

    def test_can_be_closed_before_it_starts(self) -> None:
        watched = self.watch(Silent())
        watched.close()
        self.assertIsNone(watched.changed())
        self.assertEqual([], self._threads())

    def test_a_thread_that_cannot_start_is_started_later(self) -> None:
        watched = self.watch(Silent())
        with (
            mock.patch.object(
                threading.Thread, "start", side_effect=RuntimeError("can't")
            ),
            self.assertRaises(RuntimeError),
        ):
            watched.changed()
        watched.changed()
        self.assertEqual(1, len(self._threads()))

    def test_wakes_its_reader_when_there_is_something_to_see(self) -> None:
        server = Answering(
            answer(200, b"one", '"1"'),
            answer(304),
            failed(),
            failed(),
            answer(304),
            answer(304),
        )
        wakes: list[int] = []
        watched = self.watch(server, wake=lambda: wakes.append(1))
        counts = []
        for _ in range(6):
            self.rounds(watched)
            counts.append(len(wakes))
        self.assertEqual([1, 1, 2, 2, 3, 3], counts)
