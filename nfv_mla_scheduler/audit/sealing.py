# SPDX-License-Identifier: Apache-2.0
"""Entries that one trust domain alone may read, in blocks of one size.

Pure.  A block is a compact JWE (RFC 7516) to the domain's key in the policy.
Whatever it holds, also nothing, it is as long as every other for a key of the
same kind: compressed first, then filled up, then encrypted (GR NFV-SEC 009,
5.0.3).
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy.root import key_id
from nfv_mla_scheduler.policy.root import short

#: Of what is encrypted; as text a block is somewhat longer.
BLOCK_BYTES = 4096
#: Of all entries of a block, not compressed.
ENTRIES_MAX = 64 * 1024
JWE_MAX = 8192
KINDS = "X25519, or EC on P-256 or P-384"

_HEADER = {
    "alg": "ECDH-ES",
    "enc": "A256GCM",
    "typ": "nfv-mla-sealed-block/1",
}
_LENGTH_BYTES = 2
_ROOM = BLOCK_BYTES - _LENGTH_BYTES
_MEMBERS = {"at", "process", "kind", "fields"}


class BlockUnreadable(NfvMlaError):
    """A sealed block cannot be opened, or does not hold entries."""

    code = "sealed-block"


@dataclasses.dataclass(frozen=True, slots=True)
class SealKey:
    """A key that blocks are sealed for, or are opened with.

    :ivar id: of the public key, as for officers' keys
    """

    id: str
    jwk: JWK = dataclasses.field(repr=False, compare=False)


def read_seal_key(pem: str) -> SealKey:
    """Return a trust domain's public key, as the policy has it.

    :raises KeyFileError: when nothing can be sealed for it
    """
    try:
        public = load_pem_public_key(pem.encode())
        key = SealKey(key_id(public), JWK.from_pyca(public))
        seal((), key)
    except Exception:  # whatever a library makes of a stranger's key
        raise KeyFileError("nothing can be sealed for the key") from None
    return key


def read_opening_key(
    pem: bytes, what: str, passphrase: bytes | None = None
) -> SealKey:
    """Return the private key that opens a trust domain's blocks.

    :param what: how messages call it: a path
    :raises KeyFileError: when it is none that could
    """
    try:
        private = load_pem_private_key(pem, password=passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        reason = "the passphrase is wrong, or " if passphrase else ""
        raise KeyFileError(
            f"{what}: {reason}it is not a private key in PEM"
        ) from None
    try:
        jwk = JWK.from_pyca(private)
        key = SealKey(key_id(private.public_key()), jwk)
        open_block(seal((), key), (key,))
    except Exception:  # a key for something else
        raise KeyFileError(
            f"{what}: is a key of another kind than {KINDS}"
        ) from None
    return key


def fits(lines: Sequence[bytes]) -> bool:
    """Whether one block holds some entries."""
    size = sum(map(len, lines)) + len(lines)
    return size <= ENTRIES_MAX and len(_packed(lines)) <= _ROOM


def fit(lines: Sequence[bytes]) -> int:
    """Return how many of the first entries one block holds."""
    least, most = 0, len(lines)
    while least < most:
        middle = (least + most + 1) // 2
        if fits(lines[:middle]):
            least = middle
        else:
            most = middle - 1
    return least


def seal(lines: Sequence[bytes], key: SealKey) -> str:
    """Return a block of entries that fit into one.

    :raises ValueError: they do not
    """
    if not fits(lines):
        raise ValueError("more than a block holds")
    packed = _packed(lines)
    filled = len(packed).to_bytes(_LENGTH_BYTES, "big") + packed
    token = JWE(
        filled.ljust(BLOCK_BYTES, b"\0"),
        protected={**_HEADER, "kid": key.id},
        recipient=key.jwk,
    )
    return str(token.serialize(compact=True))


def open_block(jwe: str, keys: Iterable[SealKey]) -> list[dict[str, Any]]:
    """Return the entries of a block, each with the members of ``_MEMBERS``.

    Anybody can seal for a public key: what the entries hold is to be bounded
    by whoever shows it.

    :param keys: private ones; the block says which it needs
    :raises BlockUnreadable: when none of them opens it, or it is no block
    """
    filled = _opened(jwe, keys)
    length = int.from_bytes(filled[:_LENGTH_BYTES], "big")
    packed = filled[_LENGTH_BYTES : _LENGTH_BYTES + length]
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, ENTRIES_MAX)
        if not unpacking.eof:
            raise BlockUnreadable("holds more than a block may")
        found = [json.loads(line) for line in data.split(b"\n") if line]
    except (zlib.error, ValueError, RecursionError):
        raise BlockUnreadable("does not hold what a block does") from None
    if not all(_is_entry(each) for each in found):
        raise BlockUnreadable("holds something that is no entry")
    return found


def _opened(jwe: str, keys: Iterable[SealKey]) -> bytes:
    """Return what is inside a JWE of the one kind that we write."""
    if len(jwe) > JWE_MAX or jwe.count(".") != 4 or "{" in jwe:
        raise BlockUnreadable("is no sealed block")
    token = JWE(algs=[_HEADER["alg"], _HEADER["enc"]])
    try:
        token.deserialize(jwe)
        header = token.jose_header
    except Exception:  # whatever the library makes of a stranger's bytes
        raise BlockUnreadable("is no sealed block") from None
    # A header of ours alone: nothing is unpacked, derived or fetched for it.
    if header.keys() != {*_HEADER, "kid", "epk"} or any(
        header[name] != value for name, value in _HEADER.items()
    ):
        raise BlockUnreadable("is no sealed block of ours")
    kid = bounded(header["kid"])
    key = next((key for key in keys if key.id == header["kid"]), None)
    if key is None:
        raise BlockUnreadable(
            f"is sealed for the key {short(kid)}, which is not at hand"
        )
    try:
        token.decrypt(key.jwk)
        payload = bytes(token.payload)
    except Exception:  # the same
        raise BlockUnreadable(
            f"is damaged, or not sealed for the key {short(kid)}"
        ) from None
    if len(payload) != BLOCK_BYTES:
        raise BlockUnreadable("has not the length of a block")
    return payload


def _is_entry(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == _MEMBERS
        and all(isinstance(value[k], str) for k in ("at", "process", "kind"))
        and isinstance(value["fields"], dict)
    )


def _packed(lines: Sequence[bytes]) -> bytes:
    return zlib.compress(b"\n".join(lines))
