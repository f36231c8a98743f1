# SPDX-License-Identifier: Apache-2.0
"""The board: what each authority said last, and nothing else."""

from __future__ import annotations

import dataclasses
import itertools
import math
import unittest
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.collector import intake as intakes
from nfv_mla_scheduler.collector.board import UNBOUND_MAX
from nfv_mla_scheduler.collector.board import Board
from nfv_mla_scheduler.collector.intake import BOOT_BYTES_MAX
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import Freshness
from tests.unit.collector import answers
from tests.unit.collector.answers import NAME
from tests.unit.collector.answers import NOW
from tests.unit.collector.answers import SKEW_S
from tests.unit.collector.answers import collected
from tests.unit.collector.answers import inquiry
from tests.unit.collector.answers import result
from tests.unit.collector.answers import task
from tests.unit.collector.answers import tpm
from tests.unit.generators import examples

OTHER = "veraison-bka"


class BoardTestCase(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.board = Board(SKEW_S)
        self.rule(task("h1", "h2"))

    def rule(self, wanted, pins_hold=False, now=NOW):
        tasks = {NAME: wanted} if wanted else {}
        return self.board.rule(tasks, now, pins_hold=pins_hold)

    def take(self, answer, asked=None, now=NOW):
        asked = asked or inquiry("h1", "h2")
        return self.board.take(NAME, asked, answer, now)

    @property
    def said(self):
        return self.board.said[NAME]

    def codes(self, changes):
        return [p.message.split(":")[0] for p in changes.problems]


class TakeTest(BoardTestCase):
    def test_what_is_said_is_held(self):
        changes = self.take(collected(result("h1"), result("h2")))
        self.assertEqual({"h1", "h2"}, set(self.said.results))
        self.assertEqual(NOW, self.said.freshness["h1"].at)
        self.assertEqual((2, 2, 2, 0), dataclasses.astuple(changes)[:4])

    def test_an_authority_that_never_answered_is_not_there(self):
        self.assertEqual({}, self.board.said)

    def test_an_answer_without_results_is_an_answer(self):
        self.take(collected())
        self.assertEqual({}, self.said.results)

    def test_an_authority_that_may_not_be_heard_is_not(self):
        changes = self.board.take(
            OTHER, inquiry("h1"), collected(result("h1")), NOW
        )
        self.assertFalse(changes.any)
        self.assertEqual({}, self.board.said)

    def test_equal_content_stays_the_same_object(self):
        self.take(collected(result("h1"), result("h2")))
        before = self.said
        changes = self.take(collected(result("h1"), result("h2"), at=NOW + 5))
        self.assertIs(before.results, self.said.results)
        self.assertIsNot(before.freshness, self.said.freshness)
        self.assertEqual((2, 0, 2), dataclasses.astuple(changes)[:3])

    def test_the_same_answer_again_changes_nothing_at_all(self):
        self.take(collected(result("h1"), result("h2")))
        before = self.said
        changes = self.take(collected(result("h1"), result("h2")))
        self.assertIs(before, self.said)
        self.assertFalse(changes.any)
        self.assertEqual(2, changes.taken)

    def test_equal_claim_sets_are_one_object(self):
        self.take(collected(result("h1"), result("h2", boot="other")))
        one, two = self.said.results["h1"], self.said.results["h2"]
        self.assertIs(one.claims, two.claims)

    def test_what_differs_is_another_object(self):
        cases = {
            "claims": result("h1", tpm("virtual")),
            "status": result("h1", tpm(status=Status.CONTRAINDICATED)),
            "boot": result("h1", boot="2"),
            "no boot": result("h1", boot=None),
            "boot attested": result("h1", boot_at=NOW - 1),
            "key": dataclasses.replace(result("h1"), key="sha256:1"),
        }
        for name, other in cases.items():
            with self.subTest(name):
                board = Board(SKEW_S)
                board.rule({NAME: task("h1", "h2")}, NOW, pins_hold=False)
                asked = inquiry("h1", "h2")
                first = collected(result("h1"), result("h2"))
                board.take(NAME, asked, first, NOW)
                before = board.said[NAME]
                newer = collected(other, result("h2"), at=NOW + 1)
                board.take(NAME, asked, newer, NOW)
                after = board.said[NAME]
                self.assertIsNot(before.results["h1"], after.results["h1"])
                self.assertIs(before.results["h2"], after.results["h2"])
                self.assertEqual(
                    (other.claims, other.boot, other.boot_attested_at),
                    (
                        after.results["h1"].claims,
                        after.results["h1"].boot,
                        after.results["h1"].boot_attested_at,
                    ),
                )

    def test_what_was_read_does_not_change_under_the_reader(self):
        self.take(collected(result("h1")))
        said, results = self.board.said, self.said.results
        self.take(collected(result("h2")))
        self.assertEqual({"h1"}, set(results))
        self.assertIs(results, said[NAME].results)
        with self.assertRaises(TypeError):
            results["h3"] = result("h3")


class ReplayTest(BoardTestCase):
    def test_what_is_older_is_a_replay_and_what_is_held_stays(self):
        self.take(collected(result("h1", tpm("virtual"))))
        before = self.said
        changes = self.take(collected(result("h1"), at=NOW - 1))
        self.assertIs(before, self.said)
        self.assertEqual(["token-replayed"], self.codes(changes))
        self.assertEqual("h1", changes.problems[0].path)
        self.assertEqual(0, changes.taken)

    def test_one_replay_keeps_no_other_result_out(self):
        self.take(collected(result("h1"), result("h2")))
        at = {"h1": NOW - 1, "h2": NOW + 1}
        changes = self.take(collected(result("h1"), result("h2"), at=at))
        self.assertEqual(NOW + 1, self.said.freshness["h2"].at)
        self.assertEqual(["token-replayed"], self.codes(changes))
        self.assertEqual(1, changes.taken)

    def test_a_replay_is_no_absence(self):
        self.take(collected(result("h1"), result("h2")))
        self.take(collected(result("h1"), at=NOW - 1))
        self.assertEqual(math.inf, self.said.freshness["h1"].until)
        self.assertEqual(NOW, self.said.freshness["h2"].until)

    def test_times_are_compared_as_they_travel(self):
        self.take(collected(result("h1"), at=NOW + 0.0014))
        changes = self.take(collected(result("h1"), at=NOW + 0.0006))
        self.assertEqual((), changes.problems)
        self.assertEqual(1, changes.taken)

    def test_what_a_fast_clock_left_makes_no_replay_of_what_is_right(self):
        fast = NOW + 86400
        self.take(collected(result("h1"), at=fast), now=fast)
        changes = self.take(collected(result("h1", tpm("virtual"))), now=NOW)
        self.assertEqual((), changes.problems)
        self.assertEqual(NOW, self.said.freshness["h1"].at)


class GoneTest(BoardTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.take(collected(result("h1"), result("h2")))

    def until(self, attester):
        return self.said.freshness[attester].until

    def test_a_complete_answer_ends_those_no_longer_there(self):
        before = self.said
        changes = self.take(collected(result("h1"), at=NOW + 1), now=NOW + 2)
        self.assertIs(before.results, self.said.results)
        self.assertEqual(Freshness(NOW, "1", NOW + 2), self.freshness("h2"))
        self.assertEqual(Freshness(NOW + 1, "1"), self.freshness("h1"))
        self.assertTrue(changes.any)
        self.assertEqual(0, changes.dropped)

    def freshness(self, attester):
        return self.said.freshness[attester]

    def test_an_absence_that_goes_on_changes_nothing(self):
        self.take(collected(), now=NOW + 2)
        before = self.said
        self.assertFalse(self.take(collected(), now=NOW + 3).any)
        self.assertIs(before, self.said)

    def test_an_absence_never_prolongs(self):
        self.take(collected(result("h1"), at=NOW + 1, until=NOW + 5))
        self.take(collected(), now=NOW + 60)
        self.assertEqual(NOW + 5, self.until("h1"))

    def test_what_an_absent_result_contradicts_it_still_does(self):
        against = result("h1", tpm(status=Status.CONTRAINDICATED))
        self.take(collected(against, at=NOW + 1))
        self.take(collected(), now=NOW + 2)
        self.assertIs(
            Status.CONTRAINDICATED,
            self.said.results["h1"].claims["tpm"].status,
        )

    def test_an_absence_lets_no_older_result_in(self):
        self.take(collected(), now=NOW + 2)
        changes = self.take(collected(result("h1"), at=NOW - 1), now=NOW + 3)
        self.assertEqual(["token-replayed"], self.codes(changes))
        self.assertEqual(NOW + 2, self.until("h1"))

    def test_the_very_same_may_be_listed_again(self):
        before = self.said
        self.take(collected(), now=NOW + 2)
        self.take(collected(result("h1")), now=NOW + 3)
        self.assertEqual(math.inf, self.until("h1"))
        self.assertIs(before.results["h1"], self.said.results["h1"])

    def test_another_one_of_the_same_moment_does_not_revive_it(self):
        self.take(collected(), now=NOW + 2)
        self.take(collected(result("h1", tpm("virtual"))), now=NOW + 3)
        self.assertEqual(NOW + 2, self.until("h1"))

    def test_a_newer_one_revives_it(self):
        self.take(collected(), now=NOW + 2)
        self.take(collected(result("h1"), at=NOW + 3), now=NOW + 3)
        self.assertEqual(Freshness(NOW + 3, "1"), self.freshness("h1"))

    def test_whom_the_policy_no_longer_binds_is_dropped_when_absent(self):
        self.rule(task("h1"))
        changes = self.take(collected(result("h1")), asked=inquiry("h1"))
        self.assertEqual({"h1"}, set(self.said.results))
        self.assertEqual({"h1"}, set(self.said.freshness))
        self.assertEqual(1, changes.dropped)

    def test_an_incomplete_one_ends_nobody(self):
        self.take(collected(result("h1"), complete=False))
        self.assertEqual(math.inf, self.until("h2"))

    def test_who_was_bound_after_we_asked_is_not_ended(self):
        self.take(collected(result("h1")), asked=inquiry("h1"))
        self.assertEqual(math.inf, self.until("h2"))

    def test_what_ran_out_stays_for_what_it_contradicts(self):
        against = result("h1", tpm(status=Status.CONTRAINDICATED))
        self.take(collected(against, until=NOW + 10, at=NOW + 1))
        self.take(collected(complete=False), now=NOW + 3600)
        self.assertEqual(NOW + 10, self.said.freshness["h1"].until)
        self.assertIs(
            Status.CONTRAINDICATED,
            self.said.results["h1"].claims["tpm"].status,
        )


class TargetedTest(BoardTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.take(collected(result("h1"), result("h2")))
        self.asked = inquiry("h1", targeted=True)

    def test_only_those_that_were_meant_are_touched(self):
        both = collected(
            result("h1", boot="2"), result("h2", boot="2"), at=NOW + 1
        )
        self.take(both, self.asked)
        self.assertEqual("2", self.said.results["h1"].boot)
        self.assertEqual("1", self.said.results["h2"].boot)
        self.assertEqual(NOW, self.said.freshness["h2"].at)

    def test_only_one_that_was_meant_is_ended(self):
        self.take(collected(), self.asked)
        until = {a: f.until for a, f in self.said.freshness.items()}
        self.assertEqual({"h1": NOW, "h2": math.inf}, until)

    def test_a_stranger_is_not_taken_in(self):
        asked = inquiry("h1", "stranger", targeted=True)
        self.take(collected(result("h1"), result("stranger")), asked)
        self.assertNotIn("stranger", self.said.results)


class UnfitTest(BoardTestCase):
    """One result that no document can hold keeps no other one out."""

    def _assert_left_out(self, answer, code, now=NOW):
        self.take(collected(result("h1", tpm("virtual")), at=NOW - 9))
        changes = self.take(answer, now=now)
        self.assertEqual([code], self.codes(changes))
        self.assertEqual(
            tpm("virtual"), self.said.results["h1"].claims, "is still held"
        )
        self.assertIn("h2", self.said.results)

    def test_results_that_are_unfit(self):
        cases = {
            "boot": result("h1", boot="a\nb"),
            "long boot": result("h1", boot="b" * (BOOT_BYTES_MAX + 1)),
            "long in bytes": result("h1", boot="\u20ac" * 60),
            "negative": result("h1", boot_at=-1.0),
            "not a number": result("h1", boot_at=math.nan),
            "faulty": result("h1", faulty=True),
            "key": dataclasses.replace(result("h1"), key="a\nb"),
            "long key": dataclasses.replace(result("h1"), key="b" * 200),
        }
        for name, unfit in cases.items():
            with self.subTest(name):
                answer = collected(unfit, result("h2"))
                self._assert_left_out(answer, "results-invalid")

    def test_the_key_by_which_it_was_attested_stays_with_a_result(self):
        keyed = dataclasses.replace(result("h1"), key="sha256:1")
        self.take(collected(keyed))
        self.assertEqual("sha256:1", self.said.results["h1"].key)
        before = self.said
        self.take(collected(dataclasses.replace(keyed)))
        self.assertIs(before, self.said)
        # which of two of one moment is meant nobody can tell
        self.take(collected(dataclasses.replace(keyed, key="sha256:2")))
        self.assertEqual("", self.said.results["h1"].key)

    def test_times_that_are_none(self):
        for at in (math.nan, math.inf, -5.0, 2.0**60):
            with self.subTest(at):
                answer = collected(
                    result("h1"), result("h2"), at={"h1": at, "h2": NOW}
                )
                self._assert_left_out(answer, "results-invalid")

    def test_an_end_that_is_none(self):
        answer = collected(result("h1"), result("h2"))
        times = {"h1": Freshness(NOW, "1", -1.0), "h2": Freshness(NOW, "1")}
        answer = dataclasses.replace(answer, freshness=times)
        self._assert_left_out(answer, "results-invalid")

    def test_claims_that_cannot_travel(self):
        claims = dict(tpm())
        claims["tpm"] = dataclasses.replace(
            claims["tpm"], values={"": frozenset({"\ud800"})}
        )
        answer = collected(result("h1", claims), result("h2"))
        self._assert_left_out(answer, "results-bad-claim")

    def test_times_that_have_not_come(self):
        late = NOW + SKEW_S + 1
        for one, at in (
            (result("h1"), late),
            (result("h1", boot_at=late), NOW),
        ):
            answer = collected(one, result("h2"), at={"h1": at, "h2": NOW})
            self._assert_left_out(answer, "token-ahead")

    def test_a_clock_that_is_a_little_ahead_is_no_fault(self):
        changes = self.take(collected(result("h1"), at=NOW + SKEW_S))
        self.assertEqual((), changes.problems)


class UnboundTest(BoardTestCase):
    def test_attesters_of_no_host_are_held_to_tell_of_them(self):
        self.take(collected(result("h1"), result("stranger")))
        self.assertIn("stranger", self.said.results)
        self.take(collected(result("h1")))
        self.assertNotIn("stranger", self.said.results)

    def test_a_crowd_of_them_is_bounded_and_moves_nobody_out(self):
        crowd = [result(f"s{i:05d}") for i in range(UNBOUND_MAX + 5)]
        changes = self.take(collected(result("h1"), *crowd[5:]))
        self.assertEqual((), changes.problems)
        held = set(self.said.results)
        changes = self.take(collected(result("h1"), *crowd))
        self.assertEqual(held, set(self.said.results))
        self.assertEqual(["results-unknown-attester"], self.codes(changes))
        self.assertIn("one of 5", changes.problems[0].message)

    def test_those_that_a_policy_leaves_unbound_are_bounded_too(self):
        many = [f"s{i:05d}" for i in range(UNBOUND_MAX + 5)]
        self.rule(task("h1", *many))
        self.take(
            collected(*map(result, many), result("h1")),
            asked=inquiry("h1", *many),
        )
        changes = self.rule(task("h1"))
        self.assertEqual(5, changes.dropped)
        self.assertIn("h1", self.said.results)
        self.assertEqual(UNBOUND_MAX + 1, len(self.said.results))


class RuleTest(BoardTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.take(collected(result("h1"), result("h2")))

    def test_an_authority_that_may_no_longer_be_heard_is_dropped(self):
        changes = self.rule(None)
        self.assertEqual(2, changes.dropped)
        self.assertEqual({}, self.board.said)

    def test_the_same_again_changes_nothing(self):
        before = self.said
        self.assertFalse(self.rule(task("h1", "h2")).any)
        self.assertIs(before, self.said)

    def test_a_result_checked_by_other_keys_carries_nothing_from_now_on(self):
        before = self.said
        changes = self.rule(task("h1", "h2", pinned={"h1": ("k1",)}))
        self.assertTrue(changes.any)
        self.assertEqual(NOW, self.said.freshness["h1"].until)
        self.assertEqual(math.inf, self.said.freshness["h2"].until)
        self.assertIs(before.results, self.said.results)

    def test_the_same_pins_end_nothing(self):
        self.rule(task("h1", "h2", pinned={"h1": ("k1",)}))
        wanted = task("h1", "h2", pinned={"h1": ("k1",)})
        self.take(collected(result("h1"), at=NOW + 1), asked=wanted.inquiry)
        self.assertFalse(self.rule(wanted).any)
        self.assertEqual(math.inf, self.said.freshness["h1"].until)

    def test_an_answer_to_a_question_of_before_the_pins_is_not_taken(self):
        asked = inquiry("h1", "h2")
        self.rule(task("h1", "h2", pinned={"h1": ("k1",)}))
        newer = collected(result("h1"), result("h2"), at=NOW + 1)
        self.take(newer, asked)
        self.assertEqual(NOW, self.said.freshness["h1"].until)
        self.assertLess(self.said.freshness["h1"].at, NOW + 1)
        self.assertEqual(NOW + 1, self.said.freshness["h2"].at)

    def test_the_very_same_result_does_not_come_back_under_other_pins(self):
        wanted = task("h1", "h2", pinned={"h1": ("k1",)})
        self.rule(wanted, now=NOW + 5)
        for at in (NOW, NOW + 4, NOW + 5):
            again = collected(result("h1"), at=at)
            changes = self.take(again, wanted.inquiry, now=NOW + 6)
            self.assertEqual(["token-replayed"], self.codes(changes))
            self.assertEqual(NOW + 5, self.said.freshness["h1"].until)
        newer = collected(result("h1"), at=NOW + 6)
        self.take(newer, wanted.inquiry, now=NOW + 7)
        self.assertEqual(math.inf, self.said.freshness["h1"].until)

    def test_it_does_not_come_back_after_a_restart_either(self):
        wanted = task("h1", "h2", pinned={"h1": ("k1",)})
        self.rule(wanted, now=NOW + 5)
        before = self.board.said
        self.board = Board(SKEW_S)
        self.board.restore(before)
        self.rule(wanted, pins_hold=True, now=NOW + 6)
        changes = self.take(
            collected(result("h1")), wanted.inquiry, now=NOW + 6
        )
        self.assertEqual(["token-replayed"], self.codes(changes))
        self.assertEqual(NOW + 5, self.said.freshness["h1"].until)

    def test_a_driver_that_compares_pins_may_give_it_again(self):
        board = Board(SKEW_S, frozenset({NAME}))
        board.rule({NAME: task("h1")}, NOW, pins_hold=False)
        board.take(NAME, inquiry("h1"), collected(result("h1")), NOW)
        wanted = task("h1", pinned={"h1": ("k1",)})
        board.rule({NAME: wanted}, NOW + 5, pins_hold=False)
        fresh = board.said[NAME].freshness
        self.assertEqual(Freshness(NOW, "1", NOW + 5), fresh["h1"])
        board.take(NAME, wanted.inquiry, collected(result("h1")), NOW + 6)
        fresh = board.said[NAME].freshness
        self.assertEqual(Freshness(NOW, "1"), fresh["h1"])

    def test_pins_that_are_lifted_end_nothing(self):
        wanted = task("h1", "h2", pinned={"h1": ("k1",)})
        self.rule(wanted)
        self.take(collected(result("h1"), at=NOW + 1), asked=wanted.inquiry)
        self.assertFalse(self.rule(task("h1", "h2")).any)


class RestoreTest(BoardTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.take(collected(result("h1"), result("h2")))
        self.before = self.board.said
        self.board = Board(SKEW_S)
        self.board.restore(self.before)

    def test_what_is_restored_is_held_and_makes_replays(self):
        self.rule(task("h1", "h2"))
        self.assertIs(self.before[NAME], self.said)
        changes = self.take(collected(result("h1"), at=NOW - 1))
        self.assertEqual(["token-replayed"], self.codes(changes))

    def test_what_is_restored_stays_the_same_object(self):
        self.rule(task("h1", "h2"))
        self.take(collected(result("h1"), result("h2"), at=NOW + 1))
        self.assertIs(self.before[NAME].results, self.said.results)

    def test_what_the_policy_no_longer_has_is_not_taken_up(self):
        self.assertEqual(2, self.rule(None).dropped)
        self.assertEqual({}, self.board.said)

    def test_pins_that_are_not_known_to_hold_end_what_they_pin(self):
        self.rule(task("h1", "h2", pinned={"h1": ("k1",)}))
        self.assertEqual(NOW, self.said.freshness["h1"].until)
        self.assertEqual(math.inf, self.said.freshness["h2"].until)

    def test_pins_that_are_known_to_hold_end_nothing(self):
        pinned = {"h1": ("k1",)}
        self.rule(task("h1", "h2", pinned=pinned), pins_hold=True)
        self.assertEqual(math.inf, self.said.freshness["h1"].until)
        self.rule(task("h1", "h2", pinned={"h1": ("k2",)}), pins_hold=True)
        self.assertEqual(NOW, self.said.freshness["h1"].until)


class SameMomentTest(BoardTestCase):
    """Two results of one moment, in two answers: the worse of both."""

    def setUp(self):
        super().setUp()
        self.good = result("h1")
        self.bad = result("h1", tpm(status=Status.CONTRAINDICATED), boot="2")

    def tpm(self):
        return self.said.results["h1"].claims["tpm"].status

    def test_whichever_comes_first(self):
        for one, other in (
            (self.good, self.bad),
            (self.bad, self.good),
        ):
            self.setUp()
            self.take(collected(one))
            for _ in range(2):
                changes = self.take(collected(other))
                self.assertIs(Status.CONTRAINDICATED, self.tpm())
                self.assertIsNone(self.said.results["h1"].boot)
                self.assertIsNone(self.said.freshness["h1"].boot)
                self.assertEqual((), changes.problems)
                self.assertIn("worse of both", changes.notes[0].message)

    def test_the_earlier_end_counts(self):
        self.take(collected(self.good, until=NOW + 10))
        self.take(collected(self.bad))
        self.assertEqual(NOW + 10, self.said.freshness["h1"].until)

    def test_until_a_newer_one_comes(self):
        self.take(collected(self.bad))
        self.take(collected(self.good))
        self.take(collected(self.good, at=NOW + 1))
        self.assertIs(Status.AFFIRMING, self.tpm())
        self.assertEqual("1", self.said.results["h1"].boot)

    def test_what_a_new_policy_makes_of_it_takes_its_place(self):
        self.take(collected(self.bad))
        wanted = task("h1", "h2")
        regions = {Axis.LOGICAL: "others"}
        asked = dataclasses.replace(wanted.inquiry, regions=regions)
        self.rule(dataclasses.replace(wanted, inquiry=asked))
        self.take(collected(self.good), asked)
        self.assertIs(Status.AFFIRMING, self.tpm())
        self.take(collected(self.bad), asked)
        self.assertIs(Status.CONTRAINDICATED, self.tpm())
        self.take(collected(self.good), asked)
        self.assertIs(Status.CONTRAINDICATED, self.tpm())


class RulesTest(BoardTestCase):
    """Rules of a driver that change: what was taken by others ends."""

    def setUp(self):
        super().setUp()
        self.answer(result("h1"), result("h2"))

    def answer(self, *results, rules="old", asked=None, now=NOW, at=NOW):
        given = dataclasses.replace(
            collected(*results, at=at, complete=False), rules=rules
        )
        return self.take(given, asked, now)

    def until(self):
        return {a: f.until for a, f in self.said.freshness.items()}

    def test_what_is_not_renewed_ends(self):
        self.answer(result("h1"), rules="new", now=NOW + 60)
        self.assertEqual({"h1": math.inf, "h2": NOW + 60}, self.until())

    def test_the_same_rules_end_nothing(self):
        self.answer(result("h1"), now=NOW + 60)
        self.assertEqual({"h1": math.inf, "h2": math.inf}, self.until())

    def test_a_replay_renews_nothing(self):
        self.answer(result("h1"), rules="new", now=NOW + 60, at=NOW - 1)
        self.assertEqual({"h1": NOW + 60, "h2": NOW + 60}, self.until())

    def test_one_that_was_not_meant_ends_as_well_and_all_are_asked(self):
        asked = inquiry("h1", targeted=True)
        changes = self.answer(
            result("h1"), rules="new", asked=asked, now=NOW + 60
        )
        self.assertEqual({"h1": math.inf, "h2": NOW + 60}, self.until())
        self.assertTrue(changes.anew)
        self.assertFalse(self.answer(result("h1"), rules="newer").anew)

    def test_other_claims_of_the_same_result_take_their_place(self):
        self.answer(result("h1", tpm("virtual")), rules="new")
        self.assertEqual(tpm("virtual"), self.said.results["h1"].claims)
        self.answer(result("h1"), rules="new")
        self.assertIs(
            Status.WARNING, self.said.results["h1"].claims["tpm"].status
        )

    def test_they_are_known_over_a_restart(self):
        for rules, until in (("old", math.inf), ("new", NOW + 60)):
            board = Board(SKEW_S)
            board.restore(self.board.said)
            board.rule({NAME: task("h1", "h2")}, NOW, pins_hold=True)
            given = dataclasses.replace(
                collected(result("h1"), complete=False), rules=rules
            )
            board.take(NAME, inquiry("h1", "h2"), given, NOW + 60)
            self.assertEqual(until, board.said[NAME].freshness["h2"].until)

    def test_without_an_answer_they_end_what_was_taken_by_others(self):
        for rules in ("", "old"):
            self.assertFalse(self.board.renew(NAME, rules, NOW + 60).any)
        self.assertTrue(self.board.renew(NAME, "new", NOW + 60).any)
        self.assertEqual({"h1": NOW + 60, "h2": NOW + 60}, self.until())
        self.assertFalse(self.board.renew(NAME, "new", NOW + 61).any)
        self.answer(result("h1"), result("h2"), rules="new", now=NOW + 62)
        self.assertEqual({"h1": math.inf, "h2": math.inf}, self.until())

    def test_all_that_an_authority_said_can_be_ended(self):
        self.assertTrue(self.board.end(NAME, NOW + 1).any)
        self.assertEqual({"h1": NOW + 1, "h2": NOW + 1}, self.until())
        self.assertFalse(self.board.end(NAME, NOW + 2).any)
        self.assertFalse(self.board.end(OTHER, NOW + 2).any)


class RoomTest(BoardTestCase):
    """The claims of one authority have a bound, by how many are bound."""

    def setUp(self):
        super().setUp()
        small = mock.patch.multiple(
            intakes, CLAIMS_BYTES_LEAST=400, CLAIMS_BYTES_EACH=0
        )
        small.start()
        self.addCleanup(small.stop)

    def large(self, attester, value):
        return result(attester, tpm(value * 250))

    def test_what_is_too_much_is_not_taken_and_ends_what_is_held(self):
        self.take(collected(self.large("h1", "a"), result("h2")))
        changes = self.take(
            collected(
                self.large("h1", "a"), self.large("h2", "b"), at=NOW + 1
            ),
            now=NOW + 2,
        )
        self.assertEqual(["results-too-large"], self.codes(changes))
        self.assertEqual(NOW + 2, self.said.freshness["h2"].until)
        self.assertEqual(tpm(), self.said.results["h2"].claims)
        self.assertEqual(math.inf, self.said.freshness["h1"].until)

    def test_what_many_have_counts_once(self):
        both = collected(self.large("h1", "a"), self.large("h2", "a"))
        self.assertEqual((), self.take(both).problems)

    def test_what_takes_the_place_of_another_counts_instead(self):
        self.take(collected(self.large("h1", "a")))
        for number in range(1, 9):
            one = self.large("h1", str(number))
            changes = self.take(collected(one, at=NOW + number))
            self.assertEqual((), changes.problems)

    def test_who_takes_too_much_already_may_take_less(self):
        with mock.patch.object(intakes, "CLAIMS_BYTES_LEAST", 4000):
            self.take(collected(self.large("h1", "a"), self.large("h2", "b")))
        less = collected(
            self.large("h1", "b"), self.large("h2", "b"), at=NOW + 1
        )
        self.assertEqual((), self.take(less).problems)

    def test_bound_attesters_make_room(self):
        with mock.patch.object(intakes, "CLAIMS_BYTES_EACH", 200):
            both = collected(self.large("h1", "a"), self.large("h2", "b"))
            self.assertEqual((), self.take(both).problems)


# attester -> (seconds after NOW, boot); few of each, so that they collide
_answers = st.dictionaries(
    st.sampled_from(("h1", "h2", "h3")),
    st.tuples(st.integers(-5, 5), st.sampled_from("ab")),
)


def _answer(raw, authority=NAME, complete=False):
    # what is said of one moment is always the same: the boot tells which
    return collected(
        *(
            result(a, boot=f"{at}", authority=authority)
            for a, (at, _) in raw.items()
        ),
        at={a: NOW + at for a, (at, _) in raw.items()},
        complete=complete,
    )


class PropertiesTest(unittest.TestCase):
    def _board(self):
        board = Board(SKEW_S)
        tasks = {NAME: task("h1", "h2"), OTHER: task("h1", "h3")}
        board.rule(tasks, NOW, pins_hold=False)
        return board

    @examples(200)
    @given(st.lists(_answers, max_size=4))
    def test_the_order_of_answers_does_not_matter(self, several):
        seen = set()
        for order in itertools.permutations(several):
            board = self._board()
            for raw in order:
                asked = inquiry("h1", "h2")
                board.take(NAME, asked, _answer(raw), NOW)
            said = board.said.get(NAME)
            seen.add(
                frozenset(
                    (a, f.at, said.results[a].boot)
                    for a, f in said.freshness.items()
                )
                if said
                else None
            )
        self.assertEqual(1, len(seen))

    @examples(200)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from((NAME, OTHER)),
                _answers,
                st.booleans(),
                st.frozensets(st.sampled_from(("h1", "h2", "h3"))),
                st.booleans(),
            ),
            max_size=8,
        )
    )
    def test_authorities_are_never_mixed_and_times_never_fall(self, steps):
        board = self._board()
        alone = {NAME: self._board(), OTHER: self._board()}
        for name, raw, complete, asked, targeted in steps:
            before = board.said.get(name)
            answer = _answer(raw, name, complete)
            question = inquiry(*asked, targeted=targeted)
            board.take(name, question, answer, NOW)
            alone[name].take(name, question, answer, NOW)
            said = board.said[name]
            self.assertEqual(said.results.keys(), said.freshness.keys())
            for attester, one in said.results.items():
                self.assertEqual(
                    (name, attester), (one.authority, one.attester)
                )
                if before and attester in before.freshness:
                    was = before.freshness[attester].at
                    self.assertLessEqual(was, said.freshness[attester].at)
            if targeted and before:
                for attester in before.results.keys() - asked:
                    self.assertIs(
                        before.results[attester], said.results[attester]
                    )
        for name, other in alone.items():
            one, two = board.said.get(name), other.said.get(name)
            self.assertEqual(
                dict(one.freshness) if one else None,
                dict(two.freshness) if two else None,
            )


class CostTest(unittest.TestCase):
    def test_claims_that_nobody_holds_any_more_are_forgotten(self):
        board = Board(SKEW_S)
        board.rule({NAME: task("h1")}, NOW, pins_hold=False)
        for number in range(500):
            claims = dict(tpm())
            claims["tpm"] = dataclasses.replace(
                claims["tpm"], values={"": frozenset({f"v{number}"})}
            )
            answer = collected(result("h1", claims), at=NOW + number / 1000)
            board.take(NAME, answers.inquiry("h1"), answer, NOW)
        self.assertLess(len(board._pool), 100)
