# SPDX-License-Identifier: Apache-2.0
"""Of several faults the first is told, in the order of the page."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.authority import ear_token
from nfv_mla_scheduler.authority.ear_jws import HEADERS_MAX
from nfv_mla_scheduler.authority.ear_jws import Opener
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from tests.unit.authority.ear import reading
from tests.vectors.ear_making import NOW
from tests.vectors.ear_making import dotted
from tests.vectors.ear_making import submod
from tests.vectors.ear_making import token

Payload = dict[str, Any]


def claims(**changes: Any) -> Callable[[Payload], None]:
    return lambda payload: payload.update(changes)


# What is wrong with the claims, in the order in which it is looked for.
FAULTS: tuple[tuple[TokenCode, Callable[[Payload], None]], ...] = (
    (TokenCode.PROFILE, claims(eat_profile="x")),
    (TokenCode.WRONG_ISSUER, claims(iss="x")),
    (TokenCode.WRONG_AUDIENCE, claims(aud="x")),
    (TokenCode.NO_TIME, claims(iat="x")),
    (TokenCode.AHEAD, claims(nbf=NOW + 100)),
    (TokenCode.EXPIRED, claims(exp=NOW)),
    (TokenCode.NO_ATTESTER, claims(sub="")),
    (TokenCode.NO_VERIFIER, claims(**{"ear.verifier-id": 1})),
    (
        TokenCode.BAD_STATUS,
        lambda payload: payload["submods"].update(a=submod("x")),
    ),
    (
        TokenCode.STATUS_TOO_GOOD,
        lambda payload: payload["submods"].update(
            b=submod(vector={"hardware": 96})
        ),
    ),
    (TokenCode.BAD_CLAIM, claims(nfv_mla=[])),
)


class OrderTest(unittest.TestCase):
    def code(self, data: bytes) -> TokenCode:
        rules = reading.rules(issuer="i")
        with self.assertRaises(TokenRefused) as caught:
            ear_token.read(data, reading.KEYS, rules, NOW)
        return caught.exception.reason

    def test_of_claims(self) -> None:
        for start in range(len(FAULTS)):
            payload = dotted(iss="i")
            for _, damage in FAULTS[start:]:
                damage(payload)
            data = token(payload, "ed").encode()
            self.assertIs(FAULTS[start][0], self.code(data))

    def test_of_what_comes_before_claims(self) -> None:
        bad = "{" + "x" * 2**16
        for code, payload, header in (
            (TokenCode.TOO_LARGE, bad, {"alg": "none", "kid": "x"}),
            (TokenCode.ALGORITHM, "{", {"alg": "none", "kid": "x"}),
            (TokenCode.UNKNOWN_KEY, "{", {"alg": "ES256", "kid": "x"}),
            (TokenCode.ALGORITHM, "{", {"alg": "ES256", "crit": []}),
            (TokenCode.MALFORMED, "{", {"crit": [], "typ": "x"}),
            (TokenCode.PROFILE, "{", {"typ": "x"}),
            (TokenCode.WRONG_SIGNATURE, "{", {}),
            (TokenCode.MALFORMED, "{", {}),
        ):
            data = token(payload, "ed", header=header).encode()
            if code is TokenCode.WRONG_SIGNATURE:
                data = data[:-8] + b"AAAAAAAA"
            with self.subTest(code=code, header=header):
                self.assertIs(code, self.code(data))


class HeadersTest(unittest.TestCase):
    """A header that was good once is known by its bytes, and no other."""

    def test_headers_are_remembered_once_somebody_has_signed(self) -> None:
        opener = Opener(reading.KEYS)
        good = reading.signed()
        bad = good[:-8] + b"AAAAAAAA"
        for data in (bad, good, bad, good):
            self.assertEqual(data is good, self._opens(opener, data))
        self.assertEqual({good.split(b".")[0]}, opener._headers.keys())

    def test_few_headers_are_remembered(self) -> None:
        opener = Opener(reading.KEYS)
        for number in range(2 * HEADERS_MAX + 5):
            data = token(dotted(), "ed", header={"x": number}).encode()
            self.assertTrue(self._opens(opener, data))
            self.assertLessEqual(len(opener._headers), HEADERS_MAX)

    def test_a_known_header_does_not_stand_for_another_key(self) -> None:
        opener = Opener(reading.KEYS)
        self.assertTrue(self._opens(opener, reading.signed()))
        data = token(dotted(), "p256", header={"kid": "ed"}).encode()
        self.assertFalse(self._opens(opener, data))
        data = token(dotted(), "p256").encode()
        self.assertTrue(self._opens(opener, data))

    def _opens(self, opener: Opener, data: bytes) -> bool:
        try:
            opener.open(data)
        except TokenRefused:
            return False
        return True
