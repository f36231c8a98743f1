# SPDX-License-Identifier: Apache-2.0
"""Whether one chain is whole, line after line.

Pure: lines and keys in.  Memory does not grow with the chain: the last entries
are known, and a window of lines where it is broken.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any
from typing import TypeAlias

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.entry import Head
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.branches import Branches
from nfv_mla_scheduler.audit.reading.checkpoints import Signing
from nfv_mla_scheduler.audit.reading.claims import Claim
from nfv_mla_scheduler.audit.reading.claims import Claims
from nfv_mla_scheduler.audit.reading.course import Course
from nfv_mla_scheduler.audit.reading.files import Line
from nfv_mla_scheduler.audit.reading.items import Item
from nfv_mla_scheduler.audit.reading.items import Run
from nfv_mla_scheduler.audit.reading.noting import OWN
from nfv_mla_scheduler.audit.reading.noting import Noting
from nfv_mla_scheduler.audit.reading.records import Records
from nfv_mla_scheduler.audit.reading.records import Stray
from nfv_mla_scheduler.audit.reading.window import arrange

#: How many lines are looked at together where a chain is broken.
WINDOW = 1000
# A window is looked at when that many lines at its end are linked again.
_SMOOTH = 16
_CHECKPOINT = EventKind.CHECKPOINT.value
_OPENED = EventKind.LEDGER_OPENED.value
_HEADS = EventKind.SEALED_HEADS.value
# The ledger's own, but heartbeats; of them there is something to know.
_SPECIAL = frozenset((_CHECKPOINT, _HEADS, *OWN))

#: Takes the fields of an entry that may tell of a sealed chain.
OnSealed: TypeAlias = Callable[[dict[str, Any], Place], None]
OnSigned: TypeAlias = Callable[[], None]


class Verifying:
    """Takes the lines of one chain in order, and records what is wrong.

    :param signing: judges the checkpoints
    :param claims: what others say of the chain
    :param on_sealed: None: there are no sealed chains beside this one
    :param on_signed: called when all that was told so far is signed
    """

    def __init__(
        self,
        origin: str,
        signing: Signing,
        claims: Claims,
        on_sealed: OnSealed | None = None,
        on_signed: OnSigned | None = None,
    ) -> None:
        self.course = Course(origin)
        self.records = Records()
        self.noting = Noting()
        self._origin = origin
        self._origins = frozenset((origin,))
        self._signing = signing
        self._claims = claims
        self._on_sealed = on_sealed
        self._on_signed = on_signed
        self._branches = Branches()
        self._window: list[Item] = []
        self._lines = self._smooth = 0
        self._unread = False

    @property
    def settled(self) -> bool:
        """Whether all lines so far have been made sense of."""
        return not self._window

    def feed(self, line: Line) -> None:
        """Take the next line."""
        self._lines += 1
        path, number, raw, whole = line
        head = entry.head(raw)
        if head is None:
            after = 0 if self._window else self.course.seq
            self.records.add_junk(self._lines, Place(str(path), number), after)
            return
        hash_ = entry.digest(raw)
        if not self._window and self.course.follows(head):
            self.course.ordinal = self._lines
            self._accept(head, hash_, raw, str(path), number)
        else:
            place = Place(str(path), number)
            self._apart(Item(self._lines, place, head, hash_, raw))
        if not whole:
            self.records.add_cut(head.seq, Place(str(path), number))

    def claim(self, claim: Claim) -> None:
        """Compare the chain with what somebody says of it.

        Of an entry that is still to come, or is one of the last.
        """
        if claim.seq > self.course.seq:
            self._claims.add(claim)
            return
        found = self.course.find(claim.seq, claim.hash)
        if found is not None:
            self._claims.compare(claim, *found)

    def unread(self) -> None:
        """Know that lines may be missing here, since they cannot be read."""
        self._settle()
        self._unread = True

    def finish(self) -> None:
        """Know that there are no more lines."""
        self._settle()

    def _accept(
        self, head: Head, hash_: str, raw: bytes, path: str, number: int
    ) -> None:
        """Take the next entry of the chain."""
        if not self.course.entries:
            self._origins |= {head.origin}
            self._signing.begin(head.seq)
        if head.kind in _SPECIAL:
            self._special(head, raw, Place(path, number))
        if head.origin != self._origin:
            place = Place(path, number)
            self.records.add_foreign(head.seq, place, head.origin)
        self.course.add(head, hash_, raw, path, number)
        if self._claims.next_seq <= head.seq:
            self._claims.check(head.seq, hash_, Place(path, number))

    def _special(self, head: Head, raw: bytes, place: Place) -> None:
        if head.kind == _CHECKPOINT:
            good = self._signing.good
            self._signing.take(head, raw, place)
            if self._on_signed is not None and self._signing.good > good:
                self._on_signed()
            return
        fields = (entry.parse(raw) or {}).get("fields")
        if not isinstance(fields, dict):
            return
        if head.kind != _HEADS:
            self.noting.take(head, fields)
        if head.kind == _OPENED and "domain" not in fields:
            self._signing.opened(head.seq)
        if self._on_sealed is not None and head.origin == self._origin:
            self._on_sealed(fields, place)
        if "domain" not in fields and fields.get("damaged") is True:
            self.records.excuse(self.course.seq)

    def _apart(self, item: Item) -> None:
        """Take an entry that does not follow the last one."""
        head = item.head
        if head.kind == _CHECKPOINT and head.origin in self._origins:
            item.signed = self._signing.holds(head, item.raw)
        if not self._window and self._branch(item):
            return
        linked = self._window and head.prev == self._window[-1].hash
        self._smooth = self._smooth + 1 if linked else 0
        self._window.append(item)
        size = len(self._window)
        if size >= 2 * WINDOW or (size >= WINDOW and self._smooth >= _SMOOTH):
            self._settle()

    def _settle(self) -> None:
        """Make sense of the window."""
        if not self._window:
            return
        window, self._window, self._smooth = self._window, [], 0
        items = [item for item in window if not self._branch(item)]
        if not self.course.entries and items:  # the beginning is not here
            common = collections.Counter(one.head.origin for one in items)
            self._origins |= {common.most_common(1)[0][0]}
        known = self.course.known(self._signing.at_seq, self._origins)
        found = arrange(items, known)
        if found.since != known.seq:
            self._go_back(found.since)
        for item in found.path:
            self._step(item)
        for run in found.aliens:
            self._stray(run)
        for run in found.copies:
            self._stray(run, copy=True)
        for run in found.displaced:
            self.records.add_displaced(run)

    def _step(self, item: Item) -> None:
        """Take the next entry of the chain, linked or not."""
        head, place = item.head, item.place
        # what could not be read is told already
        told = self._unread and head.seq > self.course.seq + 1
        if not (told or self.course.follows(head)):
            self.records.add_break(self.course.break_before(item))
        self._unread = False
        self.course.ordinal = item.ordinal
        self._accept(head, item.hash, item.raw, place.path, place.number)

    def _stray(self, run: Run, copy: bool = False) -> None:
        """Record entries that are not of the chain."""
        first, last = run[0], run[-1]
        stray = Stray(
            first.head.seq,
            last.head.seq,
            first.head.prev,
            last.hash,
            first.ordinal,
            first.place,
            first.head.origin,
            copy,
            self.course.is_parent(first.head),
            any(item.signed for item in run),
        )
        self.records.add_stray(stray)
        if not copy:
            self._branches.add(stray)

    def _branch(self, item: Item) -> bool:
        """Take an entry if it goes on a branch; it may be the chain itself."""
        stray = self._branches.of(item)
        if stray is None:
            return False
        ours = stray.origin in self._origins
        if ours and stray.first > self.course.seq:
            return False  # no branch, but what was displaced
        if ours and item.signed and stray.first > self._signing.at_seq:
            self._branches.leave(stray)
            self.records.drop_stray(stray)
            self._go_back(stray.first - 1, stray.parent)
            self.course.go_on(stray)
            self._step(item)
        else:
            self._branches.extend(stray, item)
        return True

    def _go_back(self, seq: int, hash_: str | None = None) -> None:
        """Know that what follows an entry is not the chain, but a branch."""
        left = self.course.go_back(seq, hash_)
        self.records.forget_after(seq)
        self._claims.take_back(seq)
        self._signing.take_back(seq)
        self.records.add_stray(left)
        self._branches.add(left)
