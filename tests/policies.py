# SPDX-License-Identifier: Apache-2.0
"""Signed policies for tests: deterministic officers, a policy that lints.

The keys are made from their names, so that every run signs alike.
"""

from __future__ import annotations

import functools
import hashlib
import pathlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat
from securesystemslib.signer import CryptoSigner
from securesystemslib.signer import SSlibKey

from nfv_mla_scheduler.policy import acceptance
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import sign
from nfv_mla_scheduler.policy.envelope import write_envelope
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.root import key_id
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.catalogue import load

DATA = pathlib.Path(__file__).parent / "data" / "policy"
NAMES = ("alice", "bob")
# 2026-11-20T09:00:00Z, when policy.yaml is issued, and an hour later.
ISSUED = 1_795_165_200.0
NOW = ISSUED + 3600


@functools.cache
def private_key(name: str) -> ed25519.Ed25519PrivateKey:
    """Return the same key for the same name, always."""
    seed = hashlib.sha256(f"nfv-mla test key {name}".encode()).digest()
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


@functools.cache
def signer(name: str) -> CryptoSigner:
    """Return the signer of one person or collector."""
    private = private_key(name)
    public = private.public_key()
    return CryptoSigner(
        private, SSlibKey.from_crypto(public, keyid=key_id(public))
    )


def public_pem(name: str) -> str:
    """Return a public key, as a policy or a root names it."""
    return (
        private_key(name)
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def private_pem(name: str) -> bytes:
    """Return a private key, unencrypted."""
    return private_key(name).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def officers() -> tuple[CryptoSigner, ...]:
    """Return the two officers who sign everything by default."""
    return tuple(signer(name) for name in NAMES)


def root(threshold: int = 2, names: Sequence[str] = NAMES) -> Root:
    """Return the root of trust that names these officers."""
    return Root.of([public_pem(name).encode() for name in names], threshold)


def signed(
    policy_yaml: str | bytes,
    keys: Sequence[CryptoSigner] | None = None,
    payload_type: str = POLICY_TYPE,
) -> bytes:
    """Return an envelope over ``policy_yaml``, signed by ``keys``."""
    if isinstance(policy_yaml, str):
        policy_yaml = policy_yaml.encode()
    envelope = Envelope(policy_yaml, payload_type)
    return write_envelope(sign(envelope, officers() if keys is None else keys))


def policy_yaml(*replacements: tuple[str, str]) -> str:
    """Return the full example policy, the keys of its collectors filled in.

    :param replacements: old and new text; the old one has to occur
    """
    text = (DATA / "policy.yaml").read_text(encoding="utf-8")
    pem = "\n".join(f"      {line}" for line in _lines("collector-a"))
    text = text.replace("      COLLECTOR_A\n", f"{pem}\n")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def _lines(name: str) -> list[str]:
    return public_pem(name).splitlines()


def accept(
    data: bytes,
    highest: tuple[int, str] | None = None,
    now: float = NOW,
) -> Policy:
    """Accept an envelope by the two officers' root, an hour after issue."""
    return acceptance.accept(data, root(), load(), highest=highest, now=now)


def policy(text: str | None = None) -> Policy:
    """Return the example policy, or another one, as values."""
    return read_policy((text or policy_yaml()).encode(), load())
