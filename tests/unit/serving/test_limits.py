# SPDX-License-Identifier: Apache-2.0
"""Places and allowances, by a clock of their own."""

from __future__ import annotations

import unittest

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.serving.limits import Allowance
from nfv_mla_scheduler.serving.limits import Allowances
from nfv_mla_scheduler.serving.limits import PlacesEach
from nfv_mla_scheduler.serving.limits import caller


class AllowanceTest(unittest.TestCase):
    def test_an_allowance_comes_back_with_time(self) -> None:
        now = [0.0]
        allowance = Allowance(2, 0.5, lambda: now[0])
        self.assertEqual(
            [True, True, False], [allowance.spend() for _ in range(3)]
        )
        now[0] += 2
        self.assertEqual([True, False], [allowance.spend() for _ in range(2)])
        now[0] += 1000
        self.assertEqual(
            [True, True, False], [allowance.spend() for _ in range(3)]
        )

    @given(
        most=st.integers(1, 9),
        per_second=st.sampled_from((0.5, 1.0, 2.0, 16.0)),
        pauses=st.lists(st.sampled_from((0.0, 0.125, 1.0, 60.0)), max_size=60),
    )
    def test_no_more_than_it_holds_and_gets(
        self, most: int, per_second: float, pauses: list[float]
    ) -> None:
        now = [0.0]
        allowance = Allowance(most, per_second, lambda: now[0])
        spent = 0
        for pause in pauses:
            now[0] += pause
            spent += allowance.spend()
        self.assertLessEqual(spent, most + now[0] * per_second)
        self.assertGreaterEqual(spent, min(len(pauses), most))


class AllowancesTest(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 0.0
        self.each = Allowances(2, 1.0, lambda: self.now, callers_max=3)

    def _spend(self, who: str, count: int = 3) -> list[bool]:
        return [self.each.spend(who) for _ in range(count)]

    def test_each_caller_has_one_of_their_own(self) -> None:
        for who in ("a", "b"):
            self.assertEqual([True, True, False], self._spend(who))
        self.now += 1
        self.assertEqual([True, False], self._spend("a", 2))

    def test_who_has_not_called_for_longest_is_forgotten_first(self) -> None:
        for who in ("a", "b", "c"):
            self._spend(who)
        self.assertEqual([False], self._spend("a", 1))
        self._spend("d")
        self.assertEqual([False], self._spend("a", 1))
        self.assertEqual([False], self._spend("c", 1))
        self.assertEqual([True], self._spend("b", 1))
        self.assertEqual(3, len(self.each._each))


class PlacesEachTest(unittest.TestCase):
    def test_so_many_each(self) -> None:
        places = PlacesEach(2)
        taken = [places.take(who) for who in "aaab"]
        self.assertEqual([True, True, False, True], taken)
        places.leave("a")
        self.assertEqual([True, False], [places.take("a") for _ in "aa"])
        for who in "aab":
            places.leave(who)
        self.assertEqual({}, dict(places._taken))

    def test_as_many_as_they_like(self) -> None:
        places = PlacesEach(None)
        self.assertTrue(all(places.take("a") for _ in range(1000)))
        places.leave("a")


class CallerTest(unittest.TestCase):
    def test_who_is_at_an_address(self) -> None:
        cases = {
            "192.0.2.7": "192.0.2.7",
            "::ffff:192.0.2.7": "192.0.2.7",
            "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
            "2001:db8:1:2::9": "2001:db8:1:2::/64",
            "fe80::1%eth0": "fe80::/64",
            "": "",
            "nobody knows": "nobody knows",
        }
        for address, expected in cases.items():
            with self.subTest(address=address):
                self.assertEqual(expected, caller(address))
