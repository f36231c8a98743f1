# SPDX-License-Identifier: Apache-2.0
"""The public keys with which one authority signs, as a JWK set (RFC 7517).

Pure.  Keys and signatures are PyJWT's and cryptography's matter; this says
which of them we take.  Each key has one algorithm, whatever a token says.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PublicFormat
from jwt.algorithms import Algorithm
from jwt.algorithms import get_default_algorithms

from nfv_mla_scheduler.authority.ear_encoding import decoded
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.results import strict_json

BYTES_MAX = 2**20
RSA_BITS_MIN = 2048
RSA_BITS_MAX = 8192
EXPONENT_BITS_MAX = 64

# The kind of a key, and its curve, decide its algorithm.
_BY_CURVE = {
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "EdDSA",
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "ES256": hashes.SHA256(),
    "ES384": hashes.SHA384(),
    "ES512": hashes.SHA512(),
}
_FOR_RSA = ("PS256", "PS384", "PS512")
ALGORITHMS = frozenset((*_BY_CURVE.values(), *_FOR_RSA))

_PUBLIC = {"EC": ("x", "y"), "OKP": ("x",), "RSA": ("n", "e")}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth")
_OURS: Mapping[str, Algorithm] = {
    name: algorithm
    for name, algorithm in get_default_algorithms().items()
    if name in ALGORITHMS
}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Key:
    """One public key, and the one algorithm for which it is taken.

    :ivar kid: by which a token names it
    :ivar algorithm: of :data:`ALGORITHMS`
    :ivar verifies: whether a signature over a message was made with this key
    :ivar fingerprint: SHA-256 of the public key (RFC 5280, 4.1.2.7) in DER,
        whatever it is called
    """

    kid: str
    algorithm: str
    verifies: Callable[[bytes, bytes], bool]
    fingerprint: str = ""


Keys = Mapping[str, Key]


def read_keys(data: bytes) -> Keys:
    """Return the keys of a JWK set by their ``kid``.

    :raises KeyFileError: for the first key in it that is not taken: the whole
        set is refused, so that nobody believes in a key that is left out
    """
    if len(data) > BYTES_MAX:
        raise KeyFileError(f"a JWK set of more than {BYTES_MAX} bytes")
    try:
        found = strict_json.parse(data, "the JWK set")
    except ResultsRefused as exc:
        raise KeyFileError(str(exc)) from None
    entries = found.get("keys") if type(found) is dict else None
    if type(entries) is not list or not entries:
        raise KeyFileError("is no JWK set: an object with an array 'keys'")
    keys: dict[str, Key] = {}
    for number, jwk in enumerate(entries, start=1):
        key = _read_key(jwk, number)
        if key.kid in keys:
            raise KeyFileError(f"two keys have the kid {bounded(key.kid)!r}")
        keys[key.kid] = key
    return MappingProxyType(keys)


def _read_key(jwk: Any, number: int) -> Key:
    if type(jwk) is not dict:
        raise KeyFileError(f"key {number} is not an object")
    kid = jwk.get("kid")
    if not strict_json.is_name(kid):
        raise KeyFileError(
            f"key {number} has no kid, a name by which tokens mean it"
        )
    what = f"key {bounded(kid)!r}"
    kind: Any = jwk.get("kty")
    if kind == "oct" or "k" in jwk:
        raise KeyFileError(f"{what} is symmetric: whoever reads it could sign")
    if any(name in jwk for name in _PRIVATE):
        raise KeyFileError(f"{what} is private: give the public part alone")
    _check_use(jwk, what)
    algorithm = _algorithm(jwk, what)
    for name in _PUBLIC[kind]:
        value = jwk.get(name)
        if type(value) is not str or not decoded(
            value.encode("utf-8", "replace")
        ):
            raise KeyFileError(f"{what} has no {name} in base64url")
    ours = _OURS[algorithm]
    try:
        public: Any = ours.from_jwk(jwk)
    except Exception as exc:
        raise KeyFileError(
            f"{what} is no key for {algorithm}: {bounded(exc)}"
        ) from None
    if isinstance(public, rsa.RSAPublicKey):
        _check_rsa(public, what)
    if isinstance(public, ec.EllipticCurvePublicKey):
        verifies = _ecdsa(public, _HASHES[algorithm])
        return Key(kid, algorithm, verifies, _fingerprint(public))
    return Key(
        kid,
        algorithm,
        lambda message, signature: ours.verify(message, public, signature),
        _fingerprint(public),
    )


def _fingerprint(public: Any) -> str:
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _ecdsa(
    public: ec.EllipticCurvePublicKey, digest: hashes.HashAlgorithm
) -> Callable[[bytes, bytes], bool]:
    """Return what verifies a signature of RFC 7518, section 3.4.

    As PyJWT's does, but for what it makes anew for every signature: that is
    felt when there are thousands.
    """
    half = (public.curve.key_size + 7) // 8
    algorithm = ec.ECDSA(digest)

    def verifies(message: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * half:
            return False
        r = int.from_bytes(signature[:half], "big")
        s = int.from_bytes(signature[half:], "big")
        try:
            public.verify(encode_dss_signature(r, s), message, algorithm)
        except InvalidSignature:
            return False
        return True

    return verifies


def _check_use(jwk: dict[str, Any], what: str) -> None:
    """Refuse a key that its owner does not mean for signatures."""
    if "use" in jwk and jwk["use"] != "sig":
        raise KeyFileError(f"{what} is not for signatures: its use is not sig")
    if "key_ops" in jwk:
        operations = jwk["key_ops"]
        if type(operations) is not list or "verify" not in operations:
            raise KeyFileError(
                f"{what} is not for signatures: its key_ops lack verify"
            )


def _algorithm(jwk: dict[str, Any], what: str) -> str:
    """Return the one algorithm of a key."""
    kind, named = jwk.get("kty"), jwk.get("alg")
    if kind == "RSA":
        if named not in _FOR_RSA:
            raise KeyFileError(
                f"{what} is an RSA key: its alg must be one of "
                f"{', '.join(_FOR_RSA)}"
            )
        return str(named)
    curve = jwk.get("crv")
    algorithm = None
    if type(kind) is str and type(curve) is str:
        algorithm = _BY_CURVE.get((kind, curve))
    if algorithm is None:
        raise KeyFileError(
            f"{what} is of a kind that is not taken: EC on P-256, P-384 or "
            "P-521, OKP on Ed25519, or RSA"
        )
    if named is not None and named != algorithm:
        raise KeyFileError(
            f"{what} is for {algorithm}, and its alg says "
            f"{strict_json.shown(named)!r}"
        )
    return algorithm


def _check_rsa(public: rsa.RSAPublicKey, what: str) -> None:
    if not RSA_BITS_MIN <= public.key_size <= RSA_BITS_MAX:
        raise KeyFileError(
            f"{what} has {public.key_size} bits, and must have from "
            f"{RSA_BITS_MIN} to {RSA_BITS_MAX}"
        )
    if public.public_numbers().e.bit_length() > EXPONENT_BITS_MAX:
        raise KeyFileError(
            f"{what} has an exponent of more than {EXPONENT_BITS_MAX} bits"
        )
