# SPDX-License-Identifier: Apache-2.0
"""The background thread goes on, whatever happens to it."""

from __future__ import annotations

import logging
import threading
import unittest

from nfv_mla_scheduler.feed.refresher import Refresher


class RefresherTest(unittest.TestCase):
    def test_runs_at_once_and_then_again(self) -> None:
        rounds: list[float] = []
        enough = threading.Event()

        def refresh(now: float) -> None:
            rounds.append(now)
            if len(rounds) == 3:
                enough.set()

        refresher = Refresher(refresh, 0.01)
        self.assertFalse(refresher.wait_first(0))
        refresher.start()
        self.assertTrue(refresher.wait_first(5))
        self.assertTrue(enough.wait(5))
        refresher.stop()
        count = len(rounds)
        self.assertFalse(threading.Event().wait(0.05))
        self.assertEqual(count, len(rounds))
        self.assertEqual(sorted(rounds), rounds)

    def test_outlives_errors_and_says_each_once(self) -> None:
        errors = iter(
            [ValueError("one")] * 3 + [KeyError("two")] + [ValueError("one")]
        )
        over = threading.Event()

        def refresh(_: float) -> None:
            for error in errors:
                raise error
            over.set()

        refresher = Refresher(refresh, 0.001, "all of it")
        with self.assertLogs(level=logging.ERROR) as logs:
            refresher.start()
            self.assertTrue(over.wait(5))
        refresher.stop()
        self.assertEqual(3, len(logs.records))
        self.assertIn("all of it", logs.records[0].getMessage())

    def test_news_bring_the_next_round_forward(self) -> None:
        rounds: list[float] = []
        done = threading.Semaphore(0)

        def refresh(now: float) -> None:
            rounds.append(now)
            done.release()

        wake = threading.Event()
        refresher = Refresher(refresh, 3600.0, wake=wake)
        refresher.start()
        self.addCleanup(refresher.stop)
        self.assertTrue(done.acquire(timeout=5))
        for bring in (wake.set, refresher.hurry, wake.set):
            self.assertFalse(done.acquire(timeout=0.02))
            bring()
            self.assertTrue(done.acquire(timeout=5))

    def test_stops_at_once_however_long_the_interval(self) -> None:
        refresher = Refresher(lambda _: None, 3600.0)
        refresher.start()
        self.assertTrue(refresher.wait_first(5))
        refresher.stop(timeout_s=3600)
        self.assertFalse(refresher._thread.is_alive())

    def test_can_be_stopped_before_it_starts(self) -> None:
        Refresher(lambda _: None, 1.0).stop()
