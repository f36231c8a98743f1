# SPDX-License-Identifier: Apache-2.0
"""What the policy wants is asked, and what is said is held."""

from __future__ import annotations

import dataclasses
import threading
import time
import unittest
from unittest import mock

from nfv_mla_scheduler.authority.values import Trust
from nfv_mla_scheduler.collector import loop as loops
from nfv_mla_scheduler.collector import timetable
from nfv_mla_scheduler.collector.loop import Loop
from nfv_mla_scheduler.collector.loop import tasks
from nfv_mla_scheduler.collector.standing import State
from nfv_mla_scheduler.errors import AuthorityError
from tests import policies
from tests.authorities.fake import FakeAuthority
from tests.unit.collector.answers import SKEW_S

FRA = "keylime-fra"
BKA = "veraison-bka"
BER_1 = "d432fbb3-d2f1-4a97-9ef7-75bd81c00001"
BER_2 = "d432fbb3-d2f1-4a97-9ef7-75bd81c00002"
PAR_1 = "d432fbb3-d2f1-4a97-9ef7-75bd81c00003"
WAIT_S = 10.0


class TasksTest(unittest.TestCase):
    def test_without_a_policy_nothing_is_wanted(self):
        self.assertEqual({}, tasks(None, "collector-a", SKEW_S))
        self.assertEqual({}, tasks(None, None, SKEW_S))

    def test_they_are_what_the_policy_says(self):
        policy = policies.policy()
        found = tasks(policy, "collector-a", SKEW_S)
        self.assertEqual([FRA, BKA], list(found))
        fra = found[FRA]
        self.assertEqual((10.0, 60.0), (fra.cadence_s, fra.max_age_s))
        self.assertEqual((BER_1, BER_2, PAR_1), fra.inquiry.attesters)
        self.assertEqual(SKEW_S, fra.inquiry.max_skew_s)
        self.assertIs(policy.regions, fra.inquiry.regions)
        self.assertFalse(fra.inquiry.targeted)
        self.assertEqual(("ber-1", "par-2"), found[BKA].inquiry.attesters)

    def test_pins_are_those_of_the_host_behind_an_attester(self):
        policy = policies.policy()
        found = tasks(policy, "collector-a", SKEW_S)
        pinned = policy.hosts["ber-1"].pinned_keys
        self.assertTrue(pinned)
        self.assertEqual({BER_1: pinned}, found[FRA].inquiry.pinned)
        self.assertEqual({"ber-1": pinned}, found[BKA].inquiry.pinned)

    def test_only_those_that_the_collector_may_speak_for_are_asked(self):
        text = policies.policy_yaml(
            (
                "authorities: [keylime-fra, veraison-bka]",
                "authorities: [keylime-fra]",
            )
        )
        policy = policies.policy(text)
        self.assertEqual([FRA], list(tasks(policy, "collector-a", SKEW_S)))
        self.assertEqual({}, tasks(policy, "collector-b", SKEW_S))

    def test_without_a_collector_all_of_the_policy_are_asked(self):
        self.assertEqual(
            [FRA, BKA], list(tasks(policies.policy(), None, SKEW_S))
        )


class LoopTestCase(unittest.TestCase):
    collector: str | None = "collector-a"

    def setUp(self):
        super().setUp()
        self.fra = FakeAuthority.named(FRA)
        self.bka = FakeAuthority.named(BKA)
        now = time.time()
        for attester in (BER_1, BER_2, PAR_1):
            self.fra.hold(attester, now)
        for attester in ("ber-1", "par-2"):
            self.bka.hold(attester, now)
        self.news = []
        self.changes = threading.Semaphore(0)
        self.loop = Loop(
            (self.fra, self.bka),
            self.collector,
            SKEW_S,
            self.news.append,
            self.changes.release,
            spread_s=0.0,
        )
        self.addCleanup(self.loop.stop)

    def rule(self, policy, **kwargs):
        self.loop.rule(policy, time.time(), **kwargs)

    def start(self, policy=None):
        self.loop.start()
        self.rule(policy or policies.policy())
        self.assertTrue(self.loop.wait_settled(WAIT_S))

    def held(self, authority):
        said = self.loop.held[1].get(authority)
        return set(said.results) if said else None

    def wait(self, done, what=""):
        end = time.monotonic() + WAIT_S
        while not done():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.001)

    def codes(self, authority):
        subject = f"authority {authority}"
        return [n.code for n in self.news if n.subject == subject]


class LoopTest(LoopTestCase):
    def test_what_the_policy_wants_is_asked_and_held(self):
        self.start()
        self.assertEqual({BER_1, BER_2, PAR_1}, self.held(FRA))
        self.assertEqual({"ber-1", "par-2"}, self.held(BKA))
        self.assertEqual(
            (BER_1, BER_2, PAR_1), self.fra.inquiries[0].attesters
        )
        self.assertTrue(self.changes.acquire(timeout=WAIT_S))
        self.wait(lambda: self.codes(FRA) and self.codes(BKA))
        self.assertEqual(["authority-fresh"], self.codes(FRA))

    def test_an_answer_about_some_alone_does_not_settle_it(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def slow(inquiry):
            if not inquiry.targeted:
                gate.wait(WAIT_S)
            return self.fra.all(inquiry.attesters)

        self.fra.script(*[slow] * 9)
        other = Loop(
            (self.fra,),
            None,
            SKEW_S,
            self.news.append,
            lambda: None,
            spread_s=60.0,
        )
        self.addCleanup(other.stop)
        other.start()
        with mock.patch("random.random", return_value=0.99):
            other.rule(policies.policy(), time.time())
        self.assertTrue(other.refresh(FRA, [BER_1]))
        self.wait(lambda: FRA in other.held[1], "the targeted answer")
        self.assertEqual({BER_1}, set(other.held[1][FRA].results))
        self.assertFalse(other.wait_settled(0.05))
        gate.set()
        self.assertTrue(other.wait_settled(WAIT_S))

    def test_of_two_that_share_a_key_the_later_is_not_heard(self):
        self.start()
        self.wait(lambda: self.held(BKA))
        self.fra.trusts = self.bka.trusts = Trust(frozenset({"key"}))
        self.loop.refresh(FRA, ())
        self.wait(lambda: len(self.fra.inquiries) > 1)
        self.wait(lambda: self.loop.standings[FRA].polls > 1)
        self.loop.refresh(BKA, ())
        self.wait(lambda: "authority-shared-key" in self.codes(BKA))
        self.assertNotIn("authority-shared-key", self.codes(FRA))
        said = self.loop.held[1]
        now = time.time()
        for fresh in said[BKA].freshness.values():
            self.assertLessEqual(fresh.until, now, "is no word of its own")
        for fresh in said[FRA].freshness.values():
            self.assertGreater(fresh.until, now)
        self.bka.trusts = Trust(frozenset({"another"}))
        self.loop.refresh(BKA, ())
        self.wait(lambda: self.codes(BKA)[-1] == "authority-fresh")

    def test_new_rules_in_a_targeted_answer_bring_one_about_all(self):
        self.start()
        count = len(self.fra.inquiries)
        self.fra.held_to = "new"
        self.loop.refresh(FRA, [BER_1])
        self.wait(lambda: len(self.fra.inquiries) >= count + 2)
        targeted = [i.targeted for i in self.fra.inquiries[count:]]
        self.assertEqual([True, False], targeted[:2])

    def test_new_rules_end_what_is_held_though_nobody_answers(self):
        self.start()
        self.wait(lambda: self.held(FRA))
        self.fra.held_to = "new"
        self.fra.script(*[AuthorityError(FRA, "is down")] * 99)
        self.loop.refresh(FRA, ())
        self.wait(lambda: "authority-failed" in self.codes(FRA))
        now = time.time()
        for fresh in self.loop.held[1][FRA].freshness.values():
            self.assertLessEqual(fresh.until, now)

    def test_before_there_is_a_policy_nobody_is_asked(self):
        self.loop.start()
        self.rule(None)
        time.sleep(0.05)
        self.assertEqual([], self.fra.inquiries + self.bka.inquiries)
        self.assertEqual([], self.news)

    def test_one_that_hangs_hurts_no_other(self):
        self.fra.script(3600.0)
        self.loop.start()
        self.rule(policies.policy())
        self.wait(lambda: self.held(BKA), "the other one answers")
        self.assertIsNone(self.held(FRA))
        self.assertFalse(self.loop.wait_settled(0.0))
        late = time.time() + 2 * 10 + 1
        self.loop.rule(policies.policy(), late)
        self.assertIs(State.LATE, self.loop.standings[FRA].state)
        began = time.monotonic()
        self.loop.stop()
        self.assertLess(time.monotonic() - began, loops.STOP_S)

    @mock.patch.object(timetable, "REFRESH_MIN_S", 0.05)
    def test_one_that_fails_keeps_what_it_said(self):
        self.start()
        self.fra.script(AuthorityError(FRA, "it is down"))
        self.loop.refresh(FRA, ())
        self.wait(lambda: "authority-failed" in self.codes(FRA))
        self.assertEqual({BER_1, BER_2, PAR_1}, self.held(FRA))

    def test_an_authority_that_is_taken_away_is_dropped_and_not_asked(self):
        self.start()
        text = policies.policy_yaml(
            (
                "authorities: [keylime-fra, veraison-bka]",
                "authorities: [keylime-fra]",
            )
        )
        self.rule(policies.policy(text))
        self.assertIsNone(self.held(BKA))
        self.assertEqual("results-not-theirs", self.codes(BKA)[-1])
        self.assertFalse(self.loop.refresh(BKA, ("ber-1",)))
        asked = len(self.bka.inquiries)
        time.sleep(0.05)
        self.assertEqual(asked, len(self.bka.inquiries))
        self.rule(policies.policy())
        self.wait(lambda: self.held(BKA), "it is asked again")

    def test_what_comes_from_one_that_was_taken_away_is_not_held(self):
        gate = threading.Event()

        def slow(inquiry):
            gate.wait(WAIT_S)
            return self.bka.all()

        self.bka.script(slow)
        self.loop.start()
        self.rule(policies.policy())
        self.wait(lambda: self.bka.inquiries)
        text = policies.policy_yaml(
            (
                "authorities: [keylime-fra, veraison-bka]",
                "authorities: [keylime-fra]",
            )
        )
        self.rule(policies.policy(text))
        gate.set()
        self.wait(lambda: self.loop.standings[BKA].polls)
        self.assertIsNone(self.held(BKA))

    def test_another_binding_is_asked_for_at_once(self):
        self.start()
        text = policies.policy_yaml(("par-2}", "par-3}"))
        self.rule(policies.policy(text))
        self.wait(lambda: len(self.bka.inquiries) > 1)
        self.assertEqual(("ber-1", "par-3"), self.bka.inquiries[1].attesters)
        # ... and that another authority's questions are the same is known
        self.assertEqual(1, len(self.fra.inquiries))

    def test_another_pin_ends_what_was_checked_without_it(self):
        self.start()
        gate = threading.Event()
        self.fra.script(lambda inquiry: gate.wait(WAIT_S) and self.fra.all())
        text = policies.policy_yaml(("sha256:1111", "sha256:2222"))
        self.rule(policies.policy(text))
        said = self.loop.held[1][FRA]
        self.assertLessEqual(said.freshness[BER_1].until, time.time())
        self.assertGreater(said.freshness[BER_2].until, time.time())
        gate.set()

    def test_a_refresh_asks_about_those_alone(self):
        self.start()
        self.fra.hold(BER_1, time.time() + 1, boot="2")
        self.fra.hold(BER_2, time.time() + 1, boot="2")
        self.assertTrue(self.loop.refresh(FRA, (BER_1,)))
        self.wait(lambda: len(self.fra.inquiries) > 1)
        self.assertEqual((BER_1,), self.fra.inquiries[1].attesters)
        results = lambda: self.loop.held[1][FRA].results  # noqa: E731
        self.wait(lambda: results()[BER_1].boot == "2")
        self.assertEqual("1", results()[BER_2].boot)

    def test_a_refresh_of_one_that_is_not_known_is_not_done(self):
        self.start()
        self.assertFalse(self.loop.refresh("nobody", ()))
        self.assertFalse(self.loop.refresh(FRA, ("stranger",)))

    def test_authorities_without_options_and_without_a_policy_are_told(self):
        self.loop = Loop(
            (self.fra, FakeAuthority.named("spare")),
            "collector-a",
            SKEW_S,
            self.news.append,
            self.changes.release,
            spread_s=0.0,
        )
        self.addCleanup(self.loop.stop)
        self.start()
        self.assertEqual(["results-missing"], self.codes(BKA))
        self.assertEqual(["results-unknown-authority"], self.codes("spare"))
        self.assertNotIn(BKA, self.loop.standings)

    def test_a_collector_that_the_policy_does_not_name_asks_nobody(self):
        text = policies.policy_yaml(("collector-a:", "collector-b:"))
        self.start(policies.policy(text))
        self.assertEqual([], self.fra.inquiries)
        self.assertEqual(["results-not-theirs"], self.codes(FRA))

    def test_what_is_restored_is_held_before_anybody_answers(self):
        self.start()
        said = self.loop.held[1]
        self.loop.stop()
        other = Loop(
            (self.fra, self.bka),
            "collector-a",
            SKEW_S,
            self.news.append,
            self.changes.release,
        )
        other.restore(said)
        other.rule(policies.policy(), time.time(), pins_hold=True)
        self.assertEqual(said.keys(), other.held[1].keys())
        self.assertIs(said[FRA], other.held[1][FRA])

    def test_a_notice_is_said_at_the_start(self):
        class Loud(FakeAuthority):
            NOTICE = "is for development"

        loop = Loop(
            (Loud.named("lab"),),
            None,
            SKEW_S,
            self.news.append,
            self.changes.release,
        )
        loop.start()
        self.addCleanup(loop.stop)
        (said,) = self.news
        self.assertIn("is for development", said.text)
        self.assertFalse(said.good)

    def test_a_log_that_hangs_does_not_hold_up_the_others(self):
        gate = threading.Event()
        hung = threading.Event()

        def tell(news):
            if news.subject == f"authority {FRA}":
                hung.set()
                gate.wait(WAIT_S)

        self.loop = Loop(
            (self.fra, self.bka),
            "collector-a",
            SKEW_S,
            tell,
            self.changes.release,
            spread_s=0.0,
        )
        self.loop.start()
        self.addCleanup(self.loop.stop)
        self.addCleanup(gate.set)
        self.rule(policies.policy())
        self.assertTrue(hung.wait(WAIT_S))
        self.wait(lambda: self.held(BKA))
        self.assertTrue(self.loop.refresh(BKA, ()))

    def test_a_policy_that_is_equal_but_new_asks_nothing_anew(self):
        self.start()
        again = dataclasses.replace(policies.policy(), version=8)
        self.rule(again)
        time.sleep(0.05)
        self.assertEqual(1, len(self.fra.inquiries))


class WithoutACollectorTest(LoopTestCase):
    collector = None

    def test_all_authorities_of_the_policy_are_asked(self):
        text = policies.policy_yaml(
            (
                "authorities: [keylime-fra, veraison-bka]",
                "authorities: [keylime-fra]",
            )
        )
        self.start(policies.policy(text))
        self.assertEqual({"ber-1", "par-2"}, self.held(BKA))


class TrustTest(unittest.TestCase):
    def test_when_one_result_could_be_the_word_of_two(self):
        cases = (
            ("a", "", "a", "", True),
            ("ab", "", "bc", "", True),
            ("a", "", "b", "", False),
            ("a", "one", "a", "two", False),
            ("a", "one", "a", "one", True),
            ("a", "one", "a", "", True),
            ("", "", "", "", False),
        )
        for keys, issuer, others, other, overlaps in cases:
            one = Trust(frozenset(keys), issuer)
            two = Trust(frozenset(others), other)
            with self.subTest(one=one, two=two):
                self.assertIs(overlaps, one.overlaps(two))
                self.assertIs(overlaps, two.overlaps(one))
