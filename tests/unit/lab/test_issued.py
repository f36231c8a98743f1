# SPDX-License-Identifier: Apache-2.0
"""When a token is a new one, and when it is one that was issued before."""

from __future__ import annotations

import unittest
from typing import Any

from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.issued import Issued
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.keys import new_key
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.lab import labs

KEYS = Keys.of(new_key())
WARNED = {"tpm": {**labs.TPM, "status": "warning"}}


def issued(
    before: Issued | None = None,
    now: float = labs.NOW,
    claims: Any = labs.GOOD,
    **knobs: Any,
) -> Issued:
    """Return what is issued about ``a``, which has the knobs, and ``b``."""
    data = labs.yaml(
        {"a": {"claims": claims, **knobs}, "b": {"claims": labs.GOOD}}
    )
    return Issued(read_attesters(data, load()), KEYS, now, before)


class KeptTest(unittest.TestCase):
    def test_a_token_is_kept_for_its_second(self) -> None:
        found = issued()
        first = found.token("a", labs.SECOND)
        self.assertEqual(first, found.token("a", labs.SECOND + 0.99))
        second = found.token("a", labs.SECOND + 1)
        self.assertNotEqual(first, second)
        self.assertEqual(labs.SECOND + 1, labs.payload(second)["iat"])

    def test_it_is_not_kept_beyond_an_edit(self) -> None:
        first = issued()
        token = first.token("a", labs.NOW)
        second = issued(first, claims=WARNED)
        self.assertEqual(
            "warning",
            labs.payload(second.token("a", labs.NOW))["nfv_mla"]["tpm"][
                "status"
            ],
        )
        self.assertNotEqual(token, second.token("a", labs.NOW))

    def test_a_token_of_each_in_order_but_of_those_who_are_silent(
        self,
    ) -> None:
        found = issued(silent=True)
        (token,) = found.tokens(["a", "b"], labs.NOW)
        self.assertEqual("b", labs.payload(token)["sub"])
        found = issued()
        tokens = found.tokens(["b", "a"], labs.NOW)
        subjects = [labs.payload(token)["sub"] for token in tokens]
        self.assertEqual(["b", "a"], subjects)


class ReplayedTest(unittest.TestCase):
    def test_the_token_from_before_the_edit_goes_on(self) -> None:
        first = issued()
        # claims get worse in the same edit: the replay hides it
        second = issued(first, labs.NOW + 60, WARNED, replayed=True)
        token = second.token("a", labs.NOW + 60)
        self.assertEqual(labs.GOOD, labs.payload(token)["nfv_mla"])
        self.assertEqual(labs.SECOND + 60, labs.payload(token)["iat"])
        self.assertEqual(token, second.token("a", labs.NOW + 9999))
        self.assertEqual([token], second.tokens(["a"], labs.NOW + 9999))
        self.assertNotEqual(
            second.token("b", labs.NOW), second.token("b", labs.NOW + 9)
        )

    def test_it_goes_on_through_other_edits_until_the_knob_is_gone(
        self,
    ) -> None:
        second = issued(issued(), replayed=True)
        token = second.token("a", labs.NOW)
        third = issued(second, labs.NOW + 60, slow_s=1, replayed=True)
        self.assertEqual(token, third.token("a", labs.NOW + 90))
        fourth = issued(third, labs.NOW + 120)
        self.assertEqual(
            labs.SECOND + 130,
            labs.payload(fourth.token("a", labs.NOW + 130))["iat"],
        )
        fifth = issued(fourth, labs.NOW + 150, replayed=True)
        self.assertEqual(
            labs.SECOND + 150,
            labs.payload(fifth.token("a", labs.NOW + 990))["iat"],
        )

    def test_without_a_reading_before_it_is_issued_at_once(self) -> None:
        found = issued(replayed=True)
        token = found.token("a", labs.NOW + 60)
        self.assertEqual(labs.SECOND, labs.payload(token)["iat"])

    def test_a_new_attester_s_is_issued_at_once(self) -> None:
        data = labs.yaml({"z": {"claims": labs.GOOD, "replayed": True}})
        roster = read_attesters(data, load())
        found = Issued(roster, KEYS, labs.NOW, issued())
        token = found.token("z", labs.NOW + 60)
        self.assertEqual(labs.SECOND, labs.payload(token)["iat"])


if __name__ == "__main__":
    unittest.main()
