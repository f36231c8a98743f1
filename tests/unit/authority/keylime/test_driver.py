# SPDX-License-Identifier: Apache-2.0
"""What the driver makes of the records that it gets."""

from __future__ import annotations

import time

from nfv_mla_scheduler.errors import KeylimeCode
from nfv_mla_scheduler.model import FOREVER
from tests.authorities import keylime_data as data
from tests.unit.authority.keylime.driving import A
from tests.unit.authority.keylime.driving import B
from tests.unit.authority.keylime.driving import C
from tests.unit.authority.keylime.driving import DriverCase


class RecordsTest(DriverCase):
    def test_one_that_is_unknown_is_absent_and_told(self) -> None:
        found = self.collect(A, C)
        self.assertEqual([f"{C} keylime-unknown-agent"], self.notes(found))
        self.assertEqual((), found.problems)
        self.assertTrue(found.complete)

    def test_what_attests_nothing_is_refused_and_no_fault(self) -> None:
        for changes, code in (
            ({"attestation_status": "PENDING"}, KeylimeCode.PENDING),
            ({"attestation_status": "TIMEOUT"}, KeylimeCode.TIMED_OUT),
            ({"attestation_count": 0}, KeylimeCode.NEVER_ATTESTED),
            (
                {
                    "has_mb_refstate": 0,
                    "has_runtime_policy": 0,
                    "tpm_policy": "{}",
                },
                KeylimeCode.NO_POLICY,
            ),
        ):
            with self.subTest(code):
                self.stage.say(B)
                self.stage.agents[B] |= changes
                found = self.collect()
                self.refused(found, B, code)
                self.assertTrue(found.complete)
                self.assertIn(A, found.results)

    def test_a_fault_is_no_absence(self) -> None:
        for changes, code in (
            ({"attestation_count": "5"}, KeylimeCode.MALFORMED),
            (
                {"last_successful_attestation": int(time.time()) + 999},
                KeylimeCode.AHEAD,
            ),
        ):
            self.stage.say(B)
            self.stage.agents[B] |= changes
            found = self.collect()
            self.refused(found, B, code)
            self.assertFalse(found.complete)
        self.stage.agents[B] = None
        self.refused(self.collect(), B, KeylimeCode.MALFORMED)

    def test_what_is_lacking_is_noted_once_for_all_agents(self) -> None:
        for agent in (A, B):
            self.stage.say(agent, ("attestation", "os-access-control"))
        found = self.collect()
        self.assertEqual({A, B}, set(found.results))
        self.assertEqual([f"{A} keylime-no-measured-boot"], self.notes(found))
        self.assertIn("(and 1 others)", str(found.notes[0]))

    def test_of_agents_of_no_host_only_what_speaks_for_them(self) -> None:
        self.stage.say(C)
        self.stage.agents["pending"] = data.agent(attestation_status="PENDING")
        self.stage.agents["failed"] = data.agent(data.FAILED)
        self.stage.agents["broken"] = 7
        self.stage.agents["x" * 300] = self.stage.agents[A]
        found = self.collect()
        self.assertEqual({A, B, C}, set(found.results))
        self.assertEqual((), found.problems)
        self.assertTrue(found.complete)

    def test_a_failure_stands_as_of_now(self) -> None:
        self.stage.agents[B] = data.agent(data.FAILED)
        before = time.time()
        found = self.collect()
        self.assertLessEqual(before, found.freshness[B].at)
        self.assertEqual([f"{B} keylime-failed"], self.notes(found))
        self.assertTrue(found.complete)

    def test_only_the_hour_of_an_attestation_makes_another_result(
        self,
    ) -> None:
        hour = int(time.time()) // 3600 * 3600 - 3600
        results = []
        for at in (hour, hour + 3599, hour + 3600):
            self.stage.agents[A]["last_successful_attestation"] = at
            found = self.collect()
            self.assertEqual(at, found.freshness[A].at)
            results.append(found.results[A])
        self.assertIs(results[0], results[1])
        self.assertEqual(hour, results[0].boot_attested_at)
        self.assertEqual(hour + 3600, results[2].boot_attested_at)

    def test_nothing_is_said_of_boots(self) -> None:
        found = self.collect()
        self.assertIsNone(found.results[A].boot)
        self.assertIsNone(found.freshness[A].boot)
        self.assertEqual(FOREVER, found.freshness[A].until)
