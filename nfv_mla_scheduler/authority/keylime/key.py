# SPDX-License-Identifier: Apache-2.0
"""The keys of a TPM that a registrar knows, by their digests.

Pure.  A key has two digests, both SHA-256, either of which a policy may pin:
over its SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7), which the certificate
of the EK has as well, and over the TPM2B_PUBLIC (TPM 2.0 Library, part 2) that
a TPM gives and a registrar keeps.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa

from nfv_mla_scheduler.authority.keylime.tpm_policy import Malformed

_RSA = 0x0001
_ECC = 0x0023
_NULL = 0x0010
# TPM_ALG_ID of what a scheme has no details for.
_RSAES = 0x0015
_ECDAA = 0x001A
_EXPONENT = 65537
_TEXT_MAX = 4096
_CURVES: dict[int, type[ec.EllipticCurve]] = {
    0x0003: ec.SECP256R1,
    0x0004: ec.SECP384R1,
    0x0005: ec.SECP521R1,
}

# What a registrar's entry has to have, one of which the policy may pin.
FIELDS = ("ek_tpm", "aik_tpm")


def keys_of(raw: Any) -> frozenset[str]:
    """Return the digests of EK and AK in a registrar's entry.

    :raises Malformed: naming the field
    """
    if type(raw) is not dict:
        raise Malformed("", "the registrar's entry must be an object")
    found: set[str] = set()
    for name in FIELDS:
        text = raw.get(name)
        if type(text) is not str or len(text) > _TEXT_MAX:
            raise Malformed(name, "must be a key in Base64")
        try:
            found |= digests(base64.b64decode(text, validate=True))
        except ValueError:
            raise Malformed(name, "cannot be read as TPM2B_PUBLIC") from None
    return frozenset(found)


def digests(public: bytes) -> frozenset[str]:
    """Return both digests of a key in TPM2B_PUBLIC.

    :raises ValueError: when it is none
    """
    der = _key(_Reader(public)).public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    return frozenset(
        f"sha256:{hashlib.sha256(data).hexdigest()}" for data in (der, public)
    )


class _Reader:
    """Reads what a TPM marshals: big-endian, sizes before contents."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self, size: int) -> int:
        if len(self._data) < size:
            raise ValueError("ends too early")
        head, self._data = self._data[:size], self._data[size:]
        return int.from_bytes(head, "big")

    def buffer(self) -> bytes:
        size = self.number(2)
        if len(self._data) < size:
            raise ValueError("ends too early")
        head, self._data = self._data[:size], self._data[size:]
        return head

    def end(self) -> None:
        if self._data:
            raise ValueError("goes on after its end")


def _key(outer: _Reader) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    read = _Reader(outer.buffer())
    outer.end()
    kind = read.number(2)
    read.number(2)  # nameAlg
    read.number(4)  # objectAttributes
    read.buffer()  # authPolicy
    if read.number(2) != _NULL:  # symmetric
        read.number(4)  # keyBits, mode
    _scheme(read, _RSAES)
    if kind == _RSA:
        bits, exponent = read.number(2), read.number(4) or _EXPONENT
        modulus = int.from_bytes(read.buffer(), "big")
        read.end()
        if modulus.bit_length() != bits:
            raise ValueError("is of another length than it says")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    if kind == _ECC:
        curve = _CURVES.get(read.number(2))
        _scheme(read, _NULL)  # kdf
        x, y = read.buffer(), read.buffer()
        read.end()
        if curve is None:
            raise ValueError("is on a curve that is not known")
        return ec.EllipticCurvePublicNumbers(
            int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve()
        ).public_key()
    raise ValueError("is of no kind that is known")


def _scheme(read: _Reader, bare: int) -> None:
    """Pass over a scheme and its details."""
    scheme = read.number(2)
    if scheme not in (_NULL, bare):
        read.number(2)  # hashAlg
    if scheme == _ECDAA:
        read.number(2)  # count
