# SPDX-License-Identifier: Apache-2.0
"""A watched file is read when it has changed, and only then."""

from __future__ import annotations

import os
import pathlib
import tempfile
import threading
import unittest
from unittest import mock

from nfv_mla_scheduler.feed import watched
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import TooLarge
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile


class WatchedFileTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "file"
        self.path.write_bytes(b"one")
        self.file = WatchedFile(self.path, 100)

    def test_is_read_once(self) -> None:
        self.assertEqual(b"one", self.file.changed())
        self.assertIsNone(self.file.changed())

    def test_is_read_when_replaced(self) -> None:
        self.file.changed()
        other = self.path.with_suffix(".new")
        other.write_bytes(b"two")
        other.rename(self.path)
        self.assertEqual(b"two", self.file.changed())

    def test_is_read_when_written_within_one_tick_of_the_clock(self) -> None:
        self.file.changed()
        status = self.path.stat()
        self.path.write_bytes(b"two")
        os.utime(self.path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.assertEqual(b"two", self.file.changed())

    def test_an_old_file_is_not_even_read(self) -> None:
        with mock.patch.object(watched, "SETTLED_S", -1):
            self.file.changed()
        with mock.patch("builtins.open", side_effect=AssertionError):
            self.assertIsNone(self.file.changed())

    def test_is_read_when_its_times_were_put_back(self) -> None:
        with mock.patch.object(watched, "SETTLED_S", -1):
            self.file.changed()
            status = self.path.stat()
            self.path.write_bytes(b"two")
            os.utime(self.path, ns=(status.st_atime_ns, status.st_mtime_ns))
            self.assertEqual(b"two", self.file.changed())

    def test_is_read_again_when_forgotten(self) -> None:
        self.file.changed()
        self.file.forget()
        self.assertEqual(b"one", self.file.changed())

    def test_counts_as_changed_after_it_was_missing(self) -> None:
        self.file.changed()
        self.path.unlink()
        with self.assertRaisesRegex(Missing, "No such file"):
            self.file.changed()
        self.path.write_bytes(b"one")
        self.assertEqual(b"one", self.file.changed())

    def test_may_be_as_large_as_its_limit_and_no_larger(self) -> None:
        self.path.write_bytes(b"x" * 100)
        self.assertEqual(b"x" * 100, self.file.changed())
        self.path.write_bytes(b"x" * 101)
        for _ in range(2):
            with self.assertRaises(TooLarge):
                self.file.changed()

    def test_what_is_no_file_is_not_waited_for(self) -> None:
        self.path.unlink()
        os.mkfifo(self.path)
        with self.assertRaises(Unread):
            self.file.changed()
        self.path.unlink()
        self.path.mkdir()
        with self.assertRaises(Unread):
            self.file.changed()
        with self.assertRaises(Unread):
            WatchedFile(pathlib.Path("/dev/zero"), 100).changed()

    def test_no_descriptor_is_left_open(self) -> None:
        directory = WatchedFile(self.path.parent, 100)
        count = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            self.file.forget()
            self.file.changed()
            with self.assertRaises(Unread):
                directory.changed()
        self.assertEqual(count, len(os.listdir("/proc/self/fd")))

    def test_replaced_while_read_is_whole_each_time(self) -> None:
        """Whoever replaces by renaming is never read in halves."""
        self.file = WatchedFile(self.path, 2**20)
        contents = [bytes([n]) * 50_000 for n in range(65, 91)]
        done = threading.Event()

        def replace() -> None:
            other = self.path.with_suffix(".new")
            for _ in range(20):
                for data in contents:
                    other.write_bytes(data)
                    other.rename(self.path)
            done.set()

        thread = threading.Thread(target=replace)
        thread.start()
        seen = 0
        while not done.is_set():
            data = self.file.changed()
            if data is not None and data != b"one":
                self.assertIn(data, contents)
                seen += 1
        thread.join()
        last = self.file.changed()
        self.assertIn(last, (None, contents[-1]))
        self.assertGreater(seen, 1)

    def test_written_while_read_is_read_again(self) -> None:
        original = open
        written = []

        def write_behind(*args: object, **kwargs: object) -> object:
            file = original(*args, **kwargs)  # type: ignore[call-overload]
            if not written:
                written.append(True)
                os.utime(self.path, ns=(0, 0))
            return file

        with (
            mock.patch.object(watched, "SETTLED_S", -1),
            mock.patch("builtins.open", write_behind),
        ):
            self.assertEqual(b"one", self.file.changed())
            self.assertEqual([True], written)
            self.path.write_bytes(b"two")
            self.assertEqual(b"two", self.file.changed())
