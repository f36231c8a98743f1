# SPDX-License-Identifier: Apache-2.0
"""Entries beside the chain that go on while it is read.

Pure.
"""

from __future__ import annotations

from nfv_mla_scheduler.audit.reading.items import Item
from nfv_mla_scheduler.audit.reading.records import Stray

#: How many are followed at once; the one that is longest silent is left.
BRANCHES_MAX = 64


class Branches:
    """The branches that are followed, by the hash of their last entry."""

    def __init__(self) -> None:
        self._tips: dict[str, Stray] = {}

    def add(self, stray: Stray) -> None:
        """Follow these entries from now on."""
        self._tips[stray.tail] = stray
        if len(self._tips) > BRANCHES_MAX:
            self._tips.pop(next(iter(self._tips)))

    def of(self, item: Item) -> Stray | None:
        """Return the branch that an entry goes on."""
        stray = self._tips.get(item.head.prev)
        if stray is None or stray.last + 1 != item.head.seq:
            return None
        return stray

    def extend(self, stray: Stray, item: Item) -> None:
        """Add an entry to its branch."""
        self.leave(stray)
        stray.last, stray.tail = item.head.seq, item.hash
        stray.signed |= item.signed
        self.add(stray)

    def leave(self, stray: Stray) -> None:
        """Follow these no more."""
        self._tips.pop(stray.tail, None)
