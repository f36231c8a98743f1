# SPDX-License-Identifier: Apache-2.0
"""Whether the chain in one directory is whole.

Touches the files of that directory, read only.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable
from collections.abc import Iterator

from nfv_mla_scheduler.audit.reading import files
from nfv_mla_scheduler.audit.reading.anomalies import ANOMALIES_MAX
from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.audit.reading.anomalies import Note
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.checkpoints import LEAVES_FEWER
from nfv_mla_scheduler.audit.reading.checkpoints import TAIL_MAX
from nfv_mla_scheduler.audit.reading.checkpoints import YOUNG_MAX
from nfv_mla_scheduler.audit.reading.checkpoints import Signing
from nfv_mla_scheduler.audit.reading.claims import Claim
from nfv_mla_scheduler.audit.reading.claims import Claims
from nfv_mla_scheduler.audit.reading.naming import Naming
from nfv_mla_scheduler.audit.reading.remarks import Remarks
from nfv_mla_scheduler.audit.reading.report import ChainReport
from nfv_mla_scheduler.audit.reading.report import Verdict
from nfv_mla_scheduler.audit.reading.signing import Trust
from nfv_mla_scheduler.audit.reading.tracing import trace
from nfv_mla_scheduler.audit.reading.verifying import OnSealed
from nfv_mla_scheduler.audit.reading.verifying import OnSigned
from nfv_mla_scheduler.audit.reading.verifying import Verifying


class ChainReading:
    """Reads one chain, as far as it went when this was made.

    :param kept: what others say of it
    :param domain: that it is sealed for
    """

    def __init__(
        self,
        directory: pathlib.Path,
        origin: str,
        trust: Trust,
        kept: Iterable[Claim] = (),
        on_sealed: OnSealed | None = None,
        domain: str | None = None,
        on_signed: OnSigned | None = None,
    ) -> None:
        self._origin = origin
        self._domain = domain
        self._keys = bool(trust.keys)
        self._directory = directory
        self._signing = Signing(trust)
        self._claims = Claims(origin, kept)
        self._verifying = Verifying(
            origin, self._signing, self._claims, on_sealed, on_signed
        )
        self._unreadable: list[Anomaly] = []
        self._torn = self._begins = 0
        self._segments = files.segments(directory)
        self._lines = self._all()

    def read(self) -> None:
        """Read the rest."""
        feed = self._verifying.feed
        for line in self._lines:
            feed(line)
        self._verifying.finish()
        self._look_at_beginning()
        trace(self._segments, self._verifying.records.strays)

    def _look_at_beginning(self) -> None:
        """Excuse that old files were moved to where a checkpoint is kept.

        That what is there goes on from it has to be signed, too.
        """
        records = self._verifying.records
        gap = records.beginning()
        if gap is None or not self._signing.good:
            return
        if self._claims.reach(gap.before, gap.missing):
            records.breaks.remove(gap)
            self._begins = gap.before

    def excuse(self, seq: int) -> None:
        """Know that the process has told of what is no entry behind a seq."""
        self._verifying.records.excuse(seq)

    def expect(self, claim: Claim) -> None:
        """Read as far as a claim about the chain goes, and compare it."""
        verifying = self._verifying
        verifying.claim(claim)
        while verifying.course.seq < claim.seq or not verifying.settled:
            line = next(self._lines, None)
            if line is None:
                verifying.finish()
                break
            verifying.feed(line)

    def cover(self) -> None:
        """Know that what was claimed of the chain so far is signed."""
        self._claims.cover()

    def report(self) -> ChainReport:
        """Return what was found, once all was read."""
        verifying, signing = self._verifying, self._signing
        found = self._anomalies()
        more = verifying.records.more + signing.more
        more += max(0, len(found) - ANOMALIES_MAX)
        return ChainReport(
            self._origin,
            self._domain,
            self._verdict(bool(found or more)),
            verifying.course.entries,
            len(self._segments),
            verifying.course.first_at,
            verifying.course.last_at,
            self._signed(),
            self._tail(),
            self._young(),
            tuple(found[:ANOMALIES_MAX]),
            more,
            tuple(
                Note(kind, self._origin, said, count)
                for kind, said, count in self._remarks().all()
            ),
            signing.newest,
        )

    def _all(self) -> Iterator[files.Line]:
        last = len(self._segments)
        for number, segment in enumerate(self._segments, start=1):
            try:
                for line in files.lines(segment):
                    if line.whole or number < last:
                        yield line
                    else:
                        self._torn = len(line.raw)
            except files.LedgerUnreadable as exc:
                self._verifying.unread()
                self._unreadable.append(
                    Anomaly(
                        AnomalyKind.UNREADABLE,
                        self._origin,
                        0,
                        0,
                        None,
                        str(exc),
                    )
                )

    def _anomalies(self) -> list[Anomaly]:
        verifying = self._verifying
        last = self._segments[-1].path if self._segments else self._directory
        named = Naming(
            self._origin,
            verifying.records,
            verifying.course.seq,
            self._signing.covered,
        ).anomalies()
        changed = [one for one in named if one.kind is AnomalyKind.CHANGED]
        place = Place(str(last), 0)
        judged = [
            *self._signing.anomalies(),
            *self._claims.anomalies(verifying.course.seq, place),
            *self._long_tail(place),
        ]
        found = named + [
            one
            for one in judged
            # unless what it is about is what was changed
            if not any(it.first <= one.last <= it.last for it in changed)
        ]
        found.sort(key=lambda one: (one.first, one.last))
        return self._unreadable + found

    def _verdict(self, wrong: bool) -> Verdict:
        if wrong:
            return Verdict.TAMPERED
        if not self._verifying.course.entries:
            return Verdict.EMPTY
        if not self._keys:
            return Verdict.NOT_CHECKED
        return Verdict.WHOLE if self._signed() else Verdict.NOT_SIGNED

    def _signed(self) -> int:
        """Return how many checkpoints hold, or signed heads are met."""
        if self._domain is None:
            return self._signing.good
        return self._claims.signed_met

    def _young(self) -> bool:
        """Whether it need not be signed yet.

        A process signs as soon as it has begun; of a sealed chain the common
        one tells for the first time when it next signs by time.
        """
        entries = self._verifying.course.entries
        if self._domain is not None:
            return entries <= TAIL_MAX
        return entries <= YOUNG_MAX and self._verifying.noting.is_first

    def _long_tail(self, place: Place) -> Iterator[Anomaly]:
        tail, seq = self._tail(), self._verifying.course.seq
        if tail > TAIL_MAX and self._signed():
            yield Anomaly(
                AnomalyKind.LONG_TAIL,
                self._origin,
                seq - tail + 1,
                seq,
                place,
                f"{tail} entries that nobody has signed; a process "
                f"{LEAVES_FEWER}",
            )

    def _tail(self) -> int:
        """Return how many entries no checkpoint and no head reaches."""
        seq = self._verifying.course.seq
        if self._domain is None:
            return self._signing.unsigned(seq)
        return max(0, seq - self._claims.signed_seq)

    def _remarks(self) -> Remarks:
        return Remarks(
            self._verifying,
            self._signing,
            self._claims,
            is_sealed=self._domain is not None,
            keys=self._keys,
            tail=self._tail(),
            torn_bytes=self._torn,
            begins=self._begins,
        )
