# SPDX-License-Identifier: Apache-2.0
"""What the board holds is signed, written and handed on."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import tempfile
import threading
import time
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.collector import publisher as publishers
from nfv_mla_scheduler.collector import publishing as publishings
from nfv_mla_scheduler.collector.notes import Note
from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.publisher import Publisher
from nfv_mla_scheduler.collector.publishing import ALIVE_S
from nfv_mla_scheduler.collector.publishing import Pace
from nfv_mla_scheduler.collector.publishing import Publishing
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.values import Collector
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.document import read_head
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.unit.collector.answers import NAME
from tests.unit.collector.answers import NOW
from tests.unit.collector.answers import SKEW_S
from tests.unit.collector.answers import collected
from tests.unit.collector.answers import result
from tests.unit.collector.answers import tpm
from tests.unit.generators import examples

ME = "collector-a"
POLICY = policies.policy()
OTHER = "veraison-bka"
WAIT_S = 10.0


def said(*attesters: str, at: float = NOW) -> dict[str, Said]:
    answer = collected(*map(result, attesters or ("h1",)), at=at)
    return {NAME: Said(answer.results, answer.freshness)}


def issued_at(data: bytes) -> float:
    """Return when a document was issued, by its head."""
    me = Collector(ME, policies.public_pem(ME), frozenset())
    payload, _ = signature.unseal(data.split(b"\n")[0], {ME: me})
    return read_head(payload).issued_at


class Reader:
    """Reads documents one after the other, as a scheduler does."""

    def __init__(self) -> None:
        self._loader = Loader()
        self.held = None

    def read(self, data: bytes, now: float):
        self._loader.forget_after(now + SKEW_S)
        if self.held and self.held.issued_at > now + SKEW_S:
            self.held = None
        self.held = self._loader.read(
            data,
            POLICY.collectors,
            POLICY.authorities,
            load(),
            {},
            now=now,
            max_skew_s=SKEW_S,
            held=self.held,
        )
        return self.held


class PublisherTestCase(unittest.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.path = self.directory / "results"
        self.shelf = []
        self.news = []
        self.publisher = self.new()

    def new(self, last=None, notes=None):
        return Publisher(
            ME,
            policies.signer(ME),
            self.path,
            self.shelf.append,
            SKEW_S,
            self.news.append,
            last,
            notes=notes,
        )

    def codes(self):
        return [news.code for news in self.news]


class PublishTest(PublisherTestCase):
    def test_what_is_said_is_in_the_file_and_on_the_shelf(self):
        self.assertTrue(self.publisher.publish(said("h1", "h2"), NOW))
        data = self.path.read_bytes()
        self.assertEqual([data], self.shelf)
        document = Reader().read(data, NOW)
        self.assertEqual(ME, document.collector)
        self.assertEqual({"h1", "h2"}, set(document.results[NAME]))
        self.assertEqual(NOW, document.issued_at)
        self.assertEqual((), document.problems)
        self.assertEqual([], self.news)

    def test_it_says_what_is_published(self):
        self.assertIsNone(self.publisher.published.issued_at)
        self.publisher.publish(said("h1", "h2"), NOW + 0.25)
        published = self.publisher.published
        self.assertEqual(NOW + 0.25, published.issued_at)
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.assertEqual(digest, published.sha256)
        self.assertEqual(2, published.results)
        self.assertEqual(
            ("", None), (published.error, published.failing_since)
        )

    def test_the_file_comes_first(self):
        order = []
        self.publisher._put = lambda data: order.append(
            self.path.read_bytes() == data
        )
        self.publisher.publish(said(), NOW)
        self.assertEqual([True], order)

    def test_what_cannot_be_signed_is_told_once_and_nothing_is_lost(self):
        self.publisher.publish(said(), NOW)
        before = self.path.read_bytes()
        bad = {NAME: Said(said()[NAME].results, {})}
        for after_s in (1, 2, 3):
            self.assertFalse(self.publisher.publish(bad, NOW + after_s))
        self.assertEqual(["publish-unsigned"], self.codes())
        self.assertEqual(before, self.path.read_bytes())
        self.assertEqual(1, len(self.shelf))
        self.assertEqual(NOW + 1, self.publisher.published.failing_since)
        self.assertTrue(self.publisher.publish(said(), NOW + 4))
        self.assertEqual("published", self.codes()[-1])
        self.assertIsNone(self.publisher.published.failing_since)

    def test_what_no_reader_takes_is_not_published(self):
        self.publisher.publish(said(), NOW)
        before = self.path.read_bytes()
        self.publisher._max_bytes = len(before)
        for after_s in (1, 2):
            now = NOW + after_s
            self.assertFalse(self.publisher.publish(said("h1", "h2"), now))
        self.assertEqual(["publish-too-large"], self.codes())
        self.assertEqual(before, self.path.read_bytes())
        self.assertEqual(1, len(self.shelf))
        self.assertTrue(self.publisher.publish(said(), NOW + 3))

    def test_what_may_not_be_published_is_told_once(self):
        self.publisher.withhold("the policy has another key", NOW)
        self.publisher.withhold("the policy has another key", NOW + 1)
        self.assertEqual(["publish-withheld"], self.codes())
        self.assertIn("another key", self.publisher.published.error)

    def test_what_was_published_before_the_restart_is_handed_on(self):
        self.publisher.show(b"as it was", NOW, 7)
        self.assertEqual([b"as it was"], self.shelf)
        self.assertEqual(7, self.publisher.published.results)
        self.assertFalse(self.path.exists())


class NoteTest(PublisherTestCase):
    """What is published is noted, so that a restart can tell it."""

    def setUp(self):
        super().setUp()
        self.notes = Notes(self.directory / "state")
        self.publisher = self.new(notes=self.notes)

    def test_what_is_in_the_file_is_noted_with_policy_and_rules(self):
        one = {NAME: dataclasses.replace(said()[NAME], rules="r")}
        self.publisher.publish(one, NOW, "digest")
        (note,) = self.notes.read()
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.assertEqual(Note(digest, NOW, "digest", {NAME: "r"}), note)

    def test_whatever_is_found_after_a_kill_is_noted(self):
        """At each step between note and document."""
        self.publisher.publish(said(), NOW)
        seen = []
        replace = os.replace

        def killed(source, target):
            if pathlib.Path(target) == self.path:
                noted = {note.sha256 for note in self.notes.read()}
                for path in (self.path, pathlib.Path(source)):
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                    seen.append(digest in noted)
            replace(source, target)

        with mock.patch(
            "nfv_mla_scheduler.results.publish.os.replace", killed
        ):
            self.publisher.publish(said("h1", "h2"), NOW + 1)
        self.assertEqual([True, True], seen)
        self.assertEqual(1, len(self.notes.read()))

    def test_while_it_cannot_be_written_the_one_that_is_there_is_noted(self):
        self.publisher.publish(said(), NOW)
        there = self.notes.read()[0]
        with mock.patch(
            "nfv_mla_scheduler.collector.publisher.publish",
            side_effect=OSError(28, "No space left on device"),
        ):
            for after_s in (1, 2, 3):
                self.publisher.publish(said("h2"), NOW + after_s)
        self.assertEqual(2, len(self.notes.read()))
        self.assertEqual(there, self.notes.read()[0])
        self.publisher.write(NOW + 4)
        self.assertEqual([NOW + 3], [n.issued_at for n in self.notes.read()])

    def test_what_cannot_be_noted_is_published_and_told_once(self):
        (self.directory / "state").write_text("no directory")
        for after_s in (0, 1, 2):
            self.assertTrue(self.publisher.publish(said(), NOW + after_s))
        self.assertEqual(["publish-unnoted"], self.codes())
        (self.directory / "state").unlink()
        self.publisher.publish(said(), NOW + 3)
        self.assertEqual("publish-noted", self.codes()[-1])


class SizeTest(PublisherTestCase):
    """One authority that says too much does not silence the others."""

    def setUp(self):
        super().setUp()
        other = [result(f"b{i}", authority=OTHER) for i in range(20)]
        bad = tpm(status=Status.CONTRAINDICATED)
        other.append(result("bad", bad, authority=OTHER))
        answer = collected(*other)
        self.both = {
            **said(),
            OTHER: Said(answer.results, answer.freshness, "r"),
        }
        self.publisher._max_bytes = 1500

    def document(self):
        return Reader().read(self.path.read_bytes(), NOW + 99)

    def test_of_the_largest_only_what_speaks_against_hosts_is_published(self):
        self.assertTrue(self.publisher.publish(self.both, NOW))
        document = self.document()
        self.assertEqual({"h1"}, set(document.results[NAME]))
        self.assertEqual({"bad"}, set(document.results[OTHER]))
        claims = document.results[OTHER]["bad"].claims
        self.assertIs(Status.CONTRAINDICATED, claims["tpm"].status)
        self.assertLessEqual(len(self.path.read_bytes()), 1500)

    def test_if_that_is_too_much_nothing_of_it_is(self):
        claims = tpm(status=Status.WARNING)
        many = collected(
            *(result(f"b{i}", claims, authority=OTHER) for i in range(40))
        )
        both = {**said(), OTHER: Said(many.results, many.freshness)}
        self.assertTrue(self.publisher.publish(both, NOW))
        found = {n: set(r) for n, r in self.document().results.items()}
        self.assertEqual({NAME: {"h1"}, OTHER: set()}, found)

    def test_it_is_told_once_for_each_change(self):
        for after_s in range(3):
            self.publisher.publish(self.both, NOW + after_s)
        self.assertEqual(["publish-left-out"], self.codes())
        self.assertIn(OTHER, self.news[0].text)
        self.publisher.publish(said(), NOW + 5)
        self.publisher.publish(said(), NOW + 6)
        self.assertEqual(["publish-left-out", "publish-whole"], self.codes())

    def test_a_head_that_is_too_large_counts_as_well(self):
        self.publisher._max_bytes = 2**26
        with mock.patch.object(publishers, "ENVELOPE_MAX", 900):
            self.assertTrue(self.publisher.publish(self.both, NOW))
        self.assertEqual({"bad"}, set(self.document().results[OTHER]))

    def test_after_a_restart_it_is_taken_anew(self):
        self.publisher = self.new(notes=Notes(self.directory / "state"))
        self.publisher._max_bytes = 1500
        self.publisher.publish(self.both, NOW)
        (note,) = Notes(self.directory / "state").read()
        self.assertEqual("", note.rules[OTHER])


class FileTest(PublisherTestCase):
    """A file that cannot be written; HTTPS goes on."""

    def setUp(self):
        super().setUp()
        self.publisher.publish(said(), NOW)
        self.before = self.path.read_bytes()
        self.full = mock.patch(
            "nfv_mla_scheduler.results.publish.os.fsync",
            side_effect=OSError(28, "No space left on device"),
        )

    def test_it_is_told_once_tried_again_and_https_goes_on(self):
        with self.full:
            for number in range(1, 6):
                now = NOW + number
                self.publisher.publish(said(at=now), now)
                self.publisher.write(now)
        self.assertEqual(["publish-unwritten"], self.codes())
        self.assertIn("No space left on device", self.news[0].text)
        self.assertIn(str(self.path), self.news[0].text)
        self.assertEqual(self.before, self.path.read_bytes())
        self.assertEqual(6, len(self.shelf))
        self.assertTrue(self.publisher.unwritten)
        self.assertEqual(NOW + 1, self.publisher.published.failing_since)
        self.assertEqual(["results"], os.listdir(self.directory))

    def test_it_is_written_once_that_works(self):
        with self.full:
            self.publisher.publish(said(), NOW + 1)
        self.publisher.write(NOW + 2)
        self.assertEqual(self.shelf[-1], self.path.read_bytes())
        self.assertFalse(self.publisher.unwritten)
        self.assertEqual("published", self.codes()[-1])
        self.assertEqual("", self.publisher.published.error)
        self.publisher.write(NOW + 3)
        self.assertEqual(2, len(self.news))

    def test_a_disk_that_comes_and_goes_does_not_flood(self):
        for number in range(1, 1000, 2):
            with self.full:
                self.publisher.publish(said(), NOW + number)
            self.publisher.publish(said(), NOW + number + 1)
        self.assertLess(len(self.news), 12)

    def test_a_directory_that_is_gone(self):
        self.path.unlink()
        self.directory.rmdir()
        self.publisher.publish(said(), NOW + 1)
        self.assertEqual(["publish-unwritten"], self.codes())
        self.directory.mkdir()
        self.publisher.write(NOW + 2)
        self.assertEqual(self.shelf[-1], self.path.read_bytes())


class ClockTest(PublisherTestCase):
    def test_times_rise_even_within_one_moment(self):
        for _ in range(3):
            self.publisher.publish(said(), NOW)
        times = [issued_at(data) for data in self.shelf]
        self.assertEqual(sorted(set(times)), times)
        self.assertEqual([], self.news)

    def test_a_clock_set_back_a_little_is_told_and_times_rise(self):
        self.publisher.publish(said(), NOW)
        for after_s in range(10):
            self.publisher.publish(said(), NOW - 20 + after_s)
        times = [issued_at(data) for data in self.shelf]
        self.assertEqual(sorted(set(times)), times)
        self.assertLess(times[-1], NOW + 1)
        self.assertEqual(["clock-back"], self.codes())
        self.publisher.publish(said(), NOW + 5)
        self.assertEqual("clock-right", self.codes()[-1])
        self.assertEqual(NOW + 5, issued_at(self.shelf[-1]))

    def test_a_clock_set_back_by_more_begins_anew(self):
        self.publisher.publish(said(), NOW + 86400)
        self.publisher.publish(said(), NOW)
        self.assertEqual(NOW, issued_at(self.shelf[-1]))
        self.assertEqual(["clock-back"], self.codes())

    def test_it_never_issues_before_what_was_there_at_the_start(self):
        publisher = self.new(last=NOW + 10)
        publisher.publish(said(), NOW)
        self.assertGreater(issued_at(self.shelf[-1]), NOW + 10)

    @examples(100)
    @given(
        st.lists(st.one_of(st.floats(0, 60), st.floats(-90, 0)), max_size=12)
    )
    def test_whatever_the_clock_does_a_reader_by_it_takes_all(self, steps):
        self.setUp()
        reader, now = Reader(), NOW
        for step in steps:
            now += step
            self.publisher.publish(said(at=NOW - 3600), now)
            held = reader.read(self.shelf[-1], now)
            self.assertEqual(issued_at(self.shelf[-1]), held.issued_at)

    def test_the_reader_of_this_test_does_refuse(self):
        reader = Reader()
        self.publisher.publish(said(), NOW)
        first = self.shelf[-1]
        self.publisher.publish(said(), NOW + 1)
        reader.read(self.shelf[-1], NOW + 1)
        with self.assertRaises(ResultsRefused) as caught:
            reader.read(first, NOW + 1)
        self.assertIs(ResultsCode.ROLLED_BACK, caught.exception.reason)


class PaceTest(unittest.TestCase):
    def test_what_is_new_waits_for_the_interval(self):
        pace = Pace(2.0, 100.0)
        self.assertEqual(0.0, pace.wait_s(True, 100.0))
        pace.published(100.0, 100.01)
        self.assertAlmostEqual(2.0, pace.wait_s(True, 100.0))
        self.assertEqual(0.0, pace.wait_s(True, 102.0))

    def test_without_anything_new_once_a_minute(self):
        pace = Pace(2.0, 100.0)
        self.assertAlmostEqual(ALIVE_S, pace.wait_s(False, 100.0))
        self.assertEqual(0.0, pace.wait_s(False, 100.0 + ALIVE_S))

    def test_what_takes_long_is_done_less_often(self):
        pace = Pace(0.1, 100.0)
        pace.published(100.0, 100.5)
        self.assertAlmostEqual(5.0, pace.wait_s(True, 100.0))


class PublishingTest(PublisherTestCase):
    """The thread: short intervals, real time."""

    def setUp(self):
        super().setUp()
        self.said = said("h1")
        self.why = ""
        self.ready = True
        self.reports = []
        self.put = threading.Semaphore(0)
        self.publisher._put = self._put
        self.publishing = Publishing(
            self.publisher,
            0.1,
            said=lambda: (self.said, "digest"),
            why_not=lambda: self.why,
            ready=lambda: self.ready,
            report=self.reports.append,
        )
        self.addCleanup(self.publishing.stop, WAIT_S)

    def _put(self, data):
        self.shelf.append(data)
        self.put.release()

    def published(self):
        return self.put.acquire(timeout=WAIT_S)

    def wait(self, done):
        end = time.monotonic() + WAIT_S
        while not done():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.001)

    def test_what_changed_is_published(self):
        self.publishing.start()
        self.publishing.changed()
        self.assertTrue(self.published())
        self.wait(self.path.exists)

    def test_many_changes_are_one_document(self):
        self.publishing.start()
        self.publishing.changed()
        self.published()
        for _ in range(100):
            self.publishing.changed()
        self.published()
        time.sleep(0.3)
        self.assertLessEqual(len(self.shelf), 3)

    def test_what_changes_while_one_is_made_is_in_the_next(self):
        made = []

        def snapshot():
            found = self.said
            if not made:
                made.append(found)
                self.said = said("h1", "h2")
                self.publishing.changed()
            return found, "digest"

        self.publishing._said = snapshot
        self.publishing.start()
        self.publishing.changed()
        self.published()
        self.assertTrue(self.published())
        self.assertEqual(2, self.publisher.published.results)

    def test_nothing_is_published_while_nothing_changes(self):
        self.publishing.start()
        self.wait(lambda: self.reports)
        time.sleep(0.15)
        self.assertEqual([], self.shelf)

    def test_without_changes_it_shows_that_it_lives(self):
        with mock.patch.object(publishings, "ALIVE_S", 0.05):
            self.publishing.start()
            self.assertTrue(self.published())
            self.assertTrue(self.published())

    def test_nothing_at_all_is_never_published(self):
        self.said = {}
        self.publishing.start()
        self.publishing.changed()
        self.wait(lambda: self.reports)
        time.sleep(0.1)
        self.publishing.stop(WAIT_S)
        self.assertEqual([], self.shelf)

    @mock.patch.object(publishings, "RETRY_S", 0.05)
    def test_what_may_not_be_published_is_not_until_it_may(self):
        self.why = "the policy names no collector"
        self.publishing.start()
        self.publishing.changed()
        self.wait(lambda: self.codes() == ["publish-withheld"])
        time.sleep(0.1)
        self.assertEqual([], self.shelf)
        self.why = ""
        self.assertTrue(self.published())
        self.wait(lambda: self.codes()[-1] == "published")

    def test_the_first_one_waits_until_all_have_answered(self):
        self.ready = False
        self.publishing.start()
        self.publishing.changed()
        time.sleep(0.1)
        self.assertEqual([], self.shelf)
        self.ready = True
        self.assertTrue(self.published())

    def test_stopping_publishes_what_is_new(self):
        self.publishing.start()
        self.publishing.changed()
        self.published()
        self.said = said("h1", "h2")
        self.publishing.changed()
        self.assertTrue(self.publishing.stop(WAIT_S))
        document = Reader().read(self.path.read_bytes(), time.time())
        self.assertEqual({"h1", "h2"}, set(document.results[NAME]))

    def test_stopping_publishes_nothing_that_is_not_new(self):
        self.publishing.start()
        self.assertTrue(self.publishing.stop(WAIT_S))
        self.assertEqual([], self.shelf)

    @mock.patch.object(publishings, "RETRY_S", 0.05)
    def test_a_file_that_fails_is_tried_again_without_a_new_document(self):
        full = mock.patch(
            "nfv_mla_scheduler.results.publish.os.replace",
            side_effect=OSError(28, "No space left on device"),
        )
        with full:
            self.publishing.start()
            self.publishing.changed()
            self.published()
            time.sleep(0.2)
        self.wait(self.path.exists)
        self.assertEqual(1, len(self.shelf))

    @mock.patch.object(publishings, "RETRY_S", 0.05)
    def test_whatever_fails_the_thread_lives(self):
        faults = [ValueError("a fault of ours"), MemoryError()]

        def report(now):
            if faults:
                raise faults.pop()
            self.reports.append(now)

        self.publishing._report = report
        with (
            self.assertLogs(publishings.LOG, "ERROR"),
            mock.patch.object(publishings, "REPORT_S", 0.05),
        ):
            self.publishing.start()
            self.publishing.changed()
            self.wait(lambda: self.reports)
        self.assertTrue(self.published())

    @mock.patch.object(publishings, "RETRY_S", 0.05)
    def test_a_shelf_that_fails_once_gets_the_next_document(self):
        faults = [ValueError("a fault of ours")]
        put = self._put

        def failing(data):
            if faults:
                raise faults.pop()
            put(data)

        self.publisher._put = failing
        with self.assertLogs(publishings.LOG, "ERROR"):
            self.publishing.start()
            self.publishing.changed()
            self.assertTrue(self.published())

    def test_a_disk_that_hangs_keeps_nobody_at_the_end(self):
        gate = threading.Event()
        with mock.patch(
            "nfv_mla_scheduler.results.publish.os.replace",
            side_effect=lambda *_: gate.wait(WAIT_S),
        ):
            self.publishing.start()
            self.publishing.changed()
            time.sleep(0.05)
            began = time.monotonic()
            self.assertFalse(self.publishing.stop(0.1))
            self.assertLess(time.monotonic() - began, 2.0)
            gate.set()
            self.assertTrue(self.publishing.stop(WAIT_S))
