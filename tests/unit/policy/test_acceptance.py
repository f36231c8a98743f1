# SPDX-License-Identifier: Apache-2.0
"""Which policy may be in force: signed, sound, never older, in its time."""

from __future__ import annotations

import json
import unittest

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from tests import policies

GOOD = policies.signed(policies.policy_yaml())
OTHER = policies.signed(policies.policy_yaml() + "# another one\n")
DIGEST = policies.policy().digest
EXPIRES = policies.policy().expires_at


def other_type() -> bytes:
    members = json.loads(GOOD)
    members["payloadType"] = "text/plain"
    return json.dumps(members).encode()


# what is offered, the highest seen before, seconds after issue, the refusal
CASES = (
    (GOOD, None, 0, None),
    (GOOD, None, -300, None),
    (GOOD, None, -301, PolicyCode.NOT_YET),
    (GOOD, None, EXPIRES - policies.ISSUED - 1, None),
    (GOOD, None, EXPIRES - policies.ISSUED, PolicyCode.EXPIRED),
    (GOOD, (6, "x"), 0, None),
    (GOOD, (7, DIGEST), 0, None),
    (OTHER, (7, DIGEST), 0, PolicyCode.SAME_VERSION),
    (GOOD, (8, "x"), 0, PolicyCode.ROLLED_BACK),
    (GOOD, (2**53, "x"), 0, PolicyCode.ROLLED_BACK),
    (b"", None, 0, PolicyCode.UNREADABLE),
    (other_type(), None, 0, PolicyCode.BAD_ENVELOPE),
    (policies.signed(b"no: policy"), None, 0, PolicyCode.INVALID),
    (
        policies.signed(b"no: policy", [policies.signer("alice")]),
        None,
        0,
        PolicyCode.UNDER_SIGNED,
    ),
    # What is older than before is said to be that, expired or not.
    (GOOD, (8, "x"), 10**9, PolicyCode.ROLLED_BACK),
)


class AcceptanceTest(unittest.TestCase):
    def test_every_refusal(self) -> None:
        for number, (data, highest, after, code) in enumerate(CASES):
            now = policies.ISSUED + after
            with self.subTest(number=number, code=code):
                if code is None:
                    policy = policies.accept(data, highest, now)
                    self.assertEqual(policy.version, 7)
                    continue
                with self.assertRaises(PolicyRefused) as caught:
                    policies.accept(data, highest, now)
                self.assertIs(caught.exception.reason, code)
                self.assertEqual(caught.exception.code, code.value)

    def test_the_digest_is_of_the_payload_and_not_of_the_signatures(
        self,
    ) -> None:
        alice, bob = policies.officers()
        keys = [bob, alice, policies.signer("carol")]
        again = policies.signed(policies.policy_yaml(), keys)
        self.assertNotEqual(again, GOOD)
        self.assertEqual(policies.accept(again, (7, DIGEST)).digest, DIGEST)

    def test_a_problem_inside_comes_with_the_refusal(self) -> None:
        text = policies.policy_yaml(("cadence_s: 10", "cadence_s: 0"))
        with self.assertRaises(PolicyRefused) as caught:
            policies.accept(policies.signed(text))
        (problem,) = caught.exception.problems
        self.assertEqual(problem.path, "authorities.keylime-fra.cadence_s")
        self.assertIn("line 14", str(caught.exception))
