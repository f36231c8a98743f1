# SPDX-License-Identifier: Apache-2.0
"""One chain in its files: whole, whatever a disk or a stranger does."""

from __future__ import annotations

import collections
import contextlib
import errno
import functools
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from unittest import mock

from nfv_mla_scheduler.audit import segments
from nfv_mla_scheduler.audit.chain import open_chain
from tests.unit.audit import written

ORIGIN = "ctl.0"

FULL = """
import pathlib, resource, sys
from nfv_mla_scheduler.audit.chain import open_chain
directory = pathlib.Path(sys.argv[1])
chain, _ = open_chain(directory, "ctl.0", 2**20)
add = lambda n: chain.add("heartbeat", 0.0, "w", {"n": n, "x": "x" * 500})
add(0)
chain.flush(True)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
[file] = directory.glob("*.jsonl")
for room in (*range(0, 2400, 97), 2300):
    size = file.stat().st_size
    data = file.read_bytes()
    for n in range(3):
        add(chain.seq)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
    try:
        chain.flush(True)
        print("written")
    except OSError as exc:
        print(exc.strerror)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    if chain.pending:
        chain.flush(False)
    assert file.read_bytes().startswith(data)
print(chain.seq)
"""


class Case(written.Case):
    def setUp(self):
        super().setUp()
        self.origin = self.directory / ORIGIN
        self.first = self.origin / segments.segment_name(1)
        self.opened = []

    def open(self, segment_bytes=2**20):
        chain, _ = open_chain(self.origin, ORIGIN, segment_bytes)
        self.addCleanup(chain.close)
        return chain

    def add(self, chain, *numbers, sync=True):
        for number in numbers:
            chain.add("heartbeat", written.NOW, "w", {"n": number})
        chain.flush(sync)

    def numbers(self, directory=None):
        found = written.entries(directory or self.origin)
        return [one["fields"]["n"] for one in found]

    def assert_whole(self, *directories):
        found = [
            line
            for directory in directories or (self.origin,)
            for line in written.lines(directory)
        ]
        self.assertEqual([], written.faults(found, ORIGIN))


class WritingTest(Case):
    def test_nothing_is_there_before_the_first_flush(self):
        chain = self.open()
        chain.add("heartbeat", written.NOW, "w", {})
        self.assertFalse(self.origin.exists())
        chain.flush(False)
        self.assertTrue(self.first.exists())

    def test_what_it_says_of_itself(self):
        chain = self.open()
        self.assertEqual((0, "0" * 64), (chain.seq, chain.hash))
        chain.add("heartbeat", written.NOW, "w", {})
        self.assertEqual(1, chain.seq)
        self.assertTrue(chain.pending and chain.unsynced)
        chain.flush(False)
        self.assertTrue(chain.unsynced and not chain.pending)
        chain.flush(True)
        self.assertFalse(chain.unsynced)
        self.add(chain, 2)
        [_, last] = written.entries(self.origin)
        self.assertEqual(chain.seq, last["seq"])

    def test_it_goes_on_where_it_ended(self):
        for number in range(5):
            chain = self.open()
            self.add(chain, number)
            chain.close()
        self.assertEqual([0, 1, 2, 3, 4], self.numbers())
        self.assert_whole()
        self.assertEqual([self.first], list(self.origin.glob("*.jsonl")))

    def test_a_full_file_is_left_for_another(self):
        chain = self.open(segment_bytes=1000)
        for number in range(20):
            self.add(chain, number, sync=False)
        files = sorted(self.origin.glob("*.jsonl"))
        self.assertGreater(len(files), 3)
        for path in files:
            line = path.read_bytes().partition(b"\n")[0]
            first = json.loads(line)["seq"]
            self.assertEqual(segments.segment_name(first), path.name)
        self.assertEqual(list(range(20)), self.numbers())
        self.assert_whole()

    def test_it_tells_when_a_flush_fills_the_file(self):
        chain = self.open(segment_bytes=500)
        self.add(chain, 1)
        self.assertFalse(chain.full)
        chain.add("heartbeat", written.NOW, "w", {"n": "x" * 300})
        self.assertTrue(chain.full)
        chain.flush(False)
        self.assertTrue(chain.full)
        self.add(chain, 3)
        self.assertFalse(chain.full)
        second = self.origin / segments.segment_name(3)
        self.assertEqual(1, len(second.read_bytes().splitlines()))

    def test_only_one_may_write_it(self):
        chain = self.open()
        self.add(chain, 1)
        with self.assertRaises(BlockingIOError):
            self.open()
        chain.close()
        self.add(self.open(), 2)
        self.assert_whole()

    def test_it_notes_what_was_synced_and_no_more(self):
        chain = self.open(segment_bytes=500)
        self.add(chain, 1)
        synced = (chain.seq, chain.hash)
        self.add(chain, 2, sync=False)
        self.assertEqual(synced, segments.read_note(self.origin))
        left = (chain.seq, chain.hash)
        self.add(chain, 3, sync=False)
        self.add(chain, 4, sync=False)
        self.assertEqual(2, len(list(self.origin.glob("*.jsonl"))))
        noted = segments.read_note(self.origin)
        self.assertLessEqual(left[0], noted[0])
        self.assertLess(noted[0], chain.seq)

    def test_going_to_another_place_takes_along_what_waits(self):
        chain = self.open()
        self.add(chain, 1, 2)
        chain.add("heartbeat", written.NOW + 0.25, "w", {"n": 3})
        elsewhere = self.directory / "ctl.1"
        chain.go_to(elsewhere, "ctl.1")
        chain.flush(True)
        self.assertEqual(1, chain.seq)
        [line] = written.lines(elsewhere)
        self.assertEqual([], written.faults([line], "ctl.1"))
        found = json.loads(line)
        self.assertEqual({"n": 3}, found["fields"])
        self.assertEqual("2023-11-14T22:13:20.250Z", found["at"])
        self.assertEqual([1, 2], self.numbers())
        self.add(self.open(), 4)
        self.assert_whole()

    def test_one_that_cannot_go_there_writes_nothing_until_it_can(self):
        chain = self.open()
        self.add(chain, 1, 2)
        chain.add("heartbeat", written.NOW, "w", {"n": 3})
        elsewhere = self.directory / "ctl.1"
        elsewhere.write_text("in the way")
        chain.go_to(elsewhere, "ctl.1")
        chain.add("heartbeat", written.NOW, "w", {"n": 4})
        for _ in range(2):
            with self.assertRaises(OSError):
                chain.flush(True)
        self.assertEqual([1, 2], self.numbers())
        self.assertIsNone(chain.found)
        elsewhere.unlink()
        chain.flush(True)
        self.assertEqual(0, chain.found.seq)
        self.assertEqual([3, 4], self.numbers(elsewhere))
        lines = written.lines(elsewhere)
        self.assertEqual([], written.faults(lines, "ctl.1"))

    def test_the_directory_of_all_is_never_made(self):
        chain = self.open()
        aside = self.directory.with_name("aside")
        self.directory.rename(aside)
        chain.add("heartbeat", written.NOW, "w", {})
        with self.assertRaises(FileNotFoundError):
            chain.flush(True)
        self.assertFalse(self.directory.exists())
        aside.rename(self.directory)
        chain.flush(True)
        self.assert_whole()


class TroubleTest(Case):
    def test_a_disk_that_is_full_at_any_byte(self):
        """By a limit on files, which fails as a full disk does."""
        done = subprocess.run(
            [sys.executable, "-c", FULL, str(self.origin)],
            check=True,
            cwd=written.ROOT,
            capture_output=True,
            text=True,
        )
        *tries, count = done.stdout.splitlines()
        self.assertGreater(tries.count(os.strerror(errno.EFBIG)), 20)
        self.assertEqual("written", tries[-1])
        self.assertEqual(list(range(int(count))), self.numbers())
        self.assert_whole()

    def test_after_a_failed_write_the_file_is_as_before(self):
        chain = self.open()
        self.add(chain, 1)
        before = self.first.read_bytes()
        write, cuts = os.write, [7, 0]

        def short(fd, data):
            return write(fd, data[: cuts.pop(0)])

        with (
            mock.patch.object(os, "write", short),
            self.assertRaises(OSError),
        ):
            self.add(chain, 2, 3)
        self.assertEqual(7, len(self.first.read_bytes()) - len(before))
        self.add(chain, 4)
        self.assertEqual([1, 2, 3, 4], self.numbers())
        self.assert_whole()

    def test_a_torn_write_that_nobody_mends_is_mended_by_the_next(self):
        chain = self.open()
        self.add(chain, 1)
        write, cuts = os.write, [7, 0]
        with (
            mock.patch.object(
                os, "write", lambda fd, data: write(fd, data[: cuts.pop(0)])
            ),
            self.assertRaises(OSError),
        ):
            self.add(chain, 2)
        chain.close()
        self.add(self.open(), 3)
        self.assertEqual([1, 3], self.numbers())
        self.assert_whole()

    def test_what_could_not_be_synced_is_written_anew(self):
        chain = self.open()
        self.add(chain, 1)
        self.add(chain, 2, sync=False)
        with (
            mock.patch.object(
                os, "fdatasync", side_effect=OSError(errno.EIO, "")
            ),
            self.assertRaises(OSError),
        ):
            self.add(chain, 3)
        self.assertTrue(chain.pending)
        writes = []
        write = os.write

        def seen(fd, data):
            writes.append(bytes(data))
            return write(fd, data)

        with mock.patch.object(os, "write", seen):
            self.add(chain, 4)
        self.assertEqual(3, writes[0].count(b"\n"))
        self.assertEqual([1, 2, 3, 4], self.numbers())
        self.assert_whole()

    def test_a_file_system_without_room_for_a_name(self):
        chain = self.open()
        self.origin.write_text("in the way")
        with self.assertRaises(OSError):
            self.add(chain, 1)
        self.origin.unlink()
        self.add(chain, 2)
        self.assertEqual([1, 2], self.numbers())
        self.assert_whole()

    def test_a_directory_that_cannot_be_synced_leaves_one_file(self):
        chain = self.open()
        with mock.patch.object(
            os, "fsync", side_effect=OSError(errno.EIO, "")
        ):
            for number in (1, 2, 3):
                with self.assertRaises(OSError):
                    self.add(chain, number)
        self.add(chain, 4)
        self.assertEqual([self.first], list(self.origin.glob("*.jsonl*")))
        self.assertEqual([1, 2, 3, 4], self.numbers())

    def test_no_file_can_be_opened(self):
        chain = self.open()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.open(os.devnull, os.O_RDONLY)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            with self.assertRaises(OSError):
                self.add(chain, 1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.add(chain, 2)
        self.assertEqual([1, 2], self.numbers())
        self.assert_whole()


class StrangerTest(Case):
    def setUp(self):
        super().setUp()
        self.chain = self.open()
        self.add(self.chain, 1, 2)

    def moves(self):
        found = [(move.how, move.file) for move in self.chain.moves]
        self.chain.moves.clear()
        return found

    def test_a_file_that_is_renamed(self):
        old = self.first.rename(self.first.with_name(self.first.name + ".1"))
        self.add(self.chain, 3, sync=False)
        self.assertEqual([("gone", self.first.name)], self.moves())
        self.assertEqual(2, len(old.read_bytes().splitlines()))
        self.add(self.chain, 4)
        self.assertEqual([], self.moves())
        lines = old.read_bytes().splitlines() + written.lines(
            self.origin, "*.jsonl"
        )
        self.assertEqual(4, len(lines))
        self.assertEqual([], written.faults(lines, ORIGIN))

    def test_a_file_that_is_renamed_and_made_anew(self):
        self.first.rename(self.first.with_name("kept"))
        self.first.touch()
        self.add(self.chain, 3)
        self.assertEqual([("other-file", self.first.name)], self.moves())
        self.assertEqual(b"", self.first.read_bytes())
        self.assertTrue((self.origin / segments.segment_name(3)).exists())

    def test_a_file_that_is_copied_and_truncated(self):
        data = self.first.read_bytes()
        self.first.write_bytes(b"")
        self.add(self.chain, 3)
        self.assertEqual([("shortened", self.first.name)], self.moves())
        self.assertEqual(b"", self.first.read_bytes())
        self.first.write_bytes(data)
        self.assert_whole()

    def test_a_file_to_which_somebody_adds(self):
        with self.first.open("ab") as file:
            file.write(b"hello\n")
        self.add(self.chain, 3)
        self.assertEqual([("lengthened", self.first.name)], self.moves())
        self.assertTrue(self.first.read_bytes().endswith(b"hello\n"))

    def test_a_file_that_is_removed(self):
        self.first.unlink()
        self.chain.flush(False)
        self.assertEqual([("gone", self.first.name)], self.moves())
        self.add(self.chain, 3)
        self.assertEqual([3], self.numbers())
        self.assertEqual(3, written.entries(self.origin)[0]["seq"])

    def test_a_whole_directory_that_is_moved_away(self):
        old = self.origin.rename(self.directory / "old")
        self.add(self.chain, 3)
        self.assertEqual([("gone", self.first.name)], self.moves())
        self.assertEqual([1, 2], self.numbers(old))
        self.assertEqual([3], self.numbers())
        self.assert_whole(old, self.origin)
        self.chain.close()
        with contextlib.closing(self.open()) as chain:
            self.add(chain, 4)
        self.assert_whole(old, self.origin)

    def test_the_ledger_itself_is_never_made(self):
        for path in sorted(self.directory.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        aside = self.directory.with_name("aside")
        self.directory.rename(aside)
        # Above the origin's directory one is made: a sealed chain's.
        deep, _ = open_chain(self.origin / "sealed" / "li", ORIGIN, 9)
        deep.add("sealed", written.NOW, "w", {})
        with self.assertRaises(OSError):
            deep.flush(True)
        self.assertFalse(self.directory.exists())
        aside.rename(self.directory)

    def test_what_was_synced_is_noted_where_it_is_now(self):
        self.origin.rename(self.directory / "old")
        self.add(self.chain, 3)
        noted = segments.read_note(self.origin)
        self.assertEqual((self.chain.seq, self.chain.hash), noted)


class Faulty:
    """System calls of which some fail, as a random generator has it."""

    NAMES = ("write", "fdatasync", "fsync", "ftruncate")

    def __init__(self, chance):
        self._chance = chance
        self._real = {name: getattr(os, name) for name in self.NAMES}
        self.rate = 0.0
        self.failed = collections.Counter()

    @contextlib.contextmanager
    def at(self, rate):
        """Have so many calls fail."""
        self.rate = rate
        with contextlib.ExitStack() as stack:
            for name in self.NAMES:
                call = functools.partial(self._call, name)
                stack.enter_context(mock.patch.object(os, name, call))
            yield

    def _call(self, name, fd, *args):
        if self._chance.random() >= self.rate:
            return self._real[name](fd, *args)
        self.failed[name] += 1
        if name == "write" and self._chance.random() < 0.7:
            cut = self._chance.randrange(len(args[0]))
            return self._real[name](fd, args[0][:cut])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class RandomTest(Case):
    """Faults in any order, crashes and strangers between them."""

    def run_once(self, chance, faulty, kept):
        """Return the numbers that were synced."""
        chain, synced, waiting = self.open(1500), [], []
        for number in range(120):
            chain.add("heartbeat", written.NOW, "w", {"n": number})
            waiting.append(number)
            sync = chance.random() < 0.4
            ok = False
            rate = chance.choice((0.0, 0.0, 0.1, 0.6))
            with faulty.at(rate), contextlib.suppress(OSError):
                chain.flush(sync)
                ok = True
            if ok and sync:
                synced += waiting
                waiting = []
            turn = chance.random()
            if turn < 0.05:
                chain.close()
                waiting = []
                chain = self.open(1500)
            elif turn < 0.15 and not chain.unsynced:
                last = max(self.origin.glob("*.jsonl"), default=None)
                if last is not None:
                    last.rename(kept / last.name)
        with contextlib.closing(chain):
            chain.flush(True)
        return synced + waiting

    def test_nothing_that_was_synced_is_lost_or_twice(self):
        chance = random.Random(6)
        faulty = Faulty(chance)
        kept = self.directory / "kept"
        for turn in range(12):
            kept.mkdir()
            synced = self.run_once(chance, faulty, kept)
            for path in kept.iterdir():
                self.assertFalse((self.origin / path.name).exists())
                path.rename(self.origin / path.name)
            kept.rmdir()
            numbers = self.numbers()
            self.assertEqual(sorted(set(numbers)), numbers, turn)
            self.assertEqual(set(), set(synced) - set(numbers), turn)
            self.assert_whole()
            shutil.rmtree(self.origin)
        for name in Faulty.NAMES:
            self.assertGreater(faulty.failed[name], 3, faulty.failed)
