# SPDX-License-Identifier: Apache-2.0
"""How an authority stands, and that it is told once for each change."""

from __future__ import annotations

import dataclasses
import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.collector import damper
from nfv_mla_scheduler.collector.damper import Damper
from nfv_mla_scheduler.collector.standing import TOLD_MAX
from nfv_mla_scheduler.collector.standing import Standing
from nfv_mla_scheduler.collector.standing import State
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.feed.news import TEXT_MAX
from nfv_mla_scheduler.feed.news import News
from tests.unit.collector.answers import NAME
from tests.unit.collector.answers import NOW
from tests.unit.collector.answers import SKEW_S
from tests.unit.collector.answers import collected
from tests.unit.collector.answers import failed
from tests.unit.collector.answers import problem
from tests.unit.collector.answers import result
from tests.unit.collector.answers import taken
from tests.unit.collector.answers import task
from tests.unit.collector.answers import well
from tests.unit.generators import examples

CADENCE_S = 30.0


def news(text: str, good: bool = False) -> News:
    return News("authority a", good, "code", text)


class DamperTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.damper = Damper()

    def _flip(self, count, start=NOW, apart_s=1.0):
        """Change so many times, and return what was said."""
        said = []
        for number in range(count):
            now = start + number * apart_s
            said += self.damper.say(number, news(f"n{number}"), now)
        return said

    def test_each_change_is_told_and_what_stays_is_not(self):
        self.assertEqual(1, len(self.damper.say("a", news("a"), NOW)))
        self.assertEqual((), self.damper.say("a", news("again"), NOW + 1))
        self.assertEqual(1, len(self.damper.say("b", news("b"), NOW + 2)))

    def test_flapping_is_told_and_then_no_more(self):
        said = self._flip(1000)
        self.assertEqual(damper.BURST + 1, len(said))
        self.assertEqual(damper.FLAPPING, said[-1].code)
        self.assertFalse(said[-1].good)
        self.assertIn(f"n{damper.BURST}", said[-1].text)

    def test_how_it_ended_is_told_once_it_keeps_still(self):
        self._flip(100)
        last = NOW + 99
        still = last + damper.STEADY_S
        self.assertEqual((), self.damper.passed(still - 1))
        (said,) = self.damper.passed(still)
        self.assertIn("n99", said.text)
        self.assertEqual((), self.damper.passed(still + 3600))

    def test_what_stays_as_it_is_counts_as_keeping_still(self):
        self._flip(100)
        still = NOW + 99 + damper.STEADY_S
        (said,) = self.damper.say(99, news("n99"), still)
        self.assertIn("n99", said.text)

    def test_a_clock_set_back_does_not_make_it_wait_for_its_return(self):
        self._flip(100)
        self.assertEqual((), self.damper.passed(NOW - 86400))
        said = self.damper.passed(NOW - 86400 + damper.STEADY_S)
        self.assertEqual(1, len(said))

    def test_slow_flapping_is_bounded_in_the_long_run(self):
        apart_s = damper.REFILL_S / 2
        said = self._flip(1000, apart_s=apart_s)
        limit = damper.BURST + 1 + 1000 * apart_s / damper.REFILL_S
        self.assertLessEqual(len(said), limit)

    @examples(200)
    @given(
        st.lists(
            st.tuples(st.floats(0, 2000), st.integers(0, 2)), max_size=200
        )
    )
    def test_never_more_lines_than_changes_or_than_time_allows(self, steps):
        damped = Damper()
        now, changes, lines, key = NOW, 0, 0, None
        for after_s, now_is in steps:
            now += after_s
            changes += now_is != key
            key = now_is
            lines += len(damped.say(key, news(str(key)), now))
            lines += len(damped.passed(now))
            self.assertLessEqual(lines, changes)
        # two for each refill: that it flaps, and how that ended
        refills = (now - NOW) / damper.REFILL_S
        self.assertLessEqual(lines, damper.BURST + 2 + 2 * refills)


class StandingTestCase(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = NOW
        self.standing = Standing(NAME, SKEW_S, NOW)
        self.assertEqual((), self.standing.assign(task("h1"), NOW))

    def after(self, seconds):
        self.now += seconds
        return self

    def ended(self, outcome, changes=None):
        if changes is None:
            changes = taken(1 if outcome.collected else 0)
        return self.standing.ended(outcome, changes, self.now)

    def passed(self):
        return self.standing.passed(self.now)

    def codes(self, several):
        return [one.code for one in several]


class StateTest(StandingTestCase):
    def test_it_starts_as_starting(self):
        self.assertIs(State.STARTING, self.standing.state)
        self.assertIsNone(self.standing.last_success_at)
        self.assertEqual((), self.after(CADENCE_S).passed())

    def test_an_answer_makes_it_fresh_and_is_told_once(self):
        (said,) = self.after(1).ended(well())
        self.assertEqual("authority-fresh", said.code)
        self.assertTrue(said.good)
        self.assertEqual(f"authority {NAME}", said.subject)
        self.assertIs(State.FRESH, self.standing.state)
        self.assertEqual(NOW + 1, self.standing.since)
        self.assertEqual((), self.after(30).ended(well()))
        self.assertEqual(NOW + 1, self.standing.since)
        self.assertEqual(NOW + 31, self.standing.last_success_at)

    def test_a_failure_is_told_once_with_code_and_reason(self):
        self.ended(well())
        (said,) = self.after(30).ended(failed())
        self.assertEqual("contact-timed-out", said.code)
        self.assertFalse(said.good)
        self.assertIn("it does not answer", said.text)
        self.assertEqual((), self.after(1).ended(failed(reason="still not")))
        self.assertIs(State.FAILING, self.standing.state)
        self.assertEqual(NOW + 30, self.standing.since)
        self.assertEqual("still not", self.standing.reason)
        self.assertEqual(NOW, self.standing.last_success_at)

    def test_another_failure_is_told_and_is_since_the_first_one(self):
        self.ended(failed())
        (said,) = self.after(5).ended(failed("contact-tls", "a wrong name"))
        self.assertEqual("contact-tls", said.code)
        self.assertEqual(NOW, self.standing.since)

    def test_an_answer_after_failures_tells_how_long_it_took(self):
        self.ended(failed())
        (said,) = self.after(600).ended(well())
        self.assertTrue(said.good)
        self.assertIn("failing for 10 min", said.text)
        self.assertEqual("", self.standing.reason)

    def test_silence_of_two_cadences_is_late(self):
        self.ended(well())
        self.assertEqual((), self.after(2 * CADENCE_S).passed())
        (said,) = self.after(1).passed()
        self.assertEqual("authority-late", said.code)
        self.assertIn("61 s", said.text)
        self.assertIs(State.LATE, self.standing.state)
        self.assertEqual((), self.after(3600).passed())
        (said,) = self.ended(well())
        self.assertIn("after it was late", said.text)

    def test_one_that_never_answers_is_late_too(self):
        self.after(2 * CADENCE_S + 1).passed()
        self.assertIs(State.LATE, self.standing.state)

    def test_one_that_fails_is_not_late(self):
        self.ended(failed())
        self.assertEqual((), self.after(3600).passed())
        self.assertIs(State.FAILING, self.standing.state)

    def test_lateness_survives_a_clock_that_is_set_back(self):
        self.ended(well())
        self.after(-86400).passed()
        self.assertEqual(1, len(self.after(2 * CADENCE_S + 1).passed()))

    def test_a_targeted_answer_decides_nothing(self):
        self.ended(failed())
        self.assertEqual((), self.ended(well(targeted=True)))
        self.assertIs(State.FAILING, self.standing.state)
        self.ended(well())
        self.assertEqual((), self.ended(failed(targeted=True)))
        self.assertIs(State.FRESH, self.standing.state)
        self.assertEqual(2, self.standing.failures)
        self.assertEqual(4, self.standing.polls)

    def test_an_answer_of_which_nothing_is_taken_is_a_failure(self):
        bad = (problem("h1", "token-unknown-key"),)
        answer = collected(complete=False, problems=bad)
        said = self.ended(well(answer), taken(0, bad))
        self.assertIn("token-unknown-key", self.codes(said))
        self.assertIs(State.FAILING, self.standing.state)
        self.assertIn("none of its results", self.standing.reason)

    def test_an_answer_of_nothing_is_well(self):
        self.ended(well(collected()), taken(0))
        self.assertIs(State.FRESH, self.standing.state)

    def test_one_that_is_not_asked_says_why(self):
        self.ended(well())
        (said,) = self.standing.assign(None, NOW, "results-not-theirs", "no")
        self.assertEqual("results-not-theirs", said.code)
        self.assertIs(State.STARTING, self.standing.state)
        self.assertEqual((), self.after(3600).passed())
        self.assertEqual((), self.standing.assign(task("h1"), self.now))
        self.assertEqual((), self.passed(), "it has only just been asked")

    def test_an_outcome_after_it_was_taken_away_changes_nothing(self):
        self.standing.assign(None, NOW, "results-not-theirs", "no")
        self.assertEqual((), self.ended(well()))
        self.assertIs(State.STARTING, self.standing.state)

    def test_a_reason_of_any_length_is_one_bounded_line(self):
        (said,) = self.ended(failed(reason="x\ny" * 1000))
        self.assertLessEqual(len(self.standing.reason), LINE_MAX)
        self.assertNotIn("\n", said.text)

    def test_flapping_does_not_flood(self):
        lines = 0
        for _ in range(1000):
            lines += len(self.after(10).ended(failed()))
            lines += len(self.after(10).ended(well()))
        self.assertLess(lines, damper.BURST + 2 + 2 * 20000 / damper.REFILL_S)
        self.assertIs(State.FRESH, self.standing.state)

    def test_what_is_told_of_its_state_says_whose_and_which(self):
        told = []
        for _ in range(damper.BURST + 1):
            told += self.after(10).ended(failed())
            told += self.after(10).ended(well())
        self.assertEqual(damper.FLAPPING, told[-1].code)
        states = [news.facts["state"] for news in told]
        self.assertEqual(["failing", "fresh"] * 3 + ["failing"], states)
        self.assertEqual({NAME}, {n.facts["authority"] for n in told})
        first, *_ = self.after(damper.STEADY_S).passed()
        self.assertEqual((True, "fresh"), (first.good, first.facts["state"]))

    def test_what_else_is_told_says_nothing_of_its_state(self):
        changes = taken(1, [problem("h2")])
        told = self.ended(well(), changes)
        about = {news.subject: dict(news.facts) for news in told}
        self.assertEqual({}, about[f"authority {NAME} results"])
        self.assertEqual("fresh", about[f"authority {NAME}"]["state"])

    @examples(200)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(("well", "failed", "tls", "passed", "far")),
                st.floats(0, 200),
            ),
            max_size=60,
        )
    )
    def test_at_most_one_line_for_each_change_of_state(self, steps):
        standing = Standing(NAME, SKEW_S, NOW)
        standing.assign(task("h1"), NOW)
        now, before, changes, lines = NOW, (State.STARTING, ""), 0, 0
        for what, after_s in steps:
            now += after_s
            if what == "passed":
                said = standing.passed(now)
            elif what == "well":
                said = standing.ended(well(), taken(), now)
            else:
                code = "contact-tls" if what == "tls" else "contact-timed-out"
                targeted = what == "far"
                outcome = failed(code, targeted=targeted)
                said = standing.ended(outcome, taken(0), now)
            state = (standing.state, standing.code)
            changes += state != before
            before = state
            lines += len(said)
            self.assertLessEqual(lines, changes)
            self.assertLessEqual(standing.since, now)
            well_now = standing.state in (State.FRESH, State.STARTING)
            self.assertEqual(well_now, not standing.reason)


class ProblemsTest(StandingTestCase):
    def _answer(self, *paths):
        bad = tuple(problem(path) for path in paths)
        outcome = well(collected(result("h1"), problems=bad))
        return self.ended(outcome, taken(1, bad))

    def test_refused_tokens_are_told_once_a_few_of_them(self):
        self.ended(well())
        paths = [f"a{i}" for i in range(20)]
        (said,) = self._answer(*paths)
        self.assertEqual(f"authority {NAME} results", said.subject)
        self.assertIn("20 not taken", said.text)
        self.assertIn("a0: token-expired", said.text)
        self.assertNotIn(f"a{TOLD_MAX}:", said.text)
        self.assertLessEqual(len(said.text), TEXT_MAX)
        self.assertEqual((), self._answer(*paths))
        self.assertEqual(20, self.standing.problems)

    def test_other_ones_are_told_again_and_so_is_the_end(self):
        self.ended(well())
        self._answer("a1")
        self.assertEqual(1, len(self._answer("a2")))
        (said,) = self.after(1).ended(well())
        self.assertTrue(said.good)
        self.assertEqual(0, self.standing.problems)

    def test_what_is_to_be_known_of_results_that_are_taken(self):
        self.ended(well())
        note = Problem("h1", "tpm counts as warning")
        changes = dataclasses.replace(taken(1), notes=(note,))
        (said,) = self.ended(well(), changes)
        self.assertEqual("authority-claims-noted", said.code)
        self.assertEqual(f"authority {NAME} claims", said.subject)
        self.assertEqual("taken, but h1: tpm counts as warning", said.text)
        self.assertEqual((), self.ended(well(), changes))
        self.assertEqual((0, 1), (self.standing.problems, self.standing.notes))
        (said,) = self.ended(well())
        self.assertEqual("authority-claims-plain", said.code)
        self.assertTrue(said.good)
        self.assertEqual(0, self.standing.notes)

    def test_problems_that_change_each_time_do_not_flood(self):
        self.ended(well())
        lines = sum(
            len(self.after(10)._answer(f"a{number}")) for number in range(1000)
        )
        self.assertLess(lines, damper.BURST + 2 + 2 * 10000 / damper.REFILL_S)


class ClockTest(StandingTestCase):
    def _answer(self, skew_s):
        answer = collected(result("h1"), skew_s=skew_s)
        return self.ended(well(answer))

    def test_a_clock_that_is_far_off_is_told_once(self):
        self.ended(well())
        self.assertEqual((), self._answer(SKEW_S))
        (said,) = self._answer(-SKEW_S - 1)
        self.assertEqual(f"authority {NAME} clock", said.subject)
        self.assertIn("31 s behind ours", said.text)
        self.assertEqual((), self._answer(-SKEW_S - 5))
        self.assertEqual(-35, self.standing.skew_s)
        (said,) = self._answer(0.5)
        self.assertTrue(said.good)
