# SPDX-License-Identifier: Apache-2.0
"""Entries as they were read, and the order in which they stand.  Pure."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Sequence
from typing import TypeAlias

from nfv_mla_scheduler.audit.entry import Head
from nfv_mla_scheduler.audit.reading.anomalies import Place

_SIGNED_WEIGHT = 100_000


@dataclasses.dataclass(slots=True, eq=False)
class Item:
    """An entry as it was read.

    :ivar ordinal: of its line in the chain, counted from 1
    :ivar weight: what counts for it to be of the chain
    """

    ordinal: int
    place: Place
    head: Head
    hash: str
    raw: bytes
    signed: bool = False

    @property
    def weight(self) -> int:
        """How much there is to say that it is of the chain."""
        return _SIGNED_WEIGHT if self.signed else 1


Run: TypeAlias = list[Item]


def displaced(path: Run) -> list[Run]:
    """Return the fewest that stand elsewhere than where the chain has them."""
    ends: list[int] = []
    lengths = []
    for item in path:
        place = bisect.bisect_left(ends, item.ordinal)
        ends[place : place + 1] = [item.ordinal]
        lengths.append(place + 1)
    out: Run = []
    wanted, least = len(ends), None
    for item, length in zip(reversed(path), reversed(lengths), strict=True):
        if length == wanted and (least is None or item.ordinal < least):
            wanted, least = wanted - 1, item.ordinal
        else:
            out.append(item)
    return neighbours(out[::-1])


def neighbours(items: Sequence[Item]) -> list[Run]:
    """Return these in runs of which each seq is the one after the last."""
    runs: list[Run] = []
    for item in items:
        if runs and _is_next(runs[-1][-1], item):
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def _is_next(before: Item, item: Item) -> bool:
    return (
        item.head.seq == before.head.seq + 1
        and item.ordinal == before.ordinal + 1
    )
