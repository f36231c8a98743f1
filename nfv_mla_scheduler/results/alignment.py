# SPDX-License-Identifier: Apache-2.0
"""Which pieces of a text became which of another: what a delta is made from.

Pure.  A piece is what stands between two commas.  Made for the two parts of a
results document, in which most pieces stay where they are; of any other text
the outcome is right as well, if not short.
"""

from __future__ import annotations

import collections
import re
from bisect import bisect_left
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

# Beyond, what has come or gone is not worth the time to find it: about two
# seconds at that number.
ALIGNED_MAX = 400_000

_BEHIND = re.compile(r"(?<=[\]}]),")


class Change(NamedTuple):
    """Pieces ``start`` to ``stop`` of the old text are to become ``put``.

    :ivar put: pieces, with their commas; None: none at all
    """

    start: int
    stop: int
    put: str | None


def changes(old: str, new: str) -> list[Change]:
    """Return what leads from one text to another, in order."""
    before, after = old.split(","), new.split(",")
    if len(before) == len(after):
        return _in_place(before, after, 0)
    if max(len(before), len(after)) > ALIGNED_MAX:
        return [Change(0, len(before), new)]
    return _in_blocks(_blocks(old), _blocks(new))


def _in_place(
    before: Sequence[str], after: Sequence[str], offset: int
) -> list[Change]:
    """Return the runs of pieces that differ; there are as many as before."""
    found: list[Change] = []
    start = -1
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        if one == other:
            if start >= 0:
                found.append(_run(after, start, index, offset))
                start = -1
        elif start < 0:
            start = index
    if start >= 0:
        found.append(_run(after, start, len(after), offset))
    return found


def _run(after: Sequence[str], start: int, stop: int, offset: int) -> Change:
    put = ",".join(after[start:stop])
    return Change(offset + start, offset + stop, put)


def _blocks(text: str) -> list[str]:
    """Cut a text before and behind each array that commas stand around.

    In a head these are the columns, in a body claim sets and results.
    """
    blocks: list[str] = []
    for block in _BEHIND.split(text):
        comma = block.rfind(",", 0, max(block.find("["), 0))
        if comma >= 0:
            blocks.append(block[:comma])
        blocks.append(block[comma + 1 :])
    return blocks


def _in_blocks(old: list[str], new: list[str]) -> list[Change]:
    """Return what leads from old to new where pieces have come or gone."""
    found: list[Change] = []
    offset = 0
    for gone, come in _stretches(old, new):
        if len(gone) == len(come):
            pairs = [([b], [a]) for b, a in zip(gone, come, strict=True)]
        else:
            pairs = [(gone, come)]
        for one, other in pairs:
            pieces = _pieces(one)
            if one != other:
                found += _in_block(pieces, _pieces(other), offset)
            offset += len(pieces)
    return found


def _pieces(blocks: list[str]) -> list[str]:
    """Return the pieces of blocks, of none of them none."""
    return ",".join(blocks).split(",") if blocks else []


def _in_block(
    before: list[str], after: list[str], offset: int
) -> list[Change]:
    """Return what leads from the pieces of a block to its counterpart's."""
    if len(before) == len(after):
        return _in_place(before, after, offset)
    found: list[Change] = []
    for gone, come in _stretches(before, after):
        if len(gone) == len(come):
            found += _in_place(gone, come, offset)
        else:
            put = ",".join(come) if come else None
            found.append(Change(offset, offset + len(gone), put))
        offset += len(gone)
    return found


def _stretches(
    old: list[str], new: list[str]
) -> Iterator[tuple[list[str], list[str]]]:
    """Yield both in stretches that belong together, in order."""
    i = j = 0
    for here, there in (*_counterparts(old, new), (len(old), len(new))):
        yield old[i:here], new[j:there]
        yield old[here : here + 1], new[there : there + 1]
        i, j = here + 1, there + 1


def _counterparts(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return what belongs together, by its index in both, in order.

    Blocks that begin with the same piece, such as an attester's id, and
    pieces that are the same; the n-th of them with the n-th.  Of these as
    many as keep their order: the longest increasing subsequence.
    """
    starts = {start: index for index, start in enumerate(_starts(new))}
    ends: list[int] = []
    tails: list[int] = []
    chains: list[tuple[int, int, int]] = []
    for here, start in enumerate(_starts(old)):
        there = starts.get(start)
        if there is None:
            continue
        at = bisect_left(ends, there)
        chains.append((here, there, tails[at - 1] if at else -1))
        ends[at : at + 1] = [there]
        tails[at : at + 1] = [len(chains) - 1]
    found = []
    link = tails[-1] if tails else -1
    while link >= 0:
        here, there, link = chains[link]
        found.append((here, there))
    return found[::-1]


def _starts(blocks: list[str]) -> Iterator[tuple[str, int]]:
    """Yield the first piece of each block, and how often it was before."""
    seen: collections.Counter[str] = collections.Counter()
    for block in blocks:
        start = block.partition(",")[0]
        yield start, seen[start]
        seen[start] += 1
