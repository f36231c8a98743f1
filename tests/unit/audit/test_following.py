# SPDX-License-Identifier: Apache-2.0
"""New lines of a ledger that is being written, rotated and tidied."""

from __future__ import annotations

import os
import pathlib
import tempfile
import unittest

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading import following
from nfv_mla_scheduler.audit.reading.files import LedgerUnreadable
from nfv_mla_scheduler.audit.reading.following import Following
from tests.unit.audit.scribbled import NOON
from tests.unit.audit.scribbled import Chain
from tests.unit.audit.scribbled import Ledger

ONE, TWO = "ctl-1.nova-scheduler.0", "ctl-2.nova-scheduler.0"


class FollowingTest(unittest.TestCase):
    def setUp(self) -> None:
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.directory = pathlib.Path(held.name) / "ledger"
        self.ledger = Ledger(self.directory)
        self.one = self.ledger.origin(ONE)
        self.following = Following(self.directory, lambda _: True)
        self.addCleanup(self.following.close)

    def add(self, chain: Chain, count: int = 1) -> list[int]:
        """Append entries; return their seqs."""
        for _ in range(count):
            chain.add(EventKind.PLACED, NOON, {})
        return list(range(chain.seq - count + 1, chain.seq + 1))

    def come(self) -> list[int]:
        """Return the seqs of what has come."""
        heads = [
            entry.head(line)
            for _, lines in self.following.look()
            for line in lines
        ]
        return [head.seq if head else 0 for head in heads]

    def test_what_is_there_and_then_what_comes(self) -> None:
        there = self.add(self.one, 3)
        self.assertEqual(there, self.come())
        self.assertEqual([], self.come())
        self.assertEqual(self.add(self.one, 2), self.come())
        self.assertEqual([], self.come())

    def test_of_a_long_file_the_end_alone_is_read(self) -> None:
        there = self.add(self.one, 2000)
        self.assertGreater(
            self.one.path.stat().st_size, following.PAST_BYTES + entry.LINE_MAX
        )
        found = self.come()
        self.assertEqual(there[-len(found) :], found)
        self.assertIn(len(found), range(500, 1999))

    def test_of_earlier_segments_nothing_is_read(self) -> None:
        self.add(self.one, 2)
        self.one.rotate()
        self.assertEqual(self.add(self.one), self.come())

    def test_rotation_loses_nothing(self) -> None:
        self.add(self.one)
        self.come()
        expected = []
        for _ in range(3):
            expected += self.add(self.one, 2)
            self.one.rotate()
        expected += self.add(self.one)
        self.assertEqual(expected, self.come())
        self.assertEqual(self.add(self.one), self.come())

    def test_origins_and_domains_that_come_are_read_from_their_first_line(
        self,
    ) -> None:
        self.come()
        two = self.ledger.origin(TWO)
        self.assertEqual(self.add(two, 2), self.come())
        sealed = self.ledger.sealed(ONE, "acme")
        self.assertEqual(self.add(sealed, 3), self.come())

    def test_a_line_is_read_once_it_is_whole(self) -> None:
        self.come()
        line = entry.encode(1, entry.NOTHING, NOON, ONE, "p", "placed", {})
        self.one.write(line[:40])
        self.assertEqual([], self.come())
        self.one.write(line[40:])
        self.assertEqual([1], self.come())

    def test_a_torn_line_that_is_cut_off_is_forgotten(self) -> None:
        self.add(self.one)
        self.come()
        size = self.one.path.stat().st_size
        self.one.write(b'{"seq":2,"prev":"' + b"f" * 300)
        self.assertEqual([], self.come())
        os.truncate(self.one.path, size)
        self.assertEqual([], self.come())
        self.assertEqual(self.add(self.one), self.come())

    def test_a_segment_that_is_renamed_is_read_to_its_end(self) -> None:
        self.add(self.one)
        self.come()
        late = self.add(self.one, 2)
        self.one.path.rename(self.one.path.with_suffix(".jsonl.1"))
        self.assertEqual(late, self.come())
        self.assertEqual([], self.come())
        self.one.rotate()
        self.assertEqual(self.add(self.one), self.come())

    def test_a_segment_that_is_removed_is_read_to_its_end(self) -> None:
        self.add(self.one)
        self.come()
        late = self.add(self.one, 2)
        self.one.path.unlink()
        self.one.rotate()
        self.assertEqual(late + self.add(self.one), self.come())

    def test_one_of_the_same_name_is_another(self) -> None:
        self.come()
        self.one.path.rename(self.one.path.with_suffix(".jsonl.1"))
        self.one.rotate()
        self.assertEqual(self.add(self.one), self.come())

    def test_a_second_one_of_a_name_comes_after_the_first(self) -> None:
        self.come()
        expected = self.add(self.one, 2)
        name = self.one.path.name
        for again in range(1, 12):
            self.one.path = self.one.directory / f"{name}.{again}"
            expected += self.add(self.one)
        self.assertEqual(expected, self.come())
        self.one.rotate()
        self.assertEqual(self.add(self.one), self.come())

    def test_one_that_was_shortened_is_left_for_the_next(self) -> None:
        self.add(self.one, 3)
        self.come()
        os.truncate(self.one.path, 0)
        self.assertEqual([], self.come())
        self.one.rotate()
        self.assertEqual(self.add(self.one), self.come())

    def test_a_chain_that_is_far_ahead_lets_others_have_their_turn(
        self,
    ) -> None:
        self.come()
        line = b"x" * 1023 + b"\n"
        count = 3 * following.LOOK_BYTES // len(line)
        self.one.write(line * (count // 2))
        self.one.rotate()
        self.one.path = self.one.directory / f"{9:020}.jsonl"
        self.one.write(line * (count // 2))
        other = self.add(self.ledger.origin(TWO))
        found = self.come()
        self.assertEqual(other, [seq for seq in found if seq])
        self.assertTrue(self.following.behind)
        looks = 1
        while self.following.behind:
            found += self.come()
            looks += 1
        self.assertEqual(count // 2 * 2 + 1, len(found))
        self.assertIn(looks, (3, 4))

    def test_garbage_is_passed_on_and_does_not_stop_it(self) -> None:
        self.come()
        self.one.write(b"x" * (3 * 2**20) + b"\n")
        self.assertNotIn(1, self.come())
        self.assertEqual(self.add(self.one), self.come()[-1:])

    def test_a_pipe_in_place_of_a_segment_does_not_hold_it(self) -> None:
        self.add(self.one)
        self.come()
        self.one.rotate()
        self.one.path.unlink()
        os.mkfifo(self.one.path)
        self.assertEqual([], self.come())

    def test_other_files_are_not_segments(self) -> None:
        self.come()
        lock = self.one.directory / "lock"
        lock.write_text("x\n")
        self.assertEqual([], self.come())

    def test_a_chain_that_nobody_wants_is_not_read(self) -> None:
        self.following = Following(
            self.directory, lambda chain: chain.domain is None
        )
        self.add(self.ledger.sealed(ONE, "acme"))
        self.assertEqual(self.add(self.one), self.come())

    def test_a_directory_that_is_gone_is_told(self) -> None:
        self.directory.rename(self.directory.with_name("away"))
        with self.assertRaises(LedgerUnreadable):
            self.come()
