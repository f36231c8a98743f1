# SPDX-License-Identifier: Apache-2.0
"""A thread for each authority: whatever a driver does, it goes on."""

from __future__ import annotations

import queue
import threading
import time
import unittest
from unittest import mock

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.collector import poller as pollers
from nfv_mla_scheduler.collector.poller import Poller
from nfv_mla_scheduler.collector.timetable import Timetable
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import AuthorityError
from tests.authorities.fake import FakeAuthority
from tests.unit.collector.answers import task

WAIT_S = 10.0


class PollerTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.outcomes = queue.SimpleQueue()
        self.fake = FakeAuthority.named("a")
        self.fake.hold("h1", time.time())
        self.poller = Poller(
            self.fake, Timetable(lambda: 0.0, 0.0), self.outcomes.put
        )
        self.addCleanup(self._end)

    def _end(self):
        self.poller.stop()
        self.assertTrue(self.poller.join(WAIT_S))

    def next(self):
        return self.outcomes.get(timeout=WAIT_S)

    def start(self, *steps, cadence_s=3600.0):
        self.fake.script(*steps)
        self.poller.start()
        self.poller.assign(task("h1", "h2", cadence_s=cadence_s))

    def test_an_answer_is_heard(self):
        self.start()
        outcome = self.next()
        self.assertEqual("a", outcome.authority)
        self.assertEqual({"h1"}, set(outcome.collected.results))
        self.assertEqual(("h1", "h2"), outcome.inquiry.attesters)
        self.assertGreaterEqual(outcome.took_s, 0)

    def test_a_failure_is_heard_with_its_code(self):
        self.start(AuthorityError("a", "it is down", "contact-unreachable"))
        outcome = self.next()
        self.assertIsNone(outcome.collected)
        self.assertEqual(
            ("contact-unreachable", "it is down"),
            (outcome.code, outcome.reason),
        )

    def test_whatever_a_driver_raises_its_thread_lives(self):
        # the first retry comes when the (short) cadence has passed
        for fault in (ValueError("x" * 999), SystemExit(1), MemoryError()):
            with self.subTest(type(fault).__name__):
                self.setUp()
                self.start(fault, cadence_s=0.05)
                outcome = self.next()
                self.assertIsNone(outcome.collected)
                self.assertEqual("authority-failed", outcome.code)
                self.assertIn("has a fault", outcome.reason)
                self.assertLessEqual(len(outcome.reason), LINE_MAX)
                self.assertIsNotNone(self.next().collected)

    def test_whatever_the_hearer_raises_the_thread_lives(self):
        calls = []

        def hear(outcome):
            calls.append(outcome)
            if len(calls) == 1:
                raise ValueError("a fault of ours")
            self.outcomes.put(outcome)

        self.poller = Poller(self.fake, Timetable(lambda: 0.0, 0.0), hear)
        with self.assertLogs(pollers.LOG, "ERROR"):
            self.start(cadence_s=0.05)
            self.next()

    def test_it_asks_again_when_the_cadence_has_passed(self):
        self.start(cadence_s=0.2)
        began = time.monotonic()
        for _ in range(3):
            self.next()
        self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_a_refresh_wakes_it(self):
        self.start()
        self.next()
        self.assertTrue(self.poller.refresh(("h2",)))
        outcome = self.next()
        self.assertTrue(outcome.inquiry.targeted)
        self.assertEqual(("h2",), outcome.inquiry.attesters)

    def test_stopping_interrupts_a_driver_that_waits(self):
        self.start(3600.0)
        self._wait_asked()
        began = time.monotonic()
        self.poller.stop()
        self.assertTrue(self.poller.join(WAIT_S))
        self.assertLess(time.monotonic() - began, WAIT_S)
        self.assertEqual(1, self.fake.closed)
        self.assertTrue(self.outcomes.empty(), "the interruption is no news")

    def test_stopping_waits_for_no_driver_that_hangs_for_good(self):
        hanging = threading.Event()

        def hang(inquiry):
            hanging.wait(WAIT_S)
            return Collected({}, {}, True)

        self.start(hang)
        self._wait_asked()
        close = mock.Mock(side_effect=lambda: hanging.wait(WAIT_S))
        with mock.patch.object(self.fake, "close", close):
            began = time.monotonic()
            self.poller.stop()
            self.assertFalse(self.poller.join(0.05))
            self.assertLess(time.monotonic() - began, 2.0)
        hanging.set()

    def test_a_driver_that_cannot_be_closed_keeps_nobody(self):
        self.start()
        self.next()
        with (
            mock.patch.object(self.fake, "close", side_effect=OSError("no")),
            self.assertLogs(pollers.LOG, "ERROR"),
        ):
            self.poller.stop()
            self.assertTrue(self.poller.join(WAIT_S))
            self._wait(lambda: not self._closing())

    def test_one_that_was_never_started_can_be_stopped(self):
        self.poller.stop()
        self.assertTrue(self.poller.join(0.0))

    def _closing(self):
        names = [thread.name for thread in threading.enumerate()]
        return "nfv-mla ends a" in names

    def _wait_asked(self):
        self._wait(lambda: self.fake.inquiries)

    def _wait(self, done):
        end = time.monotonic() + WAIT_S
        while not done():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.001)
