# SPDX-License-Identifier: Apache-2.0
"""What others say of a chain: checkpoints kept elsewhere, and heads.  Pure."""

from __future__ import annotations

import collections
import dataclasses
import heapq
from collections.abc import Iterable

from nfv_mla_scheduler.audit.reading.anomalies import ANOMALIES_MAX
from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.audit.reading.anomalies import Place

# How many claims are looked at again when another branch is the chain.
_AGAIN = 64
_NEVER = 1 << 63


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Claim:
    """That an entry of a chain has this hash.

    :ivar by: who says so, for people
    :ivar kept: it is from a checkpoint that was kept elsewhere
    """

    seq: int
    hash: str
    by: str
    kept: bool = False


class Claims:
    """The claims about one chain.

    :ivar next_seq: of the entry that the next one is about
    :ivar agreed: seq of the last entry that was as it was said to be
    :ivar met: how many were as they were said to be
    :ivar signed_seq: as ``agreed``, of claims that are signed themselves
    :ivar signed_met: how many of those there are
    """

    def __init__(self, origin: str, claims: Iterable[Claim] = ()) -> None:
        self._origin = origin
        self._open = sorted(claims)
        self._done: collections.deque[Claim] = collections.deque(maxlen=_AGAIN)
        self._past: collections.deque[Claim] = collections.deque(
            maxlen=ANOMALIES_MAX
        )
        self._wrong: list[Anomaly] = []
        self._disputed = False
        self.agreed = 0
        self.met = 0
        self.signed_seq = self.signed_met = 0
        self.next_seq = self._open[0].seq if self._open else _NEVER

    def add(self, claim: Claim) -> None:
        """Expect an entry that is still to come.

        As long as the chain goes, it is read before the next one is added:
        if there are that many, the chain has ended before all of them.
        """
        if len(self._open) >= ANOMALIES_MAX:
            self._open = [max(self._open)]
        self._push(claim)

    def cover(self) -> None:
        """Know that whoever made the claims so far has signed them."""
        self.signed_seq, self.signed_met = self.agreed, self.met

    def check(self, seq: int, hash_: str, place: Place) -> None:
        """Compare an entry of the chain, the next one that is spoken of."""
        while self._open and self._open[0].seq <= seq:
            claim = heapq.heappop(self._open)
            self._done.append(claim)
            if claim.seq == seq:
                self.compare(claim, hash_, place)
            else:  # that it is gone is told
                self._past.append(claim)
        self.next_seq = self._open[0].seq if self._open else _NEVER

    def compare(self, claim: Claim, hash_: str, place: Place) -> None:
        """Compare an entry with what was said of it."""
        if claim.hash == hash_:
            self.agreed, self._disputed = max(self.agreed, claim.seq), False
            self.met += 1
            return
        if self._disputed or len(self._wrong) >= ANOMALIES_MAX:
            return  # what follows a rewritten entry is rewritten
        self._disputed = True
        self._wrong.append(
            Anomaly(
                AnomalyKind.REWRITTEN,
                self._origin,
                min(self.agreed + 1, claim.seq),
                claim.seq,
                place,
                f"{claim.by} has another entry {claim.seq}",
            )
        )

    def reach(self, seq: int, hash_: str) -> bool:
        """Whether what was kept elsewhere ends right before an entry.

        Nothing else excuses that what is before it is not there.

        :param hash_: that the entry has as that of the one before it
        """
        return any(
            one.kept and (one.seq, one.hash) == (seq - 1, hash_)
            for one in self._past
        )

    def take_back(self, seq: int) -> None:
        """Forget what was compared behind this seq: it was another branch."""
        self._wrong = [one for one in self._wrong if one.last <= seq]
        self._disputed = False
        self.agreed = min(self.agreed, seq)
        self.signed_seq = min(self.signed_seq, seq)
        for claim in [one for one in self._done if one.seq > seq]:
            self._done.remove(claim)
            self._push(claim)

    def anomalies(self, seq: int, place: Place | None) -> list[Anomaly]:
        """Return what is not as it was said to be.

        :param seq: of the last entry of the chain
        """
        found = list(self._wrong)
        beyond = [one for one in self._open if one.seq > seq]
        if beyond:
            claim = max(beyond)
            found.append(
                Anomaly(
                    AnomalyKind.TRUNCATED,
                    self._origin,
                    seq + 1,
                    claim.seq,
                    place,
                    f"{claim.by} reaches to {claim.seq}, the chain to {seq}",
                )
            )
        return found

    def _push(self, claim: Claim) -> None:
        heapq.heappush(self._open, claim)
        self.next_seq = self._open[0].seq
