# SPDX-License-Identifier: Apache-2.0
"""How lines around a break are put together, against trying everything."""

from __future__ import annotations

import itertools
import random
import unittest

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.reading.anomalies import Place
from nfv_mla_scheduler.audit.reading.items import Item
from nfv_mla_scheduler.audit.reading.window import Arrangement
from nfv_mla_scheduler.audit.reading.window import Known
from nfv_mla_scheduler.audit.reading.window import arrange
from tests.unit.audit.reading import built

ORIGIN = "a"


def items(lines: list[bytes]) -> list[Item]:
    made = []
    for number, line in enumerate(lines, start=1):
        head = entry.head(line)
        assert head is not None
        place = Place("file", number)
        made.append(Item(number, place, head, entry.digest(line), line))
    return made


def chain(size: int, seed: int = 0) -> list[bytes]:
    made = built.Writer(ORIGIN)
    for number in range(size):
        made.add("heartbeat", {"n": number, "seed": seed})
    return made.lines


def arranged(lines: list[bytes], known: Known | None = None) -> Arrangement:
    start = Known(0, entry.NOTHING, {}, 0, frozenset({ORIGIN}))
    return arrange(items(lines), known or start)


def seqs(run: list[Item]) -> list[int]:
    return [item.head.seq for item in run]


class TestArrange(unittest.TestCase):
    def test_any_order_is_put_right_by_moving_the_fewest(self) -> None:
        lines = chain(6)
        for order in itertools.permutations(range(6)):
            found = arranged([lines[place] for place in order])
            self.assertEqual([1, 2, 3, 4, 5, 6], seqs(found.path))
            self.assertEqual([], found.aliens + found.copies)
            moved = sum(len(run) for run in found.displaced)
            self.assertEqual(6 - longest(order), moved, order)

    def test_the_most_is_kept_of_what_is_left(self) -> None:
        lines = chain(40)
        for seed in range(200):
            pick = random.Random(seed)
            left = [line for line in lines if pick.random() < 0.7]
            self.assertEqual(
                [lines.index(line) + 1 for line in left],
                seqs(arranged(left).path),
            )

    def test_strangers_are_left_out(self) -> None:
        lines, others = chain(40), chain(40, seed=1)
        for seed in range(200):
            pick = random.Random(seed)
            mixed = list(lines)
            strangers = [lines[0], *pick.sample(others[1:], 5)][1:]
            for line in strangers:
                mixed.insert(pick.randrange(len(mixed)), line)
            found = arranged(mixed)
            self.assertEqual(list(range(1, 41)), seqs(found.path))
            left = [item.raw for run in found.aliens for item in run]
            self.assertEqual(sorted(strangers), sorted(left))

    def test_of_two_the_copy_is_what_stands_wrong(self) -> None:
        lines = chain(30)
        for seed in range(100):
            pick = random.Random(seed)
            first = pick.randrange(29)
            run = lines[first : first + pick.randrange(1, 6)]
            at = pick.randrange(30)
            found = arranged(lines[:at] + run + lines[at:])
            with self.subTest(first=first, at=at, size=len(run)):
                self.assertEqual(list(range(1, 31)), seqs(found.path))
                self.assertEqual([], found.displaced)
                copies = sum(len(run) for run in found.copies)
                self.assertEqual(len(run), copies)

    def test_the_longer_branch_is_the_chain(self) -> None:
        lines = chain(20)
        short = built.Writer(ORIGIN)
        short.seq, short.hash = 5, entry.digest(lines[4])
        for _ in range(3):
            short.add("heartbeat", {"forged": True})
        for at in range(5, 21):
            found = arranged(lines[:at] + short.lines + lines[at:])
            self.assertEqual(list(range(1, 21)), seqs(found.path))
            self.assertEqual([[6, 7, 8]], [seqs(run) for run in found.aliens])

    def test_a_signed_branch_is_the_chain_though_it_is_shorter(self) -> None:
        lines = chain(20)
        short = built.Writer(ORIGIN)
        short.seq, short.hash = 5, entry.digest(lines[4])
        for _ in range(3):
            short.add("heartbeat", {"other": True})
        made = items(lines + short.lines)
        made[-1].signed = True
        start = Known(0, entry.NOTHING, {}, 0, frozenset({ORIGIN}))
        found = arrange(made, start)
        self.assertEqual(list(range(1, 9)), seqs(found.path))
        self.assertEqual([list(range(6, 21))], [seqs(r) for r in found.aliens])

    def test_what_was_taken_for_the_chain_may_be_the_branch(self) -> None:
        lines = chain(20)
        forged = built.Writer(ORIGIN)
        forged.seq, forged.hash = 5, entry.digest(lines[4])
        forged.add("heartbeat", {"forged": True})
        recent = {
            entry.digest(line): seq
            for seq, line in enumerate([*lines[:5], *forged.lines], start=1)
        }
        origins = frozenset({ORIGIN})
        known = Known(6, forged.hash, recent, 0, origins)
        found = arranged(lines[5:], known)
        self.assertEqual(
            (5, list(range(6, 21))), (found.since, seqs(found.path))
        )
        # but not what a checkpoint covers
        known = Known(6, forged.hash, recent, 6, origins)
        found = arranged(lines[5:], known)
        self.assertEqual((6, []), (found.since, seqs(found.path)))


def longest(order: tuple[int, ...]) -> int:
    """Return how many of these are in order at most, by trying all."""
    return max(
        size
        for size in range(1, len(order) + 1)
        for some in itertools.combinations(order, size)
        if list(some) == sorted(some)
    )


if __name__ == "__main__":
    unittest.main()
