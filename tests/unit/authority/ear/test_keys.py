# SPDX-License-Identifier: Apache-2.0
"""The keys of an authority: which are taken, and for what."""

from __future__ import annotations

import base64
import json
import unittest
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.algorithms import get_default_algorithms

from nfv_mla_scheduler.authority import ear_keys
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import KeyFileError
from tests.vectors.ear_making import BY_KEY
from tests.vectors.ear_making import PRIVATE
from tests.vectors.ear_making import b64
from tests.vectors.ear_making import public

NAMES = ("p256", "p384", "p521", "ed", "rsa")


def read(*keys: Any) -> ear_keys.Keys:
    return ear_keys.read_keys(json.dumps({"keys": list(keys)}).encode())


def without(jwk: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in jwk.items() if k not in names}


class TakenTest(unittest.TestCase):
    def test_each_key_has_one_algorithm(self) -> None:
        keys = read(*map(public, NAMES))
        self.assertEqual(
            {name: BY_KEY[name] for name in NAMES},
            {kid: key.algorithm for kid, key in keys.items()},
        )

    def test_the_kind_decides_where_alg_is_left_out(self) -> None:
        for name in ("p256", "p384", "p521", "ed"):
            keys = read(without(public(name), "alg", "use"))
            self.assertEqual(BY_KEY[name], keys[name].algorithm)

    def test_keys_may_say_that_they_verify(self) -> None:
        jwk = dict(without(public("ed"), "use"), key_ops=["verify"])
        self.assertIn("ed", read(jwk))

    def test_other_members_are_passed_over(self) -> None:
        data = {"keys": [dict(public("ed"), x5t="x")], "issuer": "x"}
        self.assertIn("ed", ear_keys.read_keys(json.dumps(data).encode()))

    def test_the_keys_cannot_be_changed(self) -> None:
        keys: Any = read(public("ed"))
        with self.assertRaises(TypeError):
            keys["other"] = keys["ed"]
        with self.assertRaises(AttributeError):
            keys["ed"].algorithm = "none"


class RefusedTest(unittest.TestCase):
    def check(self, said: str, *keys: Any) -> None:
        self.check_data(said, json.dumps({"keys": list(keys)}).encode())

    def check_data(self, said: str, data: bytes) -> None:
        with self.assertRaises(KeyFileError) as caught:
            ear_keys.read_keys(data)
        message = str(caught.exception)
        self.assertIn(said, message)
        self.assertLessEqual(len(message), LINE_MAX)
        self.assertTrue(message.isprintable())

    def test_private_and_symmetric_keys(self) -> None:
        for name in NAMES:
            jwk = dict(PRIVATE[name], kid=name)
            self.check("is private", jwk)
        secret = b64(b"x" * 32)
        self.check("is symmetric", {"kty": "oct", "kid": "a", "k": secret})
        self.check("is symmetric", dict(public("ed"), k=secret))

    def test_keys_without_a_name_of_their_own(self) -> None:
        for kid in (None, "", 1, "a\nb", "k" * 256):
            self.check("has no kid", dict(public("ed"), kid=kid))
        self.check("has no kid", without(public("ed"), "kid"))
        twice = dict(public("p256"), kid="ed")
        self.check("two keys have the kid 'ed'", public("ed"), twice)

    def test_an_algorithm_that_does_not_fit(self) -> None:
        for name, algorithm in (
            ("p256", "ES384"),
            ("p256", "HS256"),
            ("p384", "ES256"),
            ("ed", "ES256"),
            ("ed", "none"),
        ):
            self.check("its alg says", dict(public(name), alg=algorithm))
        for algorithm in ("RS256", "HS256", "ES256", "PS1", None, ["PS256"]):
            self.check("PS256", dict(public("rsa"), alg=algorithm))
        self.check("PS256", without(public("rsa"), "alg"))

    def test_kinds_that_are_not_on_the_list(self) -> None:
        for changes in (
            {"kty": "EC", "crv": "secp256k1"},
            {"kty": "EC", "crv": None},
            {"kty": "OKP", "crv": "Ed448"},
            {"kty": "OKP", "crv": "X25519"},
            {"kty": "OKP", "crv": ["Ed25519"]},
            {"kty": "AKP"},
            {"kty": None},
            {"kty": ["EC"]},
        ):
            self.check("not taken", dict(public("p256"), **changes))

    def test_keys_that_are_for_something_else(self) -> None:
        self.check("its use is not sig", dict(public("ed"), use="enc"))
        self.check("its use is not sig", dict(public("ed"), use=None))
        for operations in (["encrypt"], [], "verify", None):
            self.check("lack verify", dict(public("ed"), key_ops=operations))

    def test_numbers_that_are_none(self) -> None:
        for name, member in (
            ("p256", "x"),
            ("p256", "y"),
            ("ed", "x"),
            ("rsa", "n"),
            ("rsa", "e"),
        ):
            for value in (None, 5, "", "!!", "AA==", "A", "\u00e4"):
                jwk = dict(public(name), **{member: value})
                self.check(f"has no {member} in base64url", jwk)

    def test_points_that_are_not_on_the_curve(self) -> None:
        self.check("no key for ES256", dict(public("p256"), y=b64(b"1" * 32)))
        self.check("no key for ES256", dict(public("p256"), y=b64(b"1" * 31)))
        self.check("no key for EdDSA", dict(public("ed"), x=b64(b"1" * 31)))

    def test_rsa_keys_that_are_weak_or_odd(self) -> None:
        weak = rsa.generate_private_key(65537, 1024).public_key()
        jwk = RSAAlgorithm.to_jwk(weak, as_dict=True)
        jwk = dict(jwk, kid="weak", alg="PS256", key_ops=["verify"])
        self.check("has 1024 bits", jwk)
        huge = b64((2**9000 + 1).to_bytes(1126, "big"))
        self.check("has 9001 bits", dict(public("rsa"), n=huge))
        odd = b64((2**64 + 1).to_bytes(9, "big"))
        self.check("exponent of more", dict(public("rsa"), e=odd))
        for exponent in (0, 1, 2):
            e = b64(exponent.to_bytes(1, "big"))
            self.check("no key for PS256", dict(public("rsa"), e=e))

    def test_what_is_no_key_set(self) -> None:
        for data in (
            b"",
            b"[]",
            b"{}",
            b'{"keys":[]}',
            b'{"keys":{}}',
            json.dumps(public("ed")).encode(),
        ):
            self.check_data("JWK set", data)
        self.check_data("twice", b'{"keys":[],"keys":[]}')
        self.check_data("more than", b" " * (ear_keys.BYTES_MAX + 1))
        self.check("key 2 is not an object", public("ed"), "ed")


class VerifyTest(unittest.TestCase):
    MESSAGE = b"message"

    def test_as_pyjwt_does(self) -> None:
        for name in NAMES:
            ours = get_default_algorithms()[BY_KEY[name]]
            private = ours.from_jwk(PRIVATE[name])
            good = ours.sign(self.MESSAGE, private)
            key = read(public(name))[name]
            half = len(good) // 2
            signatures = {
                "good": good,
                "empty": b"",
                "short": good[:-1],
                "long": good + b"\0",
                "zero": bytes(len(good)),
                "ones": b"\xff" * len(good),
                "padded": good[:half] + b"\0" + good[half:],
                "swapped": good[half:] + good[:half],
                "flipped": bytes([good[0] ^ 1]) + good[1:],
                "of another": ours.sign(b"another", private),
            }
            for what, signature in signatures.items():
                with self.subTest(key=name, signature=what):
                    expected = ours.verify(
                        self.MESSAGE, ours.from_jwk(public(name)), signature
                    )
                    self.assertIs(
                        expected, key.verifies(self.MESSAGE, signature)
                    )
                    self.assertIs(what == "good", expected)

    def test_a_key_says_nothing_of_itself_that_is_secret(self) -> None:
        self.assertNotIn(
            base64.urlsafe_b64decode(PRIVATE["ed"]["d"] + "=").hex(),
            repr(read(public("ed"))),
        )
