# SPDX-License-Identifier: Apache-2.0
"""Keys of every kind that seals, made once for all tests."""

from __future__ import annotations

import dataclasses

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat

from nfv_mla_scheduler.audit import sealing


@dataclasses.dataclass(frozen=True)
class Pair:
    """A key pair: as the policy has it, and as its owner does."""

    pem: str
    private_pem: bytes
    opening: sealing.SealKey


def public_pem(public) -> str:
    return public.public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    ).decode()


def private_pem(private) -> bytes:
    return private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def pair(private) -> Pair:
    pem = private_pem(private)
    return Pair(
        public_pem(private.public_key()),
        pem,
        sealing.read_opening_key(pem, "the key"),
    )


X25519 = pair(x25519.X25519PrivateKey.generate())
P256 = pair(ec.generate_private_key(ec.SECP256R1()))
P384 = pair(ec.generate_private_key(ec.SECP384R1()))
PAIRS = {"X25519": X25519, "P-256": P256, "P-384": P384}
