# SPDX-License-Identifier: Apache-2.0
"""How the lines around a break in a chain belong together.

Pure.  Two entries are linked when the second holds the hash of the first and
has the seq after it.  Of a window of lines, the longest way through links,
with as few breaks as need be, is taken for the chain; a checkpoint that holds
outweighs any number of lines.
"""

from __future__ import annotations

import bisect
import collections
import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.audit.reading.items import Item
from nfv_mla_scheduler.audit.reading.items import Run
from nfv_mla_scheduler.audit.reading.items import displaced
from nfv_mla_scheduler.audit.reading.items import neighbours

# That an entry is linked to what is known already counts for some lines.
_LINKED_WEIGHT = 64


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What is known of a chain before a window.

    :ivar seq: of its last entry
    :ivar hash: of its last entry
    :ivar recent: hash -> seq of its last entries
    :ivar signed: seq that a checkpoint covers: what is up to it stays
    :ivar origins: whose entries may belong to it
    """

    seq: int
    hash: str
    recent: Mapping[str, int]
    signed: int
    origins: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Arrangement:
    """How the lines of a window belong together.

    :ivar path: what is of the chain, in the order of the chain
    :ivar since: seq of the entry that it begins after: lower than that of the
        last one known when what followed there is of another branch
    :ivar aliens: what is not of the chain, each linked in itself
    :ivar copies: what is there twice; the second one of each
    :ivar displaced: what is of the chain, and not in its place
    """

    path: Run
    since: int
    aliens: list[Run]
    copies: list[Run]
    displaced: list[Run]


@dataclasses.dataclass(frozen=True, slots=True)
class _Way:
    run: Run
    before: _Way | None


def arrange(items: Sequence[Item], known: Known) -> Arrangement:
    """Return how the entries among the lines of a window belong together."""
    singles, copies = _once(items, known)
    runs = _runs(singles)
    path = _best(
        [
            run
            for run in runs
            if _follows(run[0], known.seq, known.hash)
            or _is_loose(run[0], known, singles)
        ],
        known,
    )
    score, since = _weight(path, known), known.seq
    for run in runs:
        seq = known.recent.get(run[0].head.prev)
        if seq is None or not known.signed <= seq < known.seq:
            continue
        if run[0].head.seq == seq + 1:
            other = sum(one.weight for one in run) - (known.seq - seq)
            if other > score:
                path, score, since = run, other, seq
    if since != known.seq:
        path = path + _best(
            [run for run in runs if _is_loose(run[0], known, singles)],
            dataclasses.replace(
                known, seq=path[-1].head.seq, hash=path[-1].hash
            ),
        )
    taken = set(map(id, path))
    return Arrangement(
        path,
        since,
        [run for run in runs if id(run[0]) not in taken],
        neighbours(copies),
        displaced(path),
    )


def _once(
    items: Sequence[Item], known: Known
) -> tuple[dict[str, Item], list[Item]]:
    """Tell entries from their copies; of two, that one which stands right."""
    often = collections.Counter(item.hash for item in items)
    singles: dict[str, Item] = {}
    right: set[str] = set()
    copies = []
    before, is_right = known.hash, True
    for item in items:
        is_right = often[item.hash] == 1 or (
            is_right and item.head.prev == before
        )
        before = item.hash
        if item.hash in known.recent:
            copies.append(item)
        elif item.hash not in singles:
            singles[item.hash] = item
        elif is_right and item.hash not in right:
            copies.append(singles[item.hash])
            singles[item.hash] = item
        else:
            copies.append(item)
        if is_right:
            right.add(item.hash)
    copies.sort(key=lambda one: one.ordinal)
    return singles, copies


def _runs(singles: Mapping[str, Item]) -> list[Run]:
    """Return the longest ways through links; where two part, one goes on."""
    after: dict[str, Run] = {}
    begin = []
    for item in singles.values():
        before = singles.get(item.head.prev)
        if before is not None and _follows(item, before.head.seq, before.hash):
            after.setdefault(before.hash, []).append(item)
        else:
            begin.append(item)
    weights: dict[str, int] = {}
    for item in sorted(singles.values(), key=lambda one: -one.head.seq):
        weights[item.hash] = item.weight + max(
            (weights[one.hash] for one in after.get(item.hash, ())), default=0
        )
    runs = []
    while begin:
        run = [begin.pop()]
        while nexts := after.get(run[-1].hash):
            best = max(nexts, key=lambda one: weights[one.hash])
            begin += [one for one in nexts if one is not best]
            run.append(best)
        runs.append(run)
    return sorted(runs, key=lambda run: run[0].ordinal)


def _best(runs: Sequence[Run], known: Known) -> Run:
    """Return the weightiest of these runs that follow each other.

    In the file and by their seq, after what is known.
    """
    # the ways that are worth going on: the farther, the weightier
    ends, weights = [known.seq], [0]
    ways: list[_Way | None] = [None]
    for run in runs:
        place = bisect.bisect_left(ends, run[0].head.seq) - 1
        if place < 0:
            continue
        weight = weights[place] + _weight(run, known)
        way = _Way(run, ways[place])
        end = run[-1].head.seq
        place = bisect.bisect_right(ends, end)
        if weights[place - 1] >= weight:
            continue
        if ends[place - 1] == end:
            place -= 1
        last = place
        while last < len(ends) and weights[last] <= weight:
            last += 1
        ends[place:last] = [end]
        weights[place:last] = [weight]
        ways[place:last] = [way]
    chosen, found = [], ways[-1]
    while found is not None:
        chosen.append(found.run)
        found = found.before
    return [item for run in reversed(chosen) for item in run]


def _weight(run: Run, known: Known) -> int:
    linked = run and _follows(run[0], known.seq, known.hash)
    return sum(one.weight for one in run) + bool(linked) * _LINKED_WEIGHT


def _follows(item: Item, seq: int, hash_: str) -> bool:
    return item.head.prev == hash_ and item.head.seq == seq + 1


def _is_loose(item: Item, known: Known, singles: Mapping[str, Item]) -> bool:
    """Whether it may belong to the chain, although it is linked to nothing."""
    head = item.head
    if head.origin not in known.origins or head.seq <= known.seq:
        return False
    before = singles.get(head.prev)
    return before is None or not _follows(item, before.head.seq, before.hash)
