# SPDX-License-Identifier: Apache-2.0
"""Audit events in a file: shared, rotated, full, and after a fork."""

from __future__ import annotations

import collections
import contextlib
import gc
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import weakref
from unittest import mock

from nfv_mla_scheduler.audit.jsonl import JsonLinesAudit
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit

NOW = 1_700_000_000.0


def event(number=0, **fields):
    return Event(
        EventKind.REQUEST_REFUSED, NOW, "worker", {"n": number, **fields}
    )


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "audit"

    def audit(self, path=None, queue_size=10000):
        audit = JsonLinesAudit(
            path or self.path, queue_size, clock=lambda: NOW, retry_s=0.01
        )
        self.addCleanup(audit.close)
        return audit

    def lines(self, path=None):
        text = (path or self.path).read_text()
        return [json.loads(line) for line in text.splitlines()]

    def numbers(self, path=None):
        return [line["fields"].get("n") for line in self.lines(path)]

    def wait(self, condition, says="nothing came of it"):
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline, says)
            time.sleep(0.002)


class TestPort(Case):
    """What holds for everything that stands behind the port."""

    def test_a_healthy_one_that_is_no_ledger(self):
        ports: tuple[AuditPort, ...] = (NullAudit(), self.audit())
        for port in ports:
            with self.subTest(type(port).__name__):
                self.assertTrue(port.healthy)
                self.assertIsNone(port.ledger)
                port.record(event())
                port.close()
                port.close()
                port.record(event())

    def test_nothing_is_opened_before_the_first_event(self):
        threads = threading.active_count()
        self.audit().close()
        self.assertFalse(self.path.exists())
        self.assertEqual(threads, threading.active_count())


class TestWriting(Case):
    def test_what_was_recorded_is_there_after_close_in_order(self):
        audit = self.audit()
        for number in range(100):
            audit.record(event(number))
        audit.close()
        self.assertEqual(list(range(100)), self.numbers())
        self.assertEqual(os.getpid(), self.lines()[0]["pid"])
        self.assertTrue(audit.healthy)

    def test_only_its_owner_may_read_it(self):
        audit = self.audit()
        audit.record(event())
        audit.close()
        self.assertEqual(0o600, stat.S_IMODE(self.path.stat().st_mode))

    def test_it_is_written_at_the_end_of_the_process(self):
        code = (
            "import sys\n"
            "from nfv_mla_scheduler.audit import jsonl, port\n"
            "audit = jsonl.JsonLinesAudit(sys.argv[1], 10)\n"
            "audit.record(port.Event(port.EventKind.HEARTBEAT, 0, '', {}))"
        )
        subprocess.run(
            [sys.executable, "-c", code, str(self.path)],
            check=True,
            cwd=pathlib.Path(__file__).parents[3],
        )
        self.assertEqual("heartbeat", self.lines()[0]["kind"])

    def test_one_that_nobody_uses_goes_away(self):
        audit = JsonLinesAudit(self.path, 1)
        gone = weakref.ref(audit)
        del audit
        gc.collect()
        self.assertIsNone(gone())

    def test_threads_may_record_at_once(self):
        audit = self.audit()

        def record(first):
            for number in range(first, first + 200):
                audit.record(event(number))

        threads = [
            threading.Thread(target=record, args=(first,))
            for first in range(0, 1600, 200)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        audit.close()
        self.assertEqual(list(range(1600)), sorted(self.numbers()))

    def test_a_thread_that_cannot_start_is_a_drop_and_unhealthy(self):
        audit = self.audit()
        with mock.patch.object(
            threading.Thread, "start", side_effect=RuntimeError
        ):
            audit.record(event(1))
        self.assertFalse(audit.healthy)
        self.assertEqual(1, audit.dropped)
        audit.record(event(2))
        audit.close()
        self.assertTrue(audit.healthy)
        self.assertEqual([2, None], self.numbers())


class TestFork(Case):
    def _in_child(self, work):
        """Run ``work`` in a fork; a hang or an error fails the test."""
        pid = os.fork()
        if not pid:
            try:
                work()
            except BaseException:
                os._exit(1)
            os._exit(0)
        self.wait(lambda: os.waitpid(pid, os.WNOHANG)[0], "the child hangs")

    def test_built_before_the_fork_and_used_in_the_child(self):
        audit = self.audit()

        def work():
            audit.record(event(1))
            audit.close()

        self._in_child(work)
        self.assertEqual([1], self.numbers())
        self.assertNotEqual(os.getpid(), self.lines()[0]["pid"])

    def test_used_before_the_fork_and_in_both_after_it(self):
        audit = self.audit()
        audit.record(event(0))

        def work():
            audit.record(event(1))
            audit.close()

        self._in_child(work)
        audit.record(event(2))
        audit.close()
        self.assertEqual([0, 1, 2], sorted(self.numbers()))

    def test_a_lock_that_was_held_at_the_fork_stops_nobody(self):
        audit = self.audit()
        held, release = threading.Event(), threading.Event()

        def hold():
            with audit._wake:
                held.set()
                release.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)

        def work():
            audit.record(event(1))
            audit.close()

        self._in_child(work)
        release.set()
        thread.join()
        self.assertEqual([1], self.numbers())

    def test_the_lines_of_several_workers_never_mix(self):
        audit = self.audit()
        pids = []
        for worker in range(4):
            pid = os.fork()
            if not pid:
                for number in range(300):
                    audit.record(event(number, text="x" * (worker * 999)))
                audit.close()
                os._exit(0)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
        by_worker = collections.defaultdict(list)
        for line in self.lines():
            by_worker[line["pid"]].append(line["fields"]["n"])
        self.assertEqual(set(pids), set(by_worker))
        for numbers in by_worker.values():
            self.assertEqual(list(range(300)), numbers)


class TestTrouble(Case):
    def test_what_is_done_to_servers_has_room_of_its_own(self):
        audit = self.audit("/dev/full", queue_size=32)
        for number in range(40):
            audit.record(event(number))
        self.assertEqual(10, audit.dropped)
        for kind in (EventKind.STEP_INTENDED, EventKind.STEP_DONE):
            audit.record(Event(kind, NOW, "host", {}))
        self.assertEqual(10, audit.dropped)
        audit.record(Event(EventKind.STEP_INTENDED, NOW, "host", {}))
        self.assertEqual(11, audit.dropped)

    def test_a_full_disk_is_unhealthy_and_drops_are_counted(self):
        audit = self.audit("/dev/full", queue_size=3)
        for number in range(10):
            audit.record(event(number))
        self.wait(lambda: not audit.healthy)
        self.assertEqual(7, audit.dropped)
        audit.close()
        self.assertEqual(10, audit.dropped)
        self.assertFalse(audit.healthy)

    def test_what_waited_is_written_when_the_trouble_is_over(self):
        nowhere = self.path / "missing" / "audit"
        audit = self.audit(nowhere, queue_size=3)
        for number in range(10):
            audit.record(event(number))
        self.wait(lambda: not audit.healthy)
        nowhere.parent.mkdir(parents=True)
        self.wait(lambda: audit.healthy and not audit.dropped)
        audit.record(event(10))
        audit.close()
        lines = self.lines(nowhere)
        kept = [x["fields"]["n"] for x in lines if "n" in x["fields"]]
        self.assertEqual([0, 1, 2, 10], kept)
        [drops] = [x for x in lines if x["kind"] == "events-dropped"]
        self.assertEqual(7, drops["fields"]["dropped"])
        self.assertEqual("2023-11-14T22:13:20.000Z", drops["fields"]["since"])

    def test_a_path_that_may_not_be_written(self):
        audit = self.audit(self.path.parent)
        audit.record(event())
        self.wait(lambda: not audit.healthy)

    def test_a_rotated_file_is_left_alone(self):
        audit = self.audit()
        audit.record(event(1))
        self.wait(lambda: self.path.exists() and self.numbers() == [1])
        old = self.path.with_suffix(".1")
        self.path.rename(old)
        audit.record(event(2))
        self.wait(self.path.exists)
        self.path.rename(self.path.with_suffix(".2"))
        self.path.touch(0o600)
        audit.record(event(3))
        audit.close()
        self.assertEqual([1], self.numbers(old))
        self.assertEqual([3], self.numbers())

    def test_a_line_that_was_torn_spoils_no_other(self):
        audit = self.audit()
        write, cuts = os.write, [10]

        def half(fd, data):
            return write(fd, data[: cuts.pop()] if cuts else data)

        with mock.patch.object(os, "write", half):
            audit.record(event(1))
            audit.record(event(2))
            self.wait(lambda: not audit._queue)
        torn, *whole = self.path.read_text().splitlines()
        self.assertEqual(10, len(torn))
        self.assertEqual([1, 2], [json.loads(x)["fields"]["n"] for x in whole])

    def test_recording_does_not_wait_for_a_device_that_hangs(self):
        read_end, write_end = os.pipe()
        self.addCleanup(os.close, read_end)
        self.addCleanup(os.close, write_end)
        audit = self.audit(f"/dev/fd/{write_end}", queue_size=50)
        began = time.monotonic()
        for number in range(200):
            audit.record(event(number, text="x" * 9000))
        self.assertLess(time.monotonic() - began, 1)
        self.wait(lambda: not audit.healthy)
        self.assertGreater(audit.dropped, 0)
        os.set_blocking(read_end, False)
        self.wait(lambda: self._drained(read_end, audit))

    def _drained(self, read_end, audit):
        with contextlib.suppress(BlockingIOError):
            os.read(read_end, 2**20)
        return not audit.dropped and not audit._queue
