# SPDX-License-Identifier: Apache-2.0
"""The digests of a TPM's keys are those that people read at the host."""

from __future__ import annotations

import base64
import hashlib
import struct
import unittest
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.authority.keylime import key
from nfv_mla_scheduler.authority.keylime.tpm_policy import Malformed
from tests.authorities import keylime_data as data

# Of the recording, by openssl from the certificate of the EK:
# openssl x509 -inform der -in ek.der -pubkey -noout |
# openssl pkey -pubin -outform der | sha256sum
FROM_CERTIFICATE = (
    "sha256:9f8deb8d43906afb87e622d0903f8f7d8ee404962b68738f79fb00f2e7032cfd"
)


def raw(data_: bytes) -> str:
    return f"sha256:{hashlib.sha256(data_).hexdigest()}"


class DigestTest(unittest.TestCase):
    def test_of_a_real_tpm(self) -> None:
        entry = data.entry()
        found = key.keys_of(entry)
        self.assertEqual(4, len(found))
        self.assertIn(FROM_CERTIFICATE, found)
        for name in key.FIELDS:
            self.assertIn(raw(base64.b64decode(entry[name])), found)

    def test_of_every_kind_of_key(self) -> None:
        curves = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
        keys = [ec.generate_private_key(c).public_key() for c in curves]
        for public in (data.rsa_key(), *keys):
            for shape in (
                {},
                {"policy": b"", "symmetric": False},
                {"symmetric": False, "scheme": b"\x00\x18\x00\x0b"},
            ):
                marshalled = data.marshalled(public, **shape)
                self.assertEqual(
                    {data.spki_digest(public), raw(marshalled)},
                    key.digests(marshalled),
                )

    def test_another_key_has_other_digests(self) -> None:
        one, other = (data.marshalled(data.rsa_key()) for _ in range(2))
        self.assertFalse(key.digests(one) & key.digests(other))

    def test_what_is_no_key(self) -> None:
        good = data.marshalled(data.rsa_key())
        for bad in (
            b"",
            good[:-1],
            good + b"\0",
            good[2:],
            struct.pack(">H", len(good)) + good[2:] + b"\0\0",
            good[:2] + b"\x00\x08" + good[4:],
            # says 2048 bits, and has less
            good[:-256] + b"\0" + good[-255:],
        ):
            with self.assertRaises(ValueError):
                key.digests(bad)

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_any_byte_changed_is_another_key_or_none(self, draw: Any) -> None:
        good = bytearray(base64.b64decode(data.entry()["ek_tpm"]))
        place = draw.draw(st.integers(0, len(good) - 1))
        good[place] ^= draw.draw(st.integers(1, 255))
        try:
            found = key.digests(bytes(good))
        except ValueError:
            return
        self.assertIn(raw(bytes(good)), found)


class EntryTest(unittest.TestCase):
    def test_a_field_that_cannot_be_taken_is_named(self) -> None:
        for name in key.FIELDS:
            for value in (None, 7, [], "", "é", "AAAA", "A" * 5000, "==="):
                with self.subTest(f"{name} = {value!r:.20}"):
                    with self.assertRaises(Malformed) as caught:
                        key.keys_of(data.entry(**{name: value}))
                    self.assertEqual(name, caught.exception.field)
        for entry in (None, [], "x"):
            with self.assertRaises(Malformed):
                key.keys_of(entry)

    def test_other_fields_are_passed_over(self) -> None:
        entry = data.entry(ekcert="x", regcount="many", new={})
        self.assertEqual(key.keys_of(data.entry()), key.keys_of(entry))
