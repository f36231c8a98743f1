# SPDX-License-Identifier: Apache-2.0
"""What was seen at each place where a chain is not whole.

Pure.  Not yet anomalies: a gap here and a stray there may be one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sized

from nfv_mla_scheduler.audit.reading.anomalies import ANOMALIES_MAX
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.items import Run


@dataclasses.dataclass(slots=True)
class Break:
    """Two neighbours in the chain that are not linked.

    :ivar first: seq from which on each is broken from the next; that of the
        one before it, but where several breaks follow each other
    :ivar after: seq of the first of them
    :ivar before: seq of the second one; the next: nothing is missing between
    :ivar missing: what the second one has as the hash of the one before it
    :ivar ordinals: of their lines
    :ivar whole_file: the first one ends a file, the second one begins one
    :ivar strange: they are of two origins
    :ivar joined: the first one stands on one line with another
    """

    first: int
    first_place: Place | None
    after: int
    after_hash: str
    before: int
    missing: str
    place: Place
    ordinals: tuple[int, int]
    whole_file: bool = False
    strange: bool = False
    joined: bool = False

    @property
    def gap(self) -> int:
        """How many entries are missing."""
        return self.before - self.after - 1


@dataclasses.dataclass(slots=True)
class Stray:
    """Entries linked to each other, and not of the chain.

    :ivar parent: hash of the one that they say they follow
    :ivar tail: hash of the last one
    :ivar copy: they are in the chain as well
    :ivar fork: what they follow is in the chain
    """

    first: int
    last: int
    parent: str
    tail: str
    ordinal: int
    place: Place | None
    origin: str
    copy: bool = False
    fork: bool = False
    signed: bool = False

    @property
    def count(self) -> int:
        """How many entries there are."""
        return self.last - self.first + 1


@dataclasses.dataclass(slots=True)
class Junk:
    """Lines next to each other that are no entries.

    :ivar after: seq of the entry before them; 0: not known
    """

    ordinal: int
    count: int
    place: Place
    after: int


@dataclasses.dataclass(slots=True)
class Span:
    """Entries that follow each other, of another origin or out of place."""

    first: int
    last: int
    place: Place
    origin: str = ""


@dataclasses.dataclass(slots=True)
class Records:
    """What was seen in one chain; each list is bounded.

    :ivar excused: behind these seqs, what is no entry is told
    :ivar told: how often the process has told of such
    :ivar more: how much was seen beyond that
    """

    breaks: list[Break] = dataclasses.field(default_factory=list)
    strays: list[Stray] = dataclasses.field(default_factory=list)
    junk: list[Junk] = dataclasses.field(default_factory=list)
    foreign: list[Span] = dataclasses.field(default_factory=list)
    displaced: list[Span] = dataclasses.field(default_factory=list)
    cut: list[Span] = dataclasses.field(default_factory=list)
    excused: dict[int, None] = dataclasses.field(default_factory=dict)
    told: int = 0
    more: int = 0

    def add_break(self, found: Break) -> None:
        """Add a break, to the one before it if they follow each other."""
        last = self.breaks[-1] if self.breaks else None
        if (
            last is not None
            and last.gap == found.gap == 0
            and last.before == found.after
            and last.strange == found.strange
        ):
            last.after, last.after_hash = found.after, found.after_hash
            last.before, last.missing = found.before, found.missing
            last.ordinals = last.ordinals[0], found.ordinals[1]
        elif self._room(self.breaks):
            self.breaks.append(found)

    def add_stray(self, found: Stray) -> None:
        """Add entries that are not of the chain."""
        if self._room(self.strays):
            self.strays.append(found)

    def drop_stray(self, stray: Stray) -> None:
        """Forget entries that are of the chain after all."""
        self.strays = [one for one in self.strays if one is not stray]

    def add_junk(self, ordinal: int, place: Place, after: int) -> None:
        """Add a line that is no entry, unless it is told already."""
        if after in self.excused:
            return
        last = self.junk[-1] if self.junk else None
        if last is not None and last.ordinal + last.count == ordinal:
            last.count += 1
        elif self._room(self.junk):
            self.junk.append(Junk(ordinal, 1, place, after))

    def add_foreign(self, seq: int, place: Place, origin: str) -> None:
        """Add an entry of another origin that is of the chain else."""
        last = self.foreign[-1] if self.foreign else None
        if last is not None and (last.last + 1, last.origin) == (seq, origin):
            last.last = seq
        elif self._room(self.foreign):
            self.foreign.append(Span(seq, seq, place, origin))

    def add_displaced(self, run: Run) -> None:
        """Add entries of the chain that are not in their place."""
        if self._room(self.displaced):
            self.displaced.append(
                Span(run[0].head.seq, run[-1].head.seq, run[0].place)
            )

    def add_cut(self, seq: int, place: Place) -> None:
        """Add an entry that has lost its newline."""
        if self._room(self.cut):
            self.cut.append(Span(seq, seq, place))

    def excuse(self, seq: int) -> None:
        """Know that the process has told of what is no entry behind a seq.

        Of what was read already, or in a sealed chain is still to come.
        """
        if not seq or seq in self.excused:
            return
        self.told += 1
        self.junk = [one for one in self.junk if one.after != seq]
        self.excused[seq] = None
        if len(self.excused) > ANOMALIES_MAX:
            del self.excused[next(iter(self.excused))]

    def beginning(self) -> Break | None:
        """Return the gap before the first entry; None: there is none."""
        first = self.breaks[0] if self.breaks else None
        return first if first and first.gap and not first.after else None

    def forget_after(self, seq: int) -> None:
        """Forget the breaks behind this seq: they are of another branch."""
        self.breaks = [one for one in self.breaks if one.before <= seq]

    def _room(self, kept: Sized) -> bool:
        if len(kept) < ANOMALIES_MAX:
            return True
        self.more += 1
        return False
