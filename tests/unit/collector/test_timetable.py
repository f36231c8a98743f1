# SPDX-License-Identifier: Apache-2.0
"""When an authority is asked, and about whom."""

from __future__ import annotations

import dataclasses
import itertools
import math
import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.collector.timetable import REFRESH_MIN_S
from nfv_mla_scheduler.collector.timetable import REST_S
from nfv_mla_scheduler.collector.timetable import Timetable
from tests.unit.collector.answers import task
from tests.unit.generators import examples

CADENCE_S = 30.0


class TimetableTestCase(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 1000.0
        self.chance = 0.0
        self.table = Timetable(lambda: self.chance, 1.0)
        self.task = task("h1", "h2", "h3", cadence_s=CADENCE_S)

    def next(self):
        """Wait as long as it takes, and return what is asked then."""
        inquiry, wait_s = self.table.next(self.now)
        if inquiry is None:
            self.assertLess(wait_s, math.inf)
            self.now += wait_s + 1e-6
            inquiry, _ = self.table.next(self.now)
        self.assertIsNotNone(inquiry)
        return inquiry

    def round(self, well=True, took_s=0.5):
        """Ask once; return when it was asked, and about whom."""
        inquiry = self.next()
        began = self.now
        self.now += took_s
        self.table.ended(inquiry, well, self.now)
        return began, inquiry


class TimetableTest(TimetableTestCase):
    def test_nothing_is_asked_without_a_task(self):
        self.assertEqual((None, math.inf), self.table.next(self.now))
        self.assertFalse(self.table.refresh(("h1",), self.now))
        self.assertFalse(self.table.refresh((), self.now))
        self.assertEqual((None, math.inf), self.table.next(self.now))

    def test_the_first_questions_are_spread(self):
        for chance, after_s in ((0.0, 0.0), (0.5, 0.5), (0.999, 0.999)):
            self.chance = chance
            table = Timetable(lambda: self.chance, 1.0)
            table.assign(self.task, self.now)
            inquiry, wait_s = table.next(self.now)
            self.assertAlmostEqual(after_s, wait_s)
            self.assertEqual(inquiry is None, after_s > 0)

    def test_they_are_spread_over_no_more_than_a_tenth_of_the_cadence(self):
        self.chance = 1.0
        self.table.assign(task("h1", cadence_s=2.0), self.now)
        self.assertAlmostEqual(0.2, self.table.next(self.now)[1])

    def test_the_cadence_counts_from_question_to_question(self):
        self.table.assign(self.task, self.now)
        first, asked = self.round(took_s=5.0)
        self.assertEqual(self.task.inquiry, asked)
        for chance, share in ((0.0, 0.9), (1.0, 1.0)):
            self.chance = chance
            first, _ = self.round(took_s=5.0)
            second, _ = self.round(took_s=5.0)
            self.assertAlmostEqual(share * CADENCE_S, second - first, 3)

    def test_a_question_that_outlasts_the_cadence_leaves_some_rest(self):
        self.table.assign(self.task, self.now)
        self.round(took_s=100.0)
        ended = self.now
        began, _ = self.round()
        self.assertAlmostEqual(REST_S, began - ended, 3)

    def test_nothing_is_asked_while_something_is(self):
        self.table.assign(self.task, self.now)
        self.next()
        self.now += 10 * CADENCE_S
        self.assertEqual((None, math.inf), self.table.next(self.now))

    def test_failures_back_off_but_never_beyond_the_cadence(self):
        self.chance = 1.0
        self.table.assign(self.task, self.now)
        self.round(well=False)
        waits = []
        for _ in range(2000):
            ended = self.now
            began, _ = self.round(well=False)
            waits.append(began - ended)
        self.assertEqual(
            [1, 2, 4, 8, 16, 30, 30], [round(w, 3) for w in waits[:7]]
        )
        self.assertLessEqual(max(waits), CADENCE_S + 0.001)

    def test_an_answer_ends_the_backing_off(self):
        self.chance = 1.0
        self.table.assign(self.task, self.now)
        for _ in range(6):
            self.round(well=False)
        self.round()
        self.round(well=False)
        ended = self.now
        began, _ = self.round()
        self.assertAlmostEqual(1.0, began - ended, 3)

    def test_a_short_cadence_is_never_waited_beyond(self):
        self.chance = 1.0
        self.table.assign(task("h1", cadence_s=1.0), self.now)
        for _ in range(5):
            self.round(well=False)
        ended = self.now
        began, _ = self.round()
        self.assertAlmostEqual(1.0, began - ended, 3)

    def test_another_question_is_asked_at_once(self):
        self.table.assign(self.task, self.now)
        self.round()
        self.now += 1
        self.table.assign(task("h1", "h9", cadence_s=CADENCE_S), self.now)
        began, asked = self.round()
        self.assertEqual(self.now - 0.5, began)
        self.assertEqual(("h1", "h9"), asked.attesters)

    def test_a_question_that_changed_while_it_was_asked_is_asked_again(self):
        self.table.assign(self.task, self.now)
        old = self.next()
        self.table.assign(task("h1", cadence_s=CADENCE_S), self.now)
        self.table.ended(old, True, self.now)
        _, asked = self.round()
        self.assertEqual(("h1",), asked.attesters)

    def test_a_shorter_cadence_holds_from_now_on(self):
        self.chance = 1.0
        self.table.assign(self.task, self.now)
        self.round()
        start = self.now
        self.table.assign(dataclasses.replace(self.task, cadence_s=5.0), start)
        began, _ = self.round()
        self.assertAlmostEqual(5.0, began - start, 3)

    def test_a_longer_cadence_asks_no_sooner_than_before(self):
        self.chance = 1.0
        self.table.assign(self.task, self.now)
        first, _ = self.round()
        longer = dataclasses.replace(self.task, cadence_s=300.0)
        self.table.assign(longer, self.now)
        second, _ = self.round()
        self.assertAlmostEqual(CADENCE_S, second - first, 3)

    def test_what_is_taken_away_is_not_asked(self):
        self.table.assign(self.task, self.now)
        self.round()
        self.table.refresh(("h1",), self.now)
        self.table.assign(None, self.now)
        self.assertEqual((None, math.inf), self.table.next(self.now))
        self.table.assign(self.task, self.now)
        _, asked = self.round()
        self.assertFalse(asked.targeted)


class RefreshTest(TimetableTestCase):
    def setUp(self):
        super().setUp()
        self.table.assign(self.task, self.now)
        self.round()
        self.now += 5

    def refresh(self, *attesters):
        return self.table.refresh(attesters, self.now)

    def test_some_are_asked_about_soon(self):
        self.assertTrue(self.refresh("h2"))
        began, asked = self.round()
        self.assertEqual(self.now - 0.5, began)
        self.assertEqual((("h2",), True), (asked.attesters, asked.targeted))
        self.assertEqual(self.task.inquiry.pinned, asked.pinned)

    def test_it_does_not_put_off_the_question_about_all(self):
        before = self.table.next(self.now)[1] + self.now
        self.refresh("h2")
        self.round()
        self.assertAlmostEqual(before, self.table.next(self.now)[1] + self.now)

    def test_several_become_one_question_and_too_many_wait(self):
        self.refresh("h2")
        first, _ = self.round()
        for attester in ("h1", "h3", "h1"):
            self.now += 0.1
            self.refresh(attester)
        second, asked = self.round()
        self.assertEqual(("h1", "h3"), asked.attesters)
        self.assertAlmostEqual(REFRESH_MIN_S, second - first, 3)

    def test_strangers_are_not_asked_about(self):
        self.assertFalse(self.refresh("stranger"))
        self.assertTrue(self.refresh("stranger", "h1"))
        _, asked = self.round()
        self.assertEqual(("h1",), asked.attesters)

    def test_a_question_about_all_that_is_due_answers_it(self):
        self.now += CADENCE_S
        self.refresh("h1")
        _, asked = self.round()
        self.assertFalse(asked.targeted)
        _, asked = self.round()
        self.assertFalse(asked.targeted)

    def test_all_may_be_asked_about_soon(self):
        self.assertTrue(self.refresh())
        first, asked = self.round(took_s=0.01)
        self.assertFalse(asked.targeted)
        self.refresh()
        second, asked = self.round()
        self.assertFalse(asked.targeted)
        self.assertAlmostEqual(REFRESH_MIN_S, second - first, 3)

    def test_all_may_be_asked_for_while_all_are_asked_about(self):
        self.refresh()
        asked = self.next()
        first = self.now
        self.refresh()
        self.table.ended(asked, True, self.now)
        second, _ = self.round()
        self.assertAlmostEqual(REFRESH_MIN_S, second - first, 3)

    def test_a_failure_about_some_brings_the_question_about_all_forward(self):
        self.refresh("h1")
        self.round(well=False)
        _, asked = self.round()
        self.assertFalse(asked.targeted)

    def test_who_is_no_longer_bound_is_not_asked_about(self):
        self.refresh("h1")
        self.round()
        self.refresh("h1", "h2")
        self.table.assign(task("h2", cadence_s=CADENCE_S), self.now)
        self.table.ended(self.next(), True, self.now)
        self.assertIsNone(self.table.next(self.now + 3)[0])


class PropertiesTest(unittest.TestCase):
    @examples(200)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(("wait", "refresh", "all", "change")),
                st.floats(0, 20),
                st.booleans(),
            ),
            max_size=60,
        ),
        st.floats(0, 0.999),
        st.floats(1, 60),
    )
    def test_it_is_asked_neither_too_often_nor_too_rarely(
        self, steps, chance, cadence_s
    ):
        table = Timetable(lambda: chance, 1.0)
        now = 0.0
        wanted = task("h1", "h2", cadence_s=cadence_s)
        table.assign(wanted, now)
        asked_at = []
        whole_at = 0.0
        changes = 0
        for what, seconds, well in steps:
            if what == "refresh":
                table.refresh(("h1",), now)
            elif what == "all":
                table.refresh((), now)
            elif what == "change":
                changes += 1
                wanted = task("h1", f"h{changes}", cadence_s=cadence_s)
                table.assign(wanted, now)
            end = now + seconds
            while True:
                inquiry, wait_s = table.next(now)
                if inquiry is None:
                    if now + wait_s >= end:
                        break
                    now += max(wait_s, 1e-6)
                    continue
                if not inquiry.targeted:
                    self.assertLessEqual(now - whole_at, cadence_s + 1.1)
                    whole_at = now
                    self.assertEqual(wanted.inquiry, inquiry)
                asked_at.append(now)
                table.ended(inquiry, well, now)
            now = max(now, end)
        for one, two in itertools.pairwise(asked_at):
            self.assertGreaterEqual(two - one, REST_S - 1e-6)
        least_s = min(REFRESH_MIN_S, cadence_s * 0.9, 0.9)
        bound = 3 + 2 * now / least_s + changes
        self.assertLessEqual(len(asked_at), bound)
