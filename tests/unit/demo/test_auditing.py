# SPDX-License-Identifier: Apache-2.0
"""The demo's auditor is pleased by the real command alone."""

from __future__ import annotations

import io
import pathlib
import tempfile
import types
import typing as ty
import unittest
from collections.abc import Callable

from demo import auditing
from demo import tampering
from demo import world
from demo.asked import NotAsExpected
from demo.scenes import recording
from demo.screen import Screen
from demo.stage import Stage
from nfv_mla_scheduler.audit.ledger import Ledger
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.policy.officers import read_signer
from nfv_mla_scheduler.policy.officers import write_key_pair
from tests.unit.demo.fakes import FakeCentre
from tests.unit.demo.fakes import FakeNova

_AT = 1_800_000_000.0
_REFUSED = EventKind.REQUEST_REFUSED
_WAIT_S = 30.0


class _Centre(FakeCentre):
    def __init__(self, site: ty.Any) -> None:
        super().__init__(FakeNova(None))
        self.site = site

    def until(self, condition: Callable[[], bool]) -> bool:
        return condition()


class AuditingTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.ledger = self.directory / "audit"
        self.ledger.mkdir()
        self.key, _ = write_key_pair(self.directory, "audit")
        site = types.SimpleNamespace(
            directory=self.directory,
            audit_dir=self.ledger,
            audit_key=self.key,
        )
        self.output = io.StringIO()
        self.stage = Stage(
            ty.cast(ty.Any, _Centre(site)), Screen(self.output, colour=False)
        )
        self.auditor = self.stage.auditor

    def _record(self, *names: str) -> None:
        """Let a scheduler refuse servers of the lab, and end."""
        ledger = Ledger(
            self.ledger,
            "ctl-1.nova-scheduler",
            lambda: read_signer(self.key, lambda _prompt: b""),
            Limits(),
        )
        for name in names:
            self.stage.create(world.LAB, name, "huge").judged = True
            project = world.LAB.project_id
            fields = {"server": self.stage.id_of(name), "project": project}
            event = Event(_REFUSED, _AT, "ctl-1/nova-scheduler/1", fields)
            self.assertTrue(ledger.commit(event, _WAIT_S))
        ledger.close()

    def _file(self) -> pathlib.Path:
        (path,) = self.ledger.glob("*/*.jsonl")
        return path

    def _tamper(self) -> None:
        lines = self._file().read_bytes().splitlines(keepends=True)
        self._file().write_bytes(b"".join(tampering.removed(lines, 1)))

    def test_a_ledger_that_is_whole_is_verified(self) -> None:
        self._record("trial")
        self.auditor.verifies()
        shown = self.output.getvalue()
        self.assertIn("$ nfv-mla audit verify audit --key audit.pub", shown)
        self.assertIn("| ctl-1.nova-scheduler.0 | 5 ", shown)
        self.assertIn("ok  auditor: verify the ledger", shown)

    def test_a_ledger_that_is_not_whole_is_not_as_expected(self) -> None:
        self._record("mall", "trial")
        self._tamper()
        with self.assertRaises(NotAsExpected) as caught:
            self.auditor.verifies()
        self.assertEqual("removed (exit status 1)", caught.exception.answered)
        with self.assertRaises(NotAsExpected):
            self.auditor.keeps_checkpoints()

    def test_it_is_verified_by_the_public_key_and_by_no_other(self) -> None:
        self._record("trial")
        (self.directory / "audit.key").rename(self.directory / "away")
        self.auditor.verifies()
        (self.directory / "audit.pub").unlink()
        write_key_pair(self.directory, "other")
        (self.directory / "other.pub").rename(self.directory / "audit.pub")
        with self.assertRaises(NotAsExpected):
            self.auditor.verifies()

    def test_each_tampering_of_the_scene_is_found_and_told_apart(
        self,
    ) -> None:
        self._record("mall")
        self._record("trial")
        self.auditor.is_signed("trial")
        self.auditor.keeps_checkpoints()
        for tampers, found in (
            (recording.other_project, AnomalyKind.CHANGED),
            (tampering.removed, AnomalyKind.REMOVED),
            (recording.removed_and_chained, AnomalyKind.REWRITTEN),
        ):
            with self.subTest(found):
                copy = self.auditor.copy_of("trial", tampers)
                self.auditor.finds(found, copy)
        copy = self.auditor.copy_of("trial", tampering.cut_off)
        self.auditor.finds(None, copy)
        self.auditor.finds(AnomalyKind.TRUNCATED, copy, kept=True)
        with self.assertRaises(NotAsExpected):
            self.auditor.finds(AnomalyKind.TRUNCATED, copy)
        self.auditor.verifies()

    def test_a_copy_with_which_nobody_tampered_is_whole(self) -> None:
        self._record("trial")
        copy = self.auditor.copy_of("trial", lambda lines, _: list(lines))
        self.auditor.finds(None, copy)
        with self.assertRaises(NotAsExpected):
            self.auditor.finds(AnomalyKind.REMOVED, copy)

    def test_another_tampering_than_was_expected_is_none(self) -> None:
        self._record("trial")
        copy = self.auditor.copy_of("trial", tampering.removed)
        for other in (None, AnomalyKind.CHANGED):
            with self.assertRaises(NotAsExpected):
                self.auditor.finds(other, copy)

    def test_what_nobody_has_recorded_is_not_signed(self) -> None:
        self._record("trial")
        self.stage.create(world.LAB, "other", "huge").judged = True
        with self.assertRaises(NotAsExpected):
            self.auditor.is_signed("other")
        with self.assertRaises(NotAsExpected):
            self.auditor.copy_of("other", tampering.removed)

    def test_what_no_checkpoint_covers_is_not_signed(self) -> None:
        self._record("trial")
        lines = self._file().read_bytes().splitlines(keepends=True)
        self._file().write_bytes(b"".join(lines[:2]))
        with self.assertRaises(NotAsExpected):
            self.auditor.is_signed("trial")

    def test_as_many_entries_as_are_expected_are_shown(self) -> None:
        self._record("mall", "trial")
        self.auditor.shows(2, _REFUSED)
        shown = self.output.getvalue()
        self.assertIn("request-refused server=trial project=lab", shown)
        self.assertNotIn("not verified here", shown)
        with self.assertRaises(NotAsExpected):
            self.auditor.shows(3, _REFUSED)


class InShortTest(unittest.TestCase):
    TABLE = (
        "+--------+---------+-------+-------------+---------------+",
        "| Origin | Entries | Files | Checkpoints | Verdict       |",
        "+--------+---------+-------+-------------+---------------+",
        "| a.b.0  | 7       | 1     | 2           | {verdict:<13} |",
        "+--------+---------+-------+-------------+---------------+",
    )

    def _table(self, verdict: str) -> list[str]:
        return [line.format(verdict=verdict) for line in self.TABLE]

    def test_of_a_whole_ledger_some_columns_and_the_tail(self) -> None:
        tail = "note: a.b.0: unsigned tail: 3"
        printed = [*self._table("whole"), "note: it goes on", tail, "Whole."]
        self.assertEqual(
            [
                "+--------+---------+-------------+---------------+",
                "| Origin | Entries | Checkpoints | Verdict       |",
                "+--------+---------+-------------+---------------+",
                "| a.b.0  | 7       | 2           | whole         |",
                "+--------+---------+-------------+---------------+",
                tail,
                "Whole.",
            ],
            auditing.in_short(printed),
        )

    def test_of_another_one_all_that_was_found(self) -> None:
        found = ["a.b.0: removed 3 at x:3", "TAMPERED: 1 of 1 chains"]
        printed = [*self._table("TAMPERED"), "note: it goes on", *found]
        self.assertEqual(
            ["...", found[0], found[1]], auditing.in_short(printed)
        )

    def test_an_error_is_told_as_it_is(self) -> None:
        said = ["nfv-mla audit verify: audit: does not exist"]
        self.assertEqual(said, auditing.in_short(said))
