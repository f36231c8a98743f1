# SPDX-License-Identifier: Apache-2.0
"""Judging goes on, whether or not Nova and Placement answer in time."""

from __future__ import annotations

import threading
import unittest
from unittest import mock

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.judging.beside import Beside
from nfv_mla_scheduler.monitor.judging.court import Court
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from tests.unit.drafts import NOW
from tests.unit.judge.scenes import asking
from tests.unit.monitor.observed import Remembered
from tests.unit.monitor.scene import Scene
from tests.unit.monitor.scene import server

SERVERS = 12


class Slow(Remembered):
    """Answers what is read beside judging once it may, or fails.

    :ivar reason: why reading deeds fails; None: it does not
    """

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()
        self.reason: CloudCode | None = None
        self.read: list[str] = []

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        self.read.append(uuid)
        self.may.wait(60)
        if self.reason is not None:
            raise CloudFailed(self.reason, "no answer")
        return (Deed("createImage", uuid, "u", "p", NOW, ""),)

    def allocation(self, server: str) -> frozenset[str]:
        self.calls["allocation"] += 1
        self.may.wait(60)
        return frozenset({"elsewhere"})


class CourtTest(unittest.TestCase):
    def setUp(self) -> None:
        self.scene = Scene(asking(2, capability__tpm="required", copy="deny"))
        for number in range(1, SERVERS + 1):
            self.scene.add(
                server(number, "h2", self.scene.asked(), updated=NOW)
            )
        self.cloud = Slow()
        self.addCleanup(self.cloud.may.set)
        self.court = self.new_court(0.0)
        self.passed = 0.0

    def new_court(self, wait_s: float) -> Court:
        judging = self.scene.judging
        return Court(self.cloud, judging, (b"k" * 32,), NOW, wait_s)

    def rule(self) -> Verdict:
        self.passed += 10
        return self.court.rule(
            self.scene.picture(),
            self.scene.take(),
            NOW + self.passed,
            self.passed,
            lambda amounts: None,
        ).verdict

    def rule_until_read(self) -> Verdict:
        """Rule as often as it takes to hear of what is under way."""
        found = self.rule()
        for thread in threading.enumerate():
            if thread.name == "nfv-mla beside":
                thread.join(60)
        return found

    def test_nobody_waits_for_what_hangs_nor_asks_it_again(self) -> None:
        for _ in range(5):
            found = self.rule()
            self.assertEqual(SERVERS, len(found.asking))
            self.assertEqual((), found.copied)
        self.assertEqual(1, len(self.cloud.read))
        self.assertEqual(1, self.cloud.calls["allocation"])

    def test_what_comes_late_is_taken_at_a_later_look(self) -> None:
        self.rule()
        self.cloud.may.set()
        copied: set[str] = set()
        for _ in range(SERVERS + 3):
            copied |= {each.server for each in self.rule_until_read().copied}
        self.assertEqual(SERVERS, len(copied))

    def test_what_is_answered_at_once_is_in_the_same_look(self) -> None:
        self.cloud.may.set()
        self.court = self.new_court(60.0)
        self.assertLess(1, len(self.rule().copied))

    def test_the_first_without_an_answer_ends_it_and_others_are_next(
        self,
    ) -> None:
        self.cloud.may.set()
        self.cloud.reason = CloudCode.UNAVAILABLE
        self.court = self.new_court(60.0)
        for _ in range(3):
            self.rule()
        self.assertEqual(3, len(set(self.cloud.read)))
        self.assertEqual(3, len(self.cloud.read))

    def test_one_that_is_refused_does_not_end_it(self) -> None:
        self.cloud.may.set()
        self.cloud.reason = CloudCode.REFUSED
        self.court = self.new_court(60.0)
        self.rule()
        self.assertLess(1, len(self.cloud.read))


class BesideTest(unittest.TestCase):
    def test_where_no_thread_can_be_started_it_is_begun_anew(self) -> None:
        beside: Beside[int] = Beside()
        none = RuntimeError("can't start new thread")
        with mock.patch.object(threading.Thread, "start", side_effect=none):
            beside.begin(lambda: 1)
        self.assertFalse(beside.busy)
        self.assertIsNone(beside.take(NEVER))
        beside.begin(lambda: 2)
        beside.begin(lambda: 3)
        self.assertEqual(2, beside.take(threading.TIMEOUT_MAX / 2))
        self.assertIsNone(beside.take(NEVER))

    def test_a_fault_is_raised_once(self) -> None:
        beside: Beside[int] = Beside()
        for error in (ZeroDivisionError("x"), TimeoutError("x")):

            def fail(error: Exception = error) -> int:
                raise error

            beside.begin(fail)
            with self.assertRaises(type(error)):
                beside.take(threading.TIMEOUT_MAX / 2)
            self.assertIsNone(beside.take(NEVER))


if __name__ == "__main__":
    unittest.main()
