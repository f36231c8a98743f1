# SPDX-License-Identifier: Apache-2.0
"""What has to outlast a restart."""

from __future__ import annotations

import os
import shutil

from nfv_mla_scheduler.doctor import state
from tests import policies
from tests.unit.doctor.sites import NOBODY
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase


class StateCase(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)


class DirectoryTest(StateCase):
    def test_its_owner_alone_can_write(self) -> None:
        self.assert_ok(self.site.look("state.directory"), "mode 0700")

    def test_it_is_not_there_yet(self) -> None:
        shutil.rmtree(self.site.state)
        self.assert_warning(self.site.look("state.directory"), "not there yet")

    def test_it_is_a_file(self) -> None:
        shutil.rmtree(self.site.state)
        self.site.state.touch()
        self.assert_failed(self.site.look("state.directory"), "no directory")

    def test_others_can_write(self) -> None:
        for mode in (0o702, 0o1777):
            self.site.state.chmod(mode)
            with self.subTest(mode=oct(mode)):
                found = self.site.look("state.directory")
                self.assert_failed(found, "everybody", "0700")

    def test_a_group_can_write(self) -> None:
        os.chown(self.site.state, -1, os.getgid() or NOBODY)
        self.site.state.chmod(0o770)
        self.assert_failed(self.site.look("state.directory"), "(group ")

    def test_others_can_move_it_away(self) -> None:
        self.site.root.chmod(0o777)
        found = self.site.look("state.directory")
        self.site.root.chmod(0o755)
        self.assert_failed(found, f"{self.site.root} (everybody)")

    def test_who_cannot_write_it_keeps_nothing(self) -> None:
        # /proc belongs to root, and is nobody's place for state
        self.site.sections["nfv_mla"]["state_dir"] = "/proc"
        self.site.write_conf()
        found = self.site.look("state.directory")
        self.assert_warning(found, "belongs to root")


class KeptTest(StateCase):
    def test_it_can_be_read(self) -> None:
        found = self.site.look("state.kept")
        self.assert_ok(found, "version 7 is the highest")

    def test_nothing_is_kept_so_far(self) -> None:
        for path in self.site.state.iterdir():
            path.unlink()
        self.assert_ok(self.site.look("state.kept"), "nothing kept so far")

    def test_it_is_damaged(self) -> None:
        (self.site.state / "policy-highest.json").write_text("7")
        found = self.site.look("state.kept")
        self.assert_failed(found, "is damaged", "backup")

    def test_it_is_no_file(self) -> None:
        path = self.site.state / "policy-last-good.json"
        path.unlink()
        os.mkfifo(path)
        self.assert_failed(self.site.look("state.kept"), "not a regular file")

    def test_half_of_it_is_gone(self) -> None:
        for name, words in (
            ("policy-last-good.json", "lacks the policy"),
            ("policy-highest.json", "lacks the highest version"),
        ):
            path = self.site.state / name
            data = path.read_bytes()
            path.unlink()
            with self.subTest(name=name):
                self.assert_warning(self.site.look("state.kept"), words)
            path.write_bytes(data)

    def test_other_officers_signed_it(self) -> None:
        self.site.sections["nfv_mla"]["officer_keys"] = self.site.keys[0]
        self.site.sections["nfv_mla"]["officer_threshold"] = 1
        self.site.write_conf()
        self.assert_ok(self.site.look("state.kept"))
        self.site.keys[0].write_text(policies.public_pem("carol"))
        found = self.site.look("state.kept")
        self.assert_warning(found, "does not count")


class PersistentTest(StateCase):
    def test_a_disk_outlasts_a_restart(self) -> None:
        self.assert_ok(self.site.look("state.persistent"), "ext4")

    def test_memory_does_not(self) -> None:
        self._mount("tmpfs")
        found = self.site.look("state.persistent")
        self.assert_failed(found, "lost at a restart (tmpfs)")

    def test_the_layer_of_a_container_does_not_outlast_it(self) -> None:
        self._mount("overlay")
        found = self.site.look("state.persistent")
        self.assert_warning(found, "lost with the container")

    def test_where_it_will_be_made_counts(self) -> None:
        shutil.rmtree(self.site.state)
        self._mount("tmpfs")
        self.assert_failed(self.site.look("state.persistent"))

    def _mount(self, kind: str) -> None:
        text = self.site.mountinfo.read_text()
        self.site.mountinfo.write_text(
            f"{text}40 27 0:40 / {self.site.root} rw - {kind} x rw\n"
        )


class SpaceTest(StateCase):
    def test_there_is_room(self) -> None:
        self.assert_ok(self.site.look("state.space"), "MiB free")

    def test_a_full_one_is_said(self) -> None:
        for free, inodes, words in (
            (state.LOW_BYTES - 1, 9, "WARNING"),
            (state.LEAST_BYTES - 1, 9, "FAILED"),
            (state.LOW_BYTES, 0, "FAILED"),
            (state.LOW_BYTES, 9, "OK"),
        ):
            with self.subTest(free=free, inodes=inodes):
                found = state.judge_space("x", free, inodes)
                self.assertEqual(words, found.state.value)

    def test_a_file_system_without_inodes_is_not_full(self) -> None:
        found = state.judge_space("x", state.LOW_BYTES, None)
        self.assert_ok(found)


class BothTest(SiteCase):
    def setUp(self) -> None:
        self.site = CollectorSite(self)

    def test_each_service_has_its_own(self) -> None:
        found = self.site.look("state.directory")
        self.assert_ok(found, str(self.site.state), str(self.site.own_state))

    def test_one_for_both_is_said(self) -> None:
        self.site.collector["nfv_mla"]["state_dir"] = self.site.state
        self.site.write_collector_conf()
        self.assert_failed(self.site.look("state.directory"), "share")
