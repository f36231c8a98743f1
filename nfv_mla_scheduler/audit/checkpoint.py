# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: signed statements of how far a chain goes, and to what.

Pure: values and keys in, bytes out.  Since each entry holds the hash of the
one before it, a signature over the last one is a signature over all.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from securesystemslib.signer import Key  # type: ignore[attr-defined]
from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.audit.entry import utc
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy import envelope as dsse

PAYLOAD_TYPE = "application/vnd.nfv-mla.ledger-checkpoint+json"
FORMAT = "nfv-mla-ledger-checkpoint/1"


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a chain goes.

    :ivar seq: of the last entry that it covers
    :ivar hash: of that entry, hexadecimal
    :ivar at: when it was signed, as it is written
    """

    origin: str
    seq: int
    hash: str
    at: str


@dataclasses.dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as somebody signed it.

    :ivar keys: ids of those of the known keys that did; empty: none of them
    """

    checkpoint: Checkpoint
    keys: frozenset[str]


def sign(
    origin: str, seq: int, hash_: str, at: Instant, signer: Signer
) -> dict[str, Any]:
    """Return a DSSE envelope of a checkpoint, as JSON holds it.

    :raises Exception: whatever a signer raises whose device is gone
    """
    payload = json.dumps(
        {
            "format": FORMAT,
            "origin": origin,
            "seq": seq,
            "hash": hash_,
            "at": utc(at),
        },
        separators=(",", ":"),
    ).encode("ascii")
    signed = dsse.sign(dsse.Envelope(payload, PAYLOAD_TYPE), (signer,))
    members: dict[str, Any] = json.loads(dsse.write_envelope(signed))
    return members


def read(members: object, keys: Iterable[Key]) -> Signed | None:
    """Return what an envelope says, and who signed it; None: it is none."""
    try:
        envelope = dsse.read_envelope(json.dumps(members).encode())
    except (PolicyRefused, ValueError, TypeError, RecursionError):
        return None
    if envelope.payload_type != PAYLOAD_TYPE:
        return None
    try:
        said = json.loads(envelope.payload)
        found = Checkpoint(
            said["origin"], said["seq"], said["hash"], said["at"]
        )
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    texts = (found.origin, found.hash, found.at)
    if said.get("format") != FORMAT or type(found.seq) is not int:
        return None
    if not all(isinstance(text, str) for text in texts):
        return None
    held = dsse.examine(envelope, keys)
    return Signed(found, frozenset(key.keyid for key in held if key))
