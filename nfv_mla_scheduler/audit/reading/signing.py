# SPDX-License-Identifier: Apache-2.0
"""Of what worth the signature of a checkpoint is.  Pure."""

from __future__ import annotations

import dataclasses
import enum

from securesystemslib.signer import Key  # type: ignore[attr-defined]

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry


class Signature(enum.Enum):
    """What is to be thought of a checkpoint's signature."""

    HOLDS = "holds"
    # It claims to be by a key that nobody gave us.
    UNKNOWN = "unknown"
    BAD = "bad"
    # No key was given.
    UNCHECKED = "unchecked"


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """The keys whose checkpoints count.

    :ivar keys: each with how the origins begin that it may sign for, in
        whole parts: ``ctl-1`` is not how ``ctl-10.nova-scheduler.0`` begins
    """

    keys: tuple[tuple[str, Key], ...]

    def judge(
        self, members: object
    ) -> tuple[checkpoint.Checkpoint, Signature] | None:
        """Return what an envelope says, and of what worth its signature is.

        :returns: None: it is no checkpoint
        """
        signed = checkpoint.read(members, [key for _, key in self.keys])
        if signed is None:
            return None
        origin = signed.checkpoint.origin
        keys = {
            key.keyid for prefix, key in self.keys if _begins(origin, prefix)
        }
        if signed.keys & keys:
            said = Signature.HOLDS
        elif not self.keys:
            said = Signature.UNCHECKED
        elif hints(members) & keys:
            said = Signature.BAD
        else:
            said = Signature.UNKNOWN
        return signed.checkpoint, said


def hints(members: object) -> set[str]:
    """Return the ids of the keys that an envelope claims to be signed by."""
    found = members.get("signatures") if isinstance(members, dict) else None
    marks = found if isinstance(found, list) else []
    return {str(mark.get("keyid")) for mark in marks if isinstance(mark, dict)}


def envelope(raw: bytes) -> object:
    """Return the envelope in a checkpoint's entry; None: there is none."""
    members = entry.parse(raw) or {}
    fields = members.get("fields")
    return fields.get("signed") if isinstance(fields, dict) else None


def _begins(origin: str, prefix: str) -> bool:
    """Whether an origin has these parts at its beginning."""
    prefix = prefix.rstrip(".")
    return not prefix or f"{origin}.".startswith(f"{prefix}.")
