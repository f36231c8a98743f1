# SPDX-License-Identifier: Apache-2.0
"""The envelope and the root: whose signatures count, and nothing else."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import unittest
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from securesystemslib.dsse import Envelope as Dsse
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.policy import envelope as module
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import read_envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import verify_envelope
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.root import key_id
from tests import policies

PAYLOAD = b"version: 7\n"


def pem(public: Any) -> bytes:
    return bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def members(data: bytes) -> dict[str, Any]:
    found = json.loads(data)
    assert isinstance(found, dict)
    return found


class Refusing(unittest.TestCase):
    def refused(self, code: PolicyCode, call: Any, *args: Any) -> str:
        with self.assertRaises(PolicyRefused) as caught:
            call(*args)
        self.assertEqual(caught.exception.reason, code, caught.exception)
        return str(caught.exception)


class RootTest(Refusing):
    def setUp(self) -> None:
        self.alice = policies.public_pem("alice").encode()
        self.bob = policies.public_pem("bob").encode()

    def test_roots_that_are_none(self) -> None:
        rsa_key = rsa.generate_private_key(65537, 2048).public_key()
        p521 = ec.generate_private_key(ec.SECP521R1()).public_key()
        k256 = ec.generate_private_key(ec.SECP256K1()).public_key()
        both = self.alice + self.bob
        cases: tuple[tuple[list[bytes], int, str], ...] = (
            ([], 1, "no officer"),
            ([self.alice, self.bob], 0, "below 1"),
            ([self.alice, self.bob], -1, "below 1"),
            ([self.alice, self.bob], 3, "threshold of 3, but only 2"),
            ([self.alice, self.alice], 1, "twice"),
            ([self.alice, b"\n" + self.alice + b"\n"], 2, "twice"),
            ([both], 1, "exactly one"),
            ([b""], 1, "exactly one"),
            ([b"-----BEGIN PUBLIC KEY-----\n"], 1, "not a public key"),
            ([policies.private_pem("alice")], 1, "private key"),
            ([pem(rsa_key)], 1, "another kind"),
            ([pem(p521)], 1, "another kind"),
            ([pem(k256)], 1, "another kind"),
        )
        for pems, threshold, told in cases:
            with self.subTest(told=told):
                text = self.refused(
                    PolicyCode.BAD_ROOT, Root.of, pems, threshold
                )
                self.assertIn(told, text)

    def test_a_key_is_known_by_itself_and_not_by_its_form(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        compressed = key.public_bytes(
            Encoding.X962, PublicFormat.CompressedPoint
        )
        again = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), compressed
        )
        self.assertEqual(key_id(key), key_id(again))

    def test_openssl_prints_the_same_key_id(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.alice)
            file.flush()
            command = ["openssl", "pkey", "-pubin", "-outform", "DER"]
            der = subprocess.run(
                [*command, "-in", file.name], check=True, capture_output=True
            ).stdout
        digest = subprocess.run(
            ["sha256sum"], input=der, check=True, capture_output=True
        ).stdout.split()[0]
        self.assertEqual(
            digest.decode(), policies.signer("alice").public_key.keyid
        )


class VerifyTest(Refusing):
    def test_two_officers_on_different_machines(self) -> None:
        alice, bob = policies.officers()
        first = write_envelope(sign(Envelope(PAYLOAD, POLICY_TYPE), [alice]))
        self.refused(
            PolicyCode.UNDER_SIGNED, verify_envelope, first, policies.root()
        )
        second = write_envelope(sign(read_envelope(first), [bob]))
        verified = verify_envelope(second, policies.root())
        self.assertEqual(verified.payload, PAYLOAD)
        self.assertEqual(
            verified.signers, (alice.public_key.keyid, bob.public_key.keyid)
        )

    def test_each_kind_of_key_signs(self) -> None:
        for curve in (ec.SECP256R1(), ec.SECP384R1()):
            private = ec.generate_private_key(curve)
            public = private.public_key()
            signer = CryptoSigner(private, SSlibKey.from_crypto(public))
            data = policies.signed(PAYLOAD, [signer])
            verify_envelope(data, Root.of([pem(public)], 1))

    def test_signatures_by_others_are_ignored(self) -> None:
        keys = [policies.signer("mallory"), *policies.officers()]
        data = policies.signed(PAYLOAD, keys)
        self.assertEqual(
            len(verify_envelope(data, policies.root()).signers), 2
        )
        data = policies.signed(PAYLOAD, keys[:2])
        self.refused(
            PolicyCode.UNDER_SIGNED, verify_envelope, data, policies.root()
        )

    def test_a_key_id_is_a_claim_that_counts_for_nothing(self) -> None:
        alice, bob = (s.public_key.keyid for s in policies.officers())
        mallory = [policies.signer("mallory"), policies.signer("mel")]
        spoofed = members(policies.signed(PAYLOAD, mallory))
        for signature, claimed in zip(
            spoofed["signatures"], (alice, bob), strict=True
        ):
            signature["keyid"] = claimed
        self.refused(
            PolicyCode.UNDER_SIGNED,
            verify_envelope,
            json.dumps(spoofed).encode(),
            policies.root(),
        )
        real = members(policies.signed(PAYLOAD))
        for claims in ((bob, alice), ("", ""), (alice, alice), (None, None)):
            for signature, claimed in zip(
                real["signatures"], claims, strict=True
            ):
                signature["keyid"] = claimed
                if claimed is None:
                    del signature["keyid"]
            data = json.dumps(real).encode()
            with self.subTest(claims=claims):
                verify_envelope(data, policies.root())

    def test_one_officer_does_not_sign_twice(self) -> None:
        alice = policies.signer("alice")
        data = policies.signed(PAYLOAD, [alice, alice])
        self.refused(
            PolicyCode.BAD_ENVELOPE, verify_envelope, data, policies.root()
        )
        private = ec.generate_private_key(ec.SECP256R1())
        signer = CryptoSigner(private)  # signs differently each time
        data = policies.signed(PAYLOAD, [signer, signer])
        both = [pem(private.public_key()), policies.public_pem("bob").encode()]
        text = self.refused(
            PolicyCode.BAD_ENVELOPE, verify_envelope, data, Root.of(both, 2)
        )
        self.assertIn("two signatures", text)

    def test_a_signature_holds_for_its_payload_and_type(self) -> None:
        other = "application/vnd.nfv-mla.break-glass+yaml"
        data = members(policies.signed(PAYLOAD, payload_type=other))
        self.refused(
            PolicyCode.BAD_ENVELOPE,
            verify_envelope,
            json.dumps(data).encode(),
            policies.root(),
        )
        data["payloadType"] = POLICY_TYPE
        self.refused(
            PolicyCode.UNDER_SIGNED,
            verify_envelope,
            json.dumps(data).encode(),
            policies.root(),
        )
        swapped = members(policies.signed(PAYLOAD))
        swapped["payload"] = base64.b64encode(b"version: 8\n").decode()
        self.refused(
            PolicyCode.UNDER_SIGNED,
            verify_envelope,
            json.dumps(swapped).encode(),
            policies.root(),
        )

    def test_nothing_is_parsed_before_it_is_verified(self) -> None:
        data = policies.signed(b"{{{ not yaml", [policies.signer("mallory")])
        self.refused(
            PolicyCode.UNDER_SIGNED,
            policies.accept,
            data,
        )

    def test_other_implementations_of_dsse_agree(self) -> None:
        keys = [signer.public_key for signer in policies.officers()]
        theirs = Dsse.from_dict(members(policies.signed(PAYLOAD)))
        self.assertEqual(len(theirs.verify(keys, 2)), 2)
        ours = Dsse(PAYLOAD, POLICY_TYPE, {})
        for signer in policies.officers():
            ours.sign(signer)
        data = json.dumps(ours.to_dict()).encode()
        verify_envelope(data, policies.root())

    def test_base64_of_either_alphabet(self) -> None:
        data = members(policies.signed(b"\xff\xfe\xfd~~~???"))
        for item in (data, *data["signatures"]):
            key = "payload" if "payload" in item else "sig"
            item[key] = item[key].replace("+", "-").replace("/", "_")
        verify_envelope(json.dumps(data).encode(), policies.root())


class BadEnvelopeTest(Refusing):
    def test_bytes_that_are_no_envelope(self) -> None:
        good = policies.signed(PAYLOAD)
        text = good.decode()
        deep = b"[" * 100_000 + b"]" * 100_000
        nested = b'{"payload": ' + deep + b"}"
        cases: tuple[tuple[bytes, PolicyCode], ...] = (
            (b"", PolicyCode.UNREADABLE),
            (PAYLOAD, PolicyCode.UNREADABLE),
            (good[:-20], PolicyCode.UNREADABLE),
            (b"\xff" + good, PolicyCode.UNREADABLE),
            (deep, PolicyCode.UNREADABLE),
            (nested, PolicyCode.UNREADABLE),
            (b"9" * 10_000, PolicyCode.UNREADABLE),
            (b"[]", PolicyCode.BAD_ENVELOPE),
            (b"null", PolicyCode.BAD_ENVELOPE),
            (b"NaN", PolicyCode.BAD_ENVELOPE),
            (b"{}", PolicyCode.BAD_ENVELOPE),
            (
                text.replace("{", '{"payload": "AA==",', 1).encode(),
                PolicyCode.UNREADABLE,
            ),
        )
        for data, code in cases:
            with self.subTest(data=data[:40]):
                self.refused(code, verify_envelope, data, policies.root())

    def test_members_that_are_wrong(self) -> None:
        bad = PolicyCode.BAD_ENVELOPE
        large = PolicyCode.TOO_LARGE
        sig = {"keyid": "x", "sig": "AA=="}
        cases: tuple[tuple[str, Any, PolicyCode], ...] = (
            ("payload", None, bad),
            ("payload", 7, bad),
            ("payload", "dmVyc2l", bad),
            ("payload", "d mVy", bad),
            ("payload", "é", bad),
            ("payloadType", "text/plain", bad),
            ("payloadType", 1, bad),
            ("payloadType", "\ud800", bad),
            ("signatures", None, bad),
            ("signatures", {}, bad),
            ("signatures", [], PolicyCode.UNDER_SIGNED),
            ("signatures", ["x"], bad),
            ("signatures", [{}], bad),
            ("signatures", [{"sig": 1}], bad),
            ("signatures", [{"sig": "%"}], bad),
            ("signatures", [{**sig, "keyid": 1}], bad),
            ("signatures", [sig], PolicyCode.UNDER_SIGNED),
            ("signatures", [sig] * 64, PolicyCode.UNDER_SIGNED),
            ("signatures", [sig] * 65, large),
            ("signatures", [{"sig": "A" * 40_000}], large),
            ("signatures", [{**sig, "keyid": "x" * 40_000}], large),
        )
        for name, value, code in cases:
            with self.subTest(name=name, value=str(value)[:40]):
                data = members(policies.signed(PAYLOAD))
                data[name] = value
                self.refused(
                    code,
                    verify_envelope,
                    json.dumps(data).encode(),
                    policies.root(),
                )

    def test_sizes_are_bounded(self) -> None:
        large = b"x" * (module.PAYLOAD_MAX + 1)
        self.refused(
            PolicyCode.TOO_LARGE,
            verify_envelope,
            policies.signed(large),
            policies.root(),
        )
        self.refused(
            PolicyCode.TOO_LARGE,
            verify_envelope,
            b"x" * (module.ENVELOPE_MAX + 1),
            policies.root(),
        )
        most = b"x" * module.PAYLOAD_MAX
        verify_envelope(policies.signed(most), policies.root())
