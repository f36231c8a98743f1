# SPDX-License-Identifier: Apache-2.0
"""What a plan depends on, as far as it is gathered for it."""

from __future__ import annotations

import dataclasses
import threading
import unittest
from typing import Any
from unittest import mock

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning import off
from nfv_mla_scheduler.monitor.planning import places
from nfv_mla_scheduler.monitor.planning.planner import Means
from nfv_mla_scheduler.monitor.planning.planner import Planning
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.planning.record import Record
from nfv_mla_scheduler.monitor.planning.record import record_of
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.unbuilt import unbuilt
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.port import DEEDS_MAX
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.power import Power as Command
from nfv_mla_scheduler.monitor.ruling import Bounds
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Guard
from tests.unit import drafts
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import says
from tests.unit.monitor import clouds
from tests.unit.monitor import scene
from tests.unit.monitor.cloud_fake import MONITOR
from tests.unit.monitor.cloud_fake import FakeCloud
from tests.unit.monitor.clouds import NOW

HERE = clouds.server(1, locked=True)
# the mark was first written two minutes ago
REBUILDS = clouds.mark(Code.REBUILD_ELSEWHERE, 120)


def deed(action: str, ago_s: float) -> Deed:
    at: Instant = NOW - ago_s
    return Deed(action, "req-1", "us", "ours", at, "")


class UnbuiltTest(unittest.TestCase):
    def found(
        self,
        *deeds: Deed,
        mark: Mark = REBUILDS,
        of: Server | Migration = HERE,
    ) -> bool | None:
        moves = [of] if isinstance(of, Migration) else []
        server = HERE if isinstance(of, Migration) else of
        return unbuilt(
            clouds.picture([server], moves=moves),
            Marks({HERE.uuid: mark}, {}),
            lambda _server: record_of(deeds),
        ).get(HERE.uuid)

    def test_what_nova_recorded_tells(self) -> None:
        table: tuple[tuple[str, tuple[Deed, ...], bool], ...] = (
            ("its host is well again", (deed("stop", 100),), False),
            ("evacuated", (deed("stop", 110), deed("evacuate", 90)), True),
            (
                "and rebuilt",
                (deed("evacuate", 90), deed("rebuild", 30)),
                False,
            ),
            (
                "rebuilt by its owner before",
                (deed("rebuild", 100), deed("evacuate", 90)),
                True,
            ),
            (
                "evacuated again",
                (
                    deed("evacuate", 90),
                    deed("rebuild", 60),
                    deed("evacuate", 30),
                ),
                True,
            ),
            ("evacuated long ago", (deed("evacuate", 4000),), False),
        )
        for name, deeds, expected in table:
            with self.subTest(name):
                self.assertIs(expected, self.found(*deeds))

    def test_another_step_after_it_changes_nothing(self) -> None:
        later = clouds.mark(Code.STOP, 10, since_s=120, rebuild=True)
        evacuated = deed("evacuate", 90)
        self.assertIs(True, self.found(evacuated, mark=later))
        rebuilt = (evacuated, deed("rebuild", 30))
        self.assertIs(False, self.found(*rebuilt, mark=later))

    def test_a_rebuild_that_failed_does_not_count(self) -> None:
        failed = dataclasses.replace(deed("rebuild", 30), message="Error")
        evacuated = deed("evacuate", 90)
        self.assertIs(True, self.found(evacuated, failed))
        again = (evacuated, failed, deed("rebuild", 20))
        self.assertIs(False, self.found(*again))
        broken = dataclasses.replace(HERE, vm_state=VmState.ERROR)
        self.assertIs(True, self.found(*again, of=broken))

    def test_what_is_not_seen_is_not_known(self) -> None:
        noise = (deed("createImage", 10),) * DEEDS_MAX
        self.assertIsNone(self.found(*noise))
        self.assertIs(False, self.found(*noise[1:]))
        # what was before the mark does not matter
        before = deed("createImage", 4000)
        self.assertIs(False, self.found(before, *noise[1:]))
        # what is seen is true all the same
        evacuated = (deed("evacuate", 90), *noise[1:])
        self.assertIs(True, self.found(*evacuated))
        rebuilt = (*evacuated[1:], deed("evacuate", 90), deed("rebuild", 5))
        self.assertIs(False, self.found(*rebuilt))

    def test_an_evacuation_that_nova_shows_and_recorded_nowhere(self) -> None:
        for kind, ago_s, expected in (
            ("evacuation", 100, None),
            ("evacuation", 4000, False),
            ("live-migration", 100, False),
        ):
            with self.subTest(kind=kind, ago_s=ago_s):
                move = clouds.move(HERE, kind=kind, created=NOW - ago_s)
                self.assertIs(expected, self.found(deed("stop", 110), of=move))

    def test_who_is_not_to_be_rebuilt_is_not_asked_about(self) -> None:
        for code in set(Code) - {Code.REBUILD_ELSEWHERE}:
            mark = clouds.mark(code, 120)
            self.assertIsNone(self.found(deed("evacuate", 90), mark=mark))

    def test_what_cannot_be_read_is_not_known(self) -> None:
        marks = Marks({HERE.uuid: REBUILDS}, {})
        picture = clouds.picture([HERE])
        self.assertEqual({}, unbuilt(picture, marks, lambda _server: None))
        gone = clouds.picture()
        self.assertEqual({}, unbuilt(gone, marks, lambda _server: Record(())))


class _Hangs:
    """A power command that answers once Nova has been asked, or never."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.asked = threading.Event()
        self.over = threading.Event()
        self.waited = True

    def is_off(self, host: str, uuid: str = "") -> bool | None:
        self.begun.set()
        self.waited = not self.asked.wait(3.0)
        self.over.set()
        return None


class _Nova(FakeCloud):
    """Says that it was asked for what was done to a server."""

    hangs: _Hangs

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        if self.hangs.begun.is_set():
            self.hangs.asked.set()
        return ()


class PlanningTest(unittest.TestCase):
    """What is gathered, from a judge and policies as they are."""

    def setUp(self) -> None:
        draft = asking(2, capability__tpm="required")
        self.scene = scene.Scene(draft)
        self.hangs = _Hangs()
        self.addCleanup(self.hangs.asked.set)
        self.nova = _Nova()
        self.nova.hangs = self.hangs
        says(draft, "tpm", status=Status.CONTRAINDICATED)
        power: Any = self.hangs
        means = Means(Arming.ALL, False, DEADLINES_S, power)
        judge = self.scene.judging.judge
        self.planning = Planning(self.nova, judge, means, workers=1)
        self.addCleanup(self.planning.close)

    def plan(self, **marks: Any) -> Plan:
        now = drafts.NOW
        verdict = self.scene.look(now)
        ruling = Ruling(verdict, {}, marks, detail=Marks(marks, {}))
        picture = dataclasses.replace(self.scene.picture(), full_at=now)
        return self.planning.plan(
            picture,
            self.scene.snapshot,
            ruling,
            Holds(settled={self.scene.policy.digest: 1.0}),
            Bounds(now, now),
            lambda _: frozenset(),
        )

    def test_one_that_cannot_be_judged_keeps_nobody_else(self) -> None:
        odd: Any = {"VCPU": 1, 7: 1}
        good = self.scene.asked()
        self.scene.add(scene.server(1, "h1", good))
        self.scene.add(
            scene.server(2, "h1", dataclasses.replace(good, amounts=odd))
        )
        with self.assertLogs(places.LOG, "WARNING") as logs:
            plan = self.plan()
        self.assertEqual(["h1"], [fence.host for fence in plan.fences])
        self.assertEqual(
            [(scene.uuid(1), Step.LOCK), (scene.uuid(2), Step.LOCK)],
            [(step.server, step.step) for step in plan.steps],
        )
        self.assertEqual(1, len(logs.output))
        self.assertIn("no place can be told for 1 of", logs.output[0])

    def test_a_power_command_that_hangs_keeps_nobody_from_nova(self) -> None:
        mark = dataclasses.replace(
            clouds.mark(Code.POWER_OFF), at=drafts.NOW, since=drafts.NOW
        )
        with mock.patch.object(off, "OFF_WAIT_S", 0.01):
            for updated in (drafts.NOW, drafts.NOW + 1):
                self.scene.add(
                    scene.server(
                        1,
                        "h1",
                        self.scene.asked(),
                        locked=True,
                        updated=updated,
                    )
                )
                self.plan(**{scene.uuid(1): mark})
                self.assertTrue(self.hangs.begun.wait(5.0))
        self.assertTrue(self.hangs.over.wait(5.0))
        self.assertFalse(self.hangs.waited)


class _Locked(FakeCloud):
    """Says what was done to each server, and where it is."""

    where: frozenset[str] = frozenset()
    done: tuple[Deed, ...] = ()

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        return self.done

    def allocation(self, server: str) -> frozenset[str]:
        return self.where


class _Off(Command):
    """Knows which hosts are off."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: list[str] = []
        self.off: set[str] = set()

    def is_off(self, host: str, uuid: str = "") -> bool | None:
        self.asked.append(host)
        return host in self.off


class RememberedTest(unittest.TestCase):
    """What neither a picture nor a mark tells."""

    def setUp(self) -> None:
        draft = asking(2, capability__tpm="required")
        says(draft, "tpm", status=Status.CONTRAINDICATED)
        self.scene = scene.Scene(draft)
        book = ("fence", "lock", "stop", "power-off", "alert")
        self.scene.policy = dataclasses.replace(
            self.scene.policy, playbooks={"integrity": book}
        )
        self.nova = _Locked()
        self.power = _Off((), ())
        self.mono = drafts.NOW
        self.begin(True)

    def begin(self, acts: bool) -> None:
        self.planning = Planning(
            self.nova,
            self.scene.judging.judge,
            Means(Arming.ALL, False, DEADLINES_S, self.power, acts),
            workers=1,
        )
        self.addCleanup(self.planning.close)

    def plan(
        self, after_s: float = 0.0, ahead_s: float = 0.0, **marks: Mark
    ) -> Plan:
        self.mono += after_s
        verdict = self.scene.look(drafts.NOW)
        ruling = Ruling(verdict, {}, marks, detail=Marks(marks, {}))
        now = drafts.NOW + ahead_s
        return self.planning.plan(
            dataclasses.replace(self.scene.picture(), full_at=now),
            self.scene.snapshot,
            ruling,
            Holds(settled={self.scene.policy.digest: 1.0}),
            Bounds(now, self.mono),
            lambda _: frozenset(),
        )

    def test_who_is_released_is_where_placement_has_it(self) -> None:
        at = drafts.NOW - 900
        mark = Mark(Code.LOCK, "0a1b2c3d", at, at, "active")
        ours = Deed("lock", "req-1", MONITOR, "p-service", at, "")
        self.nova.done = (ours,)
        self.scene.add(scene.server(1, "h2", None, locked=True))
        for where, released in (("h2", True), ("h1", False)):
            self.nova.where = frozenset({drafts.uuid(where)})
            out = self.plan(**{scene.uuid(1): mark})
            whys = [h.why for h in out.held]
            with self.subTest(where):
                self.assertIs(released, bool(out.releases))
                self.assertEqual([] if released else [Why.ASTRAY], whys)

    def test_a_clock_that_is_set_forward_passes_no_guard(self) -> None:
        one = Guard(1, 1, 1, 1, 100)
        self.scene.policy = dataclasses.replace(self.scene.policy, guard=one)
        asked = self.scene.asked()
        marks = {}
        for number in (1, 2, 3):
            self.scene.add(scene.server(number, "h1", asked, locked=True))
            at = drafts.NOW - 20
            mark = Mark(Code.LOCK, "0a1b2c3d", at, at, "active")
            marks[scene.uuid(number)] = mark
        at = drafts.NOW - 20
        self.nova.done = (Deed("lock", "req-1", MONITOR, "p-service", at, ""),)
        self.begin(False)
        for ahead_s in (0.0, 0.0, 3600.0, 3600.0):
            out = self.plan(10.0, ahead_s, **marks)
            begun = [s for s in out.steps if s.step.disturbs]
            self.assertEqual(1, len(begun), ahead_s)
        # by a restart that is forgotten, and time that has passed counts
        self.begin(False)
        out = self.plan(10.0, 3600.0, **marks)
        self.assertEqual(3, len([s for s in out.steps if s.step.disturbs]))

    def test_a_host_without_a_mark_may_be_off_as_well(self) -> None:
        self.scene.add(scene.server(1, "h1", self.scene.asked()))
        self.plan()
        self.plan(10)
        out = self.plan(590)
        while not any(Ask.POWER_OFF in s.asks for s in out.steps):
            self.assertEqual([], self.power.asked)
            out = self.plan(30)
            self.assertLess(self.mono, drafts.NOW + 900)
        self.power.off.add("h1")
        out = self.plan(10)
        self.assertEqual(["h1"], self.power.asked)
        self.assertEqual((), out.not_halted)
        self.assertFalse(any(Ask.POWER_OFF in s.asks for s in out.steps))

    def test_what_is_not_done_is_not_remembered(self) -> None:
        self.begin(acts=False)
        self.scene.add(scene.server(1, "h1", self.scene.asked()))
        for _ in range(5):
            out = self.plan(600)
            self.assertEqual([(Ask.LOCK,)], [s.asks for s in out.steps])
            self.assertEqual((), out.not_halted)

    def test_who_ends_what_we_do_time_after_time_is_reported(self) -> None:
        self.scene.add(scene.server(1, "h1", self.scene.asked()))
        self.plan()
        at, ends = drafts.NOW, []
        for number, told in enumerate((0, 0, 0, 1, 1)):
            ours = Deed("lock", f"o{number}", MONITOR, "p-service", at, "")
            ends += [ours, Deed("start", f"f{number}", "u", "p", at, "")]
            self.nova.done = tuple(ends)
            self.planning._owners.forget([scene.uuid(1)])
            out = self.plan(10)
            with self.subTest(number):
                self.assertEqual(told, len(out.tampered))
