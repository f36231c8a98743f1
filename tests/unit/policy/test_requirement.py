# SPDX-License-Identifier: Apache-2.0
"""What one server needs: the meet of everybody who may ask for it."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.requirement import copy_rule
from nfv_mla_scheduler.policy.requirement import meet
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Source

FLOOR, FLAVOR, HINT = Source.FLOOR, Source.FLAVOR, Source.HINT
NOBODY = Application()


def of(*names):
    return frozenset(names)


class TestMeet(unittest.TestCase):
    def test_sources_that_ask_for_nothing_are_left_out(self):
        asks = [
            Ask(FLAVOR, conceals=of("cpu"), copy=CopyRule.DENY),
            Ask(HINT),
        ]
        self.assertFalse(meet(asks, NOBODY).demands)
        asks.append(Ask(FLOOR, profiles=of("own")))
        self.assertEqual({asks[2]}, meet(asks, NOBODY).asks)
        self.assertTrue(meet(asks, NOBODY).demands)

    def test_equal_needs_are_equal_whatever_the_order(self):
        one = Ask(FLAVOR, pools=of("a", "b"))
        other = Ask(HINT, pools=of("b"))
        self.assertEqual(
            meet([one, other], NOBODY), meet([other, one], NOBODY)
        )
        self.assertNotEqual(
            meet([one], NOBODY, "p1"), meet([one], NOBODY, "p2")
        )

    def test_only_a_flavor_offers_to_conceal(self):
        for asks, found in (
            ([], of()),
            ([Ask(FLAVOR, conceals=of("cpu", "ram"))], of("cpu", "ram")),
            ([Ask(FLOOR, conceals=of("cpu"))], of()),
            (
                [
                    Ask(FLOOR, conceals=of("cpu")),
                    Ask(FLAVOR, conceals=of("cpu", "ram")),
                ],
                of("cpu"),
            ),
        ):
            with self.subTest(asks=asks):
                conceals = meet(asks, NOBODY).application.conceals
                self.assertEqual(found, conceals)


class TestCopyRule(unittest.TestCase):
    def test_the_strictest_rule_counts(self):
        rules = (CopyRule.ALLOW, CopyRule.SAME_PROJECT, CopyRule.DENY)
        for number, rule in enumerate(rules):
            asks = [Ask(FLAVOR, copy=r) for r in rules[: number + 1]]
            self.assertIs(rule, copy_rule([*asks, Ask(HINT)]))

    def test_nobody_may_have_said_anything(self):
        self.assertIsNone(copy_rule([Ask(FLAVOR), Ask(HINT)]))
