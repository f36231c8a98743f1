# SPDX-License-Identifier: Apache-2.0
"""Where a chain ends, whatever became of its files."""

from __future__ import annotations

import json
import os
import random
import stat
from unittest import mock

from nfv_mla_scheduler.audit import segments
from nfv_mla_scheduler.audit import tails
from nfv_mla_scheduler.audit.chain import open_chain
from nfv_mla_scheduler.audit.entry import LINE_MAX
from nfv_mla_scheduler.audit.entry import NOTHING
from nfv_mla_scheduler.audit.entry import digest
from nfv_mla_scheduler.audit.entry import encode
from nfv_mla_scheduler.audit.tails import find_checkpoint
from nfv_mla_scheduler.audit.tails import find_tail
from tests.unit.audit import written

ORIGIN = "ctl.0"
AT = "2023-11-14T22:13:20.000Z"


class Case(written.Case):
    def setUp(self):
        super().setUp()
        self.origin = self.directory / ORIGIN
        self.first = self.origin / segments.segment_name(1)

    def write(self, *counts, noted=True):
        """Add entries, with so many in a file of their own each time."""
        for count in counts:
            chain, _ = open_chain(self.origin, ORIGIN, 1)
            for number in range(count):
                chain.add("heartbeat", written.NOW, "w", {"n": number})
            chain.flush(sync=noted)
            chain.close()

    def tail(self):
        tail, file = find_tail(self.origin, 2**20)
        if file is not None:
            os.close(file.fd)
        return tail, file and file.path.name

    def ends_with(self, seq):
        """Return the tail that an undamaged chain has."""
        line = written.lines(self.origin)[seq - 1]
        return seq, digest(line)


class NamesTest(Case):
    def test_they_sort_as_they_were_written(self):
        self.origin.mkdir()
        names = [
            segments.segment_name(first, again)
            for first, again in ((1, 0), (9, 0), (9, 1), (9, 10), (10, 0))
        ]
        for name in (*names, "head", "lock", "1.jsonl", "x.jsonl"):
            (self.origin / name).touch()
        (self.origin / (names[0] + ".gz")).touch()
        found = segments.segments(self.origin)
        self.assertEqual(names, [one.path.name for one in found])

    def test_no_directory_holds_none(self):
        self.assertEqual([], segments.segments(self.origin))

    def test_only_the_owner_may_read_anything(self):
        self.write(1)
        for path in (self.origin, *self.origin.iterdir()):
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(0, mode & 0o077, path)


class TailTest(Case):
    def test_nothing(self):
        tail, name = self.tail()
        self.assertEqual((0, NOTHING), (tail.seq, tail.hash))
        self.assertFalse(tail.damaged or tail.missing or tail.torn_bytes)
        self.assertIsNone(name)

    def test_the_last_entry_of_the_last_file(self):
        self.write(3, 4)
        tail, name = self.tail()
        self.assertEqual(self.ends_with(7), (tail.seq, tail.hash))
        self.assertEqual(AT, tail.at)
        self.assertEqual(segments.segment_name(4), name)
        self.assertFalse(tail.damaged or tail.missing or tail.torn_bytes)

    def test_a_last_line_that_is_torn_anywhere_is_cut_off(self):
        self.write(3, noted=False)
        whole = self.first.read_bytes()
        first, second, _ = whole.splitlines(keepends=True)
        for cut in range(1, len(whole) - len(first) - len(second)):
            self.first.write_bytes(whole[:-cut])
            tail, name = self.tail()
            self.assertEqual(self.ends_with(2), (tail.seq, tail.hash))
            self.assertGreater(tail.torn_bytes, 0)
            self.assertFalse(tail.damaged or tail.missing)
            self.assertEqual(self.first.name, name)
            self.assertEqual(first + second, self.first.read_bytes())
            self.assertEqual(0, self.tail()[0].torn_bytes)

    def test_a_file_of_a_torn_line_alone(self):
        self.write(2, 1, noted=False)
        last = self.origin / segments.segment_name(3)
        last.write_bytes(last.read_bytes()[:20])
        tail, name = self.tail()
        self.assertEqual((2, 20), (tail.seq, tail.torn_bytes))
        self.assertEqual(last.name, name)
        self.assertEqual(b"", last.read_bytes())

    def test_an_empty_file_is_used(self):
        self.write(2)
        last = self.origin / segments.segment_name(3)
        last.touch()
        tail, name = self.tail()
        self.assertEqual((2, last.name), (tail.seq, name))
        self.assertFalse(tail.damaged or tail.missing or tail.torn_bytes)

    def test_damage_at_the_end_is_left_as_it_is(self):
        for junk in (
            b"\0" * 500,
            b"\0" * 500 + b"\n",
            b"{}\n",
            b"x" * (5 * LINE_MAX),
            b'{"seq":' + b"9" * LINE_MAX,
            b'{"seq":1}\n' * 9999,
        ):
            with self.subTest(junk[:20]):
                self.first.unlink(missing_ok=True)
                (self.origin / segments.NOTE).unlink(missing_ok=True)
                self.write(3)
                data = self.first.read_bytes() + junk
                self.first.write_bytes(data)
                tail, name = self.tail()
                self.assertEqual(self.ends_with(3), (tail.seq, tail.hash))
                self.assertTrue(tail.damaged)
                self.assertIsNone(name)
                self.assertEqual(data, self.first.read_bytes())

    def test_a_file_of_damage_alone_is_not_used_again(self):
        self.write(3)
        last = self.origin / segments.segment_name(4)
        last.write_bytes(b"\0" * 99)
        self.assertEqual(3, self.tail()[0].seq)
        self.write(1)
        self.assertEqual(b"\0" * 99, last.read_bytes())
        again = self.origin / segments.segment_name(4, 1)
        self.assertEqual(4, json.loads(again.read_bytes())["seq"])
        tail, name = self.tail()
        self.assertEqual((4, None), (tail.seq, name))
        self.assertFalse(tail.missing)

    def test_what_was_synced_is_not_forgotten_with_its_file(self):
        self.write(3, 2)
        seq, hash_ = self.ends_with(5)
        for spoil in (
            lambda: (self.origin / segments.segment_name(4)).unlink(),
            lambda: self.first.unlink(),
        ):
            spoil()
            tail, name = self.tail()
            self.assertEqual((seq, hash_), (tail.seq, tail.hash))
            self.assertTrue(tail.missing)
            self.assertIsNone(name)
        self.write(1)
        [line] = written.lines(self.origin)
        self.assertEqual([], written.faults([line], ORIGIN, (seq, hash_)))

    def test_a_torn_line_after_a_file_that_is_elsewhere_is_cut_off(self):
        self.write(3)
        seq, hash_ = self.ends_with(3)
        self.first.unlink()
        last = self.origin / segments.segment_name(4)
        last.write_bytes(b'{"seq":4,"prev"')
        tail, name = self.tail()
        self.assertEqual((seq, hash_), (tail.seq, tail.hash))
        self.assertEqual((True, 15), (tail.missing, tail.torn_bytes))
        self.assertEqual(last.name, name)
        self.assertEqual(b"", last.read_bytes())

    def test_a_last_entry_that_was_synced_and_is_another_now(self):
        self.write(3)
        data = self.first.read_bytes()
        seq, hash_ = self.ends_with(3)
        self.first.write_bytes(data.replace(b'"n":2', b'"n":7'))
        tail, name = self.tail()
        self.assertEqual((seq, hash_), (tail.seq, tail.hash))
        self.assertTrue(tail.missing)
        self.assertIsNone(name)

    def test_a_note_that_is_none_or_behind_changes_nothing(self):
        self.write(3)
        note = self.origin / segments.NOTE
        for data in (
            b"",
            b"\0" * 86,
            segments.note(1, "0" * 64),
            segments.note(9, "0" * 64)[:-1],
            segments.note(9, "0" * 64) + b"\n",
        ):
            note.write_bytes(data)
            tail, name = self.tail()
            self.assertEqual(self.ends_with(3), (tail.seq, tail.hash))
            self.assertFalse(tail.missing)
            self.assertEqual(self.first.name, name)

    def test_one_that_a_stranger_renamed_is_read_and_not_added_to(self):
        self.write(3)
        renamed = self.origin / (self.first.name + ".1")
        self.first.rename(renamed)
        tail, name = self.tail()
        self.assertEqual(self.ends_with(3), (tail.seq, tail.hash))
        self.assertFalse(tail.damaged or tail.missing)
        self.assertIsNone(name)

    def test_nobody_waits_for_what_is_no_file(self):
        self.write(3)
        note = self.origin / segments.NOTE
        note.unlink()
        os.mkfifo(note)
        tail, name = self.tail()
        self.assertEqual(self.ends_with(3), (tail.seq, tail.hash))
        self.assertEqual(self.first.name, name)
        self.write(1)
        last = self.origin / segments.segment_name(9)
        for make in (os.mkfifo, os.mkdir):
            make(last)
            tail, name = self.tail()
            self.assertEqual((4, True), (tail.seq, tail.damaged))
            self.assertIsNone(name)
            last.rename(self.directory / make.__name__)

    def test_one_that_stands_where_a_file_is_to_be_made(self):
        self.write(3)
        os.mkfifo(self.origin / segments.segment_name(4))
        self.write(1)
        again = self.origin / segments.segment_name(4, 1)
        self.assertEqual(4, json.loads(again.read_bytes())["seq"])

    def test_a_note_of_what_cannot_be_is_none(self):
        self.write(3)
        note = self.origin / segments.NOTE
        for seq in (10**12 + 4, 10**17, 10**18 + 5):
            note.write_bytes(segments.note(seq, "a" * 64))
            self.assertEqual(self.ends_with(3)[0], self.tail()[0].seq)
            self.assertFalse(self.tail()[0].missing)

    def test_an_entry_that_none_could_follow_is_none(self):
        self.write(3)
        line = encode(10**18 - 1, NOTHING, 0.0, ORIGIN, "w", "heartbeat", {})
        with self.first.open("ab") as file:
            file.write(line)
        tail, name = self.tail()
        self.assertEqual(self.ends_with(3), (tail.seq, tail.hash))
        self.assertTrue(tail.damaged)
        self.assertIsNone(name)

    def test_a_file_that_is_huge_is_read_as_far_as_it_can_be_ours(self):
        self.write(3)
        os.truncate(self.first, 2**42)
        tail, name = self.tail()
        line = b'{"seq":3'
        self.assertEqual((3, True), (tail.seq, tail.damaged), line)
        self.assertFalse(tail.missing)
        self.assertIsNone(name)

    def test_where_the_last_checkpoint_is(self):
        self.assertEqual(0, find_checkpoint(self.origin))
        self.write(3)
        self.assertEqual(0, find_checkpoint(self.origin))
        chain, _ = open_chain(self.origin, ORIGIN, 1)
        chain.add("checkpoint", 0.0, "w", {})
        chain.flush(True)
        chain.close()
        self.assertEqual(4, find_checkpoint(self.origin))
        self.write(3, 2)
        self.assertEqual(4, find_checkpoint(self.origin))
        with mock.patch.object(tails, "_SIGNED_BYTES", 700):
            self.assertIsNone(find_checkpoint(self.origin))

    def test_one_that_somebody_writes_is_not_even_mended(self):
        self.write(2, noted=False)
        whole = self.first.read_bytes()
        self.first.write_bytes(whole[:-5])
        file = segments.open_locked(self.first)
        self.addCleanup(file.close)
        with self.assertRaises(BlockingIOError):
            find_tail(self.origin, 2**20)
        self.assertEqual(whole[:-5], self.first.read_bytes())

    def test_a_link_is_not_followed(self):
        self.write(1)
        elsewhere = self.directory / "elsewhere"
        self.first.rename(elsewhere)
        self.first.symlink_to(elsewhere)
        seq, hash_ = segments.read_note(self.origin)
        tail, name = self.tail()
        self.assertEqual((seq, hash_), (tail.seq, tail.hash))
        self.assertTrue(tail.damaged and tail.missing)
        self.assertIsNone(name)
        data = elsewhere.read_bytes()
        self.write(1)
        self.assertEqual(data, elsewhere.read_bytes())

    def test_cut_or_changed_anywhere_the_chain_goes_on_and_shows_it(self):
        chance = random.Random(6)
        for _ in range(60):
            for path in self.origin.glob("*"):
                path.unlink()
            self.write(5, 5)
            last = self.origin / segments.segment_name(6)
            data = bytearray(last.read_bytes())
            # The last newline is no part of any entry.
            where = chance.randrange(len(data) - 1)
            if chance.random() < 0.5:
                del data[where:]
            else:
                data[where] ^= 1 << chance.randrange(7)
            last.write_bytes(data)
            self.write(1)
            bad = written.faults(written.lines(self.origin), ORIGIN)
            self.assertTrue(bad, (where, data))
