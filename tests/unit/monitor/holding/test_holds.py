# SPDX-License-Identifier: Apache-2.0
"""What people said outlives a restart, and damage sets nothing going."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import multiprocessing
import os
import pathlib
import resource
import stat
import tempfile
import unittest
from unittest import mock

from nfv_mla_scheduler.monitor.holding import edits
from nfv_mla_scheduler.monitor.holding import file as holds_file
from nfv_mla_scheduler.monitor.holding import store
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.holding.holds import HoldsFault
from nfv_mla_scheduler.monitor.holding.holds import Word
from nfv_mla_scheduler.monitor.plans import HoldsEdit

NOW = 1_800_000_000.0
HOUR = 3600.0
WORD = Word(NOW + HOUR, "maintenance", "ada", NOW)
FULL = Holds(
    paused=WORD,
    suspects={"keylime": NOW},
    braked={"d2": NOW},
    authorities={"other": WORD},
    servers={"s1": WORD},
    settled={"d1": NOW - 1},
)


def _add(path: pathlib.Path, number: int) -> None:
    for each in range(10):
        names = frozenset({f"a{number}-{each}"})
        edits.edit(path, HoldsEdit(suspects=names), NOW)


class _Case(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = store.place(directory.name)


class FileTest(_Case):
    def test_there_is_nothing_at_the_first_start(self) -> None:
        self.assertEqual(Holds(), store.read(self.path))
        self.assertFalse(self.path.parent.exists())

    def test_what_is_written_is_read(self) -> None:
        self.path.parent.mkdir()
        for it in (Holds(), FULL):
            store.write(self.path, it)
            self.assertEqual(it, store.read(self.path))
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_nobody_else_may_read_it(self) -> None:
        edits.resume(self.path)
        edits.pause(self.path, NOW + 60, "why", "ada", NOW)
        for path in self.path.parent.iterdir():
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(0o600, mode, path)
        mode = stat.S_IMODE(self.path.parent.stat().st_mode)
        self.assertEqual(0o700, mode)

    def test_damage_holds_everything_and_is_said_in_one_line(self) -> None:
        self.path.parent.mkdir()
        store.write(self.path, FULL)
        whole = json.loads(self.path.read_text())

        def but(**changed: object) -> bytes:
            return json.dumps({**whole, **changed}).encode()

        table = (
            b"",
            b"{",
            b"[]",
            b"\xff",
            b"null",
            b"[" * 100_000,
            b" " * (store.BYTES_MAX + 1),
            but(version=2),
            but(more={}),
            but(paused={}),
            but(paused={**whole["paused"], "until": "soon"}),
            but(paused={**whole["paused"], "until": True}),
            but(paused={**whole["paused"], "until": -1}),
            but(paused={**whole["paused"], "reason": 1}),
            but(paused={**whole["paused"], "by": "x" * 9999}),
            but(suspects=["keylime"]),
            but(suspects={"keylime": None}),
            but(suspects={"a\nb": 1}),
            but(settled={str(n): 1 for n in range(store.ENTRIES_MAX + 1)}),
            json.dumps({"version": 1}).encode(),
            self.path.read_bytes().replace(b'"d1"', b'"d1": 1, "d1"'),
            self.path.read_bytes().replace(b"1800000000.0", b"NaN"),
            self.path.read_bytes()[:-4],
        )
        for data in table:
            with self.subTest(data[:60]):
                self.path.write_bytes(data)
                found = store.read(self.path)
                self.assertTrue(found.fault)
                self.assertEqual(1, len(found.fault.splitlines()))
                self.assertLessEqual(len(found.fault), 240)
                self.assertEqual(Holds(fault=found.fault), found)
                self.assertTrue(found.pauses(NOW))
                with self.assertRaises(HoldsFault):
                    edits.resume(self.path)
                self.assertEqual(data, self.path.read_bytes())

    def test_what_is_no_file_is_damage_too(self) -> None:
        self.path.mkdir(parents=True)
        self.assertTrue(store.read(self.path).pauses(NOW))
        self.path.rmdir()
        os.mkfifo(self.path)
        self.assertTrue(store.read(self.path).pauses(NOW))

    def test_a_fault_is_never_written(self) -> None:
        self.path.parent.mkdir()
        with self.assertRaises(HoldsFault):
            store.write(self.path, Holds(fault="is damaged"))
        with self.assertRaises(HoldsFault):
            store.write(self.path, Holds(suspects={"a\nb": NOW}))
        self.assertFalse(self.path.exists())

    def test_where_nothing_can_be_written_nothing_is_lost(self) -> None:
        self.path.parent.mkdir()
        store.write(self.path, FULL)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, limits[1]))
        try:
            with self.assertRaises(HoldsFault) as caught:
                edits.resume(self.path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertIn("large", str(caught.exception))
        self.assertEqual(FULL, store.read(self.path))
        names = {p.name for p in self.path.parent.iterdir()}
        self.assertEqual({"holds.json", "holds.lock"}, names)

    def test_a_directory_that_cannot_be_made_is_a_fault(self) -> None:
        self.path.parent.write_text("")
        with self.assertRaises(HoldsFault):
            edits.resume(self.path)

    def test_who_holds_the_lock_keeps_nobody_for_long(self) -> None:
        self.path.parent.mkdir()
        lock = self.path.with_name(holds_file.LOCK)
        with (
            open(lock, "w") as file,
            mock.patch.object(holds_file, "LOCK_WAIT_S", 0.02),
        ):
            fcntl.flock(file, fcntl.LOCK_EX)
            with self.assertRaises(HoldsFault) as caught:
                edits.resume(self.path)
        self.assertIn("locked", str(caught.exception))
        edits.resume(self.path)

    def test_two_processes_lose_nothing_of_each_other(self) -> None:
        context = multiprocessing.get_context("fork")
        others = [
            context.Process(target=_add, args=(self.path, number))
            for number in range(3)
        ]
        for other in others:
            other.start()
        for other in others:
            other.join()
        self.assertEqual(30, len(store.read(self.path).suspects))

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_what_root_writes_is_its_directorys_owners(self) -> None:
        self.path.parent.mkdir()
        os.chown(self.path.parent, 12345, 12345)
        edits.pause(self.path, NOW + 60, "why", "root", NOW)
        for path in self.path.parent.iterdir():
            self.assertEqual(12345, path.stat().st_uid, path)


class PauseTest(_Case):
    def test_it_lapses_by_itself(self) -> None:
        until = NOW + 2 * HOUR
        edits.pause(self.path, until, "disk swap", "ada", NOW)
        it = store.read(self.path)
        self.assertEqual(Word(until, "disk swap", "ada", NOW), it.paused)
        self.assertTrue(it.pauses(NOW))
        self.assertTrue(it.pauses(until - 1))
        self.assertFalse(it.pauses(until))

    def test_somebody_can_end_it(self) -> None:
        edits.pause(self.path, NOW + 60, "why", "ada", NOW)
        edits.resume(self.path)
        self.assertFalse(store.read(self.path).pauses(NOW))

    def test_a_clock_that_is_put_back_prolongs_it_by_a_day_at_most(
        self,
    ) -> None:
        for hours, back_s in (
            (24, 2.0),
            (24, 5 * HOUR),
            (20, 5 * HOUR),
            (2, 5 * HOUR),
            (2, 30 * 24 * HOUR),
        ):
            with self.subTest(hours=hours, back_s=back_s):
                until, now = NOW + hours * HOUR, NOW - back_s
                edits.pause(self.path, until, "why", "ada", NOW)
                it = store.read(self.path)
                self.assertTrue(it.pauses(now))
                over = until > now + 24 * HOUR
                self.assertEqual(over, it.overlong(now))
                edits.edit(self.path, HoldsEdit(clipped=True), now)
                it = store.read(self.path)
                self.assertFalse(it.overlong(now))
                assert it.paused is not None
                end = min(until, now + 24 * HOUR)
                self.assertEqual(end, it.paused.until)
                self.assertEqual("why", it.paused.reason)
                self.assertTrue(it.pauses(end - 1))
                self.assertFalse(it.pauses(end))
        edits.resume(self.path)
        edits.edit(self.path, HoldsEdit(clipped=True), NOW)
        self.assertIsNone(store.read(self.path).paused)

    def test_what_a_pause_has_to_be(self) -> None:
        for until, reason in (
            (NOW, "too late"),
            (NOW - 1, "past"),
            (NOW + 24 * HOUR + 1, "too long"),
            (float("nan"), "never"),
            (float("inf"), "for ever"),
            (NOW + 60, " "),
        ):
            with self.subTest(reason), self.assertRaises(HoldsFault):
                edits.pause(self.path, until, reason, "ada", NOW)
        self.assertFalse(self.path.exists())

    def test_what_people_write_is_bounded(self) -> None:
        edits.pause(self.path, NOW + 60, "a\n" * 999, "b\x1b" * 99, NOW)
        word = store.read(self.path).paused
        assert word is not None
        self.assertTrue((word.reason + word.by).isprintable())
        self.assertLessEqual(len(word.reason), 200)


class ReleaseTest(_Case):
    def test_a_released_authority_is_a_suspect_no_more(self) -> None:
        edits.edit(self.path, HoldsEdit(frozenset({"a", "b"})), NOW)
        edits.release_authority(
            self.path, "a", NOW + HOUR, "new kernel", "ada", NOW
        )
        it = store.read(self.path)
        self.assertEqual({"b": NOW}, it.suspects)
        self.assertTrue(it.trusts("a", NOW))
        self.assertFalse(it.trusts("a", NOW + HOUR))
        self.assertFalse(it.trusts("b", NOW))
        # a cycle that was under way has not read that yet
        edits.edit(self.path, HoldsEdit(frozenset({"a"})), NOW + 1)
        self.assertEqual({"b": NOW}, store.read(self.path).suspects)

    def test_a_released_server(self) -> None:
        edits.release_server(self.path, "s1", NOW + 60, "why", "ada", NOW)
        it = store.read(self.path)
        self.assertTrue(it.frees("s1", NOW))
        self.assertFalse(it.frees("s1", NOW + 60))
        self.assertFalse(it.frees("s2", NOW))

    def test_words_that_have_lapsed_are_dropped(self) -> None:
        edits.release_server(self.path, "s1", NOW + 60, "why", "ada", NOW)
        later = NOW + 61
        edits.release_server(self.path, "s2", later + 60, "why", "b", later)
        self.assertEqual({"s2"}, set(store.read(self.path).servers))

    def test_a_released_policy_is_settled_for_good(self) -> None:
        edits.edit(self.path, HoldsEdit(braked="d1"), NOW)
        self.assertEqual({"d1": NOW}, store.read(self.path).braked)
        edits.release_policy(self.path, "d1", NOW + 1)
        it = store.read(self.path)
        self.assertEqual(({}, {"d1": NOW + 1}), (it.braked, it.settled))
        edits.edit(self.path, HoldsEdit(braked="d1"), NOW + 2)
        self.assertEqual(it, store.read(self.path))

    def test_only_the_newest_policies_are_kept(self) -> None:
        for number in range(edits.SETTLED_MAX + 3):
            edits.edit(
                self.path, HoldsEdit(settled=f"d{number}"), NOW + number
            )
        found = store.read(self.path).settled
        self.assertEqual(edits.SETTLED_MAX, len(found))
        self.assertIn(f"d{edits.SETTLED_MAX + 2}", found)
        self.assertNotIn("d0", found)


class EditTest(_Case):
    def test_nothing_to_write_writes_nothing(self) -> None:
        edits.edit(self.path, HoldsEdit(), NOW)
        self.assertFalse(self.path.exists())

    def test_since_when_a_suspect_is_held_stays(self) -> None:
        suspect = HoldsEdit(frozenset({"a"}))
        edits.edit(self.path, suspect, NOW)
        edits.edit(self.path, suspect, NOW + 60)
        self.assertEqual({"a": NOW}, store.read(self.path).suspects)

    def test_a_share_that_fell_ends_it(self) -> None:
        edits.edit(self.path, HoldsEdit(frozenset({"a"})), NOW)
        edits.edit(self.path, HoldsEdit(cleared=frozenset({"a"})), NOW + 1)
        self.assertEqual({}, store.read(self.path).suspects)

    def test_what_another_process_holds_is_not_settled(self) -> None:
        edits.edit(self.path, HoldsEdit(braked="d1"), NOW)
        edits.edit(self.path, HoldsEdit(settled="d1"), NOW)
        it = store.read(self.path)
        self.assertEqual(({"d1": NOW}, {}), (it.braked, it.settled))

    def test_a_person_is_not_overwritten(self) -> None:
        edits.pause(self.path, NOW + 60, "why", "ada", NOW)
        edits.edit(self.path, HoldsEdit(frozenset({"a"}), settled="d"), NOW)
        it = store.read(self.path)
        self.assertTrue(it.pauses(NOW))
        self.assertEqual({"a"}, set(it.suspects))
        self.assertEqual(it, dataclasses.replace(it, fault=""))
