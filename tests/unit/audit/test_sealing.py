# SPDX-License-Identifier: Apache-2.0
"""Sealed blocks: all of one size, and what may be in them."""

from __future__ import annotations

import base64
import enum
import json
import random
import unittest
import zlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from nfv_mla_scheduler.audit import sealable
from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import KeyFileError
from tests.unit.audit import seal_keys

NOW = 1_700_000_000.0
SERVER = "4f7a1b5e-22a3-4c0a-9d0a-0b6f6f2d7f11"
HEADER = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": "nfv-mla-sealed-block/1"}
# what is inside a block that holds nothing
EMPTY = b"\0\x08" + zlib.compress(b"").ljust(sealing.BLOCK_BYTES - 2, b"\0")


def event(kind=EventKind.FINDING, **fields):
    return Event(kind, NOW, "nfv-mla-monitor on ctl-1", fields)


def step(number):
    """Return an event as there are most: nothing in it repeats itself."""
    some = random.Random(number)
    return event(
        EventKind.STEP_INTENDED,
        server=f"{some.getrandbits(128):032x}",
        host=f"cmp-{some.randrange(1000)}",
        project=f"{some.getrandbits(128):032x}",
        step="evict",
        ask="os-migrateLive",
        mark=f"{some.getrandbits(64):016x}",
    )


def noise(number, size=sealable.ENTRY_MAX):
    """Return an entry that cannot be compressed."""
    some = random.Random(number)
    return bytes(some.randrange(33, 127) for _ in range(size))


def fields_of(event):
    return json.loads(sealable.encode(event))["fields"]


class WhatMayBeSaidTest(unittest.TestCase):
    def test_ids_codes_and_numbers_are_told(self):
        said = {
            "server": SERVER,
            "host": "cmp-1.example.org",
            "request": f"req-{SERVER}",
            "refusals": ["tpm-not-attested", "geo-region:eu/de"],
            "counts": {"pinned-tpm": 3, "NFV-MLA:profile": 1},
            "permissive": False,
            "since": NOW,
            "at": None,
            "step": "",
            "waivers": [{"server": SERVER, "officer": "anna"}],
        }
        self.assertEqual(said, fields_of(event(**said)))

    def test_who_and_when_is_told(self):
        told = json.loads(sealable.encode(event(code="x")))
        self.assertEqual("2023-11-14T22:13:20.000Z", told["at"])
        self.assertEqual("nfv-mla-monitor on ctl-1", told["process"])
        self.assertEqual("finding", told["kind"])

    def test_what_is_not_listed_is_left_out(self):
        for name in ("text", "name", "reason", "display_name", "detail"):
            with self.subTest(name):
                self.assertEqual({}, fields_of(event(**{name: "x"})))

    def test_also_within_others(self):
        waiver = {"server": SERVER, "reason": "the target", "until": "2026"}
        told = fields_of(event(waivers=[waiver]))
        self.assertEqual(
            {"waivers": [{"server": SERVER, "until": "2026"}]}, told
        )

    def test_free_text_is_no_code(self):
        for value in (
            "two words",
            "tab\there",
            "näme",
            "x" * 129,
            "line\n",
            ["fine", "not fine"],
            {"not fine": 1},
            {"a": {"b": {"c": {"host": {"host": {"host": "x"}}}}}},
            {1: 2},
            b"bytes",
            object(),
        ):
            with self.subTest(value=value):
                told = fields_of(event(host=value, code="c"))
                if isinstance(value, dict) and "a" in value:
                    # what is not listed is not looked at
                    self.assertEqual({"host": {}, "code": "c"}, told)
                else:
                    self.assertEqual({"code": "c", "omitted": 1}, told)

    def test_hostile_values_cost_their_field_alone(self):
        class Bad(dict):
            def items(self):
                raise RuntimeError("no")

        class Loud(enum.Enum):
            ONE = "fine"

        endless = []
        endless.append(endless)
        told = fields_of(
            event(
                host=Bad(),
                hosts=endless,
                count=10**5000,
                code=Loud.ONE,
                rank=float("nan"),
                codes=frozenset(("b", "a")),
            )
        )
        self.assertEqual(
            {"code": "fine", "rank": "nan", "codes": ["a", "b"], "omitted": 3},
            told,
        )

    def test_what_is_too_long_is_left_out_and_the_rest_is_told(self):
        line = sealable.encode(
            event(
                server=SERVER,
                hosts=[f"cmp-{n}" for n in range(1000)],
                step="evict",
                counts={f"code-{n}": n for n in range(500)},
                outcome="done",
            )
        )
        self.assertLessEqual(len(line), sealable.ENTRY_MAX)
        self.assertEqual(
            {
                "server": SERVER,
                "step": "evict",
                "outcome": "done",
                "omitted": 2,
            },
            json.loads(line)["fields"],
        )

    def test_many_fields_are_no_longer_together(self):
        names = sorted(sealable.FIELDS)[:10]
        line = sealable.encode(event(**dict.fromkeys(names, ["x" * 99] * 7)))
        self.assertLessEqual(len(line), sealable.ENTRY_MAX)
        fields = json.loads(line)["fields"]
        self.assertEqual(10, len(fields) - 1 + fields["omitted"])
        self.assertEqual(4, len(fields) - 1)

    @settings(deadline=None, max_examples=60)
    @given(
        strategies.dictionaries(
            strategies.sampled_from(sorted(sealable.FIELDS)),
            strategies.recursive(
                strategies.none()
                | strategies.integers()
                | strategies.floats()
                | strategies.text(max_size=3000)
                | strategies.from_regex(r"[a-z-]{1,128}", fullmatch=True),
                lambda inner: (
                    strategies.lists(inner, max_size=200)
                    | strategies.dictionaries(strategies.text(), inner)
                ),
            ),
        ),
        strategies.text(max_size=1000),
    )
    def test_an_entry_is_one_line_that_fits(self, fields, process):
        line = sealable.encode(Event(EventKind.PLACED, NOW, process, fields))
        self.assertLessEqual(len(line), sealable.ENTRY_MAX)
        self.assertNotIn(b"\n", line)
        self.assertLess(len(fields), 200)
        json.loads(line)


class SizeTest(unittest.TestCase):
    def test_every_block_for_a_kind_of_key_is_as_long(self):
        steps = [sealable.encode(step(n)) for n in range(200)]
        most = sealing.fit(steps)
        contents = [
            [],
            [b""],
            steps[:1],
            steps[:most],
            [noise(1)],
            [steps[0]] * sealing.fit([steps[0]] * 1000),
        ]
        for name, pair in seal_keys.PAIRS.items():
            key = sealing.read_seal_key(pair.pem)
            sizes = set()
            # 64 ephemeral keys: some have a coordinate that begins with zeros
            for _ in range(64):
                for lines in contents:
                    jwe = sealing.seal(lines, key)
                    sizes.add(tuple(len(part) for part in jwe.split(".")))
            with self.subTest(name):
                self.assertEqual(1, len(sizes), sizes)
                self.assertLess(sum(*sizes) + 4, sealing.JWE_MAX)

    def test_coordinates_that_begin_with_zeros_keep_their_length(self):
        """One in 256 does; the header must not be shorter for it."""
        key = sealing.read_seal_key(seal_keys.P256.pem)
        short = 0
        sizes = set()
        while not short:
            head = sealing.seal((), key).partition(".")[0]
            sizes.add(len(head))
            epk = json.loads(base64.urlsafe_b64decode(head + "=="))["epk"]
            short += epk["x"].startswith("AA") or epk["y"].startswith("AA")
            self.assertEqual(1, len(sizes))

    def test_two_blocks_of_the_same_have_nothing_in_common(self):
        key = sealing.read_seal_key(seal_keys.X25519.pem)
        one, two = (sealing.seal([b"same"], key).split(".") for _ in "12")
        self.assertNotEqual(one[0], two[0])
        self.assertNotEqual(one[3], two[3])

    def test_as_many_fit_as_do_and_the_next_does_not(self):
        key = sealing.read_seal_key(seal_keys.X25519.pem)
        steps = [sealable.encode(step(n)) for n in range(300)]
        count = sealing.fit(steps)
        self.assertGreater(count, 25)
        sealing.seal(steps[:count], key)
        with self.assertRaises(ValueError):
            sealing.seal(steps[: count + 1], key)

    def test_a_block_holds_no_more_than_its_reader_takes(self):
        lines = [b"x" * 1000] * 1000
        count = sealing.fit(lines)
        self.assertEqual(sealing.ENTRIES_MAX // 1001, count)
        self.assertEqual(0, sealing.fit([]))

    def test_the_largest_entry_fits_beside_a_note(self):
        note = sealable.encode_drops(10**9, NOW, NOW, "x" * 128)
        for number in range(50):
            self.assertEqual(2, sealing.fit([note, noise(number)]))


class OpenTest(unittest.TestCase):
    def setUp(self):
        self.keys = [pair.opening for pair in seal_keys.PAIRS.values()]

    def refused(self, jwe, keys=None):
        keys = self.keys if keys is None else keys
        with self.assertRaises(sealing.BlockUnreadable) as caught:
            sealing.open_block(jwe, keys)
        self.assertLessEqual(len(str(caught.exception)), LINE_MAX)
        self.assertEqual("sealed-block", caught.exception.code)
        return str(caught.exception)

    def test_what_was_sealed_comes_out(self):
        events = [step(1), event(refusals=["a"], text="no"), step(2)]
        lines = [sealable.encode(each) for each in events]
        for name, pair in seal_keys.PAIRS.items():
            with self.subTest(name):
                jwe = sealing.seal(lines, sealing.read_seal_key(pair.pem))
                found = sealing.open_block(jwe, self.keys)
                self.assertEqual([json.loads(line) for line in lines], found)

    def test_an_empty_block_is_empty(self):
        jwe = sealing.seal((), self.keys[0])
        self.assertEqual([], sealing.open_block(jwe, self.keys))

    def test_a_key_that_is_not_at_hand(self):
        jwe = sealing.seal((), self.keys[0])
        for keys in ([], self.keys[1:]):
            self.assertIn(self.keys[0].id[:16], self.refused(jwe, keys))

    def test_a_key_that_says_to_be_another(self):
        liar = sealing.SealKey(self.keys[0].id, self.keys[1].jwk)
        jwe = sealing.seal((), liar)
        self.assertIn("damaged", self.refused(jwe))

    def test_any_character_that_is_changed(self):
        whole = sealing.seal([sealable.encode(step(1))], self.keys[0])
        some = random.Random(1)
        # of the last character of a part not all bits count
        places = [n for n in range(len(whole) - 1) if whole[n + 1] != "."]
        for place in [*some.sample(places, 150), 0, len(whole) - 22]:
            other = "A" if whole[place] != "A" else "B"
            self.refused(whole[:place] + other + whole[place + 1 :])

    def test_any_length(self):
        whole = sealing.seal([sealable.encode(step(1))], self.keys[0])
        for length in (0, 1, 100, len(whole) - 1):
            self.refused(whole[:length])
        self.refused(whole + "A" * 100)
        self.refused(whole + "." + whole)
        self.refused(whole * 1000)

    def test_rubbish(self):
        for jwe in ("....", "a.b.c.d.e", "{}....", '{"iv":"...."}', "\0" * 9):
            with self.subTest(jwe=jwe):
                self.refused(jwe)

    def test_a_jwe_in_json(self):
        members = json.loads(self.token(EMPTY).serialize())
        self.refused(json.dumps({**members, "dots": "...."}))

    def token(self, plaintext, kid=None, key=None, **header):
        key = key or self.keys[0].jwk
        kid = self.keys[0].id if kid is None else kid
        protected = json.dumps({**HEADER, "kid": kid, **header})
        return JWE(plaintext, protected=protected, recipient=key)

    def sealed(self, *args, **kwargs):
        return self.token(*args, **kwargs).serialize(compact=True)

    def test_headers_of_others(self):
        some = JWK.generate(kty="oct", size=256)
        for header in (
            {"zip": "DEF"},
            {"enc": "A128GCM"},
            {"alg": "ECDH-ES+A256KW"},
            {"alg": "dir", "key": some},
            {"alg": "A256KW", "key": some},
            {"typ": "JWT"},
            {"cty": "text"},
            {"kid": "a\nb" * 1000},
            {"kid": 7},
            {"kid": ["x"]},
        ):
            with self.subTest(header=header):
                self.refused(self.sealed(EMPTY, **header))
        self.assertEqual([], sealing.open_block(self.sealed(EMPTY), self.keys))

    def test_a_slow_way_to_a_key_is_not_gone(self):
        """PBES2 lets whoever writes a token say how long it takes."""
        key = JWK.from_password("x")
        jwe = self.sealed(b"x", key=key, alg="PBES2-HS256+A128KW")
        self.assertIn("of ours", self.refused(jwe))

    def test_what_unpacks_to_too_much(self):
        for size in (sealing.ENTRIES_MAX + 1, 3_000_000):
            packed = zlib.compress(b"\n" * size, 9)
            with self.subTest(size):
                self.assertLess(len(packed), sealing.BLOCK_BYTES - 2)
                self.assertIn("more than", self.refused(self.block(packed)))

    def block(self, packed):
        filled = len(packed).to_bytes(2, "big") + packed
        return self.sealed(filled.ljust(sealing.BLOCK_BYTES, b"\0"))

    def test_what_is_no_entry(self):
        entry = json.loads(sealable.encode(step(1)))
        for inside in (
            b"{",
            b"[]",
            b"7",
            b"\xff\xfe",
            b"[" * 60_000,
            b"1" * 60_000,
            json.dumps({**entry, "more": 1}).encode(),
            json.dumps({**entry, "fields": []}).encode(),
            json.dumps({**entry, "at": 7}).encode(),
            json.dumps({**entry, "kind": None}).encode(),
        ):
            with self.subTest(inside=inside[:80]):
                self.refused(self.block(zlib.compress(inside)))
        fine = self.block(zlib.compress(json.dumps(entry).encode()))
        self.assertEqual([entry], sealing.open_block(fine, self.keys))

    def test_what_is_no_block_inside(self):
        self.refused(self.block(b""))
        self.refused(self.block(b"\0\1\2"))
        self.refused(self.block(zlib.compress(b"")[:-1]))
        self.refused(self.sealed(b"\xff" * sealing.BLOCK_BYTES))
        self.refused(self.sealed(EMPTY[:-1]))
        self.refused(self.sealed(EMPTY + b"\0"))

    @settings(deadline=None, max_examples=100)
    @given(strategies.text(max_size=300) | strategies.binary().map(repr))
    def test_nothing_else_is_ever_raised(self, text):
        self.refused(text)


class KeysTest(unittest.TestCase):
    def test_a_key_is_known_by_the_id_that_officers_compute(self):
        for name, pair in seal_keys.PAIRS.items():
            with self.subTest(name):
                key = sealing.read_seal_key(pair.pem)
                self.assertEqual(pair.opening.id, key.id)
                self.assertEqual(64, len(key.id))
                self.assertNotIn("PRIVATE", repr(pair.opening))

    def test_keys_that_nothing_can_be_sealed_for(self):
        rsa_key = rsa.generate_private_key(65537, 2048)
        zero = x25519.X25519PublicKey.from_public_bytes(b"\0" * 32)
        for name, pem in (
            ("none", ""),
            ("rubbish", "-----BEGIN PUBLIC KEY-----\nx\n"),
            ("surrogate", "\udcff"),
            ("private", seal_keys.P256.private_pem.decode()),
            ("RSA", seal_keys.public_pem(rsa_key.public_key())),
            (
                "Ed25519",
                seal_keys.public_pem(
                    ed25519.Ed25519PrivateKey.generate().public_key()
                ),
            ),
            ("of low order", seal_keys.public_pem(zero)),
        ):
            with self.subTest(name), self.assertRaises(KeyFileError):
                sealing.read_seal_key(pem)

    def test_keys_that_open_nothing(self):
        ed = ed25519.Ed25519PrivateKey.generate()
        for name, pem in (
            ("none", b""),
            ("public", seal_keys.P256.pem.encode()),
            ("Ed25519", seal_keys.private_pem(ed)),
        ):
            with self.subTest(name), self.assertRaises(KeyFileError) as caught:
                sealing.read_opening_key(pem, "seal.key")
            self.assertIn("seal.key", str(caught.exception))

    def test_a_key_with_a_passphrase(self):
        private = ec.generate_private_key(ec.SECP384R1())
        pem = private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open")
        )
        key = sealing.read_opening_key(pem, "seal.key", b"open")
        self.assertEqual([], sealing.open_block(sealing.seal((), key), [key]))
        with self.assertRaisesRegex(KeyFileError, "passphrase is wrong"):
            sealing.read_opening_key(pem, "seal.key", b"shut")
        with self.assertRaises(KeyFileError):
            sealing.read_opening_key(pem, "seal.key")


if __name__ == "__main__":
    unittest.main()
