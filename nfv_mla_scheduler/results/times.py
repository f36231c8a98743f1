# SPDX-License-Identifier: Apache-2.0
"""One authority's times as columns, as they travel.

Pure.  Times change with every document.  Tens of thousands of small objects,
made anew every few seconds, would keep the garbage collector of the process
busy in which this is read; a few lists do not.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.values import Freshness


class Times(Mapping[str, Freshness]):
    """When an authority last appraised its attesters; not to be changed.

    :ivar rows: attester id -> its row in each column
    """

    __slots__ = ("at", "boot", "rows", "until")

    def __init__(
        self,
        rows: Mapping[str, int],
        at: Sequence[Instant],
        boot: Sequence[str | None],
        until: Sequence[Instant],
    ) -> None:
        self.rows = rows
        self.at = at
        self.boot = boot
        self.until = until

    def __getitem__(self, attester: str) -> Freshness:
        return self._of(self.rows[attester])

    def find(self, attester: str) -> Freshness | None:
        """Return what ``get`` does, for less."""
        row = self.rows.get(attester)
        return None if row is None else self._of(row)

    def _of(self, row: int) -> Freshness:
        return Freshness(self.at[row], self.boot[row], self.until[row])

    def __contains__(self, attester: object) -> bool:
        return attester in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def times_of(freshness: Mapping[str, Freshness]) -> Times:
    """Return times in columns, whatever form they have."""
    if isinstance(freshness, Times):
        return freshness
    column = freshness.values()
    return Times(
        {attester: row for row, attester in enumerate(freshness)},
        [fresh.at for fresh in column],
        [fresh.boot for fresh in column],
        [fresh.until for fresh in column],
    )


def receded(old: Times, new: Times) -> Iterator[str]:
    """Yield the attesters whose times went back, or whose boot changed.

    Later times only lengthen what was decided; these may shorten it.
    """
    if old is new:
        return
    if old.rows is new.rows and not _any_receded(old, new):
        return
    for attester, was in old.rows.items():
        row = new.rows.get(attester)
        if (
            row is None
            or new.at[row] < old.at[was]
            or new.until[row] < old.until[was]
            or new.boot[row] != old.boot[was]
        ):
            yield attester


def _any_receded(old: Times, new: Times) -> bool:
    """Whether any did, of the same attesters in the same rows."""
    return (
        any(map(operator.lt, new.at, old.at))
        or any(map(operator.lt, new.until, old.until))
        or old.boot != new.boot
    )
