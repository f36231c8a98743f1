# SPDX-License-Identifier: Apache-2.0
"""One cycle, and what becomes of it when a part of it fails."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle import Cycle
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.cycle_report import Part
from nfv_mla_scheduler.monitor.cycle_report import well
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import HoldsEdit
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.monitor.ruling import Bounds
from nfv_mla_scheduler.monitor.ruling import Room
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.standard.catalogue import load

FENCE = Fence("h1", "s1", True, "failed")
STOP = Planned("u1", "h1", Step.STOP, (Ask.STOP,), "stop", 2.0, "failed")
DONE = Outcome("h1", "h1", Step.FENCE, Ask.DISABLE, Result.DONE)


class Fakes:
    """Every part of a cycle; each may fail."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.missing: tuple[str, ...] = ()
        self.made = Plan()
        self.looks = 0
        self.bounds: Bounds | None = None
        self.carried: list[Plan] = []
        self.outcomes: tuple[Outcome, ...] = ()
        self.touched: set[str] = set()
        self.rooms: list[Any] = []
        self.asked = 0
        self.known = Holds()
        self.written: list[HoldsEdit] = []
        self.done: list[str] = []

    def _try(self, what: str) -> None:
        if what in self.broken:
            raise SettingsError(f"{what} is broken\nand more")

    def look(self, now: Instant, monotonic: float) -> Picture:
        self.looks += 1
        self._try("look")
        return Picture(now, {}, {}, {}, {}, self.missing, now)

    def touched_traits(self, names: Iterable[str]) -> None:
        self.touched |= set(names)

    def rule(
        self,
        picture: Picture,
        snapshot: Snapshot,
        now: Instant,
        monotonic: float,
        room: Room,
    ) -> Ruling:
        self._try("rule")
        self.rooms = [room({"VCPU": 1, "DISK_GB": 2}), room({"VCPU": 2})]
        nothing = frozenset[str]()
        return Ruling(
            Verdict({}, {}, {}, frozenset(), (), (), nothing, nothing), {}, {}
        )

    def plan(
        self,
        picture: Picture,
        snapshot: Snapshot,
        ruling: Ruling,
        holds: Holds,
        bounds: Bounds,
        room: Room,
    ) -> Plan:
        self.bounds = bounds
        self._try("plan")
        room({"DISK_GB": 2, "VCPU": 1})
        return self.made

    def carry_out(
        self,
        plan: Plan,
        picture: Picture,
        now: Instant,
        sealed: Mapping[str, str],
    ) -> tuple[Outcome, ...]:
        self.done.append("act")
        self._try("act")
        self.carried.append(plan)
        return self.outcomes

    def announce(self, report: CycleReport) -> None:
        assert report.plan is self.made
        self.done.append("announce")
        self._try("announce")

    def holds(self) -> Holds:
        self._try("holds")
        return self.known

    def edit(self, edit: HoldsEdit, now: Instant) -> None:
        self._try("edit")
        self.written.append(edit)

    def room(self, amounts: Any) -> frozenset[str]:
        self.asked += 1
        self._try("room")
        return frozenset(("p1",))


class CycleTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fakes = Fakes()
        self.cycle = self.new(self.fakes)

    def new(self, hand: Fakes | None) -> Cycle:
        fakes = self.fakes
        snapshot = view.empty(load())
        return Cycle(
            fakes,
            fakes,
            fakes,
            hand,
            snapshot=lambda: snapshot,
            holds=fakes.holds,
            edit=fakes.edit,
            room=fakes.room,
            picture_max_age_s=120.0,
            announce=fakes.announce,
        )

    def failed(self, report: CycleReport) -> list[Part]:
        return [failure.part for failure in report.failures]

    def test_all_parts_run_and_nothing_fails(self) -> None:
        self.fakes.made = Plan(fences=(FENCE,), steps=(STOP,))
        self.fakes.outcomes = (DONE,)
        report = self.cycle.run(1000.0, 10.0)
        self.assertEqual([], self.failed(report))
        self.assertEqual([self.fakes.made], self.fakes.carried)
        self.assertEqual((DONE,), report.outcomes)
        self.assertEqual(1000.0, report.seen_at)
        self.assertTrue(well(report))

    def test_a_part_that_fails_says_so_and_the_others_go_on(self) -> None:
        # what is broken, what is said, whether plans are still carried out
        cases = (
            ("look", Part.OBSERVE, True),
            ("holds", Part.READ_HOLDS, True),
            ("rule", Part.JUDGE, False),
            ("room", Part.ROOM, True),
            ("plan", Part.PLAN, False),
            ("announce", Part.RECORD, True),
            ("act", Part.ACT, False),
        )
        for broken, part, acts in cases:
            with self.subTest(broken):
                self.setUp()
                self.cycle.run(1000.0, 10.0)
                self.fakes.carried.clear()
                self.fakes.broken = {broken}
                report = self.cycle.run(1010.0, 20.0)
                self.assertEqual([part], self.failed(report))
                [failure] = report.failures
                self.assertNotIn("\n", failure.text)
                self.assertIn("broken", failure.text)
                self.assertEqual(acts, bool(self.fakes.carried))
                self.assertFalse(well(report))
                self.fakes.broken = set()
                self.assertTrue(well(self.cycle.run(1020.0, 30.0)))

    def test_what_is_planned_is_announced_before_it_is_done(self) -> None:
        self.fakes.made = Plan(steps=(STOP,))
        self.cycle.run(1000.0, 10.0)
        self.assertEqual(["announce", "act"], self.fakes.done)

    def test_what_cannot_be_held_does_not_begin_and_all_else_does(
        self,
    ) -> None:
        other = dataclasses.replace(STOP, server="u2")
        lab = frozenset(("lab",))
        for edit, begun in (
            (HoldsEdit(suspects=lab), [other]),
            (HoldsEdit(braked="d1"), [other]),
            (HoldsEdit(suspects=lab, settled="d1"), [other]),
            (HoldsEdit(settled="d1"), [STOP, other]),
            (HoldsEdit(cleared=lab), [STOP, other]),
            (HoldsEdit(clipped=True), [STOP, other]),
        ):
            with self.subTest(edit):
                self.setUp()
                self.fakes.made = Plan(
                    fences=(FENCE,),
                    steps=(STOP, other),
                    holds=edit,
                    doubtful=frozenset(("u1",)),
                )
                self.fakes.broken = {"edit"}
                report = self.cycle.run(1000.0, 10.0)
                self.assertEqual([Part.WRITE_HOLDS], self.failed(report))
                [carried] = self.fakes.carried
                self.assertEqual((FENCE,), carried.fences)
                self.assertEqual(begun, list(carried.steps))

    def test_what_could_not_be_written_is_held_and_written_later(
        self,
    ) -> None:
        self.fakes.made = Plan(
            steps=(STOP,),
            holds=HoldsEdit(suspects=frozenset(("lab",))),
            doubtful=frozenset(("u1",)),
        )
        self.fakes.broken = {"edit"}
        self.cycle.run(1000.0, 10.0)
        # it is known by now, and not in the file
        self.fakes.made = dataclasses.replace(
            self.fakes.made, holds=HoldsEdit()
        )
        report = self.cycle.run(1010.0, 20.0)
        self.assertEqual({"lab": 1000.0}, report.holds.suspects)
        self.assertEqual([(), ()], [p.steps for p in self.fakes.carried])
        self.fakes.broken = set()
        self.cycle.run(1020.0, 30.0)
        [written] = self.fakes.written
        self.assertEqual(frozenset(("lab",)), written.suspects)
        self.assertEqual((STOP,), self.fakes.carried[-1].steps)
        report = self.cycle.run(1030.0, 40.0)
        self.assertEqual({}, report.holds.suspects)

    def test_holds_that_cannot_be_read_are_a_failure(self) -> None:
        self.fakes.known = Holds(fault="damaged")
        report = self.cycle.run(1000.0, 10.0)
        self.assertEqual([Part.READ_HOLDS], self.failed(report))
        self.assertTrue(report.holds.pauses(1000.0))

    def test_new_results_are_judged_by_the_last_picture(self) -> None:
        self.cycle.run(1000.0, 10.0)
        report = self.cycle.run(1001.0, 11.0, observe=False)
        self.assertEqual(1, self.fakes.looks)
        assert report.picture is not None
        self.assertEqual(1000.0, report.picture.at)

    def test_it_looks_again_when_something_was_done_since(self) -> None:
        self.fakes.outcomes = (DONE,)
        self.cycle.run(1000.0, 10.0)
        self.cycle.run(1001.0, 11.0, observe=False)
        self.assertEqual(2, self.fakes.looks)

    def test_an_old_picture_is_stale_and_one_in_part_is_not(self) -> None:
        for missing, age_s, stale in (
            (("servers (cloud-unavailable)",), 119.0, False),
            (("servers (cloud-unavailable)",), 121.0, True),
            (("cell2",), 121.0, False),
            ((), 121.0, False),
        ):
            with self.subTest(missing=missing, age_s=age_s):
                self.setUp()
                self.cycle.run(1000.0, 10.0)
                self.fakes.missing = missing
                self.cycle.run(1000.0 + age_s, 10.0 + age_s)
                assert self.fakes.bounds is not None
                self.assertEqual(stale, self.fakes.bounds.stale)

    def test_a_cloud_that_was_never_seen_is_stale(self) -> None:
        self.fakes.missing = ("servers (cloud-unavailable)",)
        self.cycle.run(1000.0, 10.0)
        assert self.fakes.bounds is not None
        self.assertTrue(self.fakes.bounds.stale)

    def test_a_clock_that_jumps_is_noticed_for_a_minute(self) -> None:
        for jump_s in (-3600.0, 3600.0):
            with self.subTest(jump_s):
                self.setUp()
                seen = []
                for passed_s in (0.0, 10.0, 20.0, 79.0, 81.0):
                    off_s = jump_s if passed_s >= 20.0 else 0.0
                    self.cycle.run(1e9 + passed_s + off_s, passed_s)
                    assert self.fakes.bounds is not None
                    seen.append(self.fakes.bounds.clock_jumped)
                self.assertEqual([False, False, True, True, False], seen)

    def test_each_kind_of_room_is_asked_for_once_a_cycle(self) -> None:
        self.cycle.run(1000.0, 10.0)
        self.assertEqual(2, self.fakes.asked)
        self.fakes.broken = {"room"}
        self.cycle.run(1010.0, 20.0)
        self.assertEqual([None, None], self.fakes.rooms)
        self.assertEqual(4, self.fakes.asked)

    def test_traits_that_were_edited_are_read_next(self) -> None:
        self.fakes.made = Plan(traits=(TraitEdit("p", "CUSTOM_X", True),))
        self.cycle.run(1000.0, 10.0)
        self.assertEqual({"CUSTOM_X"}, self.fakes.touched)

    def test_a_dry_run_plans_the_same_and_does_nothing(self) -> None:
        edit = HoldsEdit(suspects=frozenset(("lab",)))
        self.fakes.made = Plan(fences=(FENCE,), steps=(STOP,), holds=edit)
        self.fakes.broken = {"edit", "act"}
        report = self.new(None).run(1000.0, 10.0)
        self.assertEqual(self.fakes.made, report.plan)
        self.assertEqual((), report.outcomes)
        self.assertEqual([], self.failed(report))

    def test_reports_cannot_be_changed(self) -> None:
        report = self.cycle.run(1000.0, 10.0)
        with self.assertRaises(dataclasses.FrozenInstanceError):
            report.at = 1.0  # type: ignore[misc]
