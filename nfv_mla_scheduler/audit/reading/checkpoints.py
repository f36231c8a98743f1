# SPDX-License-Identifier: Apache-2.0
"""Whether the checkpoints in a chain hold, and how far they reach.

Pure.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.entry import Head
from nfv_mla_scheduler.audit.reading.anomalies import ANOMALIES_MAX
from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.signing import Signature
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.audit.reading.signing import envelope
from nfv_mla_scheduler.audit.reading.signing import hints
from nfv_mla_scheduler.errors import bounded

#: A process that can sign leaves no more than this unsigned: it signs after
#: 4096 entries, to which come the batch of the last of them, and the one that
#: the next process writes before it signs for the first time.
TAIL_MAX = 4096 + 2 * 512
#: Nor more than this at the beginning of a chain: it signs after one batch.
FIRST_MAX = 512 + 64
#: How many a chain may have that nobody has signed yet.
YOUNG_MAX = 32
LEAVES_FEWER = "that can sign leaves fewer"


class Signing:
    """The checkpoints of one chain, in the order of the chain.

    :ivar good: how many hold
    :ivar seen: how many there are
    :ivar covered: seq up to which the last one that holds reaches
    :ivar at_seq: seq of that checkpoint itself
    :ivar newest: its envelope, and as ``entry`` the hash of its own entry
    :ivar later: how many entries a process has signed that it found when it
        came: those before it had not
    :ivar later_seq: of the last of them
    :ivar more: how many are wrong beyond those told
    :ivar unknown: how many are by keys not given, all covered by a later one
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._doubted: Anomaly | None = None
        self._doubts = 0
        self._bad: list[tuple[Anomaly, int]] = []
        self._long: list[Anomaly] = []
        self._open = False
        self._begin = self._opened = 0
        self.later = self.later_seq = 0
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

    def begin(self, seq: int) -> None:
        """Know which is the first entry of the chain that is there."""
        self._begin = seq - 1

    def opened(self, seq: int) -> None:
        """Know that a process came with this entry."""
        self._opened = seq

    def take_back(self, seq: int) -> None:
        """Forget what is behind this seq: it is of another branch."""
        if self._opened > seq:
            self._opened = 0

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
            self._look_back(head, place)
            self._hold(head, raw, members)

    def unsigned(self, seq: int) -> int:
        """Return how many entries follow the last checkpoint that holds."""
        return max(0, seq - max(self.at_seq, self._begin))

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
        return found + self._long

    def _look_back(self, head: Head, place: Place) -> None:
        """Count what a process has signed that had come before it."""
        since = max(self.at_seq, self._begin)
        found = self._opened - 1 - since
        if found <= 0:
            return
        self.later += found
        self.later_seq = self._opened - 1
        if found <= (TAIL_MAX if since else FIRST_MAX):
            return
        if len(self._long) >= ANOMALIES_MAX:
            self.more += 1
            return
        self._long.append(
            Anomaly(
                AnomalyKind.LONG_TAIL,
                head.origin,
                since + 1,
                self._opened - 1,
                place,
                f"{found} entries that were signed only by the process that "
                f"came after; a process {LEAVES_FEWER}",
            )
        )

    def _hold(self, head: Head, raw: bytes, members: object) -> None:
        self.good += 1
        self.covered, self.at_seq = head.seq - 1, head.seq
        assert isinstance(members, dict)
        self.newest = {**members, "entry": entry.digest(raw)}
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
