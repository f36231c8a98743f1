# SPDX-License-Identifier: Apache-2.0
"""What is believed of a record, by the policies that are bound."""

from __future__ import annotations

import unittest
from typing import Any

from nfv_mla_scheduler.authority.keylime.trust import Evaluated
from nfv_mla_scheduler.model import Grade
from tests.authorities import keylime_data as data
from tests.unit.authority.keylime.reading import ALL
from tests.unit.authority.keylime.reading import MEASURED_BOOT
from tests.unit.authority.keylime.reading import TABLE
from tests.unit.authority.keylime.reading import blocked
from tests.unit.authority.keylime.reading import carried
from tests.unit.authority.keylime.reading import codes
from tests.unit.authority.keylime.reading import judged
from tests.unit.authority.keylime.reading import one
from tests.unit.authority.keylime.reading import rule

# Of push-passes and its like, which have PCR 15 alone.
PUSHED = {"location"}
ONLY_PCR_23 = f"""
pcrs:
  - pcr: 23
    digest: "{one("recovered")["tpm_policy"].split('"')[3]}"
    claims: [{{capability: attestation, grade: run-time}}]
resettable_pcrs: true
"""


class BelievedTest(unittest.TestCase):
    def test_a_healthy_agent_vouches_for_all_that_is_bound(self) -> None:
        raw = data.agent(data.HEALTHY)
        word = judged(raw)
        self.assertEqual(ALL, carried(word))
        self.assertEqual((), word.lacks)
        self.assertTrue(word.passes)
        self.assertEqual(raw["last_successful_attestation"], word.at)

    def test_equal_claims_are_one_object(self) -> None:
        by = rule()
        one, other = judged(data.agent(), by), judged(data.agent(), by)
        self.assertIs(one.claims, other.claims)
        failed = judged(data.agent(data.FAILED), by)
        self.assertIs(
            failed.claims, judged(data.agent(data.FAILED), by).claims
        )

    def test_the_stronger_grade_counts_where_two_policies_say_the_same(
        self,
    ) -> None:
        table = """
measured_boot: [{capability: attestation, grade: boot}]
runtime_policy: [{capability: attestation, grade: run-time}]
"""
        word = judged(data.agent(), rule(table))
        self.assertIs(Grade.RUN_TIME, word.claims["attestation"].grade)
        word = judged(data.agent(has_runtime_policy=0), rule(table))
        self.assertIs(Grade.BOOT, word.claims["attestation"].grade)


class PoliciesTest(unittest.TestCase):
    def lacking(self, raw: Any, code: str, lost: set[str]) -> None:
        word = judged(raw)
        self.assertEqual(ALL - lost, carried(word))
        self.assertEqual([code], codes(word))

    def test_each_policy_vouches_for_its_own(self) -> None:
        self.lacking(
            data.agent(has_mb_refstate=0),
            "keylime-no-measured-boot",
            MEASURED_BOOT,
        )
        self.lacking(
            data.agent(has_runtime_policy=0),
            "keylime-no-runtime-policy",
            {"software-integrity"},
        )
        for policy in (
            '{"mask": "0x87ff"}',
            f'{{"15": ["{"0" * 64}"], "mask": "0x87ff"}}',
        ):
            self.lacking(
                data.agent(tpm_policy=policy), "keylime-no-pcr", {"location"}
            )

    def test_a_policy_whose_pcrs_are_not_quoted_is_never_looked_at(
        self,
    ) -> None:
        policy = f'{{"15": ["{data.TAG}"], "mask": "%s"}}'
        for mask, code, lost in (
            ("0x83ff", "keylime-no-runtime-policy", {"software-integrity"}),
            ("0x87fe", "keylime-no-measured-boot", MEASURED_BOOT),
            ("0x877f", "keylime-no-measured-boot", MEASURED_BOOT),
            ("0x7ff", "keylime-no-pcr", {"location"}),
        ):
            self.lacking(data.agent(tpm_policy=policy % mask), code, lost)

    def test_of_one_that_pushes_the_mask_decides_nothing(self) -> None:
        policy = f'{{"15": ["{data.TAG}"], "mask": "0x0"}}'
        for pushing in (
            {"operational_state": None},
            {"ip": None, "port": None},
        ):
            raw = data.agent(tpm_policy=policy, **pushing)
            self.assertEqual(ALL, carried(judged(raw)))
        for half in ({"ip": None}, {"port": None}, {}):
            raw = data.agent(tpm_policy=policy, **half)
            self.assertEqual({}, dict(judged(raw).claims))

    def test_one_of_several_values_does_not_tell_which(self) -> None:
        policy = f'{{"15": ["{data.TAG}", "{"0" * 64}"], "mask": "0xffff"}}'
        self.lacking(
            data.agent(tpm_policy=policy), "keylime-no-pcr", {"location"}
        )
        # twice the same is one
        policy = (
            f'{{"15": ["{data.TAG}", "{data.TAG.upper()}"], "mask": "%s"}}'
        )
        word = judged(data.agent(tpm_policy=policy % "0xFFFF"))
        self.assertEqual(ALL, carried(word))

    def test_a_boot_log_that_is_looked_into_once_vouches_for_nothing(
        self,
    ) -> None:
        word = judged(data.agent(), rule(evaluated=Evaluated.ONCE))
        self.assertEqual(ALL - MEASURED_BOOT, carried(word))
        self.assertEqual(["keylime-boot-once"], codes(word))

    def test_a_policy_that_the_mapping_does_not_name_is_not_missed(
        self,
    ) -> None:
        table = TABLE.partition("runtime_policy")[0]
        word = judged(
            data.agent(has_runtime_policy=0, tpm_policy='{"mask": "0xff"}'),
            rule(table),
        )
        self.assertEqual(MEASURED_BOOT, carried(word))
        self.assertEqual((), word.lacks)

    def test_a_place_that_the_policy_does_not_know_is_left_out(self) -> None:
        word = judged(data.agent(), rule(regions={}))
        self.assertEqual(ALL - {"location"}, carried(word))
        self.assertEqual(["keylime-unknown-region"], codes(word))


class FailureTest(unittest.TestCase):
    def test_it_speaks_against_all_that_is_bound(self) -> None:
        raw = data.agent(data.FAILED)
        word = judged(raw, now=1.8e9)
        self.assertEqual(ALL, blocked(word))
        self.assertEqual(1.8e9, word.at)
        self.assertEqual(["keylime-failed"], codes(word))
        self.assertIn("measured_boot.invalid_pcr_4", word.lacks[0][1])

    def test_and_against_nothing_else(self) -> None:
        raw = data.agent(data.FAILED, has_mb_refstate=0)
        self.assertEqual(ALL - MEASURED_BOOT, blocked(judged(raw)))
        raw = data.agent(data.BARE, attestation_status="FAIL")
        word = judged(raw)
        self.assertEqual({}, dict(word.claims))
        self.assertEqual(["keylime-failed"], codes(word))

    def test_whatever_would_keep_a_pass_from_counting(self) -> None:
        raw = data.agent(
            data.FAILED,
            attestation_count=0,
            last_successful_attestation=0,
            tpm_policy=f'{{"15": ["{data.TAG}"], "mask": "0x0"}}',
        )
        by = rule(evaluated=Evaluated.ONCE, regions={})
        self.assertEqual(ALL, blocked(judged(raw, by)))

    def test_of_an_agent_that_did_not_answer_is_silence(self) -> None:
        for event in ("not_reachable", "not_reachable_v"):
            raw = data.agent(
                data.FAILED, last_event_id=f"internal.verifier.{event}"
            )
            word = judged(raw)
            self.assertEqual({}, dict(word.claims))
            self.assertEqual(["keylime-unreached"], codes(word))
            self.assertFalse(word.fault)
        for event in ("not_reachable", "x.not_reachable", None, 1, [], ""):
            with self.subTest(event):
                raw = data.agent(data.FAILED, last_event_id=event)
                self.assertEqual(ALL, blocked(judged(raw)))

    def test_an_event_of_before_says_nothing_about_a_pass(self) -> None:
        raw = data.agent(last_event_id="internal.verifier.not_reachable")
        self.assertEqual(ALL, carried(judged(raw)))

    def test_before_7_14_the_state_tells(self) -> None:
        for version in ("7.13.1", "7.8.0", "7.2.5"):
            with self.subTest(version):
                raw = data.agent(data.HEALTHY, version)
                self.assertNotIn("attestation_status", raw)
                self.assertEqual(ALL, carried(judged(raw)))
                raw = data.agent(data.FAILED, version)
                self.assertEqual(ALL, blocked(judged(raw)))
                raw = data.agent(data.UNREACHED, version)
                self.assertEqual(
                    ["keylime-never-attested"], codes(judged(raw))
                )
                raw = data.agent(data.HEALTHY, version, operational_state=1)
                self.assertEqual(["keylime-pending"], codes(judged(raw)))
                # there was nothing that pushed then
                raw = data.agent(data.HEALTHY, version, operational_state=None)
                self.assertEqual(["keylime-pending"], codes(judged(raw)))
