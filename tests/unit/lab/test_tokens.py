# SPDX-License-Identifier: Apache-2.0
"""Every token is what the file asks for, as PyJWT and this page see it.

Nothing of the side that reads tokens is used here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unittest
from typing import Any

import jwt

from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.issued import Issued
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.keys import new_key
from nfv_mla_scheduler.lab.values import Wrong
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.lab import labs

KEYS = Keys.of(new_key())
JWK_SET = KEYS.jwk_set()
LIFETIME_S = 300

BAD_HSM = {"status": "contraindicated", "grade": "declared"}


def issued(data: bytes) -> Issued:
    return Issued(read_attesters(data, load()), KEYS, labs.NOW)


def token(name: str = "ber-1", **knobs: Any) -> str:
    """Return a token about one of two attesters that has these knobs."""
    attesters: dict[str, Any] = {
        "ber-1": {"claims": labs.GOOD, **knobs},
        "ber-2": {"claims": {**labs.GOOD, "hsm": BAD_HSM}},
    }
    return issued(labs.yaml(attesters)).token(name, labs.NOW)


def content(text: str) -> Any:
    return labs.verified(text, JWK_SET)


class GoodTokenTest(unittest.TestCase):
    def test_all_of_it_in_the_spelling_with_dots(self) -> None:
        data = labs.yaml(
            {
                "ber-1": {
                    "claims": {**labs.GOOD, "hsm": BAD_HSM},
                    "boot": {"bootcount": 17, "bootseed": "c2VlZA"},
                    "location": {"latitude": "52.52", "longitude": 13},
                }
            },
            issuer="lab-a",
        )
        self.assertEqual(
            {
                "eat_profile": labs.DOTTED,
                "sub": "ber-1",
                "iss": "lab-a",
                "iat": labs.SECOND,
                "exp": labs.SECOND + LIFETIME_S,
                "ear.verifier-id": {
                    "developer": "nfv-mla-scheduler",
                    "build": "lab, attests nothing",
                },
                "submods": {
                    "host": {
                        "ear.status": "contraindicated",
                        "ear.trustworthiness-vector": {
                            "hardware": 96,
                            "instance-identity": 2,
                        },
                    }
                },
                "nfv_mla": {**labs.GOOD, "hsm": BAD_HSM},
                "bootcount": 17,
                "bootseed": "c2VlZA",
                "location": {"latitude": 52.52, "longitude": 13.0},
            },
            content(issued(data).token("ber-1", labs.NOW)),
        )

    def test_the_spelling_with_underscores(self) -> None:
        for profile in (labs.UNDERSCORED, "tag:ietf.org,2026:rats/ear#04"):
            data = labs.yaml(profile=profile, lifetime_s=7)
            found = content(issued(data).token("ber-1", labs.NOW))
            self.assertEqual(profile, found["eat_profile"])
            self.assertEqual(
                {"developer", "build"}, found["ear_verifier_id"].keys()
            )
            self.assertEqual(
                {
                    "ear_status": "affirming",
                    "ear_trustworthiness_vector": {"instance-identity": 2},
                },
                found["submods"]["host"],
            )
            self.assertEqual(7, found["exp"] - found["iat"])
            self.assertFalse([key for key in found if "." in key])

    def test_times_are_whole_seconds(self) -> None:
        found = content(token())
        self.assertEqual({int}, {type(found["iat"]), type(found["exp"])})

    def test_nothing_is_said_where_nothing_is_claimed(self) -> None:
        data = labs.yaml({"a": {"claims": {}}})
        found = content(issued(data).token("a", labs.NOW))
        self.assertEqual({"host": {"ear.status": "none"}}, found["submods"])
        self.assertEqual({}, found["nfv_mla"])
        for absent in ("location", "bootcount", "bootseed", "iss"):
            self.assertNotIn(absent, found)

    def test_the_status_may_be_another_than_that_of_the_claims(self) -> None:
        # claimed of the HSM, override, value of hardware
        cases = (
            ("contraindicated", "affirming", 2),
            ("contraindicated", "warning", 32),
            ("contraindicated", "none", None),
            ("affirming", "contraindicated", 2),
            ("affirming", "none", 2),
        )
        for claimed, status, value in cases:
            with self.subTest(claimed=claimed, status=status):
                hsm = {"status": claimed, "grade": "declared"}
                entry = {"claims": {"hsm": hsm}, "status": status}
                found = content(
                    issued(labs.yaml({"a": entry})).token("a", labs.NOW)
                )
                submod = found["submods"]["host"]
                self.assertEqual(status, submod["ear.status"])
                vector = submod.get("ear.trustworthiness-vector", {})
                self.assertEqual(value, vector.get("hardware"))
                self.assertEqual(claimed, found["nfv_mla"]["hsm"]["status"])

    def test_the_key_set_names_the_key_of_the_header(self) -> None:
        (key,) = JWK_SET["keys"]
        self.assertEqual(
            {"alg": "ES256", "typ": "JWT", "kid": key["kid"]},
            labs.header(token()),
        )
        members = {name: key[name] for name in ("crv", "kty", "x", "y")}
        canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).digest()
        thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        self.assertEqual(thumbprint, key["kid"])
        self.assertNotIn("d", key)


class TimesTest(unittest.TestCase):
    def test_expired(self) -> None:
        found = content(token(expired=True))
        self.assertLess(found["exp"], labs.SECOND)
        self.assertEqual(LIFETIME_S, found["exp"] - found["iat"])

    def test_ahead_and_behind(self) -> None:
        for ahead_s, expected in (
            (90, labs.SECOND + 90),
            ("0.25", labs.SECOND + 1),
            (-3600, labs.SECOND - 3600),
        ):
            with self.subTest(ahead_s=ahead_s):
                found = content(token(ahead_s=ahead_s))
                self.assertEqual(expected, found["iat"])
                self.assertEqual(expected + LIFETIME_S, found["exp"])


class WrongTest(unittest.TestCase):
    """One test for each word; the last one counts them."""

    def _wrong(self, wrong: Wrong) -> str:
        return token(wrong=wrong.value)

    def _differs(self, wrong: Wrong) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what only the good token says, and only the wrong one."""
        good, bad = content(token()), content(self._wrong(wrong))
        return (
            {k: v for k, v in good.items() if bad.get(k) != v},
            {k: v for k, v in bad.items() if good.get(k) != v},
        )

    def test_key(self) -> None:
        text = self._wrong(Wrong.KEY)
        self.assertEqual(labs.header(token()), labs.header(text))
        self.assertEqual(content(token()), labs.payload(text))
        with self.assertRaises(jwt.InvalidSignatureError):
            content(text)

    def test_unknown_kid(self) -> None:
        text = self._wrong(Wrong.UNKNOWN_KID)
        with self.assertRaises(KeyError):
            content(text)
        key = jwt.PyJWK(JWK_SET["keys"][0])
        options: Any = {"verify_exp": False, "verify_iat": False}
        found = jwt.decode(text, key, algorithms=["ES256"], options=options)
        self.assertEqual(content(token()), found)

    def test_alg_none(self) -> None:
        text = self._wrong(Wrong.ALG_NONE)
        self.assertEqual("none", labs.header(text)["alg"])
        self.assertTrue(text.endswith("."))
        self.assertEqual(content(token()), labs.payload(text))
        with self.assertRaises(jwt.InvalidAlgorithmError):
            content(text)

    def test_hs256(self) -> None:
        text = self._wrong(Wrong.HS256)
        self.assertEqual("HS256", labs.header(text)["alg"])
        self.assertEqual(labs.header(token())["kid"], labs.header(text)["kid"])
        self.assertEqual(content(token()), labs.payload(text))
        signed, _, signature = text.rpartition(".")
        mac = hmac.digest(KEYS.public_pem(), signed.encode(), "sha256")
        encoded = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        self.assertEqual(encoded, signature)
        with self.assertRaises(jwt.InvalidAlgorithmError):
            content(text)

    def test_other_attester(self) -> None:
        found = content(self._wrong(Wrong.OTHER_ATTESTER))
        self.assertEqual(content(token("ber-2")), found)

    def test_other_attester_where_there_is_no_other(self) -> None:
        entry = {"claims": labs.GOOD, "wrong": "other-attester"}
        found = content(issued(labs.yaml({"a": entry})).token("a", labs.NOW))
        self.assertEqual("a-other", found["sub"])

    def test_no_attester(self) -> None:
        self.assertEqual(
            ({"sub": "ber-1"}, {}), self._differs(Wrong.NO_ATTESTER)
        )

    def test_other_issuer(self) -> None:
        self.assertEqual(
            ({}, {"iss": "another-authority"}),
            self._differs(Wrong.OTHER_ISSUER),
        )

    def test_other_audience(self) -> None:
        found = labs.payload(self._wrong(Wrong.OTHER_AUDIENCE))
        self.assertEqual("somebody-else", found.pop("aud"))
        self.assertEqual(content(token()), found)
        with self.assertRaises(jwt.InvalidAudienceError):
            content(self._wrong(Wrong.OTHER_AUDIENCE))

    def test_other_profile(self) -> None:
        _, bad = self._differs(Wrong.OTHER_PROFILE)
        self.assertEqual({"eat_profile": "tag:example.org,2026:other"}, bad)

    def test_no_verifier(self) -> None:
        good, bad = self._differs(Wrong.NO_VERIFIER)
        self.assertEqual(({"ear.verifier-id"}, {}), (good.keys(), bad))

    def test_no_iat(self) -> None:
        self.assertEqual(
            ({"iat": labs.SECOND}, {}), self._differs(Wrong.NO_IAT)
        )

    def test_no_submods(self) -> None:
        _, bad = self._differs(Wrong.NO_SUBMODS)
        self.assertEqual({"submods": {}}, bad)

    def test_unknown_status(self) -> None:
        _, bad = self._differs(Wrong.UNKNOWN_STATUS)
        self.assertEqual("excellent", bad["submods"]["host"]["ear.status"])
        self.assertEqual({"submods"}, bad.keys())

    def test_status_too_good(self) -> None:
        _, bad = self._differs(Wrong.STATUS_TOO_GOOD)
        submod = bad["submods"]["host"]
        self.assertEqual({"submods"}, bad.keys())
        self.assertEqual("affirming", submod["ear.status"])
        self.assertIn(96, submod["ear.trustworthiness-vector"].values())

    def test_bad_claim(self) -> None:
        _, bad = self._differs(Wrong.BAD_CLAIM)
        self.assertEqual({"nfv_mla"}, bad.keys())
        (value,) = bad["nfv_mla"]["tpm"]["values"]
        self.assertNotIn(value, load().capabilities["tpm"].values)

    def test_claim_twice(self) -> None:
        text = self._wrong(Wrong.CLAIM_TWICE)
        self.assertEqual(content(token()), content(text))
        pairs: list[Any] = []
        body = text.split(".")[1]
        json.loads(
            base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)),
            object_pairs_hook=lambda found: pairs.append(found),
        )
        names = [name for name, _ in pairs[-1]]
        self.assertEqual(2, names.count("sub"))

    def test_deep(self) -> None:
        _, bad = self._differs(Wrong.DEEP)
        self.assertEqual({"deep"}, bad.keys())
        depth, inner = 0, bad["deep"]
        while isinstance(inner, list):
            depth, inner = depth + 1, inner[0] if inner else None
        self.assertEqual(100, depth)

    def test_oversized(self) -> None:
        _, bad = self._differs(Wrong.OVERSIZED)
        self.assertEqual({"padding"}, bad.keys())
        self.assertGreater(len(self._wrong(Wrong.OVERSIZED)), 2**17)

    def test_no_token(self) -> None:
        self.assertEqual("this is no token", self._wrong(Wrong.NO_TOKEN))

    def test_each_word_has_its_test(self) -> None:
        for wrong in Wrong:
            name = f"test_{wrong.value.replace('-', '_')}"
            self.assertTrue(hasattr(self, name), name)


if __name__ == "__main__":
    unittest.main()
