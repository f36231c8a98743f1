# SPDX-License-Identifier: Apache-2.0
"""The entries of a chain so far: how many, and the last ones by their hash.

Pure.
"""

from __future__ import annotations

import collections
import re

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.entry import Head
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.items import Item
from nfv_mla_scheduler.audit.reading.records import Break
from nfv_mla_scheduler.audit.reading.records import Stray
from nfv_mla_scheduler.audit.reading.window import Known

#: How many of the last entries are known by their hash.
RECENT = 4096

# Two entries on one line: no string and no member of one looks so.
_JOINED = re.compile(rb'\}\}.?\{"seq":[0-9]+,"prev":"', re.DOTALL)


class Course:
    """The entries that are of the chain, up to the last one.

    :ivar seq: of the last one
    :ivar hash: of the last one
    :ivar entries: how many there are
    :ivar ordinal: of the line of the last one
    """

    def __init__(self, origin: str) -> None:
        self.seq = self.entries = self.ordinal = 0
        self.hash = entry.NOTHING
        self.first_at = self.last_at = ""
        self._origin = origin
        self._raw = b""
        self._path, self._number = "", 0
        # hash -> seq, file, line and ordinal
        self._recent: dict[str, tuple[int, str, int, int]] = {}
        self._order: collections.deque[str] = collections.deque()

    def add(
        self, head: Head, hash_: str, raw: bytes, path: str, number: int
    ) -> None:
        """Add the next entry."""
        if not self.entries:
            self.first_at = head.at
        self.entries += 1
        self.seq, self.hash, self.last_at = head.seq, hash_, head.at
        self._origin, self._raw = head.origin, raw
        self._path, self._number = path, number
        self._recent[hash_] = head.seq, path, number, self.ordinal
        self._order.append(hash_)
        if len(self._order) > RECENT:
            self._recent.pop(self._order.popleft(), None)

    def follows(self, head: Head) -> bool:
        """Whether an entry is linked to the last one."""
        return head.prev == self.hash and head.seq == self.seq + 1

    def known(self, signed: int, origins: frozenset[str]) -> Known:
        """Return what is known before a window."""
        recent = {hash_: one[0] for hash_, one in self._recent.items()}
        return Known(self.seq, self.hash, recent, signed, origins)

    def is_parent(self, head: Head) -> bool:
        """Whether an entry is linked to one of the last ones."""
        parent = self._recent.get(head.prev)
        return parent is not None and parent[0] + 1 == head.seq

    def find(self, seq: int, hash_: str) -> tuple[str, Place] | None:
        """Return hash and place of one of the last entries.

        :param hash_: that it may have; others of that seq count as well
        """
        known = self._recent.get(hash_)
        if known is not None and known[0] == seq:
            return hash_, Place(known[1], known[2])
        for one, known in self._recent.items():
            if known[0] == seq:
                return one, Place(known[1], known[2])
        return None

    def break_before(self, item: Item) -> Break:
        """Return that an entry is not linked to the last one."""
        place = Place(self._path, self._number) if self.seq else None
        return Break(
            self.seq,
            place,
            self.seq,
            self.hash,
            item.head.seq,
            item.head.prev,
            item.place,
            (self.ordinal, item.ordinal),
            whole_file=item.place.number == 1
            and item.place.path != self._path,
            strange=item.head.origin != self._origin,
            joined=_JOINED.search(self._raw) is not None,
        )

    def go_back(self, seq: int, hash_: str | None) -> Stray:
        """Forget what follows an entry; return it.

        :param hash_: of that entry; None: it is one of the last ones
        """
        left = {
            one: known for one, known in self._recent.items() if known[0] > seq
        }
        for one in left:
            del self._recent[one]
        self._order = collections.deque(self._recent)
        if hash_ is None:
            found = self.find(seq, "")
            hash_ = found[0] if found else ""
        first = next(iter(left.values()), None)
        stray = Stray(
            seq + 1,
            self.seq,
            hash_,
            self.hash,
            first[3] if first else self.ordinal,
            Place(first[1], first[2]) if first else None,
            self._origin,
            fork=True,
        )
        self.entries = max(0, self.entries - stray.count)
        self.seq, self.hash = seq, hash_
        self.ordinal = stray.ordinal - 1
        return stray

    def go_on(self, stray: Stray) -> None:
        """Take entries that have been passed as a branch."""
        self.seq, self.hash = stray.last, stray.tail
        self.entries += stray.count
