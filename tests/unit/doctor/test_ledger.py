# SPDX-License-Identifier: Apache-2.0
"""Whether services can write to the audit ledger, and sign it."""

from __future__ import annotations

import fcntl
import os
import pathlib
import shutil
import stat
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat

from nfv_mla_scheduler.audit import origins
from nfv_mla_scheduler.doctor import ledger
from nfv_mla_scheduler.doctor.findings import Verdict
from tests.unit.doctor.sites import NOBODY
from tests.unit.doctor.sites import CollectorSite
from tests.unit.doctor.sites import Site
from tests.unit.doctor.sites import SiteCase


class LedgerCase(SiteCase):
    def setUp(self) -> None:
        self.site = Site(self)

    def look(self, **changes: Any) -> Verdict:
        return self.site.look("state.audit", **changes)


class PlaceTest(LedgerCase):
    def test_events_can_be_written(self) -> None:
        self.assert_ok(self.look(), "1 chains", "last entry 5 s ago")

    def test_without_a_directory_there_are_no_events(self) -> None:
        for name in ("audit_dir", "audit_key_file"):
            del self.site.sections["nfv_mla"][name]
        self.site.write_conf()
        self.assert_skipped(self.look(), "not set", "refused")

    def test_it_is_missing(self) -> None:
        shutil.rmtree(self.site.log)
        self.assert_failed(self.look(), "not there", "mode 0700")

    def test_it_is_a_file(self) -> None:
        shutil.rmtree(self.site.log)
        self.site.log.touch()
        self.assert_failed(self.look(), "no directory")

    def test_the_service_may_not_write_there(self) -> None:
        self.site.log.chmod(0o555)
        found = self.look()
        self.assert_failed(found, f"cannot write to {self.site.log}")

    def test_others_can_write_there(self) -> None:
        for mode in (0o702, 0o1777):
            self.site.log.chmod(mode)
            with self.subTest(mode=oct(mode)):
                self.assert_failed(self.look(), "everybody", "0700")

    def test_a_group_can_write_there_if_it_can_move_nothing(self) -> None:
        os.chown(self.site.log, -1, os.getgid() or NOBODY)
        self.site.log.chmod(0o770)
        self.assert_failed(self.look(), "(group ")
        self.site.log.chmod(0o1770)
        self.assert_ok(self.look())

    def test_nothing_is_written_by_looking(self) -> None:
        def seen() -> list[tuple[str, int, int]]:
            return [
                (str(path), path.stat().st_mtime_ns, path.stat().st_size)
                for path in sorted(self.site.log.rglob("*"))
            ]

        before = seen()
        self.look()
        self.assertEqual(before, seen())


class KeyTest(LedgerCase):
    def test_it_is_missing(self) -> None:
        self.site.audit_key.unlink()
        found = self.look()
        self.assert_failed(found, "not there: nothing is signed", "openssl")

    def test_it_cannot_sign(self) -> None:
        other = rsa.generate_private_key(65537, 2048)
        for data, words in (
            (b"", "no private key"),
            (
                other.private_bytes(
                    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
                ),
                "another kind",
            ),
        ):
            self.site.audit_key.write_bytes(data)
            with self.subTest(words=words):
                self.assert_failed(self.look(), words, "nothing is signed")

    def test_the_service_cannot_read_it(self) -> None:
        if os.getuid() == 0:
            os.chown(self.site.audit_key, 0, 0)
        else:
            self.site.audit_key.chmod(0)
        self.assert_failed(self.look(), "nothing is signed")

    def test_others_can_read_it(self) -> None:
        self.site.audit_key.chmod(0o644)
        found = self.site.look("keys.secrets")
        self.assert_failed(found, f"{self.site.audit_key} (everybody)")


class ChainsTest(LedgerCase):
    def _locks(self, origin: pathlib.Path) -> pathlib.Path:
        number = (origin / origins.LOCK).stat().st_ino
        path = self.site.root / "locks"
        path.write_text(f"1: FLOCK ADVISORY WRITE 77 fe:00:{number} 0 EOF\n")
        return path

    def test_a_worker_that_is_silent_shows(self) -> None:
        self.site.record(ledger.SILENT_S + 1)
        found = self.look()
        self.assert_warning(found, "last entry 301 s ago", "nova-scheduler")

    def test_one_that_runs_holds_its_chain(self) -> None:
        origin = self.site.record()
        found = self.look(locks=self._locks(origin))
        self.assert_ok(found, "1 open")

    def test_the_lock_is_that_of_a_process(self) -> None:
        origin = self.site.record()
        with open(origin / origins.LOCK) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assert_ok(self.look(), "1 open")
        self.assert_ok(self.look(), "0 open")

    def test_nothing_is_there_yet(self) -> None:
        shutil.rmtree(self.site.record())
        self.assert_warning(self.look(), "nothing of nova-scheduler yet")

    def test_what_is_no_entry_has_no_time(self) -> None:
        (segment,) = self.site.record().glob("*.jsonl")
        segment.write_bytes(b"\0" * 100000 + b"\nno entry\n")
        self.assert_warning(self.look(), "no entry")

    def test_a_torn_line_is_passed_over(self) -> None:
        (segment,) = self.site.record().glob("*.jsonl")
        with open(segment, "ab") as file:
            file.write(b'{"seq":2,"prev":"')
        self.assert_ok(self.look(), "last entry 5 s ago")

    def test_chains_of_others_are_not_ours(self) -> None:
        shutil.rmtree(self.site.record())
        self.site.record(service="nfv-mla-monitor")
        self.assert_warning(self.look(), "nothing of nova-scheduler yet")


class BothTest(SiteCase):
    """Scheduler and collector may share the directory."""

    def setUp(self) -> None:
        self.site = CollectorSite(self)
        for name in ("audit_dir", "audit_key_file"):
            value = self.site.sections["nfv_mla"][name]
            self.site.collector["nfv_mla"][name] = value
        self.site.write_collector_conf()

    def test_a_collector_is_silent_as_long_as_all_is_well(self) -> None:
        origin = self.site.record(9999.0, "nfv-mla-collector")
        found = self.site.look("state.audit")
        self.assert_warning(found, "nfv-mla-collector: 1 chains, 0 open")
        with open(origin / origins.LOCK) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assert_ok(self.site.look("state.audit"), "1 open")

    def test_the_directory_stays_as_it_is(self) -> None:
        before = self.site.log.stat()
        self.site.look("state.audit")
        after = self.site.log.stat()
        self.assertEqual(stat.filemode(before.st_mode)[0], "d")
        self.assertEqual(before.st_mtime_ns, after.st_mtime_ns)
