# SPDX-License-Identifier: Apache-2.0
"""What a process remembers: who was there, who was found, for how long."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.planning.recall import KEPT_S
from nfv_mla_scheduler.monitor.planning.recall import Recall
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW

ONE, TWO = clouds.server(1), clouds.server(2)


def found(*numbers: int, evicts: bool = True) -> Verdict:
    return clouds.verdict(
        clouds.finding(clouds.server(n), evicts=evicts) for n in numbers
    )


class ResidentsTest(unittest.TestCase):
    def test_those_of_the_first_whole_look_while_they_stay(self) -> None:
        recall = Recall()
        asking = clouds.verdict(asking=frozenset({ONE.uuid, TWO.uuid}))
        for picture, there in (
            (clouds.picture([ONE], full_at=NEVER), {ONE.uuid}),
            (clouds.picture([ONE], missing=("c",)), {ONE.uuid}),
            # the cell is back
            (clouds.picture([ONE, TWO]), {ONE.uuid, TWO.uuid}),
            (clouds.picture([TWO], missing=("c",)), {ONE.uuid, TWO.uuid}),
            (clouds.picture([ONE, clouds.server(2, "h7")]), {ONE.uuid}),
            (clouds.picture([ONE, TWO]), {ONE.uuid}),
            (clouds.picture([TWO]), set()),
        ):
            self.assertEqual(there, recall.residents(picture, asking))


class BeforeTest(unittest.TestCase):
    def test_by_what_was_found_under_the_policy_before(self) -> None:
        recall = Recall()
        for digest, verdict, before in (
            ("d1", found(1, 2), set()),
            ("d1", found(1, 2, 3), set()),
            ("d2", found(1, 2, 3, 4), {1, 2, 3}),
            # who was not, in between, is found anew
            ("d2", found(1, 3, 4), {1, 3}),
            ("d2", found(1, 2, 3, 4), {1, 3}),
            ("d3", found(1, 2, 3, 4, evicts=False), set()),
            ("d3", found(1), set()),
        ):
            told = recall.before(digest, None, verdict, {}, NOW)
            self.assertEqual({clouds.uuid(n) for n in before}, told)

    def test_by_marks_that_are_older(self) -> None:
        marks = {
            ONE.uuid: clouds.mark(Code.LOCK, 11),
            TWO.uuid: clouds.mark(Code.LOCK, 9),
        }
        recall = Recall()
        first = recall.before("d1", None, found(1, 2), marks, NOW - 9.5)
        self.assertEqual({ONE.uuid}, first)
        later = recall.before("d1", None, found(1, 2), marks, NOW)
        self.assertEqual({ONE.uuid}, later)
        # after a restart all that it has is older, if it is not held
        again = Recall()
        told = again.before("d1", None, found(1, 2), marks, NOW)
        self.assertEqual({ONE.uuid, TWO.uuid}, told)
        told = again.before("d1", NOW - 10, found(1, 2), marks, NOW)
        self.assertEqual({ONE.uuid}, told)


class AgesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.recall = Recall()
        self.marks = {ONE.uuid: clouds.mark(Code.LOCK, 20)}

    def age(self, now: float, monotonic: float, **acted: float) -> float:
        known = {ONE.uuid: Acted(True, **acted)}
        ages = self.recall.ages_s(self.marks, known, now, monotonic)
        return ages[ONE.uuid]

    def test_a_clock_that_is_set_makes_nothing_older(self) -> None:
        self.assertEqual(20, self.age(NOW, 100))
        self.assertEqual(30, self.age(NOW + 10, 110))
        for ahead_s in (3600.0, -3600.0, 1e8):
            self.assertEqual(40, self.age(NOW + ahead_s, 120))
        # not even one that is marked anew, or whose record is read late
        self.marks = {ONE.uuid: clouds.mark(Code.LOCK, 15)}
        self.assertEqual(40, self.age(NOW + 3600, 125))
        first = NOW - 25
        self.assertEqual(50, self.age(NOW + 3600, 125, first=first))
        self.assertEqual(55, self.age(NOW + 3600, 130, first=first))

    def test_a_restart_goes_by_the_mark(self) -> None:
        self.age(NOW, 100)
        self.recall = Recall()
        self.assertEqual(600, self.age(NOW + 580, 5))
        self.assertEqual(601, self.age(NOW + 581, 6))

    def test_what_begins_anew_does(self) -> None:
        self.age(NOW - 20, 80)
        self.age(NOW, 100)
        self.marks = {ONE.uuid: clouds.mark(Code.LOCK, -300)}
        self.assertEqual(1, self.age(NOW + 301, 401))
        # by a clock that ran ahead: it counts from when it was seen
        self.marks = {ONE.uuid: clouds.mark(Code.LOCK, -9999)}
        self.assertEqual(0, self.age(NOW + 302, 402))
        self.assertEqual(8, self.age(NOW + 310, 410))

    def test_one_that_is_out_of_sight_is_remembered(self) -> None:
        self.age(NOW, 100)
        for gone_s, age_s in ((KEPT_S, 20 + KEPT_S), (2 * KEPT_S + 1, 9019)):
            self.recall.ages_s({}, {}, NOW, 100 + gone_s)
            found = self.age(NOW + 8999, 100 + gone_s)
            self.assertEqual(age_s, found)

    def test_what_was_tried_counts_by_itself(self) -> None:
        self.assertEqual(50, self.age(NOW, 100, tried=NOW - 50))
        self.marks = {}
        self.assertEqual(60, self.age(NOW, 100, tried=NOW - 60))
        self.assertEqual({}, self.recall.ages_s({}, {}, NOW, 100))


if __name__ == "__main__":
    unittest.main()
