# SPDX-License-Identifier: Apache-2.0
"""The hosts of the bench are as its introduction says."""

from __future__ import annotations

import collections
import unittest

from bench import asks
from bench import estate
from bench import rules
from bench.estate import Standing
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies


class EstateTest(unittest.TestCase):
    def test_half_are_admitted_and_a_tenth_is_exclusive(self) -> None:
        for count in (estate.LEAST, estate.COUNT):
            found = estate.counts(estate.estate(count))
            self.assertEqual(count, sum(found.values()))
            self.assertEqual(count / 2, found[Standing.GOOD])
            self.assertEqual(count / 10, found[Standing.EXCLUSIVE])
            self.assertTrue(all(found.values()))

    def test_every_shared_pool_has_hosts_of_all_kinds(self) -> None:
        kinds = collections.defaultdict(set)
        for host in estate.estate(estate.LEAST):
            kinds[host.pool].add(host.standing)
        self.assertEqual(20, len(kinds))
        for pool, standings in kinds.items():
            expected = set(Standing) - {Standing.EXCLUSIVE}
            if pool in estate.exclusive_pools():
                expected = {Standing.EXCLUSIVE}
            self.assertEqual(expected, standings)

    def test_the_policy_lints(self) -> None:
        text = rules.policy_text(
            estate.estate(estate.LEAST),
            policies.public_pem(rules.COLLECTOR),
            policies.NOW,
        )
        problems, _ = lint_policy(text.encode(), load(), policies.NOW)
        self.assertEqual((), problems)


class AsksTest(unittest.TestCase):
    def test_requirements_are_right_and_all_different(self) -> None:
        found = [
            *asks.many(),
            *asks.never_seen(),
            *asks.never_seen(waived=True),
            asks.MAIN,
        ]
        self.assertEqual(100, len(asks.many()))
        self.assertGreater(len(list(asks.never_seen())), 100)
        read = {read_ask(Source.FLAVOR, specs, load()) for specs in found}
        self.assertEqual(len(found), len(read))
        self.assertTrue(all(ask.demands for ask in read))

    def test_nothing_is_nothing(self) -> None:
        read = read_ask(Source.FLAVOR, asks.NOTHING, load())
        self.assertFalse(read.demands)
