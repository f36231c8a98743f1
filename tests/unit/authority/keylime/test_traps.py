# SPDX-License-Identifier: Apache-2.0
"""No field of a verifier's record is believed alone."""

from __future__ import annotations

import unittest
from typing import Any

from tests.authorities import keylime_data as data
from tests.unit.authority.keylime.reading import ALL
from tests.unit.authority.keylime.reading import SKEW_S
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


class TrapsTest(unittest.TestCase):
    """Facts: one field alone lies; what it says, and what is believed."""

    def nothing(self, raw: Any, code: str, by: Any = None) -> None:
        word = judged(raw, by)
        self.assertEqual({}, dict(word.claims))
        self.assertEqual(code, codes(word)[0])

    def test_one_that_was_never_reached_passes(self) -> None:
        raw = data.agent(data.UNREACHED)
        self.assertEqual(
            (3, "PASS"), (raw["operational_state"], raw["attestation_status"])
        )
        self.nothing(raw, "keylime-never-attested")
        # a count without a time is none either, and a time without a count
        self.nothing({**raw, "attestation_count": 3}, "keylime-never-attested")
        self.nothing(
            {**raw, "last_successful_attestation": 1},
            "keylime-never-attested",
        )

    def test_one_that_hangs_passes_and_is_as_old_as_its_last_success(
        self,
    ) -> None:
        raw = one("hung")
        self.assertEqual("PASS", raw["attestation_status"])
        for later_s in (5, 182):
            now = raw["last_successful_attestation"] + later_s
            word = judged(raw, rule(ONLY_PCR_23), now)
            self.assertEqual({"attestation"}, carried(word))
            # not the time of asking, which would keep it fresh for ever
            self.assertEqual(now - later_s, word.at)

    def test_severity_and_event_outlast_a_recovery(self) -> None:
        by = rule(ONLY_PCR_23)
        before, after = one("failed-pcr"), one("recovered")
        for field in ("severity_level", "last_event_id"):
            self.assertTrue(before[field])
            self.assertEqual(before[field], after[field])
        self.assertEqual({"attestation"}, blocked(judged(before, by)))
        self.assertEqual({"attestation"}, carried(judged(after, by)))

    def test_nor_does_their_absence_tell_that_all_is_well(self) -> None:
        raw = one("push-failed")
        self.assertIsNone(raw["severity_level"])
        self.assertEqual(PUSHED, blocked(judged(raw)))

    def test_the_state_of_one_that_pushes_says_nothing(self) -> None:
        for name, check in (
            ("push-passes", lambda w: self.assertEqual(PUSHED, carried(w))),
            ("push-failed", lambda w: self.assertEqual(PUSHED, blocked(w))),
            (
                "push-timeout",
                lambda w: self.assertEqual(
                    ({}, "keylime-timed-out"), (dict(w.claims), codes(w)[0])
                ),
            ),
            (
                "push-new",
                lambda w: self.assertEqual(
                    ({}, "keylime-pending"), (dict(w.claims), codes(w)[0])
                ),
            ),
        ):
            with self.subTest(name):
                raw = one(name)
                self.assertEqual(3, raw["operational_state"])
                check(judged(raw))

    def test_a_failure_stays_while_successes_go_on(self) -> None:
        failed, later = one("push-failed"), one("push-failed-sticky")
        self.assertGreater(
            later["last_successful_attestation"],
            failed["last_successful_attestation"],
        )
        self.assertGreater(
            later["attestation_count"], failed["attestation_count"]
        )
        now = later["last_successful_attestation"] + 100
        word = judged(later, now=now)
        self.assertEqual(PUSHED, blocked(word))
        self.assertFalse(word.passes)
        # the verifier's standing word, as of the moment of asking
        self.assertEqual(now, word.at)

    def test_a_pass_under_no_policy_means_that_nothing_was_looked_at(
        self,
    ) -> None:
        raw = data.agent(data.BARE)
        self.assertEqual("PASS", raw["attestation_status"])
        self.assertGreater(raw["attestation_count"], 0)
        word = judged(raw)
        self.assertEqual({}, dict(word.claims))
        self.assertEqual(
            [
                "keylime-no-policy",
                "keylime-no-measured-boot",
                "keylime-no-runtime-policy",
                "keylime-no-pcr",
            ],
            codes(word),
        )

    def test_a_status_does_not_make_up_for_a_state(self) -> None:
        for state in (7, 9, 10):
            for status in ("PASS", "PENDING", "TIMEOUT"):
                raw = data.agent(
                    operational_state=state, attestation_status=status
                )
                self.assertEqual(ALL, blocked(judged(raw)), (state, status))
        for state in (0, 1, 2, 8):
            self.nothing(
                data.agent(operational_state=state), "keylime-pending"
            )

    def test_nor_a_state_for_a_status(self) -> None:
        self.assertEqual(
            ALL, blocked(judged(data.agent(attestation_status="FAIL")))
        )
        for status, code in (
            ("PENDING", "keylime-pending"),
            ("TIMEOUT", "keylime-timed-out"),
        ):
            self.nothing(data.agent(attestation_status=status), code)

    def test_a_success_of_the_future_is_none(self) -> None:
        raw = data.agent()
        at = raw["last_successful_attestation"]
        word = judged(raw, now=at - SKEW_S)
        self.assertEqual(ALL, carried(word))
        word = judged(raw, now=at - SKEW_S - 1)
        self.assertEqual({}, dict(word.claims))
        self.assertEqual(["keylime-ahead"], codes(word))
        self.assertTrue(word.fault)
        # a failure speaks whatever the clock of the verifier
        word = judged(data.agent(data.FAILED), now=at - 9999)
        self.assertEqual(ALL, blocked(word))
