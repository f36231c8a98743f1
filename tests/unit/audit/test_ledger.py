# SPDX-License-Identifier: Apache-2.0
"""The ledger behind the port: what is recorded is there, whole and signed."""

from __future__ import annotations

import collections
import contextlib
import gc
import hashlib
import itertools
import json
import os
import re
import stat
import subprocess
import sys
import threading
import weakref
from unittest import mock

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import segments
from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from tests.unit.audit import seal_keys
from tests.unit.audit import written
from tests.unit.audit.written import event

AT_EXIT = """
import pathlib, sys
from nfv_mla_scheduler.audit import ledger, limits, port
audit = ledger.Ledger(
    pathlib.Path(sys.argv[1]), "ctl-1.nova-scheduler", None, limits.Limits()
)
audit.record(port.Event(port.EventKind.HEARTBEAT, 0, "", {"n": 1}))
"""


class PortTest(written.Case):
    """What holds for everything that stands behind the port."""

    def test_each_takes_events_and_is_healthy(self):
        ports: tuple[tuple[AuditPort, bool | None], ...] = (
            (NullAudit(), None),
            (self.ledger(), True),
        )
        for port, ledger in ports:
            with self.subTest(type(port).__name__):
                self.assertTrue(port.healthy)
                port.seal_for({"silver": None})
                port.record(event())
                self.assertTrue(port.commit(event(), 20))
                self.wait(lambda p=port, k=ledger: p.ledger is k)
                self.assertTrue(port.healthy)
                port.close()
                port.close()
                port.record(event())

    def test_nothing_is_opened_before_the_first_event(self):
        threads = threading.active_count()
        ledger = self.ledger()
        self.assertIs(False, ledger.ledger)
        ledger.seal_for({"silver": None})
        ledger.close()
        self.assertEqual([], list(self.directory.iterdir()))
        self.assertEqual(threads, threading.active_count())

    def test_flags_are_read_without_locks(self):
        ledger = self.ledger()
        ledger.record(event())
        with ledger._wake:
            thread = threading.Thread(
                target=lambda: (ledger.healthy, ledger.ledger), daemon=True
            )
            thread.start()
            thread.join(20)
            self.assertFalse(thread.is_alive())


class WritingTest(written.Case):
    def test_what_was_recorded_is_there_after_close_in_order(self):
        ledger = self.ledger()
        for number in range(2000):
            ledger.record(event(number))
        ledger.close()
        self.assertEqual(list(range(2000)), self.numbers())
        self.assertTrue(ledger.healthy)
        self.assertIs(False, ledger.ledger)
        self.assert_whole()

    def test_an_entry_says_what_the_event_said(self):
        ledger = self.ledger()
        ledger.record(event(1, host="cmp-1"))
        ledger.close()
        [found] = [
            one
            for one in self.entries()
            if one["kind"] == EventKind.REQUEST_REFUSED.value
        ]
        self.assertEqual("worker", found["process"])
        self.assertEqual("2023-11-14T22:13:20.000Z", found["at"])
        self.assertEqual({"n": 1, "host": "cmp-1"}, found["fields"])

    def test_it_begins_and_ends_by_saying_so(self):
        for _ in range(2):
            ledger = self.ledger()
            ledger.record(event())
            self.wait(lambda ledger=ledger: ledger.ledger)
            ledger.close()
        process = ["ledger-opened", "request-refused", "checkpoint"]
        process += ["ledger-closed", "checkpoint"]
        self.assertEqual(process * 2, self.kinds())
        expected = {"torn_bytes": 0, "damaged": False, "missing": False}
        expected["unsigned"] = 0
        self.assertEqual(
            [{"after_seq": 0, **expected}, {"after_seq": 5, **expected}],
            self.of_kind("ledger-opened"),
        )
        self.assert_whole()

    def test_only_its_owner_may_read_it(self):
        ledger = self.ledger()
        ledger.record(event())
        ledger.close()
        for path in (self.origin, *self.origin.rglob("*")):
            self.assertEqual(0, stat.S_IMODE(path.stat().st_mode) & 0o077)

    def test_it_is_written_at_the_end_of_the_process(self):
        subprocess.run(
            [sys.executable, "-c", AT_EXIT, str(self.directory)],
            check=True,
            cwd=written.ROOT,
        )
        self.assertEqual(
            ["ledger-opened", "heartbeat", "ledger-closed"], self.kinds()
        )
        self.assert_whole()

    def test_one_that_nobody_uses_goes_away(self):
        ledger = Ledger(self.directory, written.NAME, None, Limits())
        gone = weakref.ref(ledger)
        del ledger
        gc.collect()
        self.assertIsNone(gone())

    def test_threads_may_record_at_once(self):
        ledger = self.ledger()

        def record(first):
            for number in range(first, first + 200):
                ledger.record(event(number))

        threads = [
            threading.Thread(target=record, args=(first,))
            for first in range(0, 1600, 200)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ledger.close()
        self.assertEqual(list(range(1600)), sorted(self.numbers()))
        self.assert_whole()

    def test_two_processes_never_write_one_chain(self):
        first, second = self.ledger(), self.ledger()
        self.assertTrue(first.commit(event(1), 20))
        self.assertTrue(second.commit(event(2), 20))
        first.record(event(3))
        first.close()
        second.close()
        self.assertEqual([1, 3], self.numbers(0))
        self.assertEqual([2], self.numbers(1))
        self.assert_whole(0)
        self.assert_whole(1)

    def test_a_thousand_files_are_one_chain(self):
        ledger = self.ledger(segment_bytes=1024)
        for number in range(600):
            self.assertTrue(ledger.commit(event(number), 20))
        ledger.close()
        files = sorted(self.origin.glob("*.jsonl"))
        self.assertGreater(len(files), 100)
        for path in files:
            last = path.read_bytes().splitlines()[-1]
            self.assertEqual("checkpoint", json.loads(last)["kind"], path)
        self.assertEqual(list(range(600)), self.numbers())
        self.assert_whole()

    def test_it_says_what_it_found_unsigned(self):
        for signer in (None, None, lambda: written.SIGNER, None, None):
            ledger = self.ledger(signer=signer)
            self.assertTrue(ledger.commit(event(), 20))
            if signer is not None:
                self.wait(lambda ledger=ledger: ledger.ledger)
            ledger.close()
        self.assertEqual(
            [0, 3, 6, 0, 3],
            [one["unsigned"] for one in self.of_kind("ledger-opened")],
        )

    def test_its_last_entries_say_one_time(self):
        """How long sealing took is not to be seen in them."""
        ticks = itertools.count()
        ledger = self.ledger(clock=lambda: written.NOW + next(ticks))
        ledger.seal_for({"silver": seal_keys.P256.pem})
        self.wait(lambda: ledger.ledger)
        ledger.close()
        *_, heads, closed, last = self.entries()
        [*_, block] = written.entries(self.origin / "sealed" / "silver")
        self.assertEqual("sealed-heads", heads["kind"])
        self.assertEqual(
            {closed["at"]}, {heads["at"], last["at"], block["at"]}
        )


class CommitTest(written.Case):
    def test_what_is_committed_is_synced(self):
        ledger = self.ledger()
        ledger.record(event(0))
        for number in range(1, 20):
            self.assertTrue(ledger.commit(event(number), 20))
            self.assertEqual(number, self.numbers()[-1])
            seq, _ = segments.read_note(self.origin)
            self.assertGreaterEqual(seq, number + 2)

    def test_it_waits_for_no_signature(self):
        signs, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def signer():
            signs.set()
            release.wait(20)
            return written.SIGNER

        ledger = self.ledger(signer=signer)
        self.assertTrue(ledger.commit(event(1), 20))
        self.assertTrue(signs.wait(20))
        self.assertIs(False, ledger.ledger)
        self.assertFalse(ledger.commit(event(2), 0.01))
        release.set()
        self.wait(lambda: ledger.ledger)
        self.wait(lambda: self.numbers() == [1, 2])

    def test_after_the_end_nothing_is_promised(self):
        ledger = self.ledger()
        ledger.close()
        self.assertFalse(ledger.commit(event(), 20))

    def test_a_sealed_event_waits_for_its_block(self):
        monotonic = written.Time(100.0)
        ledger = self.ledger(monotonic=monotonic, seal_interval_s=5.0)
        ledger.seal_for({"silver": seal_keys.P256.pem})
        step = event(1, EventKind.STEP_INTENDED, "silver", server="s")
        self.assertFalse(ledger.commit(step, 0.01))
        done = []
        thread = threading.Thread(
            target=lambda: done.append(ledger.commit(step, 20))
        )
        thread.start()
        while thread.is_alive():
            monotonic.advance(1.0)
            with ledger._wake:
                ledger._wake.notify()
            thread.join(0.01)
        self.assertEqual([True], done)
        sealed = written.entries(self.origin / "sealed" / "silver")
        self.assertEqual({"sealed"}, {one["kind"] for one in sealed})
        ledger.close()
        self.assertEqual([], self.numbers())
        lines = written.lines(self.origin / "sealed" / "silver")
        name = f"{written.NAME}.0/silver"
        self.assertEqual([], written.faults(lines, name))


class CheckpointTest(written.Case):
    def signed(self):
        found = []
        for fields in self.of_kind("checkpoint"):
            said = checkpoint.read(
                fields["signed"], [written.SIGNER.public_key]
            )
            self.assertTrue(said.keys)
            found.append(said.checkpoint.seq)
        return found

    def test_as_soon_as_there_is_something_and_at_the_end(self):
        ledger = self.ledger()
        ledger.record(event())
        self.wait(lambda: ledger.ledger)
        self.assertEqual(2, self.signed()[0])
        ledger.close()
        self.assertEqual([2, 4], self.signed())
        self.assertEqual("checkpoint", self.kinds()[-1])

    def test_after_an_interval_if_there_is_anything_new(self):
        monotonic = written.Time(0.0)
        ledger = self.ledger(monotonic=monotonic, checkpoint_interval_s=60)

        def pass_by(seconds):
            monotonic.advance(seconds)
            self.assertTrue(ledger.commit(event(), 20))
            # What is due is done before the thread takes another event.
            self.assertTrue(ledger.commit(event(), 20))

        pass_by(0)
        self.wait(lambda: ledger.ledger)
        count = len(self.signed())
        pass_by(59)
        self.assertEqual(count, len(self.signed()))
        pass_by(1)
        self.assertEqual(count + 1, len(self.signed()))
        pass_by(30)
        self.assertEqual(count + 1, len(self.signed()))
        pass_by(30)
        self.assertEqual(count + 2, len(self.signed()))

    def test_nothing_is_signed_when_there_is_nothing(self):
        monotonic = written.Time(0.0)
        ledger = self.ledger(monotonic=monotonic)
        ledger.record(event())
        self.wait(lambda: ledger.ledger)
        size = len(self.entries())
        for _ in range(5):
            monotonic.advance(61)
            with ledger._wake:
                ledger._wake.notify()
            self.wait(
                lambda: ledger._writer.due_at() > monotonic(),
                "it looks at the clock again",
            )
        self.assertEqual(size, len(self.entries()))

    def test_after_so_many_entries(self):
        ledger = self.ledger(checkpoint_entries=10)
        for number in range(100):
            self.assertTrue(ledger.commit(event(number), 20))
        ledger.close()
        found = self.signed()
        gaps = [after - before for before, after in itertools.pairwise(found)]
        self.assertGreater(len(gaps), 8)
        self.assertLessEqual(max(gaps), 11)
        self.assert_whole()

    def test_without_a_key_it_is_whole_and_no_ledger(self):
        ledger = self.ledger(signer=None)
        with self.assertLogs("nfv_mla_scheduler.audit") as logs:
            for number in range(10):
                self.assertTrue(ledger.commit(event(number), 20))
            self.assertTrue(ledger.healthy)
            self.assertIs(False, ledger.ledger)
            ledger.close()
        self.assertEqual(1, len(logs.records))
        self.assertEqual([], self.of_kind("checkpoint"))
        self.assert_whole()


class SealedTest(written.Case):
    def turn(self, ledger, monotonic, seconds):
        """Let time pass, and wait until all that was due is done."""
        for _ in range(round(seconds * 10)):
            monotonic.advance(0.1)
            with ledger._wake:
                ledger._wake.notify()
            self.wait(lambda: ledger._writer.due_at() > monotonic())

    def day(self, directory, busy):
        """Return the common chain and sizes of a day with so many events."""
        directory.mkdir()
        monotonic, clock = written.Time(0.0), written.Time(written.NOW)
        ledger = self.ledger(
            directory=directory,
            monotonic=monotonic,
            clock=clock,
            seal_interval_s=1.0,
            checkpoint_interval_s=5.0,
        )
        ledger.seal_for({"silver": seal_keys.P256.pem, "open": None})
        self.wait(lambda: ledger.ledger)
        for second in range(12):
            for number in range(busy * (second % 3)):
                ledger.record(event(number, domain="silver", server="s"))
            self.turn(ledger, monotonic, 1)
            clock.advance(1)
        ledger.close()
        return directory / f"{written.NAME}.0"

    def test_a_day_with_events_looks_like_one_without(self):
        quiet = self.day(self.directory / "quiet", 0)
        busy = self.day(self.directory / "busy", 7)
        secret = re.compile(rb'[0-9a-f]{64}|"jwe":"[^"]*"|"signed":\{[^}]*\}')

        def public(path):
            """Return what is neither a hash nor encrypted nor signed."""
            data = path.read_bytes()
            return len(data), secret.sub(b"?", data).splitlines()

        names = sorted(p.relative_to(quiet) for p in quiet.rglob("*"))
        self.assertEqual(
            names, sorted(p.relative_to(busy) for p in busy.rglob("*"))
        )
        files = [name for name in names if (quiet / name).is_file()]
        self.assertGreater(len(files), 4)
        for name in files:
            if name.name not in (segments.NOTE,):
                self.assertEqual(
                    public(quiet / name), public(busy / name), name
                )

    def test_heads_are_told_at_a_fixed_rate(self):
        origin = self.day(self.directory / "day", 1)
        found = written.entries(origin)
        heads = [
            one["fields"]["heads"]
            for one in found
            if one["kind"] == "sealed-heads"
        ]
        self.assertEqual(3, len(heads))
        lines = written.lines(origin / "sealed" / "silver")
        chain = {
            json.loads(line)["seq"]: hashlib.sha256(line).hexdigest()
            for line in lines
        }
        for head in heads:
            self.assertEqual(["silver"], list(head))
            said = head["silver"]
            self.assertEqual(chain[said["seq"]], said["hash"])
        self.assertEqual(max(chain), heads[-1]["silver"]["seq"])

    def test_nothing_of_a_sealed_event_is_in_the_common_chain(self):
        origin = self.day(self.directory / "day", 3)
        for path in origin.rglob("*.jsonl"):
            self.assertNotIn(b"request-refused", path.read_bytes())


class ForkTest(written.Case):
    def in_child(self, work):
        """Run ``work`` in a fork; a hang or an error fails the test."""
        pid = os.fork()
        if not pid:
            try:
                work()
            except BaseException:
                os._exit(1)
            os._exit(0)
        status = []

        def ended():
            found, how = os.waitpid(pid, os.WNOHANG)
            status.append(how)
            return found

        self.wait(ended, "the child hangs")
        self.assertEqual(0, status[-1])

    def test_built_before_the_fork_and_used_in_the_child(self):
        ledger = self.ledger()

        def work():
            assert ledger.commit(event(1), 20)
            ledger.close()

        self.in_child(work)
        self.assertEqual([1], self.numbers())
        self.assertNotIn(f"/{os.getpid()}", self.entries()[0]["process"])
        ledger.record(event(2))
        ledger.close()
        self.assertEqual([1, 2], self.numbers())
        self.assert_whole()

    def test_a_child_has_a_slot_of_its_own(self):
        ledger = self.ledger()
        self.assertTrue(ledger.commit(event(0), 20))

        def work():
            assert ledger.commit(event(1), 20)
            ledger.close()

        self.in_child(work)
        self.assertTrue(ledger.commit(event(2), 20))
        ledger.close()
        self.assertEqual([0, 2], self.numbers(0))
        self.assertEqual([1], self.numbers(1))
        self.assert_whole(0)
        self.assert_whole(1)

    def test_a_child_that_lives_longer_holds_no_slot_of_its_parent(self):
        ledger = self.ledger()
        self.assertTrue(ledger.commit(event(0), 20))
        read_end, write_end = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(write_end)
            os.read(read_end, 1)
            os._exit(0)
        self.addCleanup(os.waitpid, pid, 0)
        os.close(read_end)
        self.addCleanup(os.close, write_end)
        ledger.close()
        again = self.ledger()
        self.assertTrue(again.commit(event(1), 20))
        self.assertEqual([0, 1], self.numbers(0))

    def test_nor_does_a_child_that_has_not_got_to_closing_its_copies(self):
        ledger = self.ledger()
        self.assertTrue(ledger.commit(event(0), 20))
        copies = {}  # which share the locks, as those of a child do
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                fd = int(number)
                path = os.readlink(f"/proc/self/fd/{fd}")
                if path.startswith(f"{self.directory}/"):
                    copies[path] = os.dup(fd)
                    self.addCleanup(os.close, copies[path])
        self.assertTrue(any(path.endswith("/lock") for path in copies))
        self.assertTrue(any(".jsonl" in path for path in copies))
        ledger.close()
        again = self.ledger()
        self.assertTrue(again.commit(event(1), 20))
        self.assertEqual([0, 1], self.numbers(0))

    def test_a_child_seals_as_its_parent_did(self):
        ledger = self.ledger(seal_interval_s=0.05)
        ledger.seal_for({"silver": seal_keys.P256.pem})

        def work():
            step = event(1, EventKind.STEP_INTENDED, "silver", server="s")
            assert ledger.commit(event(1), 20)
            assert ledger.commit(step, 20)
            ledger.close()

        self.in_child(work)
        child = self.directory / f"{written.NAME}.1"
        self.assertTrue(written.lines(child / "sealed" / "silver"))

    def test_a_lock_that_was_held_at_the_fork_stops_nobody(self):
        ledger = self.ledger()
        held, release = threading.Event(), threading.Event()

        def hold():
            with ledger._wake:
                held.set()
                release.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(20)

        def work():
            assert ledger.commit(event(1), 20)
            ledger.close()

        self.in_child(work)
        release.set()
        thread.join()
        self.assertEqual([1], self.numbers())

    def test_several_workers_write_a_chain_each(self):
        ledger = self.ledger()
        pids = []
        for worker in range(4):
            pid = os.fork()
            if not pid:
                for number in range(300):
                    ledger.record(event(number, text="x" * (worker * 999)))
                ledger.close()
                os._exit(0)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
        found = collections.Counter()
        for path in self.directory.iterdir():
            lines = written.lines(path)
            self.assertEqual([], written.faults(lines, path.name))
            found.update(
                one["fields"]["n"]
                for one in written.entries(path)
                if "n" in one["fields"]
            )
        self.assertEqual(dict.fromkeys(range(300), 4), dict(found))


class ThreadTest(written.Case):
    def test_a_thread_that_cannot_start_is_a_drop_and_unhealthy(self):
        ledger = self.ledger()
        with mock.patch.object(
            threading.Thread, "start", side_effect=RuntimeError
        ):
            ledger.record(event(1))
            self.assertFalse(ledger.commit(event(1), 20))
        self.assertFalse(ledger.healthy)
        self.assertIs(False, ledger.ledger)
        self.assertEqual(2, ledger.dropped)
        self.assertTrue(ledger.commit(event(2), 20))
        self.assertTrue(ledger.healthy)
        ledger.close()
        self.assertEqual([2], self.numbers())
        [drops] = self.of_kind("events-dropped")
        self.assertEqual(
            {"dropped": 2, "since": "2023-11-14T22:13:20.000Z"}, drops
        )
