# SPDX-License-Identifier: Apache-2.0
"""What was done to a chain, by what was seen of it.

Pure.  A gap and the entries that fit into it, wherever they stand, are
entries that were moved; a gap with something else in its place was changed;
what is left of gaps was removed, and what is left of strays was put in.
"""

from __future__ import annotations

from collections.abc import Generator
from collections.abc import Iterator

from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.anomalies import AnomalyKind
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.anomalies import between
from nfv_mla_scheduler.audit.reading.records import Break
from nfv_mla_scheduler.audit.reading.records import Junk
from nfv_mla_scheduler.audit.reading.records import Records
from nfv_mla_scheduler.audit.reading.records import Span
from nfv_mla_scheduler.audit.reading.records import Stray
from nfv_mla_scheduler.errors import bounded


class Naming:
    """Names what was seen in one chain.

    :param seq: of the last entry of the chain
    :param covered: seq up to which checkpoints hold
    """

    def __init__(
        self, origin: str, seen: Records, seq: int, covered: int
    ) -> None:
        self._origin = origin
        self._seq = seq
        self._covered = covered
        self._seen = seen
        self._strays = list(seen.strays)
        self._junk = list(seen.junk)
        # Entries whose origin was changed, and not taken from elsewhere.
        broken = {one.after for one in seen.breaks if not one.gap}
        self._renamed = {
            one.first
            for one in seen.foreign
            if one.first == one.last and one.first in broken
        }
        self._gap_after = {one.after_hash for one in seen.breaks}

    def anomalies(self) -> list[Anomaly]:
        """Return what was done to the chain, in the order of its seq."""
        found = list(self._all())
        return sorted(found, key=lambda one: (one.first, one.last))

    def _all(self) -> Iterator[Anomaly]:
        gaps = []
        for broken in self._seen.breaks:
            if broken.gap:
                last = yield from self._moved(broken)
                if last > broken.after:
                    gaps.append((broken, last))
            elif not broken.strange or broken.after in self._renamed:
                yield self._changed(broken)
        for broken, last in gaps:
            yield self._gap(broken, last)
        for span in self._seen.displaced:
            copy = next(
                (one for one in self._strays if _is_of(one, span)), None
            )
            if copy is not None:  # it stands where it should as well
                copy.place = span.place
                continue
            yield self._made(
                AnomalyKind.REORDERED, span.first, span.last, span.place
            )
        for span in self._seen.cut:
            yield self._made(
                AnomalyKind.CHANGED,
                span.first,
                span.last,
                span.place,
                "the newline is gone",
            )
        for span in self._seen.foreign:
            if span.first in self._renamed:
                continue
            yield self._made(
                AnomalyKind.FOREIGN,
                span.first,
                span.last,
                span.place,
                f"of {bounded(span.origin)}",
            )
        for stray in self._strays:
            yield self._stray(stray)
        for junk in self._junk:
            yield self._made(
                AnomalyKind.NO_ENTRY,
                0,
                0,
                junk.place,
                f"{junk.count} such lines" if junk.count > 1 else "",
            )

    def _moved(self, broken: Break) -> Generator[Anomaly, None, int]:
        """Name the strays that fit into a gap; return where the rest ends."""
        wanted, last = broken.missing, broken.before - 1
        while last > broken.after:
            fits = [
                one
                for one in self._strays
                if (one.tail, one.last) == (wanted, last) and not one.copy
            ]
            if not fits:
                break
            stray = fits[0]
            self._strays.remove(stray)
            yield self._made(
                AnomalyKind.REORDERED, stray.first, stray.last, stray.place
            )
            wanted, last = stray.parent, stray.first - 1
        return last

    def _gap(self, broken: Break, last: int) -> Anomaly:
        """Name a gap: something stands in its place, or nothing."""
        first = broken.after + 1
        if broken.joined and last - first < 2:
            said = "two stand on one line"
            return self._made(
                AnomalyKind.CHANGED,
                broken.after,
                last,
                broken.first_place,
                said,
            )
        junk, strays = self._within(broken)
        lines = sum(one.count for one in junk)
        entries = sum(one.count for one in strays)
        least, most = entries + (lines + 1) // 2, entries + 2 * lines
        if most and least <= last - broken.after <= most:
            for one in junk:
                self._junk.remove(one)
            for stray in strays:
                self._strays.remove(stray)
            place = junk[0].place if junk else strays[0].place
            said = "no entry any more" if junk else "others in their place"
            return self._made(AnomalyKind.CHANGED, first, last, place, said)
        said = ""
        if broken.whole_file:
            said = (
                "a whole file is missing"
                if broken.after
                else ("the first file is missing")
            )
        return self._made(AnomalyKind.REMOVED, first, last, broken.place, said)

    def _within(self, broken: Break) -> tuple[list[Junk], list[Stray]]:
        low, high = broken.ordinals
        return (
            [one for one in self._junk if low < one.ordinal < high],
            [
                one
                for one in self._strays
                if low < one.ordinal < high
                and not one.copy
                and one.origin == self._origin
            ],
        )

    def _changed(self, broken: Break) -> Anomaly:
        first = max(1, broken.first)
        last = max(1, broken.after)
        said = ""
        if last - first == 1:
            said = f"{last}, and maybe {first}"
        return self._made(
            AnomalyKind.CHANGED,
            first,
            last,
            broken.first_place or broken.place,
            said,
        )

    def _stray(self, stray: Stray) -> Anomaly:
        kind, said = AnomalyKind.INSERTED, ""
        if stray.origin != self._origin:
            kind, said = AnomalyKind.FOREIGN, f"of {bounded(stray.origin)}"
        elif stray.copy:
            said = f"a copy of{between(stray.first, stray.last)}"
        elif stray.fork and self._is_missing(stray):
            kind = AnomalyKind.REORDERED
        elif stray.fork and stray.parent not in self._gap_after:
            kind = AnomalyKind.FORKED
            said = (
                f"{stray.count} in this branch{_signed(stray.signed)}, "
                f"{max(0, self._seq - stray.first + 1)} in the chain"
                f"{_signed(self._covered >= stray.first)}"
            )
        return self._made(kind, stray.first, stray.last, stray.place, said)

    def _is_missing(self, stray: Stray) -> bool:
        """Whether the chain has a gap where these belong."""
        return any(
            one.after < stray.first and stray.last < one.before
            for one in self._seen.breaks
            if one.gap
        )

    def _made(
        self,
        kind: AnomalyKind,
        first: int,
        last: int,
        place: Place | None,
        detail: str = "",
    ) -> Anomaly:
        return Anomaly(
            kind,
            self._origin,
            first,
            last,
            place,
            detail,
        )


def _is_of(stray: Stray, span: Span) -> bool:
    return stray.copy and stray.first <= span.first <= span.last <= stray.last


def _signed(is_signed: bool) -> str:
    return " (signed)" if is_signed else " (not signed)"
