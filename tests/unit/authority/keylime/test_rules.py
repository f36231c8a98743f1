# SPDX-License-Identifier: Apache-2.0
"""What decides what is believed, and what becomes of what was."""

from __future__ import annotations

import time

from nfv_mla_scheduler.authority.keylime.driver import KeylimeAuthority
from nfv_mla_scheduler.collector.board import Board
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Status
from tests.authorities import keylime_data as data
from tests.authorities.stage import NAME
from tests.unit.authority.keylime.driving import ALL
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import DriverCase
from tests.unit.authority.keylime.reading import SKEW_S


class RulesTest(DriverCase):
    def test_its_own_promises(self) -> None:
        # whoever has a client certificate administers Keylime
        self.assertFalse(KeylimeAuthority.READS_ONLY)
        self.assertTrue(KeylimeAuthority.CHECKS_PINS)
        self.assertEqual("", self.driver.NOTICE)

    def test_another_mapping_makes_other_rules(self) -> None:
        before = self.collect()
        self.assertEqual(before.rules, self.driver.rules())
        text = self.stage.mapping_file.read_text()
        self.stage.mapping_file.write_text(
            text.replace("os-access-control", "hsm")
        )
        after = self.collect()
        self.assertNotEqual(before.rules, after.rules)
        self.assertEqual(after.rules, self.driver.rules())
        self.assertIn("hsm", after.results[A].claims)

    def test_so_does_when_boot_logs_are_looked_into(self) -> None:
        self.driver = self.stage.driver(measured_boot_evaluated="once")
        self.assertNotEqual(self.stage.driver().rules(), self.driver.rules())
        found = self.collect()
        self.assertEqual(ALL - {"measured-boot"}, set(found.results[A].claims))
        self.assertEqual([f"{A} keylime-boot-once"], self.notes(found))

    def test_a_mapping_that_is_no_good_replaces_nothing(self) -> None:
        self.collect()
        self.stage.mapping_file.write_text("measured_boot: 7")
        with self.assertLogs("nfv_mla_scheduler", "ERROR"):
            found = self.collect()
        self.assertEqual(ALL, set(found.results[A].claims))

    def test_one_that_proves_nothing_is_told_at_every_start(self) -> None:
        text = self.stage.mapping_file.read_text()
        self.stage.mapping_file.write_text(
            text.replace("pcr: 15", "pcr: 23") + "\nresettable_pcrs: true\n"
        )
        self.assertIn("for tests", self.stage.driver().NOTICE)
        with self.assertLogs("nfv_mla_scheduler", "WARNING") as logs:
            self.collect()
        self.assertIn("for tests", logs.output[-1])

    def test_two_authorities_of_one_verifier_have_one_word(self) -> None:
        one, other = self.driver.trust(), self.stage.driver().trust()
        self.assertTrue(one.overlaps(other))
        elsewhere = self.stage.driver(verifiers=["https://elsewhere:8881"])
        self.assertFalse(one.overlaps(elsewhere.trust()))


class BoardTest(DriverCase):
    """What becomes of what was held."""

    def setUp(self) -> None:
        super().setUp()
        self.board = Board(SKEW_S, frozenset({NAME}))
        asked = self.inquiry()
        task = {NAME: Task(asked, 30, 60)}
        self.board.rule(task, time.time(), pins_hold=False)
        self.take()

    def take(self) -> None:
        asked = self.inquiry()
        now = time.time()
        found = self.driver.collect(asked, now)
        self.board.take(NAME, asked, found, now)

    def until(self) -> float:
        return self.board.said[NAME].freshness[B].until

    def test_what_attests_nothing_any_more_ends_at_once(self) -> None:
        self.assertEqual(FOREVER, self.until())
        for status in ("PENDING", "TIMEOUT"):
            self.stage.say(B)
            self.stage.agents[B]["attestation_status"] = status
            self.take()
            self.assertLessEqual(self.until(), time.time())

    def test_what_is_gone_ends_at_once(self) -> None:
        self.stage.forget(B)
        self.take()
        self.assertLessEqual(self.until(), time.time())

    def test_what_cannot_be_read_ages(self) -> None:
        self.stage.spoil(B)
        self.take()
        self.assertEqual(FOREVER, self.until())

    def test_a_failure_outlasts_a_pass_that_is_older(self) -> None:
        self.stage.agents[B] = data.agent(data.FAILED)
        self.take()
        held = self.board.said[NAME].results[B]
        self.assertIs(
            Status.CONTRAINDICATED, held.claims["attestation"].status
        )
        # reactivated, and not attested since
        self.stage.say(B, ahead_s=-5)
        self.take()
        self.assertIs(held, self.board.said[NAME].results[B])
        self.stage.say(B, ahead_s=2)
        self.take()
        held = self.board.said[NAME].results[B]
        self.assertIs(Status.AFFIRMING, held.claims["attestation"].status)
