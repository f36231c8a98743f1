# SPDX-License-Identifier: Apache-2.0
"""Whether an agent was enrolled anew is told by its counts, and the time."""

from __future__ import annotations

import unittest
from typing import Any

from nfv_mla_scheduler.authority.keylime.seen import Seen
from nfv_mla_scheduler.authority.keylime.seen import fingerprint
from nfv_mla_scheduler.authority.keylime.seen import seen
from tests.authorities import keylime_data as data


def one(count: int, at: float = 0.0, **changes: Any) -> Seen:
    """Return an agent that is asked every two seconds."""
    changes = {"attestation_period": "2s", **changes}
    raw = data.agent(attestation_count=count, **changes)
    return seen(raw, at, at + 0.5)


class SeenTest(unittest.TestCase):
    def test_times_and_counts_make_no_other_record(self) -> None:
        before = fingerprint(data.agent())
        self.assertEqual(
            before,
            fingerprint(
                data.agent(
                    attestation_count=9,
                    last_received_quote=9,
                    last_successful_attestation=9,
                )
            ),
        )
        for name in ("operational_state", "tpm_policy", "ip", "verifier_id"):
            self.assertNotEqual(
                before, fingerprint(data.agent(**{name: "else"}))
            )

    def test_who_counts_on_is_the_same(self) -> None:
        self.assertTrue(one(105, 10).follows(one(100)))
        self.assertTrue(one(100, 10).follows(one(100)))

    def test_who_counts_less_is_another(self) -> None:
        self.assertFalse(one(99, 10).follows(one(100)))

    def test_so_may_be_who_could_have_come_so_far_since(self) -> None:
        # in 10.5 s 5 quotes, or 10 if it is asked twice, and those at the ends
        self.assertFalse(one(12, 10).follows(one(7)))
        self.assertTrue(one(13, 10).follows(one(8)))
        # the longer nobody looked, the further one can have come
        self.assertFalse(one(13, 20).follows(one(8)))

    def test_who_does_not_say_how_often_it_is_asked_may_be_anyone(
        self,
    ) -> None:
        for period in (None, "0s", "s", "2", 2, "-2s", "2 s", "x" * 99, []):
            before = one(100, attestation_period=period)
            after = one(105, 10, attestation_period=period)
            self.assertFalse(after.follows(before), period)
            after = one(1105, 10, attestation_period=period)
            self.assertTrue(after.follows(before), period)

    def test_who_has_another_record_is_another(self) -> None:
        self.assertFalse(one(105, 10, port=7).follows(one(100)))
