# SPDX-License-Identifier: Apache-2.0
"""What a plan depends on, as far as it is gathered for it."""

from __future__ import annotations

import dataclasses
import threading
import unittest
from typing import Any
from unittest import mock

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
from nfv_mla_scheduler.monitor.planning import planner as planning
from nfv_mla_scheduler.monitor.planning.planner import Means
from nfv_mla_scheduler.monitor.planning.planner import Planning
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.unbuilt import DEEDS_MAX
from nfv_mla_scheduler.monitor.planning.unbuilt import unbuilt
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.ruling import Bounds
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.steps import Plan
from nfv_mla_scheduler.monitor.steps import Step
from tests.unit import drafts
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import says
from tests.unit.monitor import clouds
from tests.unit.monitor import scene
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
            lambda _server: deeds,
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
        # what is seen on a full page is true all the same
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
        self.assertEqual({}, unbuilt(gone, marks, lambda _server: ()))


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

    def deeds(self, uuid: str) -> tuple[Deed, ...]:
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
        with self.assertLogs(planning.LOG, "WARNING") as logs:
            plan = self.plan()
        self.assertEqual(["h1"], [fence.host for fence in plan.fences])
        self.assertEqual(
            [(scene.uuid(1), Step.LOCK), (scene.uuid(2), Step.LOCK)],
            [(step.server, step.step) for step in plan.steps],
        )
        self.assertEqual(1, len(logs.output))
        self.assertIn("not told for 1", logs.output[0])

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
