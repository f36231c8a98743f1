# SPDX-License-Identifier: Apache-2.0
"""News are told once, and not without end, whoever brings them about."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.feed import news
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller


class TellerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.told: list[News] = []
        self.now = 1000.0
        self.teller = Teller(self.told.append, lambda: self.now)

    def _flap(self, subject: str, count: int) -> None:
        for number in range(count):
            if number % 2:
                self.teller.good(subject, "well")
            else:
                self.teller.bad(subject, "code", f"fault {number}")

    def test_a_few_changes_are_all_told(self) -> None:
        self._flap("results", news.BURST)
        self.assertEqual(news.BURST, len(self.told))
        self.teller.catch_up()
        self.assertEqual(news.BURST, len(self.told))

    def test_of_many_changes_the_newest_is_told_in_time(self) -> None:
        self._flap("results", 1001)
        self.assertEqual(news.BURST, len(self.told))
        self.teller.catch_up()
        self.assertEqual(news.BURST, len(self.told))
        self.assertTrue(self.teller.is_bad("results"))
        self.now += news.REFILL_S
        self.teller.catch_up()
        last = self.told[-1]
        count = 1001 - news.BURST - 1
        self.assertEqual((False, "code"), (last.good, last.code))
        self.assertEqual(
            f"fault 1000 (after {count} changes not told)", last.text
        )
        # said is said
        self.now += news.REFILL_S
        self.teller.catch_up()
        self.assertEqual(news.BURST + 1, len(self.told))

    def test_a_day_of_flapping_is_a_few_lines(self) -> None:
        for _ in range(24 * 60):
            self._flap("results", 2)
            self.now += 60
            self.teller.catch_up()
        most = news.BURST + 24 * 3600 / news.REFILL_S + 1
        self.assertLessEqual(len(self.told), most)

    def test_one_subject_takes_nothing_from_another(self) -> None:
        self._flap("results", 1000)
        self.told.clear()
        self.teller.bad("results age", "code", "old")
        self.teller.bad("policy", "code", "bad")
        self.assertEqual(2, len(self.told))

    def test_what_officers_and_operators_do_is_always_told(self) -> None:
        for subject in ("policy", "state", "break-glass", "break-glass x"):
            self.told.clear()
            self._flap(subject, 100)
            self.assertEqual(100, len(self.told), subject)

    def test_texts_stay_bounded(self) -> None:
        for number in range(100):
            self.teller.bad("results", "code", f"{number}" * 1000)
        self.now += news.REFILL_S
        self.teller.catch_up()
        self.assertIn("not told", self.told[-1].text)
        for one in self.told:
            self.assertLessEqual(len(one.text), news.TEXT_MAX)


if __name__ == "__main__":
    unittest.main()
