# SPDX-License-Identifier: Apache-2.0
"""Which hosts are fenced, and who and what is released again."""

from __future__ import annotations

import dataclasses
import unittest
from typing import Any

from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.releases import to_release
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW
from tests.unit.monitor.situations import PAUSED
from tests.unit.monitor.situations import begin
from tests.unit.monitor.situations import planned
from tests.unit.monitor.situations import situation

EXPIRED = clouds.policy(expires_at=NOW)
OFF = clouds.node("h1", enabled=False, reason="nfv-mla/1 ours")
FENCED = Marks({}, {"h1": clouds.mark(Code.FENCE, 900)})
HERE = clouds.server(1, locked=True)


def whys(out: Plan) -> list[Why]:
    return [held.why for held in out.held]


class FenceTest(unittest.TestCase):
    def plan(
        self, found: HostFinding | None, *nodes: Node, **changed: Any
    ) -> Plan:
        it = situation(
            picture=clouds.picture(nodes=nodes or [clouds.node("h1")]),
            verdict=clouds.verdict(hosts=[found] if found else []),
            **changed,
        )
        return planned(it, {})

    def test_which_hosts_are_fenced(self) -> None:
        failed = clouds.host_finding("h1")
        other = dataclasses.replace(OFF, reason="broken fan")
        said = dataclasses.replace(failed, permissive=True)
        misplaced = dataclasses.replace(failed, fences=False)
        fence = Fence("h1", "s-h1", True, "failed")
        table: tuple[tuple[str, HostFinding, Node, Marks, Any], ...] = (
            ("failed", failed, clouds.node("h1"), Marks({}, {}), [fence]),
            ("fenced", failed, OFF, FENCED, []),
            ("off for another reason", failed, other, Marks({}, {}), []),
            ("a forged mark", failed, OFF, Marks({}, {}), [fence]),
            ("misplaced", misplaced, clouds.node("h1"), Marks({}, {}), []),
            ("permissive", said, clouds.node("h1"), Marks({}, {}), []),
        )
        for name, found, node, marks, expected in table:
            with self.subTest(name):
                out = self.plan(found, node, marks=marks)
                self.assertEqual(expected, list(out.fences))
                held = [Why.PERMISSIVE] if name == "permissive" else []
                self.assertEqual(held, whys(out))

    def test_what_keeps_a_fence_from_being_set(self) -> None:
        failed = clouds.host_finding("h1")
        silent = clouds.host_finding("h1", Kind.WITHHELD)
        table: tuple[tuple[HostFinding, Why | None, dict[str, Any]], ...] = (
            (failed, None, {"act": Arming.FENCE}),
            (failed, None, {"holds": Holds(fault="is damaged")}),
            (failed, None, {"jumped": True}),
            (failed, None, {"starting": True}),
            (failed, None, {"stale": True}),
            (silent, None, {}),
            (failed, Why.ACT_NONE, {"act": Arming.NONE, "holds": PAUSED}),
            (failed, Why.PAUSED, {"holds": PAUSED, "policy": EXPIRED}),
            (failed, Why.POLICY_EXPIRED, {"policy": EXPIRED}),
            (silent, Why.CLOCK_JUMPED, {"jumped": True}),
            (silent, Why.STARTING, {"starting": True, "jumped": True}),
        )
        for found, why, changed in table:
            with self.subTest(str((why, changed))[:70]):
                out = self.plan(found, **changed)
                self.assertEqual([why] if why else [], whys(out))
                self.assertEqual(why is None, bool(out.fences))

    def test_a_service_of_many_nodes_is_fenced_once(self) -> None:
        first = clouds.node("h1")
        second = dataclasses.replace(first, name="bm2", uuid="u2")
        it = situation(
            picture=clouds.picture(nodes=[first]),
            verdict=clouds.verdict(hosts=[clouds.host_finding("h1")]),
        )
        nodes = {"h1/bm2": second, "h1": first}
        picture = dataclasses.replace(it.picture, nodes=nodes)
        out = planned(dataclasses.replace(it, picture=picture), {})
        self.assertEqual(["s-h1"], [f.service for f in out.fences])

    def test_a_host_that_nova_does_not_know(self) -> None:
        out = self.plan(clouds.host_finding("h2"))
        self.assertEqual(((), ()), (out.fences, out.held))


class UnfenceTest(unittest.TestCase):
    def plan(self, servers: tuple[Server, ...] = (), **changed: Any) -> Plan:
        it = situation(
            picture=clouds.picture(
                servers,
                [OFF],
                changed.pop("moves", ()),
                missing=changed.pop("missing", ()),
            ),
            marks=Marks(changed.pop("marked", {}), FENCED.nodes),
            evidence={"h1": NOW - 60},
        )
        return planned(dataclasses.replace(it, **changed), {})

    def test_a_host_that_complies_is_released(self) -> None:
        for act in (Arming.ALL, Arming.FENCE):
            out = self.plan(act=act)
            self.assertEqual((Fence("h1", "s-h1", False, ""),), out.fences)
            self.assertEqual((), out.held)

    def test_anybodys_servers_may_be_there(self) -> None:
        out = self.plan((clouds.server(1, "h1"),))
        self.assertEqual(1, len(out.fences))

    def test_what_keeps_a_fence(self) -> None:
        marked = {HERE.uuid: clouds.mark(Code.STOP, 900)}
        left = clouds.server(1, "h2", vm_state=VmState.RESIZED)
        move = clouds.move(
            left, source="h1", kind="migration", course=Course.ARRIVED
        )
        table: tuple[tuple[Why, dict[str, Any]], ...] = (
            (Why.ACT_NONE, {"act": Arming.NONE}),
            (Why.PAUSED, {"holds": PAUSED}),
            (Why.PAUSED, {"holds": Holds(fault="is damaged")}),
            (Why.POLICY_EXPIRED, {"policy": EXPIRED}),
            (Why.STARTING, {"starting": True}),
            (Why.CLOCK_JUMPED, {"jumped": True}),
            (Why.PARTIAL, {"missing": ("cell2",)}),
            (Why.PARTIAL, {"stale": True}),
            (Why.NOT_CLEAN, {"servers": (clouds.server(1),),
                             "marked": marked}),
            (Why.NOT_CLEAN, {"servers": (left,), "marked": marked,
                             "moves": (move,), "evidence": {}}),
            (Why.NOT_YET, {"evidence": {"h1": NOW - 900}}),
            (Why.NOT_YET, {"evidence": {}}),
            (
                Why.NOT_YET,
                {"verdict": clouds.verdict(unproven=frozenset({"h1"}))},
            ),
        )  # fmt: skip
        for why, changed in table:
            with self.subTest(str((why, changed))[:70]):
                out = self.plan(**changed)
                self.assertEqual((), out.fences)
                self.assertIn(why, whys(out))

    def test_a_host_that_is_not_the_bound_one_keeps_its_fence(self) -> None:
        another = dataclasses.replace(OFF, uuid="u-h99")
        table: dict[str, dict[str, Node]] = {
            "another node": {"h1": another},
            "another node before its own": {"h1": another, "h1/h1": OFF},
            "another node after its own": {"h1": OFF, "h1/z": another},
            "the node of another host": {
                "h1": dataclasses.replace(OFF, uuid="u-h2"),
            },
            "a node that Nova does not name": {
                "h1": dataclasses.replace(OFF, uuid=""),
            },
            "a name that is not bound": {
                "h77": dataclasses.replace(OFF, host="h77"),
            },
        }
        for what, nodes in table.items():
            with self.subTest(what):
                fence = clouds.mark(Code.FENCE, 900)
                out = self.plan(
                    picture=dataclasses.replace(clouds.picture(), nodes=nodes),
                    marks=Marks({}, dict.fromkeys(nodes, fence)),
                    evidence=dict.fromkeys(("h1", "h77"), NOW - 1),
                )
                self.assertEqual((), out.fences)
                self.assertEqual([Why.NOT_YET], whys(out))

    def test_what_an_evacuation_left_keeps_a_fence(self) -> None:
        done, under_way = Course.ARRIVED, Course.UNDER_WAY
        table: tuple[tuple[str, Course, str, str, bool], ...] = (
            ("evacuation", under_way, "pre-migrating", "h1", True),
            ("evacuation", done, "done", "h1", True),
            ("evacuation", done, "completed", "h1", False),
            ("evacuation", Course.FAILED, "failed", "h1", False),
            ("evacuation", done, "done", "h3", False),
            ("live-migration", done, "completed", "h1", False),
        )
        gone = clouds.server(1, "h2")
        for kind, course, status, source, held in table:
            for user in (clouds.US, "an administrator"):
                move = clouds.move(
                    gone,
                    kind=kind,
                    course=course,
                    status=status,
                    source=source,
                    dest="h2",
                    user_id=user,
                )
                with self.subTest(status, source=source, user=user):
                    # Its mark is gone: it complies where it is now.
                    out = self.plan((gone,), moves=(move,))
                    self.assertEqual(not held, bool(out.fences))
                    self.assertEqual(
                        [Why.NOT_CLEAN] if held else [], whys(out)
                    )

    def test_what_nova_tells_no_more_keeps_none(self) -> None:
        out = self.plan((clouds.server(1, "h2"),), moves=())
        self.assertEqual(1, len(out.fences))

    def test_a_host_with_any_finding_keeps_its_fence(self) -> None:
        for kind in Kind:
            found = clouds.host_finding("h1", kind, fences=False)
            out = self.plan(verdict=clouds.verdict(hosts=[found]))
            self.assertEqual((), out.fences)

    def test_what_is_only_permissively_found_keeps_none(self) -> None:
        marked = {HERE.uuid: clouds.mark(Code.STOP, 900)}
        for kind in (Kind.FAILED, Kind.WITHHELD, Kind.CHANGED):
            found = clouds.host_finding("h1", kind, permissive=True)
            said = clouds.verdict(hosts=[found], unproven=frozenset({"h1"}))
            # it goes on, so that there is no evidence that it is over
            out = self.plan(verdict=said, evidence={})
            self.assertEqual((Fence("h1", "s-h1", False, ""),), out.fences)
            self.assertEqual((), out.held)
            for changed, why in (
                ({"holds": PAUSED}, Why.PAUSED),
                ({"starting": True}, Why.STARTING),
                ({"marked": marked, "servers": (HERE,)}, Why.NOT_CLEAN),
            ):
                out = self.plan(verdict=said, **changed)
                self.assertEqual((), out.fences)
                self.assertIn(why, whys(out))

    def test_the_fence_of_somebody_else_is_theirs(self) -> None:
        out = self.plan(marks=Marks({}, {}))
        self.assertEqual(((), ()), (out.fences, out.held))


class ReleaseTest(unittest.TestCase):
    def situation(
        self, of: Server, mark: Mark, *moves: Any, **changed: Any
    ) -> Situation:
        it = situation(
            picture=clouds.picture([of], moves=moves),
            marks=Marks({of.uuid: mark}, {}),
            verdict=clouds.verdict(
                complies=frozenset({of.uuid}), asking=frozenset({of.uuid})
            ),
        )
        return dataclasses.replace(it, **changed)

    def asks(self, *given: Any, **changed: Any) -> Any:
        """Return what is asked for, or why nothing is."""
        out = planned(self.situation(*given, **changed), {})
        found: list[Any] = [one.asks for one in out.releases]
        found += [(*one.asks, one.migration) for one in out.steps]
        found += [held.why for held in out.held]
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def test_what_is_done_to_a_server_that_complies(self) -> None:
        stopped = dataclasses.replace(HERE, vm_state=VmState.STOPPED)
        resized = dataclasses.replace(HERE, vm_state=VmState.RESIZED)
        busy = dataclasses.replace(HERE, task="powering-on")
        free = dataclasses.replace(HERE, locked=False)
        live, cold = Code.LIVE_MIGRATE, Code.COLD_MIGRATE
        moving = clouds.move(HERE)
        cold_over = clouds.move(
            HERE, kind="migration", course=Course.ARRIVED, number=8
        )
        theirs = dataclasses.replace(moving, user_id="b")
        start, unlock = (Ask.START, Ask.UNLOCK), (Ask.UNLOCK,)
        mark = clouds.mark
        table: tuple[tuple[str, tuple[Any, ...], Any], ...] = (
            ("locked", (HERE, mark(Code.LOCK, 60)), unlock),
            ("too new", (HERE, mark(Code.LOCK, 59)), Why.NOT_YET),
            ("a clock ahead", (HERE, mark(Code.LOCK, -59)), Why.NOT_YET),
            ("a clock far ahead", (HERE, mark(Code.LOCK, -3600)), unlock),
            ("we stopped it", (stopped, mark(Code.STOP, 60)), start),
            ("and moved it", (stopped, mark(cold, 60)), start),
            ("evacuated", (stopped, mark(Code.EVACUATE, 60)), start),
            (
                "its owner stopped it",
                (stopped, mark(Code.LOCK, 60)),
                unlock,
            ),
            (
                "it was stopped before",
                (stopped, mark(Code.STOP, 60, was="stopped")),
                unlock,
            ),
            ("it runs again", (HERE, mark(Code.STOP, 60)), unlock),
            ("busy", (busy, mark(Code.STOP, 60)), Why.BUSY),
            ("nobody locks it now", (free, mark(Code.STOP, 60)), None),
            (
                "not due any more",
                (HERE, mark(live, 5), moving),
                (Ask.ABORT, 7),
            ),
            (
                "past aborting",
                (
                    HERE,
                    mark(live, 5),
                    dataclasses.replace(moving, status="post-migrating"),
                ),
                Why.BUSY,
            ),
            (
                "a cold migration is let arrive",
                (
                    HERE,
                    mark(cold, 5),
                    dataclasses.replace(moving, kind="migration"),
                ),
                Why.BUSY,
            ),
            ("somebody moves it", (HERE, mark(live, 90), theirs), Why.BUSY),
            (
                "it has arrived",
                (resized, mark(cold, 5), cold_over),
                (Ask.CONFIRM, 0),
            ),
            (
                "its owner's resize",
                (resized, mark(Code.LOCK, 90), theirs),
                Why.BUSY,
            ),
            ("resized, not by us", (resized, mark(Code.LOCK, 90)), unlock),
        )
        for name, given, expected in table:
            with self.subTest(name):
                self.assertEqual(expected, self.asks(*given))

    def test_what_was_evacuated_is_rebuilt_before_it_is_started(self) -> None:
        stopped = dataclasses.replace(HERE, vm_state=VmState.STOPPED)
        table = (
            (None, Why.BUSY),
            (True, (Ask.REBUILD, 0)),
            (False, (Ask.START, Ask.UNLOCK)),
        )
        for mark in (
            clouds.mark(Code.REBUILD_ELSEWHERE, 60),
            # another finding came before it was rebuilt
            clouds.mark(Code.STOP, 60, rebuild=True),
            clouds.mark(Code.COLD_MIGRATE, 60, rebuild=True),
        ):
            for known, expected in table:
                unbuilt = {} if known is None else {HERE.uuid: known}
                with self.subTest(known=known, code=mark.code):
                    found = self.asks(stopped, mark, unbuilt=unbuilt)
                    self.assertEqual(expected, found)

    def test_who_asks_for_nothing_any_more_is_released(self) -> None:
        mark = clouds.mark(Code.LOCK, 60)
        plain = clouds.verdict()
        self.assertEqual((Ask.UNLOCK,), self.asks(HERE, mark, verdict=plain))
        # but nothing is known of where it would better be
        moving = clouds.move(HERE)
        live = clouds.mark(Code.LIVE_MIGRATE, 60)
        self.assertEqual(
            Why.BUSY, self.asks(HERE, live, moving, verdict=plain)
        )

    def test_what_is_only_permissively_found_by_now_is_released(
        self,
    ) -> None:
        stopped = dataclasses.replace(HERE, vm_state=VmState.STOPPED)
        moving = clouds.move(HERE)
        table: tuple[tuple[Server, Code, tuple[Any, ...], Any], ...] = (
            (HERE, Code.LOCK, (), (Ask.UNLOCK,)),
            (stopped, Code.STOP, (), (Ask.START, Ask.UNLOCK)),
            (HERE, Code.LIVE_MIGRATE, (moving,), Why.BUSY),
        )
        for evicts in (True, False):
            for server, code, moves, expected in table:
                found = clouds.finding(server, evicts=evicts, permissive=True)
                said = clouds.verdict([found], asking=frozenset({server.uuid}))
                given = (server, clouds.mark(code, 900), *moves)
                with self.subTest(code, evicts=evicts):
                    self.assertEqual(expected, self.asks(*given, verdict=said))
                    enforced = dataclasses.replace(found, permissive=False)
                    said = clouds.verdict([enforced])
                    out = planned(
                        self.situation(*given, verdict=said),
                        Next(Step.STOP, State.ASKED),
                    )
                    self.assertEqual((), out.releases)

    def test_who_bears_no_mark_is_only_said_to_be_held(self) -> None:
        found = clouds.finding(HERE, permissive=True)
        it = situation(
            picture=clouds.picture([HERE]), verdict=clouds.verdict([found])
        )
        out = planned(it, begin())
        self.assertEqual((), out.releases)
        self.assertEqual([Why.PERMISSIVE], whys(out))

    def test_who_is_not_there_by_placement_is_not(self) -> None:
        mark = clouds.mark(Code.LOCK, 60)
        none: frozenset[str] = frozenset()
        self.assertEqual(Why.ASTRAY, self.asks(HERE, mark, there=none))
        # what else is in the way is said first
        new = clouds.mark(Code.LOCK, 5)
        self.assertEqual(Why.NOT_YET, self.asks(HERE, new, there=none))
        it = self.situation(HERE, mark, there=none)
        self.assertEqual((HERE.uuid,), to_release(it))
        it = self.situation(HERE, new, there=none)
        self.assertEqual((), to_release(it))

    def test_who_is_not_known_to_comply_is_not(self) -> None:
        mark = clouds.mark(Code.LOCK, 60)
        asking = clouds.verdict(asking=frozenset({HERE.uuid}))
        self.assertIsNone(self.asks(HERE, mark, verdict=asking))
        outage = clouds.finding(HERE, Kind.OUTAGE, evicts=False)
        silent = clouds.verdict([outage], complies=frozenset({HERE.uuid}))
        self.assertIsNone(self.asks(HERE, mark, verdict=silent))

    def test_a_lock_that_is_not_ours_stays(self) -> None:
        mark = clouds.mark(Code.LOCK, 60)
        for lock in (Lock.FORGED, Lock.ADMINISTRATOR, Lock.OWNER):
            locks = {HERE.uuid: lock}
            self.assertIsNone(self.asks(HERE, mark, locks=locks))

    def test_a_server_that_is_gone_needs_nothing(self) -> None:
        mark = clouds.mark(Code.LOCK, 60)
        gone = clouds.picture()
        self.assertIsNone(self.asks(HERE, mark, picture=gone))

    def test_what_keeps_everybody(self) -> None:
        mark = clouds.mark(Code.LOCK, 60)
        partial = clouds.picture([HERE], missing=("cell2",))
        table: tuple[tuple[Why, dict[str, Any]], ...] = (
            (Why.ACT_NONE, {"act": Arming.NONE, "holds": PAUSED}),
            (Why.ACT_FENCE, {"act": Arming.FENCE, "holds": PAUSED}),
            (Why.PAUSED, {"holds": PAUSED, "policy": EXPIRED}),
            (Why.PAUSED, {"holds": Holds(fault="x"), "policy": EXPIRED}),
            (Why.POLICY_EXPIRED, {"policy": EXPIRED, "stale": True}),
            (Why.PARTIAL, {"stale": True, "starting": True}),
            (Why.STARTING, {"starting": True, "jumped": True}),
            (Why.CLOCK_JUMPED, {"jumped": True, "picture": partial}),
            (Why.PARTIAL, {"picture": partial}),
        )
        for why, changed in table:
            with self.subTest(str((why, changed))[:60]):
                self.assertEqual(why, self.asks(HERE, mark, **changed))
