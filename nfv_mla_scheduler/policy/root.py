# SPDX-License-Identifier: Apache-2.0
"""The officers whose signatures make a policy: their keys and a threshold.

Pure: PEM bytes in, values out.  ``officers.py`` reads the files.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused

KEYS_MAX = 16
PEM_MAX = 16 * 1024
KINDS = "ed25519, or ECDSA on P-256 or P-384"


class _Exportable(Protocol):
    def public_bytes(
        self, encoding: Encoding, format: PublicFormat
    ) -> bytes: ...


def key_id(public: _Exportable) -> str:
    """Return the SHA-256 of a public key's SubjectPublicKeyInfo, as hex.

    ``openssl pkey -pubin -in KEY -outform DER | sha256sum`` prints the same,
    so that two officers can compare keys without this package.
    """
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def is_taken(key: object) -> bool:
    """Whether a key, public or private, is of a kind that may sign here."""
    if isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
        return True
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    return False


def read_public_key(pem: bytes, what: str) -> SSlibKey:
    """Return the one public key in ``pem``; its id is computed, not read.

    :param what: how messages call it: a path, or a place in the policy
    :raises KeyFileError: when it holds anything else
    """
    if b"PRIVATE KEY" in pem:
        raise KeyFileError(
            f"{what}: holds a private key; name the public one, which alone "
            "may leave its officer"
        )
    if len(pem) > PEM_MAX or pem.count(b"-----BEGIN ") != 1:
        raise KeyFileError(f"{what}: does not hold exactly one PEM public key")
    try:
        public = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"{what}: is not a public key in PEM (BEGIN PUBLIC KEY)"
        ) from None
    if not is_taken(public):
        raise KeyFileError(f"{what}: is a key of another kind than {KINDS}")
    return SSlibKey.from_crypto(public, keyid=key_id(public))


@dataclasses.dataclass(frozen=True, slots=True)
class Root:
    """The root of trust: whose signatures count, and how many are needed.

    :ivar keys: of the officers, by their computed ids; no two the same
    """

    keys: tuple[SSlibKey, ...]
    threshold: int

    def __post_init__(self) -> None:
        ids = [key.keyid for key in self.keys]
        problem = ""
        if not ids:
            problem = "names no officer's key"
        elif len(ids) > KEYS_MAX:
            problem = f"names more than {KEYS_MAX} keys"
        elif len(set(ids)) != len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            problem = f"names the key {short(twice)} twice"
        elif self.threshold < 1:
            problem = "has a threshold below 1"
        elif self.threshold > len(ids):
            problem = (
                f"has a threshold of {self.threshold}, but only {len(ids)} "
                "of the keys that could reach it"
            )
        if problem:
            raise PolicyRefused(
                PolicyCode.BAD_ROOT, f"the root of trust {problem}"
            )

    @classmethod
    def of(
        cls, pems: Iterable[bytes | tuple[str, bytes]], threshold: int
    ) -> Root:
        """Return the root of these PEM public keys.

        :param pems: the keys, each with or without a name for messages
        :raises PolicyRefused: with BAD_ROOT, as a whole
        """
        keys = []
        for number, item in enumerate(pems, start=1):
            what, pem = (
                item if isinstance(item, tuple) else (f"key {number}", item)
            )
            try:
                keys.append(read_public_key(pem, what))
            except KeyFileError as exc:
                raise PolicyRefused(PolicyCode.BAD_ROOT, str(exc)) from None
        return cls(tuple(keys), threshold)

    @property
    def digest(self) -> str:
        """SHA-256 over threshold and key ids: which root this is."""
        ids = sorted(key.keyid for key in self.keys)
        text = "\n".join(("nfv-mla-root/1", str(self.threshold), *ids))
        return hashlib.sha256(text.encode()).hexdigest()


def short(keyid: str) -> str:
    """Return as much of a key id as people need to tell keys apart."""
    return keyid[:16]
