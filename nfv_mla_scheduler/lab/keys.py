# SPDX-License-Identifier: Apache-2.0
"""The keys with which tokens are signed, and the JWK set of the public one.

ECDSA on P-256 (ES256).  Touches the one file that :func:`read_keys` reads.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import pathlib
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nfv_mla_scheduler.errors import KeyFileError

ALGORITHM = "ES256"

_PEM_MAX = 16_384
_COORDINATE = 32


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """What a lab signs with.

    :ivar own: the key that others know
    :ivar stranger: one that nobody knows, for tokens that are wrong
    :ivar kid: of ``own``, its thumbprint (RFC 7638)
    """

    own: ec.EllipticCurvePrivateKey
    stranger: ec.EllipticCurvePrivateKey
    kid: str

    @classmethod
    def of(cls, own: ec.EllipticCurvePrivateKey) -> Keys:
        """Return the keys of a lab that owns this one."""
        return cls(own, new_key(), _thumbprint(_coordinates(own)))

    def jwk_set(self) -> dict[str, Any]:
        """Return the JWK set (RFC 7517) that verifies good tokens."""
        key = {
            **_coordinates(self.own),
            "kid": self.kid,
            "alg": ALGORITHM,
            "use": "sig",
        }
        return {"keys": [key]}

    def public_pem(self) -> bytes:
        """Return the public key as others may have it lying about."""
        return self.own.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a key."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PKCS#8 in PEM, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_keys(path: pathlib.Path) -> Keys:
    """Return the keys of the lab whose signing key is in a PEM file.

    :raises KeyFileError: when it holds no such key
    """
    try:
        with open(path, "rb") as file:
            pem = file.read(_PEM_MAX)
        key = load_pem_private_key(pem, password=None)
    except OSError as exc:
        raise KeyFileError(f"{path}: {exc.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not (
        isinstance(key, ec.EllipticCurvePrivateKey)
        and isinstance(key.curve, ec.SECP256R1)
    ):
        raise KeyFileError(f"{path}: holds no private key on P-256 in PEM")
    return Keys.of(key)


def _coordinates(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """Return the members of a JWK that its thumbprint is made of."""
    numbers = key.public_key().public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": base64url(numbers.x.to_bytes(_COORDINATE, "big")),
        "y": base64url(numbers.y.to_bytes(_COORDINATE, "big")),
    }


def _thumbprint(members: dict[str, str]) -> str:
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(text.encode()).digest())


def base64url(data: bytes) -> str:
    """Return ``data`` in base64url, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
