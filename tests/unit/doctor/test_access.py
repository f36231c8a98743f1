# SPDX-License-Identifier: Apache-2.0
"""Who may read and write, by mode bits that really are on files."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
import unittest

from nfv_mla_scheduler.doctor import access
from nfv_mla_scheduler.doctor.access import READ
from nfv_mla_scheduler.doctor.access import SEARCH
from nfv_mla_scheduler.doctor.access import WRITE
from nfv_mla_scheduler.doctor.access import Account
from nfv_mla_scheduler.doctor.access import account
from nfv_mla_scheduler.doctor.access import file_system
from nfv_mla_scheduler.doctor.access import may
from nfv_mla_scheduler.doctor.access import obstacle
from nfv_mla_scheduler.doctor.access import readers
from nfv_mla_scheduler.doctor.access import writers

STRANGER = Account(4_000_001, "stranger", frozenset({4_000_002}))
ME = account(os.getuid())


@dataclasses.dataclass
class Mode:
    st_mode: int
    st_uid: int = 7
    st_gid: int = 8


# mode, uid of who wants it, groups, what it wants, whether it may
WANTED = (
    (0o600, 7, (), READ, True),
    (0o600, 7, (), READ | WRITE, True),
    (0o400, 7, (), WRITE, False),
    (0o640, 9, (8,), READ, True),
    (0o640, 9, (8,), WRITE, False),
    (0o640, 9, (), READ, False),
    (0o604, 9, (), READ, True),
    # the first that fits decides, as in the kernel
    (0o077, 7, (8,), READ, False),
    (0o707, 9, (8,), READ, False),
    (0o711, 9, (), SEARCH, True),
    (0o711, 9, (), READ | SEARCH, False),
    (0o000, 0, (), READ | WRITE | SEARCH, True),
)
MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 27 0:30 / /run rw,nosuid shared:5 - tmpfs tmpfs rw
32 31 0:31 / /run/kept rw - xfs /dev/vdb rw
33 27 0:32 / /var/with\\040blank rw master:1 - tmpfs tmpfs rw
34 27 0:33 / /mnt rw - tmpfs tmpfs rw
35 27 0:34 / /mnt rw - nfs4 server:/ rw
a line that is none
"""


class MayTest(unittest.TestCase):
    def test_the_bits_decide_as_in_the_kernel(self) -> None:
        for mode, uid, groups, want, expected in WANTED:
            with self.subTest(mode=oct(mode), uid=uid, want=want):
                who = Account(uid, "x", frozenset(groups))
                self.assertIs(expected, may(who, Mode(mode), want))

    def test_an_account_that_nobody_knows_has_its_number(self) -> None:
        self.assertEqual("4000001", account(4_000_001).name)
        self.assertEqual("4000002", access.group_name(4_000_002))

    def test_who_else_may_read(self) -> None:
        self.assertEqual("", readers(Mode(0o600)))
        self.assertEqual("everybody", readers(Mode(0o644)))
        self.assertIn("group", readers(Mode(0o640)))
        self.assertEqual("", readers(Mode(0o640, st_gid=0)))


class FilesTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.top = pathlib.Path(directory.name).resolve()
        self.top.chmod(0o755)
        self.inner = self.top / "inner"
        self.inner.mkdir(mode=0o755)
        self.file = self.inner / "file"
        self.file.touch(mode=0o644)
        self.file.chmod(0o644)

    def test_nothing_is_in_the_way(self) -> None:
        self.assertIsNone(obstacle(STRANGER, self.file, READ))

    def test_the_file_itself_is_in_the_way(self) -> None:
        self.assertEqual(self.file, obstacle(STRANGER, self.file, WRITE))

    def test_a_directory_above_is_in_the_way(self) -> None:
        self.top.chmod(0o700)
        self.assertEqual(self.top, obstacle(STRANGER, self.file, READ))

    def test_a_link_is_followed(self) -> None:
        link = self.top / "link"
        link.symlink_to(self.file)
        self.file.chmod(0o600)
        self.assertEqual(self.file, obstacle(STRANGER, link, READ))

    def test_what_is_missing_is_an_error(self) -> None:
        with self.assertRaises(FileNotFoundError):
            obstacle(STRANGER, self.top / "none", READ)
        with self.assertRaises(FileNotFoundError):
            list(writers(self.top / "none", frozenset()))

    def test_nobody_else_can_write(self) -> None:
        self.assertEqual([], list(writers(self.file, frozenset({ME.uid}))))

    def test_another_owner_can_write(self) -> None:
        # as if this account were not trusted
        os.chown(self.file, os.getuid(), os.getgid())
        found = list(writers(self.file, frozenset({STRANGER.uid})))
        expected = [] if os.getuid() == 0 else [(self.file, ME.name)]
        self.assertEqual(expected, found[: len(expected)])

    def test_everybody_can_write(self) -> None:
        self.file.chmod(0o646)
        found = list(writers(self.file, frozenset({ME.uid})))
        self.assertEqual([(self.file, "everybody")], found)

    def test_whoever_can_write_above_can_put_another_in_its_place(
        self,
    ) -> None:
        self.inner.chmod(0o777)
        found = list(writers(self.file, frozenset({ME.uid})))
        self.assertEqual([(self.inner, "everybody")], found)

    def test_a_sticky_directory_above_protects(self) -> None:
        self.inner.chmod(0o1777)
        self.assertEqual([], list(writers(self.file, frozenset({ME.uid}))))

    def test_a_sticky_directory_itself_does_not(self) -> None:
        self.inner.chmod(0o1777)
        found = list(writers(self.inner, frozenset({ME.uid})))
        self.assertEqual([(self.inner, "everybody")], found)


class FileSystemTest(unittest.TestCase):
    def test_the_innermost_mount_decides(self) -> None:
        for path, kind in (
            ("/etc/nova", "ext4"),
            ("/run/x", "tmpfs"),
            ("/run/kept/x", "xfs"),
            ("/runner", "ext4"),
            ("/var/with blank/x", "tmpfs"),
            ("/proc/self", "proc"),
        ):
            with self.subTest(path=path):
                found = file_system(MOUNTS, pathlib.Path(path))
                self.assertEqual(kind, found)

    def test_of_two_on_one_place_the_later_is_on_top(self) -> None:
        self.assertEqual("nfs4", file_system(MOUNTS, pathlib.Path("/mnt/x")))

    def test_nothing_is_known_of_nothing(self) -> None:
        self.assertEqual("", file_system("", pathlib.Path("/x")))

    def test_the_system_s_own_list_is_understood(self) -> None:
        text = pathlib.Path("/proc/self/mountinfo").read_text()
        self.assertTrue(file_system(text, pathlib.Path("/proc")))
