# SPDX-License-Identifier: Apache-2.0
"""What the bench says of samples."""

from __future__ import annotations

import unittest

from bench import figures
from bench.figures import FIGURES
from bench.figures import Verdict

WARM = (figures.BY_NAME["aggregates"], figures.BY_NAME["warm"])
MEMORY = (figures.BY_NAME["memory"],)
MIB = 2**20


def verdict(warm_s: float, factor: float = 1.5) -> Verdict:
    """Return what is said if ``warm`` costs so much, and Nova's filter 1 s."""
    samples = {"aggregates": [1.0], "warm": [warm_s]}
    return figures.judge(WARM, samples, factor)[1].verdict


class VerdictTest(unittest.TestCase):
    def test_a_ratio_is_to_nova_in_the_same_run(self) -> None:
        for warm_s, expected in (
            (0.01, Verdict.MEETS),
            (0.1, Verdict.MEETS),
            (0.12, Verdict.ABOVE),
            (0.149, Verdict.ABOVE),
            (0.151, Verdict.FAILS),
            (9.0, Verdict.FAILS),
        ):
            with self.subTest(warm_s=warm_s):
                self.assertIs(expected, verdict(warm_s))

    def test_the_factor_says_what_fails(self) -> None:
        self.assertIs(Verdict.FAILS, verdict(0.12, factor=1.1))
        self.assertIs(Verdict.ABOVE, verdict(0.9, factor=10))
        self.assertIs(Verdict.FAILS, verdict(0.05, factor=0.1))

    def test_the_median_counts(self) -> None:
        samples = {"aggregates": [1, 1, 99], "warm": [0.02, 7.0, 0.01]}
        baseline, warm = figures.judge(WARM, samples, 1.5)
        self.assertEqual((1e6, 2e4), (baseline.median, warm.median))
        self.assertEqual(0.02, warm.ratio)
        self.assertEqual((2e4, 7e6, 1e4), warm.samples)

    def test_without_a_baseline_the_figure_itself_counts(self) -> None:
        for mib, expected in (
            (79, Verdict.MEETS),
            (81, Verdict.ABOVE),
            (121, Verdict.FAILS),
        ):
            (found,) = figures.judge(MEMORY, {"memory": [mib * MIB]}, 1.5)
            self.assertIs(expected, found.verdict)
            self.assertEqual((mib, mib), (found.median, found.value))

    def test_of_what_nothing_is_expected_nothing_is_said(self) -> None:
        samples = {"aggregates": [1.0], "warm": [1.0]}
        found = figures.judge(WARM, samples, 1.5)[0]
        self.assertEqual((None, Verdict.NONE), (found.ratio, found.verdict))


class FiguresTest(unittest.TestCase):
    def test_all_that_is_asked_for_is_expected(self) -> None:
        expected = {
            figure.name: (figure.beside, figure.expected)
            for figure in FIGURES
            if figure.expected is not None
        }
        self.assertEqual(
            {
                "warm": ("aggregates", 0.10),
                "nothing": ("aggregates", 0.10),
                "steady": ("aggregates", 0.25),
                "cold": ("aggregates", 1.0),
                "assurance": ("cpu-weigher", 0.5),
                "scarcity": ("cpu-weigher", 0.5),
                "refresh": (None, 50.0),
                "memory": (None, 80.0),
                "tokens-new": ("signatures", 1.3),
                "tokens-unchanged": ("signatures", 0.05),
                "cycle": ("listing", 0.1),
                "first-cycle": (None, 5.0),
                "calls": (None, 20.0),
                "calls-acting": (None, 20.0),
                "monitor-memory": (None, 500.0),
                "locked": (None, 2.0),
                "fenced": (None, 3.0),
                "keylime-cpu": (None, 100.0),
                "keylime-calls": (None, 1.0),
                "keylime-memory": (None, 50.0),
                "append": ("append-bare", 2.0),
                "verify": (None, 20.0),
            },
            expected,
        )

    def test_what_a_figure_is_compared_with_is_measured_before_it(
        self,
    ) -> None:
        names = [figure.name for figure in FIGURES]
        self.assertEqual(len(names), len(set(names)))
        for figure in FIGURES:
            if figure.beside is not None:
                other = figures.BY_NAME[figure.beside]
                self.assertIs(figure.unit, other.unit)
                self.assertIsNone(other.beside)

    def test_one_figure_brings_what_it_is_compared_with(self) -> None:
        found = figures.wanted(["scarcity"])
        self.assertEqual(
            ["cpu-weigher", "scarcity"], [figure.name for figure in found]
        )
        self.assertEqual(FIGURES, figures.wanted([]))

    def test_each_figure_is_of_one_part(self) -> None:
        parts = figures.PARTS
        self.assertEqual(
            sorted(figures.BY_NAME),
            sorted(n for p in parts.values() for n in p),
        )
        for figure in FIGURES:
            of = [p for p in parts.values() if figure.name in p]
            self.assertEqual(1, len(of), figure.name)
            if figure.beside is not None:
                self.assertIn(figure.beside, of[0])

    def test_a_part_is_wanted_whole_and_beside_what_is_named(self) -> None:
        found = figures.wanted(["warm"], ["tokens"])
        self.assertEqual(
            {"aggregates", "warm", *figures.PARTS["tokens"]},
            {figure.name for figure in found},
        )


class MissingTest(unittest.TestCase):
    def test_what_cannot_be_measured_is_left_out_unless_it_is_named(
        self,
    ) -> None:
        part = figures.PARTS["keylime"]
        missing = frozenset(("keylime",))
        every = {figure.name for figure in figures.wanted(())}
        self.assertLess(part, every)
        left = {f.name for f in figures.wanted((), (), missing)}
        self.assertEqual(every - part, left)
        named = {f.name for f in figures.wanted((), ("keylime",), missing)}
        self.assertEqual(part, named)
