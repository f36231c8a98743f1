# SPDX-License-Identifier: Apache-2.0
"""A ledger in trouble: it stays whole, and says what happened."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from unittest import mock

from nfv_mla_scheduler.audit import ledger as ledgers
from nfv_mla_scheduler.audit import origins
from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit import segments
from nfv_mla_scheduler.audit import trouble
from nfv_mla_scheduler.audit import writer as writers
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.officers import write_key_pair
from tests.unit.audit import seal_keys
from tests.unit.audit import written
from tests.unit.audit.written import event

LOGGER = "nfv_mla_scheduler.audit"
SEAL_KEY = sealing.read_seal_key(seal_keys.P256.pem)

# Prints what it sees of itself, for the test to go by.
FULL = """
import pathlib, resource, sys, time
from nfv_mla_scheduler.audit import ledger, limits, port
directory = pathlib.Path(sys.argv[1])
audit = ledger.Ledger(
    directory, "ctl-1.nova-scheduler", None, limits.Limits(
        queue_size=32, retry_s=0.01
    )
)
def event(n):
    kind = port.EventKind.HEARTBEAT
    return port.Event(kind, time.time(), "w", {"n": n, "x": "x" * 700})
def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)
assert audit.commit(event(0), 20)
[file] = directory.glob("*/*.jsonl")
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
room = file.stat().st_size + 1500
resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
for n in range(1, 50):
    audit.record(event(n))
until(lambda: audit._trouble.fault)
assert not audit.healthy
assert not audit.commit(event(99), 0.05)
assert file.stat().st_size <= room
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
until(lambda: audit.healthy)
assert audit.commit(event(100), 20)
audit.close()
"""

FOREVER = """
import pathlib, sys, time
from nfv_mla_scheduler.audit import ledger, limits, port
audit = ledger.Ledger(
    pathlib.Path(sys.argv[1]), "ctl-1.nova-scheduler", None, limits.Limits()
)
kind = port.EventKind.HEARTBEAT
assert audit.commit(port.Event(kind, time.time(), "w", {"n": 7}), 20)
print("ready", flush=True)
sys.stdin.read()
"""


class Gate:
    """A clock that makes the ledger's thread wait while it is shut."""

    def __init__(self):
        self._waits = threading.Event()
        self._open = threading.Event()
        self._open.set()
        self._test = threading.current_thread()

    def __call__(self):
        if threading.current_thread() is not self._test:
            if not self._open.is_set():
                self._waits.set()
            self._open.wait(60)
        return written.NOW

    @contextlib.contextmanager
    def shut(self):
        """Shut it; the thread waits from here on."""
        self._waits.clear()
        self._open.clear()
        try:
            assert self._waits.wait(20)
            yield
        finally:
            self._open.set()


class Case(written.Case):
    def start(self, **limits):
        ledger = self.ledger(**limits)
        self.assertTrue(ledger.commit(event(0), 20))
        self.wait(lambda: ledger.ledger)
        return ledger

    def other_process(self):
        process = subprocess.Popen(
            [sys.executable, "-c", FOREVER, str(self.directory)],
            cwd=written.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        self.assertEqual(b"ready\n", process.stdout.readline())
        return process

    def files(self):
        return sorted(path.name for path in self.origin.glob("*.jsonl*"))


class UnwritableTest(Case):
    def test_a_disk_that_is_full_and_has_room_again(self):
        done = subprocess.run(
            [sys.executable, "-c", FULL, str(self.directory)],
            check=True,
            cwd=written.ROOT,
            capture_output=True,
            text=True,
        )
        self.assert_whole()
        numbers = self.numbers()
        self.assertEqual(sorted(set(numbers)), numbers)
        self.assertEqual([0, 100], [numbers[0], numbers[-1]])
        [told] = self.of_kind("ledger-interrupted")
        self.assertEqual("EFBIG", told["error"])
        dropped = [
            told["dropped"] for told in [*self.of_kind("events-dropped"), told]
        ]
        self.assertEqual(52 - len(numbers), sum(dropped))
        self.assertGreaterEqual(sum(dropped), 49 - 32)
        reason = os.strerror(errno.EFBIG)
        self.assertEqual(1, done.stderr.count(reason), done.stderr)

    def test_what_waited_is_written_when_the_trouble_is_over(self):
        aside = self.directory.rename(self.directory.with_name("aside"))
        ledger = self.ledger(queue_size=16)
        with (
            self.assertLogs(LOGGER) as logs,
            mock.patch.object(os, "mkdir", wraps=os.mkdir) as mkdir,
        ):
            for number in range(20):
                ledger.record(event(number))
            self.wait(lambda: not ledger.healthy)
            self.assertIs(False, ledger.ledger)
            self.assertEqual(5, ledger.dropped)
            self.wait(lambda: mkdir.call_count > 5)
            aside.rename(self.directory)
            self.wait(lambda: ledger.ledger)
            ledger.close()
        self.assertEqual(list(range(15)), self.numbers())
        expected = {
            "since": "2023-11-14T22:13:20.000Z",
            "error": "ENOENT",
            "dropped": 5,
        }
        self.assertEqual([expected], self.of_kind("ledger-interrupted"))
        levels = [record.levelname for record in logs.records]
        self.assertEqual(["WARNING", "INFO"], levels)
        self.assertIn("No such file", logs.output[0])
        self.assertIn("5 were dropped", logs.output[1])
        self.assert_whole()

    def test_what_is_done_to_servers_has_room_of_its_own(self):
        self.directory.rmdir()
        ledger = self.ledger(queue_size=32)
        for number in range(40):
            ledger.record(event(number))
        self.assertEqual(10, ledger.dropped)
        for kind in (EventKind.STEP_INTENDED, EventKind.STEP_DONE):
            ledger.record(Event(kind, written.NOW, "host", {}))
        self.assertEqual(10, ledger.dropped)
        ledger.record(Event(EventKind.STEP_INTENDED, written.NOW, "host", {}))
        self.assertEqual(11, ledger.dropped)
        self.directory.mkdir()

    def test_a_full_queue_is_unhealthy_before_anything_fails(self):
        release = threading.Event()
        self.addCleanup(release.set)
        fdatasync = os.fdatasync

        def hangs(fd):
            release.wait(20)
            fdatasync(fd)

        with mock.patch.object(os, "fdatasync", hangs):
            ledger = self.ledger(queue_size=16)
            began = time.monotonic()
            for number in range(500):
                ledger.record(event(number))
            self.assertLess(time.monotonic() - began, 5)
            self.assertFalse(ledger.healthy)
            self.assertGreater(ledger.dropped, 0)
            self.assertFalse(ledger.commit(event(), 0.01))
            dropped = ledger.dropped
            release.set()
            with self.assertLogs(LOGGER):
                self.wait(lambda: ledger.healthy and not ledger.dropped)
            ledger.close()
        told = [one["dropped"] for one in self.of_kind("events-dropped")]
        self.assertEqual(dropped, sum(told))
        self.assert_whole()

    def test_a_directory_that_may_not_be_written(self):
        ledger = self.start()
        read_only = OSError(errno.EROFS, os.strerror(errno.EROFS))
        with mock.patch.object(os, "write", side_effect=read_only):
            self.assertFalse(ledger.commit(event(1), 0.05))
            self.wait(lambda: not ledger.healthy)
        self.wait(lambda: ledger.healthy)
        self.assertTrue(ledger.commit(event(2), 20))
        self.assertEqual([0, 1, 2], self.numbers())
        [told] = self.of_kind("ledger-interrupted")
        self.assertEqual(("EROFS", 0), (told["error"], told["dropped"]))
        self.assert_whole()

    def test_a_sync_that_fails_is_no_promise(self):
        ledger = self.start()
        fails = OSError(errno.EIO, "")
        with mock.patch.object(os, "fdatasync", side_effect=fails):
            self.assertFalse(ledger.commit(event(1), 0.05))
            self.wait(lambda: not ledger.healthy)
        self.assertTrue(ledger.commit(event(2), 20))
        self.assertEqual([0, 1, 2], self.numbers())
        self.assert_whole()

    def test_a_fault_of_our_own_stops_nothing(self):
        ledger = self.start()
        with (
            self.assertLogs(LOGGER, "ERROR") as logs,
            mock.patch.object(os, "write", side_effect=RuntimeError),
        ):
            self.assertFalse(ledger.commit(event(1), 0.1))
            self.wait(lambda: not ledger.healthy)
        self.assertTrue(ledger.commit(event(2), 20))
        self.assertEqual(1, len(logs.records))
        self.assertEqual([0, 1, 2], self.numbers())
        self.assert_whole()

    def test_the_end_waits_for_no_device_that_hangs(self):
        hangs, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def hang(fd):
            hangs.set()
            release.wait(60)

        with (
            mock.patch.object(os, "fdatasync", hang),
            mock.patch.object(ledgers, "CLOSE_TIMEOUT_S", 0.05),
        ):
            ledger = self.ledger()
            ledger.record(event(1))
            self.assertTrue(hangs.wait(20))
            ledger.close()
            self.assertTrue(ledger._thread.is_alive())
            release.set()
            ledger._thread.join(20)
        self.assertEqual([1], self.numbers())
        self.assertEqual("ledger-closed", self.kinds()[-2])
        self.assert_whole()

    def test_the_end_waits_for_no_disk(self):
        ledger = self.ledger(retry_s=1000.0)
        aside = self.directory.rename(self.directory.with_name("aside"))
        for number in range(10):
            ledger.record(event(number))
        self.wait(lambda: not ledger.healthy)
        waits = []
        thread = threading.Thread(
            target=lambda: waits.append(ledger.commit(event(10), 1000))
        )
        thread.start()
        self.wait(lambda: len(ledger._intake) == 11)
        ledger.close()
        thread.join(20)
        self.assertEqual([False], waits)
        self.assertEqual(11, ledger.dropped)
        self.assertFalse(ledger.healthy)
        aside.rename(self.directory)
        self.assertEqual([], list(self.directory.iterdir()))


class HangingTest(Case):
    def hanging(self, ledger, monotonic):
        """Check the flags while something has begun and does not end."""
        self.assertTrue(ledger.healthy and ledger.ledger)
        monotonic.advance(trouble.HANG_S - 1)
        self.assertTrue(ledger.healthy and ledger.ledger)
        monotonic.advance(2)
        self.assertFalse(ledger.healthy)
        self.assertIs(False, ledger.ledger)

    def test_a_disk_that_hangs_shows(self):
        monotonic = written.Time(0.0)
        ledger = self.start(monotonic=monotonic)
        hangs, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def hang(fd):
            hangs.set()
            release.wait(60)

        with mock.patch.object(os, "fdatasync", hang):
            self.assertFalse(ledger.commit(event(1), 0.01))
            self.assertTrue(hangs.wait(20))
            self.hanging(ledger, monotonic)
            release.set()
        self.wait(lambda: ledger.ledger)

    def test_a_key_that_hangs_shows_and_what_waited_is_written(self):
        hangs, release = threading.Event(), threading.Event()
        release.set()
        self.addCleanup(release.set)

        class Signer:
            public_key = written.SIGNER.public_key

            def sign(self, data):
                if not release.is_set():
                    hangs.set()
                release.wait(60)
                return written.SIGNER.sign(data)

        monotonic = written.Time(0.0)
        ledger = self.start(
            signer=Signer, monotonic=monotonic, segment_bytes=2048
        )
        release.clear()
        number = 0
        while not hangs.is_set():
            number += 1
            self.assertTrue(ledger.commit(event(number), 20))
            hangs.wait(0.01)
        self.hanging(ledger, monotonic)
        release.set()
        self.wait(lambda: ledger.ledger)
        self.assert_whole()

    def test_nothing_ends_the_thread(self):
        ledger = self.start()
        for fault in (SystemExit, KeyboardInterrupt, GeneratorExit):
            with (
                self.assertLogs(LOGGER, "ERROR"),
                mock.patch.object(os, "write", side_effect=fault),
            ):
                self.assertFalse(ledger.commit(event(1), 0.05))
                self.wait(lambda: not ledger.healthy)
            self.assertTrue(ledger.commit(event(2), 20))
            self.wait(lambda: ledger.healthy)
        self.assert_whole()

    def test_a_signer_that_exits_signs_nothing(self):
        def signer():
            raise SystemExit

        with self.assertLogs(LOGGER):
            ledger = self.ledger(signer=signer)
            self.assertTrue(ledger.commit(event(1), 20))
            self.assertTrue(ledger.commit(event(2), 20))
        self.assertTrue(ledger.healthy)
        self.assertIs(False, ledger.ledger)

    def test_a_thread_that_has_ended_shows(self):
        ledger = self.start()
        with (
            mock.patch.object(ledger, "_note", side_effect=RuntimeError),
            mock.patch.object(threading, "excepthook"),
        ):
            ledger.record(event(1))
            ledger._thread.join(20)
        self.assertFalse(ledger.healthy)
        self.assertIs(False, ledger.ledger)
        self.assertFalse(ledger.commit(event(2), 20))

    def test_an_event_of_no_use_stops_nothing(self):
        ledger = self.start()
        ledger.record(Event(EventKind.FINDING, None, None, {}))
        ledger.record(Event(EventKind.FINDING, None, [], None, None))
        self.assertFalse(ledger.commit(Event("no-kind", 0.0, "w", {}), 20))
        self.assertTrue(ledger.commit(event(1), 20))
        self.assertTrue(ledger.healthy)
        self.assertEqual(2, self.kinds().count("finding"))
        self.assertEqual(1, self.of_kind("events-dropped")[0]["dropped"])
        self.assert_whole()

    def test_reading_keys_keeps_nobody_waiting(self):
        ledger = self.start()
        reads, release = threading.Event(), threading.Event()
        waits = []
        self.addCleanup(release.set)

        def read(pem):
            reads.set()
            waits.append(release.wait(5))
            return SEAL_KEY

        with mock.patch.object(sealing, "read_seal_key", read):
            thread = threading.Thread(
                target=ledger.seal_for,
                args=({"silver": seal_keys.P256.pem},),
            )
            thread.start()
            self.assertTrue(reads.wait(20))
            self.assertTrue(ledger.commit(event(1), 20))
            release.set()
            thread.join(20)
        self.assertEqual([True], waits)


class KeyTest(Case):
    def test_a_key_that_comes_later(self):
        path = self.directory.with_name("key")
        monotonic = written.Time(0.0)
        with self.assertLogs(LOGGER) as logs:
            ledger = self.ledger(
                signer=lambda: read_signer(path, lambda _: b""),
                monotonic=monotonic,
                retry_s=1.0,
            )
            for number in range(10):
                self.assertTrue(ledger.commit(event(number), 20))
                monotonic.advance(1.0)
            self.assertTrue(ledger.healthy)
            self.assertIs(False, ledger.ledger)
            private, _ = write_key_pair(self.directory.parent, "made")
            private.rename(path)
            self.assertNotIn("checkpoint", self.kinds())
            monotonic.advance(1.0)
            ledger.record(event(10))
            self.wait(lambda: ledger.ledger)
            ledger.close()
        self.assertIn("checkpoint", self.kinds()[-4:-2])
        self.assertEqual(list(range(11)), self.numbers())
        self.assert_whole()
        self.assertEqual(2, len(logs.records), logs.output)
        self.assertIn(str(path), logs.output[0])
        self.assertIn("signed again", logs.output[1])

    def test_a_key_whose_device_goes_away_and_comes_back(self):
        gone = threading.Event()

        class Signer:
            def sign(self, payload):
                if gone.is_set():
                    raise RuntimeError("no such token\nin any slot")
                return written.SIGNER.sign(payload)

        monotonic = written.Time(0.0)
        ledger = self.start(signer=Signer, monotonic=monotonic)
        gone.set()
        monotonic.advance(61)
        with self.assertLogs(LOGGER) as logs:
            self.assertTrue(ledger.commit(event(1), 20))
            self.wait(lambda: ledger.ledger is False)
            self.assertTrue(ledger.healthy)
            gone.clear()
            monotonic.advance(1)
            self.assertTrue(ledger.commit(event(2), 20))
            self.wait(lambda: ledger.ledger)
        self.assertEqual(2, len(logs.records), logs.output)
        ledger.close()
        self.assert_whole()


class FoundTest(Case):
    def spoiled(self, spoil):
        """Return what is said of a ledger that was spoiled meanwhile."""
        self.start().close()
        spoil(self.origin / segments.segment_name(1))
        self.start().close()
        return self.of_kind("ledger-opened")[-1]

    def test_a_line_that_is_torn(self):
        def tear(path):
            with path.open("ab") as file:
                file.write(b'{"seq":6,"prev":"00')

        found = self.spoiled(tear)
        self.assertEqual((5, 19), (found["after_seq"], found["torn_bytes"]))
        self.assertEqual([segments.segment_name(1)], self.files())
        self.assert_whole()

    def test_an_end_that_is_damaged(self):
        def damage(path):
            with path.open("ab") as file:
                file.write(b"\0" * 4096)

        found = self.spoiled(damage)
        self.assertEqual((5, True), (found["after_seq"], found["damaged"]))
        self.assertEqual(
            [segments.segment_name(1), segments.segment_name(6)],
            self.files(),
        )
        [bad] = written.faults(written.lines(self.origin), f"{written.NAME}.0")
        self.assertIn("after 5: no entry", bad)

    def test_entries_that_are_cut_off(self):
        def cut(path):
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(lines[:3]))

        found = self.spoiled(cut)
        self.assertEqual((5, True), (found["after_seq"], found["missing"]))
        [bad] = written.faults(written.lines(self.origin), f"{written.NAME}.0")
        self.assertIn("after 3", bad)

    def test_a_sealed_chain_too(self):
        for number in range(2):
            ledger = self.start(seal_interval_s=0.02)
            ledger.seal_for({"silver": seal_keys.P256.pem})
            sealed = self.origin / "sealed" / "silver"
            self.wait(lambda path=sealed: written.lines(path))
            ledger.close()
            if not number:
                path = sealed / segments.segment_name(1)
                lines = path.read_bytes().splitlines(keepends=True)
                path.write_bytes(b"".join(lines[:-2]))
        [moved] = self.of_kind("ledger-moved")
        self.assertEqual(("silver", True), (moved["domain"], moved["missing"]))
        self.assert_whole()


class StrangerTest(Case):
    def expect(self, ledger, how, numbers):
        self.assertTrue(ledger.commit(event(1), 20))
        self.wait(lambda: self.of_kind("ledger-moved"))
        [told] = self.of_kind("ledger-moved")
        self.assertEqual(how, told["how"])
        self.assertTrue(ledger.commit(event(2), 20))
        ledger.close()
        self.assertEqual(numbers, self.numbers())

    def test_a_file_that_is_renamed(self):
        ledger = self.start()
        with self.assertLogs(LOGGER) as logs:
            first = self.origin / segments.segment_name(1)
            first.rename(first.with_name(first.name + ".1"))
            self.expect(ledger, "gone", [0, 1, 2])
        self.assertEqual(1, len(logs.records))
        self.assertEqual(2, len(self.files()))
        self.assert_whole()
        self.start().close()
        self.assert_whole()

    def test_a_file_that_is_copied_and_truncated(self):
        ledger = self.start()
        first = self.origin / segments.segment_name(1)
        shutil.copy(first, first.with_name(first.name + ".1"))
        os.truncate(first, 0)
        self.expect(ledger, "shortened", [0, 1, 2])
        self.assert_whole()

    def test_a_file_that_is_removed(self):
        ledger = self.start()
        lost = written.lines(self.origin)
        (self.origin / segments.segment_name(1)).unlink()
        self.expect(ledger, "gone", [1, 2])
        lines = lost + written.lines(self.origin)
        self.assertEqual([], written.faults(lines, f"{written.NAME}.0"))

    def test_rotation_again_and_again_while_it_is_written(self):
        ledger = self.ledger()
        count = 0
        kept = self.directory.with_name("kept")
        kept.mkdir()
        for turn in range(25):
            for _ in range(20):
                ledger.record(event(count))
                count += 1
            self.assertTrue(ledger.commit(event(count), 20))
            count += 1
            if turn % 2:
                for path in self.origin.glob("*.jsonl"):
                    with contextlib.suppress(FileNotFoundError):
                        path.rename(kept / path.name)
        ledger.close()
        for path in kept.iterdir():
            self.assertFalse((self.origin / path.name).exists(), path)
            path.rename(self.origin / path.name)
        self.assertEqual(list(range(count)), self.numbers())
        self.assert_whole()

    def test_a_directory_that_is_removed(self):
        ledger = self.start()
        lost = written.lines(self.origin)
        shutil.rmtree(self.origin)
        self.assertTrue(ledger.commit(event(1), 20))
        ledger.close()
        self.assertEqual([1], self.numbers())
        hows = [one["how"] for one in self.of_kind("ledger-moved")]
        self.assertEqual(["lock-gone", "gone"], sorted(hows, reverse=True))
        lines = lost + written.lines(self.origin)
        self.assertEqual([], written.faults(lines, f"{written.NAME}.0"))

    def test_a_directory_that_is_removed_with_its_sealed_chains(self):
        ledger = self.start(seal_interval_s=0.02)
        ledger.seal_for({"silver": seal_keys.P256.pem})
        sealed = self.origin / "sealed" / "silver"
        self.wait(lambda: len(written.lines(sealed)) > 2)
        old = self.origin.rename(self.directory / "old")
        step = event(1, EventKind.STEP_INTENDED, "silver", server="s")
        self.assertTrue(ledger.commit(step, 20))
        self.assertTrue(ledger.commit(event(1), 20))
        ledger.close()
        for path, name in (
            ("", f"{written.NAME}.0"),
            ("sealed/silver", f"{written.NAME}.0/silver"),
        ):
            new = written.lines(self.origin / path)
            self.assertTrue(new)
            lines = written.lines(old / path) + new
            self.assertEqual([], written.faults(lines, name))

    def test_a_ledger_that_is_removed_shows_though_nothing_happens(self):
        monotonic = written.Time(0.0)
        ledger = self.start(monotonic=monotonic)
        self.wait(lambda: ledger._writer.due_at() > monotonic())
        aside = self.directory.rename(self.directory.with_name("aside"))
        monotonic.advance(3.0)
        with ledger._wake:
            ledger._wake.notify()
        self.wait(lambda: not ledger.ledger)
        self.assertFalse(self.directory.exists())
        aside.rename(self.directory)
        self.wait(lambda: ledger.ledger)

    def test_it_looks_by_itself(self):
        self.assertLessEqual(writers.LOOK_S, 5.0)
        ledger = self.start(monotonic=lambda: 0.0)
        self.wait(lambda: 0.0 < ledger._writer.due_at() <= writers.LOOK_S)

    def test_a_sealed_directory_that_cannot_be_written_is_told_once(self):
        ledger = self.start(seal_interval_s=0.01)
        sealed = self.origin / "sealed"
        sealed.write_text("in the way")
        with self.assertLogs(LOGGER) as logs:
            ledger.seal_for({"silver": seal_keys.P256.pem})
            self.wait(lambda: not ledger.healthy)
            ticks = []
            tick = ledger._writer.sealed.tick
            with mock.patch.object(
                ledger._writer.sealed,
                "tick",
                lambda *args: (ticks.append(1), tick(*args)),
            ):
                self.wait(lambda: len(ticks) > 20)
            self.assertTrue(ledger.commit(event(1), 20))
            self.assertFalse(ledger.healthy)
            self.assertEqual([], self.of_kind("ledger-interrupted"))
            sealed.unlink()
            self.wait(lambda: ledger.healthy)
            ledger.close()
        self.assertEqual(2, len(logs.records), logs.output)
        self.assertEqual(1, len(self.of_kind("ledger-interrupted")))
        self.assert_whole()

    def test_a_directory_in_whose_place_is_a_file(self):
        ledger = self.start()
        aside = self.origin.rename(self.directory / "aside")
        self.origin.write_text("in the way")
        self.assertFalse(ledger.commit(event(1), 0.05))
        self.wait(lambda: not ledger.healthy)
        self.origin.unlink()
        aside.rename(self.origin)
        self.assertTrue(ledger.commit(event(2), 20))
        ledger.close()
        self.assertEqual([0, 1, 2], self.numbers())
        self.assert_whole()


class TwoWritersTest(Case):
    def start_sealed(self, gate):
        """Return a ledger that seals, and where its blocks are by then."""
        ledger = self.start(seal_interval_s=0.02, clock=gate)
        ledger.seal_for({"silver": seal_keys.P256.pem})
        sealed = "sealed/silver"
        self.wait(lambda: written.lines(self.origin / sealed))
        return ledger, sealed

    def test_a_lock_that_is_removed_lets_nobody_in(self):
        ledger = self.start()
        (self.origin / origins.LOCK).unlink()
        self.other_process()
        self.assertEqual([0], self.numbers(0))
        self.assertEqual([7], self.numbers(1))
        with self.assertLogs(LOGGER):
            self.assertTrue(ledger.commit(event(1), 20))
        [told] = self.of_kind("ledger-moved")
        self.assertEqual({"how": "lock-gone"}, told)
        ledger.close()
        self.assertEqual([0, 1], self.numbers(0))
        self.assert_whole(0)
        self.assert_whole(1)

    def test_a_slot_that_another_has_is_left_to_it(self):
        gate = Gate()
        ledger, sealed = self.start_sealed(gate)
        # A writer whose files are gone cannot keep others out: it goes.
        with gate.shut():
            old = self.origin.rename(self.directory / "old")
            process = self.other_process()
        with self.assertLogs(LOGGER):
            self.assertTrue(ledger.commit(event(1), 20))
        step = event(2, EventKind.STEP_INTENDED, "silver", server="s")
        self.assertTrue(ledger.commit(step, 20))
        ledger.close()
        process.kill()
        process.wait()
        self.assertEqual([7], self.numbers(0))
        self.assertEqual([1], self.numbers(1))
        other = self.directory / f"{written.NAME}.1"
        [told] = self.of_kind("ledger-opened", 1)
        last = written.entries(old)[-1]
        self.assertEqual(f"{written.NAME}.0", told["left"])
        self.assertEqual(last["seq"], told["left_seq"])
        for path, name in (
            (old, f"{written.NAME}.0"),
            (old / sealed, f"{written.NAME}.0/silver"),
            (self.origin, f"{written.NAME}.0"),
            (other, f"{written.NAME}.1"),
            (other / sealed, f"{written.NAME}.1/silver"),
        ):
            self.assertTrue(written.lines(path), path)
            self.assertEqual([], written.faults(written.lines(path), name))
        self.assertFalse((self.origin / "sealed").exists())

    def test_what_was_not_written_goes_to_the_other_slot(self):
        gate = Gate()
        ledger = self.start(clock=gate)
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with mock.patch.object(os, "write", side_effect=full):
            for number in (1, 2, 3):
                ledger.record(event(number))
            self.wait(lambda: ledger._trouble.fault)
            with gate.shut():
                self.origin.rename(self.directory / "old")
                self.other_process()
        self.assertTrue(ledger.commit(event(4), 20))
        ledger.close()
        self.assertEqual([7], self.numbers(0))
        self.assertEqual([1, 2, 3, 4], self.numbers(1))
        self.assert_whole(0)
        self.assert_whole(1)

    def test_a_sealed_chain_that_has_no_place_there_holds_nothing_up(self):
        gate = Gate()
        ledger, sealed = self.start_sealed(gate)
        other = self.directory / f"{written.NAME}.1"
        (other / "sealed").mkdir(parents=True)
        (other / sealed).write_text("in the way")
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with mock.patch.object(os, "write", side_effect=full):
            ledger.record(event(1))
            self.wait(lambda: ledger._trouble.fault and ledger._writer._added)
            with gate.shut():
                old = self.origin.rename(self.directory / "old")
                self.other_process()
        left = written.lines(old / sealed)
        self.assertTrue(ledger.commit(event(2), 20))
        self.assertEqual([1, 2], self.numbers(1))
        self.wait(lambda: not ledger.healthy)
        self.assertFalse((self.origin / "sealed").exists())
        self.assertEqual(left, written.lines(old / sealed))
        (other / sealed).unlink()
        self.wait(lambda: ledger.healthy)
        step = event(3, EventKind.STEP_INTENDED, "silver", server="s")
        self.assertTrue(ledger.commit(step, 20))
        ledger.close()
        lines = written.lines(other / sealed)
        name = f"{written.NAME}.1/silver"
        self.assertEqual([], written.faults(lines, name))
        self.assert_whole(1)

    def test_what_a_sealed_chain_finds_there_is_told(self):
        gate = Gate()
        ledger, sealed = self.start_sealed(gate)
        other = self.directory / f"{written.NAME}.1"
        (other / sealed).mkdir(parents=True)
        junk = other / sealed / segments.segment_name(1)
        junk.write_bytes(b"\0" * 500)
        with gate.shut():
            self.origin.rename(self.directory / "old")
            self.other_process()
        step = event(1, EventKind.STEP_INTENDED, "silver", server="s")
        self.assertTrue(ledger.commit(event(1), 20))
        self.assertTrue(ledger.commit(step, 20))
        ledger.close()
        [told] = self.of_kind("ledger-moved", 1)
        self.assertEqual(("silver", True), (told["domain"], told["damaged"]))
        self.assert_whole(1)


class ClockTest(Case):
    def test_a_clock_that_goes_back(self):
        clock = written.Time(written.NOW)
        ledger = self.start(clock=clock)
        for by_s in (-4.0, 3.0, 60.0, -30.0, 1.0):
            clock.advance(by_s)
            self.assertTrue(ledger.commit(event(1), 20))
        ledger.close()
        self.assertEqual(
            [
                {
                    "from": "2023-11-14T22:14:19.000Z",
                    "to": "2023-11-14T22:13:49.000Z",
                }
            ],
            self.of_kind("clock-back"),
        )
        self.assert_whole()

    def test_one_that_went_back_while_nobody_was_here(self):
        self.start().close()
        clock = written.Time(written.NOW - 3600)
        self.start(clock=clock).close()
        [told] = self.of_kind("clock-back")
        self.assertEqual("2023-11-14T21:13:20.000Z", told["to"])
        self.assert_whole()


class KilledTest(Case):
    def test_after_a_kill_the_slot_is_free_and_the_chain_goes_on(self):
        process = self.other_process()
        process.kill()
        process.wait()
        self.start().close()
        self.assertEqual([7, 0], self.numbers())
        self.assertEqual(1, self.kinds().count("ledger-closed"))
        self.assert_whole()
        self.assertEqual([self.origin], list(self.directory.iterdir()))
