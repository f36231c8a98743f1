# SPDX-License-Identifier: Apache-2.0
"""The shelf holds the newest, a few before it, and lets others wait."""

from __future__ import annotations

import hashlib
import threading
import time
import unittest
from unittest import mock

from nfv_mla_scheduler.collector import shelf as module
from nfv_mla_scheduler.collector.shelf import Issue
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.results import delta


def document(number: int) -> bytes:
    return f"{number}\n{'filler,' * 100}{number}\n".encode()


def tag(number: int) -> str:
    return hashlib.sha256(document(number)).hexdigest()


class ShelfTest(unittest.TestCase):
    def setUp(self) -> None:
        self.shelf = Shelf(older_max=2)
        self.addCleanup(self.shelf.close)

    def test_is_empty_at_first(self) -> None:
        self.assertIsNone(self.shelf.newest())
        self.assertIsNone(self.shelf.wait_other(None, 0))
        self.assertIsNone(self.shelf.older(tag(1)))

    def test_the_tag_is_the_digest(self) -> None:
        self.shelf.put(document(1))
        self.assertEqual(Issue(tag(1), document(1)), self.shelf.newest())

    def test_holds_a_few_before_the_newest(self) -> None:
        for number in range(1, 5):
            self.shelf.put(document(number))
        self.assertIsNone(self.shelf.older(tag(1)))
        self.assertEqual(document(2), self.shelf.older(tag(2)))
        self.assertEqual(document(3), self.shelf.older(tag(3)))
        self.assertIsNone(self.shelf.older(tag(4)))

    def test_holds_no_more_bytes_than_it_may(self) -> None:
        size = len(document(1))
        shelf = Shelf(older_max=9, older_bytes_max=2 * size)
        for number in range(1, 6):
            shelf.put(document(number))
        held = [n for n in range(1, 6) if shelf.older(tag(n))]
        self.assertEqual([3, 4], held)
        tiny = Shelf(older_max=9, older_bytes_max=1)
        tiny.put(document(1))
        tiny.put(document(2))
        self.assertIsNone(tiny.older(tag(1)))
        self.assertEqual(tag(2), tiny.newest().tag)  # type: ignore[union-attr]

    def test_the_same_again_is_nothing_new(self) -> None:
        self.shelf.put(document(1))
        self.shelf.put(document(2))
        self.shelf.put(document(2))
        self.assertIsNone(self.shelf.older(tag(2)))
        self.assertIsNotNone(self.shelf.older(tag(1)))

    def test_one_that_comes_back_is_the_newest_and_not_an_older_one(
        self,
    ) -> None:
        for number in (1, 2, 1):
            self.shelf.put(document(number))
        self.assertEqual(document(1), self.shelf.newest().data)  # type: ignore[union-attr]
        self.assertIsNone(self.shelf.older(tag(1)))
        self.assertEqual(document(2), self.shelf.older(tag(2)))


class WaitingTest(unittest.TestCase):
    def setUp(self) -> None:
        self.shelf = Shelf()
        self.addCleanup(self.shelf.close)
        self.found: list[Issue | None] = []

    def _wait(self, known: str | None, timeout_s: float) -> threading.Thread:
        def run() -> None:
            self.found.append(self.shelf.wait_other(known, timeout_s))

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def test_another_one_is_returned_at_once(self) -> None:
        self.shelf.put(document(1))
        for known in (None, tag(2), "?"):
            self.assertEqual(
                self.shelf.newest(), self.shelf.wait_other(known, 0)
            )

    def test_waits_in_vain_for_as_long_as_it_may(self) -> None:
        self.shelf.put(document(1))
        began = time.monotonic()
        self.assertIsNone(self.shelf.wait_other(tag(1), 0.05))
        self.assertGreaterEqual(time.monotonic() - began, 0.05)

    def test_all_who_wait_get_the_next_one(self) -> None:
        self.shelf.put(document(1))
        threads = [self._wait(tag(1), 10) for _ in range(20)]
        threads.append(self._wait(None, 10))
        self.shelf.put(document(1))
        self.shelf.put(document(2))
        for thread in threads:
            thread.join(5)
        tags = [issue.tag for issue in self.found if issue]
        self.assertEqual(20, tags.count(tag(2)))
        self.assertEqual(21, len(tags))

    def test_the_first_one_can_be_waited_for(self) -> None:
        thread = self._wait(None, 10)
        self.shelf.put(document(1))
        thread.join(5)
        self.assertEqual([self.shelf.newest()], self.found)

    def test_closing_wakes_all(self) -> None:
        self.shelf.put(document(1))
        threads = [self._wait(tag(1), 60) for _ in range(5)]
        self.shelf.close()
        for thread in threads:
            thread.join(5)
        self.assertEqual([None] * 5, self.found)
        began = time.monotonic()
        self.assertIsNone(self.shelf.wait_other(tag(1), 60))
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(tag(1), self.shelf.newest().tag)  # type: ignore[union-attr]


class DeltaTest(unittest.TestCase):
    def setUp(self) -> None:
        self.shelf = Shelf()
        self.addCleanup(self.shelf.close)
        for number in (1, 2, 3):
            self.shelf.put(document(number))
        self.newest = self.shelf.newest()
        assert self.newest is not None

    def test_leads_from_each_one_that_is_held(self) -> None:
        for number in (1, 2):
            made = self.shelf.delta(tag(number), self.newest)
            assert made is not None
            rebuilt = delta.apply(document(number), made, max_bytes=2**20)
            self.assertEqual(document(3), rebuilt)

    def test_there_is_none_for_what_is_not_held(self) -> None:
        for known in ("?", tag(3), tag(9)):
            self.assertIsNone(self.shelf.delta(known, self.newest))

    def test_is_worked_out_once_however_many_ask(self) -> None:
        with mock.patch.object(
            module.delta, "encode", wraps=delta.encode
        ) as encode:
            threads = [
                threading.Thread(
                    target=self.shelf.delta, args=(tag(1), self.newest)
                )
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(1, encode.call_count)
            self.shelf.put(document(4))
            newest = self.shelf.newest()
            made = self.shelf.delta(tag(1), newest)
            self.assertEqual(2, encode.call_count)
        rebuilt = delta.apply(document(1), made, max_bytes=2**20)
        self.assertEqual(document(4), rebuilt)
