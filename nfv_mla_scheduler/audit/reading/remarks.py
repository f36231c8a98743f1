# SPDX-License-Identifier: Apache-2.0
"""What is worth knowing of a chain, besides what is wrong with it.  Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from nfv_mla_scheduler.audit.reading.anomalies import NoteKind
from nfv_mla_scheduler.audit.reading.checkpoints import Signing
from nfv_mla_scheduler.audit.reading.claims import Claims
from nfv_mla_scheduler.audit.reading.verifying import Verifying


@dataclasses.dataclass(frozen=True, slots=True)
class Remarks:
    """What they are made from, once the chain has been read.

    :ivar keys: whether any was given
    :ivar tail: how many entries no checkpoint and no head reaches
    :ivar torn_bytes: of a last line that is not whole
    :ivar begins: seq of the first entry, if what is before it is kept
        elsewhere; else 0
    """

    verifying: Verifying
    signing: Signing
    claims: Claims
    is_sealed: bool
    keys: bool
    tail: int
    torn_bytes: int
    begins: int

    def all(self) -> Iterator[tuple[NoteKind, str, int]]:
        """Yield kind, words, and how often or of how many."""
        verifying = self.verifying
        if not verifying.course.entries:
            yield NoteKind.EMPTY, "has no entries", 1
            return
        if not self.is_sealed:
            yield from self._signed()
        elif not self.claims.signed_met:
            yield (
                NoteKind.NO_HEADS,
                "nothing that is signed in the common chain tells how far it "
                "goes",
                1,
            )
        if self.begins:
            yield (
                NoteKind.KEPT_ELSEWHERE,
                f"begins with entry {self.begins}; a checkpoint that was "
                "kept reaches up to there",
                1,
            )
        if tail := self.tail:
            yield NoteKind.UNSIGNED_TAIL, f"unsigned tail: {tail}", tail
        if self.torn_bytes:
            yield (
                NoteKind.TORN,
                f"ends in {self.torn_bytes} bytes of a line that is not "
                "whole: it is being written, or its writer was stopped",
                self.torn_bytes,
            )
        if many := verifying.records.told:
            yield (
                NoteKind.TORN,
                "the process has told of lines at the end of a file that are "
                "no entries, and begun another",
                many,
            )
        yield from verifying.noting.notes()
        if not self.is_sealed and verifying.noting.is_open:
            yield (
                NoteKind.SILENT_SINCE,
                f"the last process goes on, or ended without closing the "
                f"ledger; its last entry is of {verifying.course.last_at}",
                1,
            )

    def _signed(self) -> Iterator[tuple[NoteKind, str, int]]:
        signing = self.signing
        if not self.keys:
            yield (
                NoteKind.NOT_CHECKED,
                "no signature was checked: no key was given",
                1,
            )
        if not signing.seen:
            yield NoteKind.NO_CHECKPOINT, "has no checkpoint at all", 1
        if signing.unknown:
            yield (
                NoteKind.UNKNOWN_KEY,
                f"{signing.unknown} checkpoints are signed by none of the "
                "keys given; a later one covers them",
                signing.unknown,
            )
        if signing.later:
            yield (
                NoteKind.SIGNED_LATER,
                f"{signing.later} entries, the last of them "
                f"{signing.later_seq}, were signed only by the process that "
                "came after",
                signing.later,
            )
