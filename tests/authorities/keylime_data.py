# SPDX-License-Identifier: Apache-2.0
"""What Keylime's servers answer: recordings, and changes to them.

``tests/data/keylime/VERSION`` holds whole answers of that version; where they
come from is in the README beside them.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import pathlib
import struct
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa

RECORDINGS = pathlib.Path(__file__).parents[1] / "data/keylime"
NEWEST = "7.14.3"
# Their names in agents.json of the newest version.
HEALTHY = "11111111-1111-4111-8111-111111111111"
BARE = "22222222-2222-4222-8222-222222222222"
UNREACHED = "33333333-3333-4333-8333-333333333333"
FAILED = "44444444-4444-4444-8444-444444444444"
# What PCR 15 of the healthy one holds.
TAG = hashlib.sha256(
    bytes(32) + hashlib.sha256(b"site-fra").digest()
).hexdigest()

Json = dict[str, Any]


def recorded(name: str, version: str = NEWEST) -> Json:
    """Return one answer, which is the caller's to change."""
    found: Json = json.loads(_text(name, version))
    return found


@functools.cache
def _text(name: str, version: str) -> str:
    path = RECORDINGS / version / f"{name}.json"
    return path.read_text(encoding="utf-8")


def agent(name: str = HEALTHY, version: str = NEWEST, **changes: Any) -> Json:
    """Return the record of one agent, with changes."""
    found: Json = recorded("agents", version)["results"][name]
    return {**found, **changes}


def answer(results: Any, code: int = 200) -> bytes:
    """Return the body of an answer."""
    status = "Success" if code == 200 else "Not Found"
    whole = {"code": code, "status": status, "results": results}
    return json.dumps(whole).encode()


def entry(**changes: Any) -> Json:
    """Return what a registrar has on the healthy agent, with changes."""
    found: Json = recorded("registrar")["results"]
    return {**found, **changes}


def rsa_key() -> rsa.RSAPublicKey:
    """Return a new key, as the EK of another TPM would be."""
    return rsa.generate_private_key(65537, 2048).public_key()


def spki_digest(
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
) -> str:
    """Return the digest of a key as openssl and sha256sum would."""
    der = key.public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def in_base64(public: bytes) -> str:
    """Return a key as Keylime carries it."""
    return base64.b64encode(public).decode()


def marshalled(
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    *,
    policy: bytes = hashlib.sha256(b"PolicyA").digest(),
    symmetric: bool = True,
    scheme: bytes = b"\x00\x10",
) -> bytes:
    """Return a key as TPM2B_PUBLIC, as a TPM would marshal it."""
    is_rsa = isinstance(key, rsa.RSAPublicKey)
    area = struct.pack(
        ">HHIH", 1 if is_rsa else 0x23, 0x0B, 0x300B2, len(policy)
    )
    area += policy
    area += struct.pack(">HHH", 6, 128, 0x43) if symmetric else b"\x00\x10"
    area += scheme
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        area += struct.pack(">HI", key.key_size, 0)
        area += _buffer(numbers.n.to_bytes(key.key_size // 8, "big"))
    else:
        point = key.public_numbers()
        size = (key.curve.key_size + 7) // 8
        curve = {256: 3, 384: 4, 521: 5}[key.curve.key_size]
        area += struct.pack(">HH", curve, 0x10)
        area += _buffer(point.x.to_bytes(size, "big"))
        area += _buffer(point.y.to_bytes(size, "big"))
    return _buffer(area)


def _buffer(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data
