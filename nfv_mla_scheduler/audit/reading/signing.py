# SPDX-License-Identifier: Apache-2.0
"""Whether the checkpoints in a chain hold, and how far they reach.

Pure.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from securesystemslib.signer import Key  # type: ignore[attr-defined]

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.entry import Head
from nfv_mla_scheduler.audit.reading.anomalies import ANOMALIES_MAX
from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.errors import bounded


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

    :ivar keys: each with how the origins begin that it may sign for
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
            key.keyid for prefix, key in self.keys if origin.startswith(prefix)
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


class Signing:
    """The checkpoints of one chain, in the order of the chain.

    :ivar good: how many hold
    :ivar seen: how many there are
    :ivar covered: seq up to which the last one that holds reaches
    :ivar at_seq: seq of that checkpoint itself
    :ivar newest: its envelope
    :ivar more: how many are wrong beyond those told
    :ivar unknown: how many are by keys not given, all covered by a later one
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._doubted: Anomaly | None = None
        self._doubts = 0
        self._bad: list[tuple[Anomaly, int]] = []
        self._open = False
        self.good = self.seen = self.unknown = self.more = 0
        self.covered = self.at_seq = 0
        self.newest: Any = None

    def holds(self, head: Head, raw: bytes) -> bool:
        """Whether an entry is a checkpoint that fits and is signed."""
        judged = self._trust.judge(envelope(raw))
        return (
            judged is not None
            and judged[1] is Signature.HOLDS
            and _fits(head, judged[0])
        )

    def take(self, head: Head, raw: bytes, place: Place) -> None:
        """Judge the next checkpoint of the chain."""
        self.seen += 1
        members = envelope(raw)
        judged = self._trust.judge(members)
        if judged is None:
            self._refuse(
                AnomalyKind.BAD_CHECKPOINT, head, place, "holds no checkpoint"
            )
        elif judged[1] is Signature.BAD:
            self._refuse(
                AnomalyKind.BAD_CHECKPOINT,
                head,
                place,
                "the signature does not hold",
            )
        elif not _fits(head, judged[0]):
            said = judged[0]
            self._refuse(
                AnomalyKind.REWRITTEN,
                head,
                place,
                f"the checkpoint says that entry {said.seq} of "
                f"{bounded(said.origin)} is {bounded(said.hash, 16)}",
            )
        elif judged[1] is Signature.UNKNOWN:
            self._doubt(head, place, members)
        else:
            self._hold(head, members)

    def unsigned(self, seq: int) -> int:
        """Return how many entries follow the last checkpoint that holds."""
        return max(0, seq - self.at_seq)

    def anomalies(self) -> list[Anomaly]:
        """Return what is wrong with checkpoints, at the end."""
        found = [
            dataclasses.replace(
                one, detail=f"{one.detail}; nor do {more} more after it"
            )
            if more
            else one
            for one, more in self._bad
        ]
        if self._doubted is not None:
            found.append(self._doubted)
        return found

    def _hold(self, head: Head, members: object) -> None:
        self.good += 1
        self.covered, self.at_seq = head.seq - 1, head.seq
        self.newest = members
        self.unknown += self._doubts
        self._doubted, self._doubts = None, 0
        self._open = False

    def _doubt(self, head: Head, place: Place, members: object) -> None:
        self._doubts += 1
        if self._doubted is None:
            keys = ", ".join(sorted(hints(members))) or "nobody"
            self._doubted = Anomaly(
                AnomalyKind.BAD_CHECKPOINT,
                head.origin,
                self.covered + 1,
                head.seq,
                place,
                "is signed by none of the keys given, and no later one is; "
                f"the key: {bounded(keys, 64)}",
            )

    def _refuse(
        self, kind: AnomalyKind, head: Head, place: Place, why: str
    ) -> None:
        """Tell it, or count it: after one all the next are wrong as well."""
        if self._open and self._bad[-1][0].kind is kind:
            first, more = self._bad[-1]
            self._bad[-1] = first, more + 1
            return
        self._open = True
        if len(self._bad) >= ANOMALIES_MAX:
            self.more += 1
            return
        self._bad.append(
            (
                Anomaly(
                    kind,
                    head.origin,
                    self.covered + 1,
                    head.seq,
                    place,
                    why,
                ),
                0,
            )
        )


def _fits(head: Head, said: checkpoint.Checkpoint) -> bool:
    """Whether a checkpoint says what the chain says where it stands."""
    return (said.origin, said.seq, said.hash) == (
        head.origin,
        head.seq - 1,
        head.prev,
    )
