# SPDX-License-Identifier: Apache-2.0
"""Signed bytes: a DSSE envelope in JSON, read, examined, signed, written.

Pure: bytes and keys in, values out.  Nothing looks inside a payload before
enough officers' signatures over it have held.  The id that a signature
carries is a hint that anybody may write: a signature is an officer's when
that officer's key verifies it, and for no other reason.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import json
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import NoReturn

from securesystemslib.dsse import Envelope as Dsse
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key  # type: ignore[attr-defined]
from securesystemslib.signer import Signature  # type: ignore[attr-defined]
from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.root import short

POLICY_TYPE = "application/vnd.nfv-mla.policy+yaml"
PAYLOAD_MAX = 8 * 1024 * 1024
SIGNATURES_MAX = 64
SIGNATURE_MAX = 8 * 1024
ENVELOPE_MAX = PAYLOAD_MAX * 4 // 3 + SIGNATURES_MAX * SIGNATURE_MAX * 2


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """One signature as the envelope has it, not verified.

    :ivar hint: the key id that it claims; worth nothing
    """

    hint: str
    value: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Envelope:
    """Signed bytes, not verified."""

    payload: bytes
    payload_type: str
    marks: tuple[Mark, ...] = ()

    def pae(self) -> bytes:
        """Return what is really signed: type and payload together."""
        return bytes(Dsse(self.payload, self.payload_type, {}).pae())

    @property
    def digest(self) -> str:
        """SHA-256 of the payload, hexadecimal."""
        return hashlib.sha256(self.payload).hexdigest()


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """A payload that enough officers have signed.

    :ivar signers: ids of the officers' keys whose signatures held
    """

    payload: bytes
    digest: str
    signers: tuple[str, ...]


def read_envelope(data: bytes) -> Envelope:
    """Return what an envelope holds, within bounds and not verified.

    :raises PolicyRefused: and nothing else, whatever the bytes are
    """
    if len(data) > ENVELOPE_MAX:
        _refuse(PolicyCode.TOO_LARGE, f"is larger than {ENVELOPE_MAX} bytes")
    members = _members(data)
    payload_type = members.get("payloadType")
    if not isinstance(payload_type, str) or not payload_type.isascii():
        _refuse(PolicyCode.BAD_ENVELOPE, "has no payloadType")
    payload = _decoded(members.get("payload"), "payload")
    if len(payload) > PAYLOAD_MAX:
        _refuse(
            PolicyCode.TOO_LARGE,
            f"has a payload of more than {PAYLOAD_MAX} bytes",
        )
    signatures = members.get("signatures")
    if not isinstance(signatures, list):
        _refuse(PolicyCode.BAD_ENVELOPE, "has no list of signatures")
    if len(signatures) > SIGNATURES_MAX:
        _refuse(
            PolicyCode.TOO_LARGE,
            f"has more than {SIGNATURES_MAX} signatures",
        )
    marks = tuple(_mark(signature) for signature in signatures)
    return Envelope(payload, payload_type, marks)


def examine(envelope: Envelope, keys: Iterable[Key]) -> tuple[Key | None, ...]:
    """Return, for each signature, the key that verifies it, or None."""
    pae = envelope.pae()
    known = tuple(keys)
    return tuple(_signer(mark, known, pae) for mark in envelope.marks)


def verify_envelope(
    data: bytes, root: Root, payload_type: str = POLICY_TYPE
) -> Verified:
    """Return the payload that a threshold of the root's officers signed.

    Signatures by other keys are ignored.

    :raises PolicyRefused: and nothing else, whatever the bytes are
    """
    envelope = read_envelope(data)
    check_type(envelope, payload_type)
    signers = [
        key.keyid for key in examine(envelope, root.keys) if key is not None
    ]
    if len(set(signers)) != len(signers):
        twice = next(i for i in signers if signers.count(i) > 1)
        _refuse(
            PolicyCode.BAD_ENVELOPE,
            f"has two signatures by the key {short(twice)}",
        )
    if len(signers) < root.threshold:
        _refuse(
            PolicyCode.UNDER_SIGNED,
            f"is signed by {len(signers)} of the officers named in the "
            f"configuration; {root.threshold} have to sign",
        )
    return Verified(envelope.payload, envelope.digest, tuple(signers))


def check_type(envelope: Envelope, payload_type: str) -> None:
    """Refuse an envelope that holds another kind of payload."""
    if envelope.payload_type != payload_type:
        _refuse(
            PolicyCode.BAD_ENVELOPE,
            f"holds {bounded(envelope.payload_type)!r}, not {payload_type!r}",
        )


def sign(envelope: Envelope, signers: Sequence[Signer]) -> Envelope:
    """Return the envelope with a further signature by each of ``signers``.

    The other signatures stay as they are.  A signer may keep its key in a
    file, an HSM or a key management service: securesystemslib's interface.
    """
    pae = envelope.pae()
    added = []
    for signer in signers:
        signature = signer.sign(pae)
        value = bytes.fromhex(signature.signature)
        added.append(Mark(signature.keyid, value))
    return dataclasses.replace(envelope, marks=(*envelope.marks, *added))


def write_envelope(envelope: Envelope) -> bytes:
    """Return the envelope as JSON, which ends in a newline."""
    members = {
        "payloadType": envelope.payload_type,
        "payload": base64.b64encode(envelope.payload).decode(),
        "signatures": [
            {"keyid": m.hint, "sig": base64.b64encode(m.value).decode()}
            for m in envelope.marks
        ],
    }
    return json.dumps(members, indent=2).encode() + b"\n"


def _refuse(code: PolicyCode, message: str) -> NoReturn:
    raise PolicyRefused(code, f"the envelope {message}") from None


def _members(data: bytes) -> dict[str, Any]:
    try:
        members = json.loads(data.decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        _refuse(
            PolicyCode.UNREADABLE,
            "is not JSON in UTF-8; an unsigned policy has to be signed first",
        )
    if not isinstance(members, dict):
        _refuse(PolicyCode.BAD_ENVELOPE, "is not a JSON object")
    return members


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse names that appear twice: readers differ in which one counts."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _decoded(text: object, what: str) -> bytes:
    """Return the bytes of base64 text, of either alphabet (DSSE 1.0.2)."""
    if not isinstance(text, str):
        _refuse(PolicyCode.BAD_ENVELOPE, f"has no {what}")
    altchars = b"-_" if "-" in text or "_" in text else None
    try:
        return base64.b64decode(
            text.encode("ascii"), altchars=altchars, validate=True
        )
    except (binascii.Error, ValueError):
        _refuse(
            PolicyCode.BAD_ENVELOPE, f"has a {what} that is not whole base64"
        )


def _mark(signature: object) -> Mark:
    if not isinstance(signature, dict):
        _refuse(PolicyCode.BAD_ENVELOPE, "has a signature without members")
    hint = signature.get("keyid", "")
    if not isinstance(hint, str):
        _refuse(PolicyCode.BAD_ENVELOPE, "has a keyid that is not text")
    value = _decoded(signature.get("sig"), "signature")
    if len(value) > SIGNATURE_MAX or len(hint) > SIGNATURE_MAX:
        _refuse(
            PolicyCode.TOO_LARGE,
            f"has a signature of more than {SIGNATURE_MAX} bytes",
        )
    return Mark(hint, value)


def _signer(mark: Mark, keys: tuple[Key, ...], pae: bytes) -> Key | None:
    """Return the key that verifies a signature; the hint only sorts."""
    for key in sorted(keys, key=lambda k: k.keyid != mark.hint):
        signature = Signature(key.keyid, mark.value.hex())
        try:
            key.verify_signature(signature, pae)
        except UnverifiedSignatureError:
            continue
        return key
    return None
