# SPDX-License-Identifier: Apache-2.0
"""Since when something is tried, whatever clocks and records say."""

from __future__ import annotations

import unittest
from typing import Any

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.planning.spells import BREAK_S
from nfv_mla_scheduler.monitor.planning.spells import Spells
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

NOW = 1_800_000_000.0
ONE = "uuid-one"


def step(word: Step, host: str = "h1") -> Planned:
    return Planned(ONE, host, word, (Ask.STOP,), word.value, NOW, "failed")


class SpellsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.spells = Spells()
        self.now, self.monotonic = NOW, 50.0

    def look(self, after_s: float = 0.0, found: bool = True) -> None:
        self.now += after_s
        self.monotonic += after_s
        self.spells.follow([ONE] if found else [], self.now, self.monotonic)

    def ages_s(self, host: str = "h1") -> tuple[Any, Any]:
        """Return for how long it was tried, and to halt it."""
        run = self.spells.told(ONE, host, Acted())
        return (
            None if run.tried is None else self.now - run.tried,
            None if run.halting is None else self.now - run.halting,
        )

    def test_nothing_was_tried_before_it_was(self) -> None:
        self.look()
        self.look(900)
        self.assertEqual((None, None), self.ages_s())
        self.assertEqual(900, self.now - self.spells.seen(ONE))
        self.spells.tried([step(Step.LOCK)])
        self.look(10)
        self.assertEqual((10, None), self.ages_s())

    def test_from_the_first_time_on(self) -> None:
        self.look()
        for word in (Step.LOCK, Step.STOP, Step.LOCK, Step.STOP):
            self.spells.tried([step(word)])
            self.look(10)
        self.assertEqual((40, 30), self.ages_s())

    def test_a_wall_clock_that_is_set_makes_no_difference(self) -> None:
        self.look()
        self.spells.tried([step(Step.STOP)])
        for jump_s in (86400.0, -5 * 86400.0):
            self.now += jump_s
            self.look(10)
        self.assertEqual((20, 20), self.ages_s())
        self.assertEqual(20, self.now - self.spells.seen(ONE))

    def test_a_break_ends_it_and_a_shorter_one_does_not(self) -> None:
        for over, expected in ((False, (BREAK_S, None)), (True, (None, None))):
            self.setUp()
            self.look()
            self.spells.tried([step(Step.LOCK)])
            self.look(0, found=False)
            self.look(BREAK_S - 1 + over, found=False)
            self.look(1 - over)
            with self.subTest(over=over):
                self.assertEqual(expected, self.ages_s())

    def test_who_is_released_begins_anew(self) -> None:
        self.look()
        self.spells.tried([step(Step.STOP)])
        self.look(10, found=False)
        self.spells.let_go([ONE, "another"])
        self.look(10)
        self.assertEqual((None, None), self.ages_s())

    def test_what_ends_a_move_of_one_that_complies_tries_nothing(
        self,
    ) -> None:
        self.look()
        self.look(10, found=False)
        self.spells.tried([step(Step.LIVE_MIGRATE), step(Step.STOP)])
        self.look(10)
        self.assertEqual((None, None), self.ages_s())

    def test_each_host_is_asked_for_a_halt_in_its_own_time(self) -> None:
        self.look()
        self.spells.tried([step(Step.STOP)])
        self.look(10)
        self.spells.tried([step(Step.STOP, "h2")])
        self.look(10)
        self.assertEqual((20, 20), self.ages_s())
        self.assertEqual((20, 10), self.ages_s("h2"))
        self.assertEqual((20, None), self.ages_s("h3"))

    def test_a_halt_that_is_asked_much_later_begins_anew(self) -> None:
        self.look()
        self.spells.tried([step(Step.STOP)])
        self.look(599)
        self.assertEqual((599, 599), self.ages_s())
        self.look(1)
        self.assertEqual((600, None), self.ages_s())
        self.spells.tried([step(Step.STOP)])
        self.look(5)
        self.assertEqual((605, 5), self.ages_s())

    def test_what_came_up_while_we_looked(self) -> None:
        self.spells.follow(["old"], self.now, self.monotonic)
        self.look(10)
        for uuid, new in (("old", False), (ONE, True)):
            spell = self.spells.get(uuid)
            assert spell is not None or uuid == "old"
            if spell is not None:
                self.assertIs(new, spell.new)
        self.assertTrue(self.spells.has_just_come_up(ONE))
        self.look(1)
        self.assertFalse(self.spells.has_just_come_up(ONE))
        first = Spells()
        first.follow([ONE], self.now, self.monotonic)
        self.assertFalse(first.has_just_come_up(ONE))
        told = first.get(ONE)
        assert told is not None
        self.assertEqual(NEVER, told.after)
