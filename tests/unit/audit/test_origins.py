# SPDX-License-Identifier: Apache-2.0
"""Which process has which slot: never two the same one."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest import mock

from nfv_mla_scheduler.audit import origins
from tests.unit.audit import written

NAME = "ctl.api"

HOLD = """
import pathlib, sys
from nfv_mla_scheduler.audit import origins
origin, _ = origins.take(pathlib.Path(sys.argv[1]), "ctl.api", lambda *_: 0)
print(origin.name, flush=True)
sys.stdin.read()
"""


class OriginsTest(written.Case):
    def take(self, use=lambda path, name: name):
        origin, used = origins.take(self.directory, NAME, use)
        self.addCleanup(origin.release)
        return origin, used

    def names(self):
        return sorted(path.name for path in self.directory.iterdir())

    def hold(self):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(self.directory)],
            cwd=written.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        return process, process.stdout.readline().strip()

    def test_the_first_that_is_free(self):
        first, _ = self.take()
        second, _ = self.take()
        third, used = self.take()
        self.assertEqual(["ctl.api.0", "ctl.api.1", "ctl.api.2"], self.names())
        self.assertEqual("ctl.api.2", used)
        second.release()
        self.assertEqual("ctl.api.1", self.take()[0].name)
        for origin in (first, third):
            self.assertTrue(origin.held())
            self.assertEqual(self.directory / origin.name, origin.directory)

    def test_other_processes_count_and_their_end_too(self):
        process, name = self.hold()
        self.assertEqual("ctl.api.0", name)
        self.assertEqual("ctl.api.1", self.take()[0].name)
        process.kill()
        process.wait()
        self.assertEqual("ctl.api.0", self.take()[0].name)

    def test_one_whose_files_are_in_use_is_not_free(self):
        def use(path, name):
            if name != "ctl.api.2":
                raise BlockingIOError
            return 7

        origin, used = self.take(use)
        self.assertEqual(("ctl.api.2", 7), (origin.name, used))
        self.assertEqual("ctl.api.0", self.take()[0].name)

    def test_one_that_cannot_be_used_is_given_back(self):
        def use(path, name):
            raise PermissionError

        with self.assertRaises(PermissionError):
            self.take(use)
        self.assertEqual("ctl.api.0", self.take()[0].name)

    def test_another_users_is_not_free(self):
        self.take()[0].release()
        other = os.geteuid() + 1
        with (
            mock.patch.object(os, "geteuid", return_value=other),
            self.assertRaises(origins.NoSlot),
        ):
            self.take()
        self.assertEqual(origins.SLOTS_MAX, len(self.names()))

    def test_what_is_no_directory_is_not_free(self):
        (self.directory / "ctl.api.0").write_text("")
        (self.directory / "ctl.api.1").symlink_to(self.directory)
        self.assertEqual("ctl.api.2", self.take()[0].name)

    def test_there_must_be_a_ledger(self):
        self.directory.rmdir()
        with self.assertRaises(FileNotFoundError):
            self.take()
        self.assertFalse(self.directory.exists())
        self.directory.write_text("")
        with self.assertRaises(NotADirectoryError):
            self.take()

    def test_a_lock_that_is_removed_is_made_again(self):
        origin, _ = self.take()
        lock = origin.directory / origins.LOCK
        files = len(os.listdir("/dev/fd"))
        for spoil in (
            lock.unlink,
            lambda: lock.rename(lock.with_name("old")),
            lambda: (lock.unlink(), lock.touch()),
            lambda: origin.directory.rename(self.directory / "old"),
        ):
            self.assertTrue(origin.held())
            spoil()
            self.assertFalse(origin.held())
            self.assertTrue(origin.regain())
            self.assertTrue(origin.held())
            process, name = self.hold()
            self.assertEqual("ctl.api.1", name)
            process.communicate()
        self.assertEqual(files, len(os.listdir("/dev/fd")))

    def test_a_lock_that_is_removed_and_taken_by_another(self):
        origin, _ = self.take()
        (origin.directory / origins.LOCK).unlink()
        process, name = self.hold()
        self.assertEqual(origin.name, name)
        self.assertFalse(origin.held())
        self.assertFalse(origin.regain())
        process.kill()
        process.wait()
        self.assertTrue(origin.regain())

    def test_a_lock_that_is_removed_while_it_is_taken(self):
        lock = self.directory / "ctl.api.0" / origins.LOCK
        flock, times = origins.fcntl.flock, [1, 2]

        def removes(fd, how):
            flock(fd, how)
            if times:
                times.pop()
                lock.unlink()

        with mock.patch.object(origins.fcntl, "flock", removes):
            origin, _ = self.take()
        self.assertEqual("ctl.api.0", origin.name)
        self.assertTrue(origin.held())

    def test_names_of_any_kind_are_files_of_one_directory(self):
        for name in ("a/b", "..", ".", "", "\0", "ü" * 300, "x" * 999, "-"):
            found = origins.file_name(name)
            path = self.directory / found
            path.touch()
            self.assertEqual(self.directory, path.parent)
            self.assertLessEqual(len(found), 201)
        self.assertEqual("ctl-1.nova", origins.file_name("ctl-1.nova"))
