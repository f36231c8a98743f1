# SPDX-License-Identifier: Apache-2.0
"""What is planned about servers and brakes, rule by rule."""

from __future__ import annotations

import dataclasses
import unittest
from typing import Any

from nfv_mla_scheduler.monitor.findings import Conduct
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.holding.holds import Word
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.marking.standing import Standing
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.plans import HoldsEdit
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW
from tests.unit.monitor.situations import PAUSED
from tests.unit.monitor.situations import SETTLED
from tests.unit.monitor.situations import begin
from tests.unit.monitor.situations import planned
from tests.unit.monitor.situations import situation

HERE = clouds.server(1)
EXPIRED = clouds.policy(expires_at=NOW)


def about(*findings: Finding, **changed: Any) -> Situation:
    """Return a situation with servers that have these findings."""
    servers = [
        clouds.server(int(f.server[-4:], 16), f.host, project_id=f.project_id)
        for f in findings
    ]
    changed.setdefault("picture", clouds.picture(servers))
    return situation(verdict=clouds.verdict(findings), **changed)


def marked(mark: Mark, *servers: Server) -> Marks:
    return Marks({s.uuid: mark for s in servers or (HERE,)}, {})


class ReasonsTest(unittest.TestCase):
    def whys(self, it: Situation, after: Next | None = None) -> list[Why]:
        out = planned(it, after or begin())
        whys = [held.why for held in out.held]
        self.assertEqual(len(it.verdict.servers), len(whys) + len(out.steps))
        return whys

    def test_nothing_holds_what_failed(self) -> None:
        out = planned(about(clouds.finding(HERE)), begin())
        (step,) = out.steps
        self.assertEqual(
            (HERE.uuid, "h1", Step.STOP, (Ask.STOP,), "stop", "failed"),
            (step.server, step.host, step.step, step.asks, step.code,
             step.kind),
        )  # fmt: skip
        self.assertEqual((), out.held)

    def test_the_first_reason_is_shown(self) -> None:
        """In their order: each one applies together with all below it."""
        rules = clouds.ruled(HERE)
        held = Holds(braked={"d1": NOW}, suspects={"keylime": NOW})
        paused = dataclasses.replace(held, paused=PAUSED.paused)
        lost = begin(why=Why.BUSY)
        everything: dict[str, Any] = {
            "holds": paused, "policy": EXPIRED, "jumped": True,
        }  # fmt: skip
        table: tuple[tuple[Why, Finding, dict[str, Any]], ...] = (
            (
                Why.MAY_NOT_EVICT,
                dataclasses.replace(rules, evicts=False, permissive=True),
                {**everything, "act": Arming.NONE},
            ),
            (
                Why.PERMISSIVE,
                dataclasses.replace(rules, permissive=True),
                {**everything, "act": Arming.NONE},
            ),
            (Why.ACT_NONE, rules, {**everything, "act": Arming.NONE}),
            (Why.ACT_FENCE, rules, {**everything, "act": Arming.FENCE}),
            (Why.PAUSED, rules, everything),
            (Why.POLICY_EXPIRED, rules, {**everything, "holds": held}),
            (Why.PARTIAL, rules, {"holds": held, "stale": True}),
            (
                Why.STARTING,
                rules,
                {"holds": held, "jumped": True, "starting": True},
            ),
            (Why.CLOCK_JUMPED, rules, {"holds": held, "jumped": True}),
            (Why.SUSPECT_POLICY, rules, {"holds": held}),
            (
                Why.SUSPECT_AUTHORITY,
                clouds.finding(HERE),
                {"holds": held, "picture": _partial()},
            ),
            (Why.BUSY, rules, {}),
        )
        for why, finding, changed in table:
            with self.subTest(why):
                it = about(finding, **changed)
                self.assertEqual([why], self.whys(it, lost))
        it = about(rules)
        self.assertEqual([Why.NOWHERE_TO_GO], self.whys(it))

    def test_damaged_holds_let_nothing_but_fences_through(self) -> None:
        broken = Holds(fault="is damaged")
        it = about(clouds.finding(HERE), holds=broken)
        it = dataclasses.replace(
            it,
            picture=clouds.picture([HERE], [clouds.node("h1")]),
            verdict=dataclasses.replace(
                it.verdict, hosts={"h1": clouds.host_finding("h1")}
            ),
        )
        out = planned(it, begin(Step.LOCK))
        self.assertEqual(["h1"], [f.host for f in out.fences])
        self.assertEqual([Why.PAUSED], [h.why for h in out.held])
        self.assertTrue(out.holds.empty)

    def test_every_service_that_goes_by_a_hosts_name_is_fenced(self) -> None:
        # of two cells: one may be disabled already, or by us
        other = clouds.node("h1", uuid="", service="s-2")
        off = {"enabled": False, "reason": "maintenance"}
        table: tuple[tuple[Any, Any, list[str]], ...] = (
            ({}, {}, ["s-2", "s-h1"]),
            (off, {}, ["s-2"]),
            ({}, off, ["s-h1"]),
            (off, off, []),
        )
        it = about(clouds.finding(HERE))
        for first, second, services in table:
            nodes = {
                "h1": dataclasses.replace(clouds.node("h1"), **first),
                "h1/s-2": dataclasses.replace(other, **second),
            }
            it = dataclasses.replace(
                it,
                picture=dataclasses.replace(it.picture, nodes=nodes),
                verdict=dataclasses.replace(
                    it.verdict, hosts={"h1": clouds.host_finding("h1")}
                ),
            )
            out = planned(it, begin(Step.LOCK))
            self.assertEqual(services, sorted(f.service for f in out.fences))
            self.assertLessEqual({f.host for f in out.fences}, {"h1"})

    def test_what_waits_is_not_held(self) -> None:
        waiting = Next(Step.STOP, State.ASKED)
        it = about(clouds.finding(HERE), act=Arming.NONE)
        out = planned(it, waiting)
        self.assertEqual(((), ()), (out.held, out.steps))

    def test_locks_go_on_when_a_clock_jumps(self) -> None:
        it = about(clouds.finding(HERE), jumped=True)
        self.assertEqual([], self.whys(it, begin(Step.LOCK)))

    def test_locks_need_no_budget(self) -> None:
        many = [clouds.finding(clouds.server(n)) for n in range(1, 20)]
        out = planned(about(*many), begin(Step.LOCK))
        self.assertEqual(19, len(out.steps))

    def test_an_outage_is_no_ones_step(self) -> None:
        for kind in (Kind.OUTAGE, Kind.COPIED, Kind.TAMPERED):
            it = about(clouds.finding(HERE, kind))
            out = planned(it, begin())
            self.assertEqual(((), ()), (out.steps, out.held))

    def test_a_server_that_is_gone_needs_nothing(self) -> None:
        it = about(clouds.finding(HERE), picture=clouds.picture())
        out = planned(it, begin())
        self.assertEqual(((), ()), (out.steps, out.held))

    def test_nowhere_to_go(self) -> None:
        ruled = clouds.ruled(HERE)
        nowhere = Conduct(halt_nowhere=True)
        halting = dataclasses.replace(ruled, conduct=nowhere)
        here = {HERE.uuid: True}
        self.assertEqual([Why.NOWHERE_TO_GO], self.whys(about(ruled)))
        self.assertEqual([], self.whys(about(ruled, somewhere=here)))
        self.assertEqual([], self.whys(about(halting)))
        self.assertEqual([], self.whys(about(clouds.finding(HERE))))
        # what has begun is gone on with, as its progress says
        after = begin(begins=False)
        self.assertEqual([], self.whys(about(ruled), after))

    def test_the_guard_has_the_last_word(self) -> None:
        many = [
            clouds.finding(clouds.server(n, f"h{n}", project_id=f"p{n}"))
            for n in range(1, 5)
        ]
        whys = self.whys(about(*many, policy=clouds.policy(40)))
        self.assertEqual([Why.AT_ONCE] * 2, whys)

    def test_what_has_begun_needs_no_budget(self) -> None:
        many = [clouds.finding(clouds.server(n)) for n in range(1, 5)]
        it = about(*many)
        mark = clouds.mark(Code.STOP, 10)
        servers = tuple(it.picture.servers.values())
        it = dataclasses.replace(it, marks=marked(mark, *servers))
        out = planned(it, begin(begins=False))
        self.assertEqual(4, len(out.steps))
        self.assertEqual(4, out.usage.at_once)

    def test_the_lock_of_an_owner_makes_no_mark_ours(self) -> None:
        seen: list[Standing] = []

        def advance(standing: Standing, *_: object) -> Next:
            seen.append(standing)
            return begin()

        it = about(
            clouds.finding(HERE),
            marks=marked(clouds.mark(Code.STOP)),
            locks={HERE.uuid: Lock.FORGED},
        )
        out = plan(it, advance)
        self.assertIsNone(seen[0].mark)
        self.assertEqual(0, out.usage.last_minute)


def _partial() -> Any:
    return clouds.picture([HERE], missing=("cell2",))


class StandingTest(unittest.TestCase):
    """What is handed on to work out what is next."""

    def standing(self, **changed: Any) -> tuple[Standing, tuple[Step, ...]]:
        seen: list[tuple[Standing, tuple[Step, ...]]] = []

        def advance(s: Standing, steps: tuple[Step, ...], *_: Any) -> Next:
            seen.append((s, steps))
            return begin()

        it = about(clouds.finding(HERE))
        changed.setdefault("picture", it.picture)
        plan(dataclasses.replace(it, **changed), advance)
        (one,) = seen
        return one

    def test_moves_since_the_mark_and_those_under_way(self) -> None:
        mark = clouds.mark(Code.LIVE_MIGRATE, 50, since_s=100)
        over = clouds.move(HERE, course=Course.FAILED)
        for marks, ago_s, course, seen in (
            (mark, 90, Course.FAILED, True),
            (mark, 125, Course.FAILED, True),
            (mark, 200, Course.FAILED, False),
            (mark, 200, Course.UNDER_WAY, True),
            (None, 10, Course.FAILED, False),
            (None, 10, Course.UNDER_WAY, True),
        ):
            with self.subTest(ago_s=ago_s, course=course, mark=bool(marks)):
                one = dataclasses.replace(
                    over, created=NOW - ago_s, course=course
                )
                standing, _ = self.standing(
                    marks=marked(marks) if marks else Marks({}, {}),
                    picture=clouds.picture([HERE], moves=[one]),
                )
                self.assertEqual(seen, standing.migration is not None)

    def test_move_that_brought_it_here_is_no_step_of_ours(self) -> None:
        """A step that was lost is asked again, and not taken for done."""
        mark = clouds.mark(Code.LIVE_MIGRATE, 5, since_s=10)
        forced = clouds.move(
            HERE, source="h2", dest=HERE.host, created=NOW - 15
        )
        theirs, arrived, going = "somebody", Course.ARRIVED, Course.UNDER_WAY
        for who, us, course, seen in (
            (theirs, clouds.US, arrived, False),
            (theirs, clouds.US, Course.FAILED, False),
            (theirs, clouds.US, going, True),
            (clouds.US, clouds.US, arrived, True),
            # Where nobody says whose it is, it may be ours.
            ("", clouds.US, arrived, True),
            (theirs, "", arrived, True),
        ):
            with self.subTest(who=who, us=us, course=course):
                one = dataclasses.replace(forced, user_id=who, course=course)
                standing, _ = self.standing(
                    marks=marked(mark),
                    picture=clouds.picture([HERE], moves=[one]),
                    user_id=us,
                )
                self.assertEqual(seen, standing.migration is not None)

    def test_its_host(self) -> None:
        down = clouds.node("h1", up=False)
        forced = clouds.node("h1", forced_down=True)
        for node, up in ((clouds.node("h1"), True), (down, False),
                         (forced, False)):  # fmt: skip
            standing, _ = self.standing(picture=clouds.picture([HERE], [node]))
            self.assertEqual(up, standing.source_up)
        standing, _ = self.standing(hosts_off=frozenset({"h1"}))
        self.assertTrue(standing.host_off)

    def test_who_cannot_switch_hosts_off_does_not_plan_to(self) -> None:
        book = {"integrity": ("lock", "stop", "power-off", "alert")}
        policy = clouds.policy(playbooks=book)
        bad = clouds.verdict(
            [clouds.finding(HERE)], [clouds.host_finding("h1")]
        )
        _, steps = self.standing(policy=policy, verdict=bad)
        self.assertIn(Step.POWER_OFF, steps)
        _, steps = self.standing(
            policy=policy, verdict=bad, can_power_off=False
        )
        self.assertNotIn(Step.POWER_OFF, steps)

    def test_a_host_is_switched_off_if_it_is_found_bad_itself(self) -> None:
        book = {"integrity": ("lock", "stop", "power-off", "alert")}
        failed = clouds.host_finding("h1")
        only = dataclasses.replace
        fenced = Marks({}, {"h1": clouds.mark(Code.FENCE, 900)})
        newer, older = {"h1": NOW - 60}, {"h1": NOW - 1000}
        table: tuple[tuple[str, bool, list[Any], Marks, Any], ...] = (
            ("found", True, [failed], Marks({}, {}), {}),
            ("nobody", False, [], Marks({}, {}), {}),
            ("another", False, [clouds.host_finding("h2")], Marks({}, {}), {}),
            ("misplaced", False, [only(failed, fences=False)],
             Marks({}, {}), {}),
            ("permissive", False, [only(failed, permissive=True)],
             Marks({}, {}), {}),
            ("fenced by us, and silent", True, [], fenced, {}),
            ("as it was before", True, [], fenced, older),
            ("and well again", False, [], fenced, newer),
        )  # fmt: skip
        for name, off, hosts, marks, said in table:
            with self.subTest(name):
                _, steps = self.standing(
                    policy=clouds.policy(playbooks=book),
                    picture=clouds.picture([HERE], [clouds.node("h1")]),
                    verdict=clouds.verdict([clouds.finding(HERE)], hosts),
                    marks=marks,
                    evidence=said,
                )
                self.assertIs(off, Step.POWER_OFF in steps)


class LateTest(unittest.TestCase):
    """Halts that are due by their profiles, and a guard that is full."""

    servers = tuple(clouds.server(n, f"h{n}") for n in range(1, 7))
    # of ten minutes, three quarters have passed
    late = clouds.mark(Code.LOCK, 450)

    def steps(
        self,
        mark: Mark = late,
        findings: tuple[Finding, ...] = (),
        after: Next | None = None,
        **changed: Any,
    ) -> int:
        findings = findings or tuple(map(clouds.finding, self.servers))
        # one of each: without exception a single one would begin
        one = dataclasses.replace(clouds.GUARD, evictions_at_once=1)
        changed.setdefault("policy", clouds.policy(40, guard=one))
        it = about(
            *findings,
            picture=clouds.picture(self.servers),
            marks=marked(mark, *self.servers),
            **changed,
        )
        return len(planned(it, after or begin()).steps)

    def test_they_need_no_room(self) -> None:
        self.assertEqual(6, self.steps())
        sooner = clouds.mark(Code.LOCK, 449)
        self.assertEqual(1, self.steps(sooner))

    def test_what_else_is_late_needs_room(self) -> None:
        cold = begin(Step.COLD_MIGRATE)
        everywhere = {s.uuid: True for s in self.servers}
        self.assertEqual(1, self.steps(after=cold, somewhere=everywhere))
        # who does not have to be halted
        ruled = tuple(map(clouds.ruled, self.servers))
        asking = clouds.verdict().asking
        self.assertEqual(frozenset(), asking)
        self.assertEqual(1, self.steps(findings=ruled, somewhere=everywhere))
        # who is off does not run any more
        off = frozenset(s.host for s in self.servers)
        self.assertEqual(1, self.steps(hosts_off=off))

    def test_without_a_mark_nobody_is_late(self) -> None:
        kept = {s.uuid: Lock.ADMINISTRATOR for s in self.servers}
        self.assertEqual(1, self.steps(locks=kept))

    def test_who_may_be_wrong_has_to_wait(self) -> None:
        two = tuple(
            dataclasses.replace(
                clouds.finding(s), authorities=frozenset({"keylime", "other"})
            )
            for s in self.servers
        )
        held = dataclasses.replace(SETTLED, suspects={"other": NOW})
        unsure = {"holds": held, "stale": False, "jumped": False}
        verdict_of_none = self.steps(findings=two)
        self.assertEqual(6, verdict_of_none)
        partial = clouds.picture(self.servers, missing=("cell2",))
        one = dataclasses.replace(clouds.GUARD, evictions_at_once=1)
        it = about(
            *two,
            picture=partial,
            marks=marked(self.late, *self.servers),
            policy=clouds.policy(40, guard=one),
            holds=unsure["holds"],
        )
        self.assertEqual(1, len(planned(it, begin()).steps))

    def test_a_policy_that_finds_much_has_to_wait_though_released(
        self,
    ) -> None:
        nowhere = Conduct(halt_nowhere=True)
        ruled = tuple(clouds.ruled(s, conduct=nowhere) for s in self.servers)
        # six of six: the policy had settled before
        self.assertEqual(1, self.steps(findings=ruled))
        braked = Holds(braked={"d1": NOW})
        self.assertEqual(0, self.steps(findings=ruled, holds=braked))
        # and while it is held nobody passes the guard: those that were
        # found before it go on at its pace, and nobody else does
        self.assertEqual(0, self.steps(holds=braked))
        before = frozenset(s.uuid for s in self.servers)
        self.assertEqual(1, self.steps(holds=braked, before=before))

    def test_a_clock_that_is_set_forward_makes_nobody_late(self) -> None:
        for age_s, begun in ((20.0, 1), (449.0, 1), (450.0, 6)):
            ages_s = {s.uuid: age_s for s in self.servers}
            self.assertEqual(begun, self.steps(ages_s=ages_s), age_s)

    def test_they_leave_less_room_to_the_others(self) -> None:
        guard = dataclasses.replace(clouds.GUARD, evictions_at_once=4)
        policy = clouds.policy(40, guard=guard)
        for late, begun in ((0, 4), (1, 4), (3, 4), (4, 4), (5, 5)):
            marks = {
                s.uuid: self.late if n < late else clouds.mark(Code.LOCK, 5)
                for n, s in enumerate(self.servers)
            }
            servers = [
                dataclasses.replace(s, project_id=s.host) for s in self.servers
            ]
            it = situation(
                picture=clouds.picture(servers),
                verdict=clouds.verdict(map(clouds.finding, servers)),
                marks=Marks(marks, {}),
                policy=policy,
            )
            out = planned(it, begin())
            self.assertEqual(begun, len(out.steps), late)
            due = {s.uuid for s in servers[:late]}
            self.assertLessEqual(due, {s.server for s in out.steps})

    def test_what_a_host_swallows_does_not_fill_the_guard(self) -> None:
        """Two that hang are in nobody's way once their time is over."""
        first, second, third = self.servers[:3]
        stuck = [
            dataclasses.replace(s, host="h9", task="migrating")
            for s in (first, second)
        ]
        moves = [clouds.move(s, status="accepted") for s in stuck]
        for ago_s, begun in ((299, 0), (300, 1)):
            moving = clouds.mark(Code.LIVE_MIGRATE, ago_s)
            marks = {s.uuid: moving for s in stuck}
            marks[third.uuid] = clouds.mark(Code.LOCK, 5)
            it = situation(
                picture=clouds.picture([*stuck, third], moves=moves),
                verdict=clouds.verdict(
                    [*map(clouds.ruled, stuck), clouds.finding(third)]
                ),
                somewhere={s.uuid: True for s in stuck},
                marks=Marks(marks, {}),
            )
            out = plan(it)
            self.assertEqual(2 - 2 * begun, out.usage.at_once)
            self.assertEqual(
                [third.uuid] * begun, [s.server for s in out.steps]
            )


class PowerOffTest(unittest.TestCase):
    servers = tuple(clouds.server(n, "h1") for n in range(1, 5))

    def test_one_for_all_servers_of_a_host(self) -> None:
        it = about(*map(clouds.finding, self.servers))
        out = planned(it, begin(Step.POWER_OFF))
        self.assertEqual([clouds.uuid(1)], [s.server for s in out.steps])
        self.assertEqual([Why.BUSY] * 3, [h.why for h in out.held])

    def test_it_counts_once_and_is_not_kept_by_the_others(self) -> None:
        tight = dataclasses.replace(
            clouds.GUARD, per_host=1, evictions_at_once=1
        )
        it = about(
            *map(clouds.finding, self.servers),
            policy=clouds.policy(guard=tight),
        )
        self.assertEqual(1, len(planned(it, begin(Step.POWER_OFF)).steps))

    def test_none_while_one_may_still_show(self) -> None:
        for ago_s, steps in ((10, 0), (301, 1)):
            it = about(
                *map(clouds.finding, self.servers),
                marks=marked(
                    clouds.mark(Code.POWER_OFF, ago_s), self.servers[2]
                ),
            )
            nexts = {
                s.uuid: begin(Step.POWER_OFF, begins=False)
                for s in self.servers
            }
            nexts[self.servers[2].uuid] = Next(Step.POWER_OFF, State.ASKED)
            out = planned(it, nexts)
            self.assertEqual(steps, len(out.steps), ago_s)

    def test_who_asked_before_asks_again(self) -> None:
        it = about(
            *map(clouds.finding, self.servers),
            marks=marked(clouds.mark(Code.POWER_OFF, 10), self.servers[2]),
        )
        out = planned(it, begin(Step.POWER_OFF, begins=False))
        self.assertEqual([self.servers[2].uuid], [s.server for s in out.steps])


class InFlightTest(unittest.TestCase):
    def test_what_has_begun_is_in_flight(self) -> None:
        mark = clouds.mark(Code.STOP, 10, since_s=100)
        it = about(clouds.finding(HERE), marks=marked(mark))
        out = planned(it, Next(Step.STOP, State.ASKED))
        (one,) = out.in_flight
        self.assertEqual(NOW - 100, one.since)
        self.assertEqual(NOW + 500, one.halt_by)
        self.assertEqual((), out.not_halted)

    def test_who_is_late_is_the_loudest_alarm(self) -> None:
        late = marked(clouds.mark(Code.STOP, 10, since_s=601))
        for state, loud in (
            (State.ASKED, 1),
            (State.LOCKED, 1),
            (State.REPORTED, 0),
            (State.CONFIRMED, 0),
        ):
            it = about(clouds.finding(HERE), marks=late)
            out = planned(it, Next(Step.STOP, state))
            self.assertEqual(loud, len(out.not_halted), state)
        it = about(clouds.ruled(HERE), marks=late)
        out = planned(it, Next(Step.STOP, State.ASKED))
        self.assertEqual((), out.not_halted)

    def test_what_is_held_is_not_said_to_be_asked(self) -> None:
        mark = marked(clouds.mark(Code.LOCK, 10))
        asked = begin(state=State.ASKED)
        for act, state in (
            (Arming.ALL, State.ASKED),
            (Arming.FENCE, State.HELD),
        ):
            it = about(clouds.finding(HERE), marks=mark, act=act)
            (one,) = planned(it, asked).in_flight
            self.assertEqual(state, one.state)

    def test_what_was_tried_in_vain_is_once_its_time_is_over(self) -> None:
        for ago_s, waits, loud in (
            (601, False, 1),
            (599, False, 0),
            (None, False, 0),
            # held all the time, and not yet in a state to be asked
            (None, True, 0),
            (601, True, 1),
        ):
            tried = None if ago_s is None else NOW - ago_s
            here = clouds.server(1, task="rebooting" if waits else "")
            it = about(
                clouds.finding(here),
                picture=clouds.picture([here]),
                acted={here.uuid: Acted(True, seen=NOW - 9e3, tried=tried)},
                act=Arming.FENCE if waits else Arming.ALL,
            )
            out = planned(it, begin(Step.LOCK))
            with self.subTest(ago_s=ago_s, waits=waits):
                self.assertEqual(loud, len(out.not_halted))
                self.assertEqual(loud, len(out.in_flight))

    def test_what_has_not_begun_is_not(self) -> None:
        it = about(clouds.finding(HERE))
        self.assertEqual((), planned(it, begin()).in_flight)


class BrakesTest(unittest.TestCase):
    """Who is held, and what the cycle has to write."""

    def failing(self, *numbers: int, **changed: Any) -> Situation:
        hosts = [f"h{n}" for n in numbers]
        servers = [
            clouds.server(n, h) for n, h in zip(numbers, hosts, strict=True)
        ]
        changed.setdefault(
            "picture", clouds.picture(servers, map(clouds.node, hosts))
        )
        return situation(
            verdict=clouds.verdict(
                map(clouds.finding, servers), map(clouds.host_finding, hosts)
            ),
            **changed,
        )

    def test_a_suspect_is_fenced_for_and_nothing_else(self) -> None:
        for step in (Step.LOCK, Step.STOP):
            out = planned(self.failing(1, 2, 3), begin(step))
            self.assertEqual(3, len(out.fences))
            self.assertEqual((), out.steps)
            self.assertEqual(
                {Why.SUSPECT_AUTHORITY}, {h.why for h in out.held}
            )
            self.assertEqual((Share("keylime", 3, 10),), out.suspects)
            self.assertEqual(
                HoldsEdit(suspects=frozenset({"keylime"})), out.holds
            )

    def test_two_hosts_of_ten_are_none(self) -> None:
        out = planned(self.failing(1, 2), begin(Step.LOCK))
        self.assertEqual(2, len(out.steps))
        self.assertTrue(out.holds.empty)

    def test_a_person_releases_an_authority_or_a_server(self) -> None:
        word = Word(NOW + 60, "why", "ada", NOW)
        trusted = dataclasses.replace(SETTLED, authorities={"keylime": word})
        freed = dataclasses.replace(SETTLED, servers={clouds.uuid(2): word})
        out = planned(self.failing(1, 2, 3, holds=trusted), begin(Step.LOCK))
        self.assertEqual((3, ()), (len(out.steps), out.suspects))
        self.assertTrue(out.holds.empty)
        out = planned(self.failing(1, 2, 3, holds=freed), begin(Step.LOCK))
        self.assertEqual([clouds.uuid(2)], [s.server for s in out.steps])

    def test_a_suspect_is_cleared_when_everything_is_in_sight(self) -> None:
        held = dataclasses.replace(SETTLED, suspects={"keylime": NOW - 60})
        out = planned(self.failing(1, holds=held), begin(Step.LOCK))
        self.assertEqual(HoldsEdit(cleared=frozenset({"keylime"})), out.holds)
        self.assertEqual(1, len(out.steps))
        for changed in (
            {"jumped": True},
            {"starting": True},
            {"stale": True},
            {"policy": EXPIRED},
            {
                "picture": clouds.picture(
                    [clouds.server(1, "h1")], missing=("cell2",)
                )
            },
        ):
            with self.subTest(str(changed)[:20]):
                it = self.failing(1, holds=held, **changed)
                out = planned(it, begin(Step.LOCK))
                self.assertTrue(out.holds.empty)
                self.assertEqual(["keylime"], [s.name for s in out.suspects])
                self.assertEqual((), out.steps)

    def test_a_pause_outlives_a_clock_that_is_put_back(self) -> None:
        paused = PAUSED.paused
        assert paused is not None
        for late_s, clipped in ((86400, False), (86401, True)):
            word = dataclasses.replace(paused, until=NOW + late_s)
            holds = dataclasses.replace(SETTLED, paused=word)
            out = planned(self.failing(1, holds=holds), begin(Step.LOCK))
            self.assertEqual(((), ()), (out.steps, out.fences))
            self.assertEqual(HoldsEdit(clipped=clipped), out.holds)

    def test_a_restart_clears_no_suspect(self) -> None:
        """What was known of hosts is lost; their servers are there."""
        held = dataclasses.replace(SETTLED, suspects={"keylime": NOW - 60})
        many = self.failing(1, 2, 3, holds=held)
        it = dataclasses.replace(
            many, verdict=dataclasses.replace(many.verdict, hosts={})
        )
        for suspects in (held, SETTLED):
            it = dataclasses.replace(
                it, holds=suspects, residents=it.verdict.servers.keys()
            )
            out = planned(it, begin(Step.LOCK))
            self.assertEqual((), out.steps)
            self.assertEqual(frozenset(), out.holds.cleared)
            self.assertEqual(["keylime"], [s.name for s in out.suspects])

    def test_no_fence_is_lifted_on_a_suspects_word(self) -> None:
        fenced = clouds.node("h9", enabled=False)
        mark = clouds.mark(Code.FENCE, 50)
        for numbers, why in (
            ((1, 2, 3), Why.SUSPECT_AUTHORITY),
            ((1,), None),
        ):
            it = self.failing(*numbers)
            nodes = {**it.picture.nodes, "h9": fenced}
            it = dataclasses.replace(
                it,
                picture=dataclasses.replace(it.picture, nodes=nodes),
                marks=Marks({}, {"h9": mark}),
                evidence={"h9": NOW},
            )
            out = planned(it, begin(Step.LOCK))
            lifted = [f.host for f in out.fences if not f.disable]
            self.assertEqual([] if why else ["h9"], lifted)
            held = [h.why for h in out.held if h.subject == "h9"]
            self.assertEqual([why] if why else [], held)

    def test_hosts_that_are_all_others_are_held_though_settled(self) -> None:
        for many, begun in ((2, 2), (3, 0)):
            servers = [clouds.server(n, f"h{n}") for n in range(1, many + 1)]
            it = situation(
                picture=clouds.picture(servers),
                verdict=clouds.verdict(
                    [
                        clouds.ruled(s, kind=Kind.CHANGED, by_identity=True)
                        for s in servers
                    ],
                    [
                        clouds.host_finding(
                            s.host, Kind.CHANGED, authorities=frozenset()
                        )
                        for s in servers
                    ],
                ),
            )
            out = planned(it, begin(Step.LOCK))
            self.assertEqual(begun, len(out.steps))
            names = frozenset() if begun else frozenset({BINDINGS})
            self.assertEqual(names, out.holds.suspects)
            whys = {h.why for h in out.held}
            self.assertEqual(set() if begun else {Why.SUSPECT_BINDINGS}, whys)

    def test_under_a_new_policy_all_that_evicts_is_counted(self) -> None:
        """One that asks for what nobody attests shows as their word."""
        servers = [clouds.server(n, f"h{n}") for n in range(1, 4)]
        asking = frozenset(clouds.uuid(n) for n in range(1, 11))
        it = situation(
            picture=clouds.picture(servers),
            verdict=clouds.verdict(
                [clouds.finding(s, Kind.CHANGED) for s in servers],
                asking=asking,
            ),
            holds=Holds(),
            policy=clouds.policy(40),
        )
        for step in (Step.LOCK, Step.STOP):
            out = planned(it, begin(step))
            self.assertEqual((), out.steps)
            self.assertEqual({Why.SUSPECT_POLICY}, {h.why for h in out.held})
            self.assertEqual("d1", out.holds.braked)
        known = dataclasses.replace(it, before=frozenset({servers[0].uuid}))
        self.assertEqual("d1", planned(known, begin()).holds.settled)
        # held all the same: those that were found before go on
        held = dataclasses.replace(known, holds=Holds(braked={"d1": NOW}))
        out = planned(held, begin(Step.LOCK))
        self.assertEqual([servers[0].uuid], [s.server for s in out.steps])

    def test_what_is_held_concerns_those_that_are_in_doubt(self) -> None:
        it = self.failing(1, 2, 3)
        other = clouds.server(9, "h9")
        both = clouds.server(8, "h8")
        names = frozenset({"keylime", "other"})
        verdict = dataclasses.replace(
            it.verdict,
            servers={
                **it.verdict.servers,
                other.uuid: clouds.finding(
                    other, authorities=frozenset({"other"})
                ),
                both.uuid: clouds.finding(both, authorities=names),
            },
        )
        out = planned(dataclasses.replace(it, verdict=verdict), begin())
        self.assertIn(both.uuid, out.doubtful)
        self.assertNotIn(other.uuid, out.doubtful)
        word = Word(NOW + 60, "why", "ada", NOW)
        freed = dataclasses.replace(SETTLED, servers={both.uuid: word})
        out = planned(
            dataclasses.replace(it, verdict=verdict, holds=freed), begin()
        )
        self.assertNotIn(both.uuid, out.doubtful)

    def ruled(self, many: int, **changed: Any) -> Situation:
        servers = [clouds.server(n, f"h{n}") for n in range(1, many + 1)]
        asking = frozenset(clouds.uuid(n) for n in range(1, 11))
        return situation(
            picture=clouds.picture(
                servers, missing=changed.pop("missing", ())
            ),
            verdict=clouds.verdict(map(clouds.ruled, servers), asking=asking),
            somewhere={s.uuid: True for s in servers},
            **changed,
        )

    def test_a_new_policy_that_finds_much_waits_for_a_person(self) -> None:
        out = planned(self.ruled(3, holds=Holds()), begin(Step.LOCK))
        self.assertEqual({Why.SUSPECT_POLICY}, {h.why for h in out.held})
        self.assertEqual(HoldsEdit(braked="d1"), out.holds)
        self.assertEqual(Share("d1", 3, 10), out.braked)
        # and once held, however little it finds
        held = Holds(braked={"d1": NOW})
        out = planned(self.ruled(1, holds=held), begin(Step.LOCK))
        self.assertEqual([Why.SUSPECT_POLICY], [h.why for h in out.held])
        self.assertTrue(out.holds.empty)

    def test_one_that_finds_little_is_settled(self) -> None:
        out = planned(self.ruled(2, holds=Holds()), begin(Step.LOCK))
        self.assertEqual(2, len(out.steps))
        self.assertEqual(HoldsEdit(settled="d1"), out.holds)
        out = planned(self.ruled(9), begin(Step.LOCK))
        self.assertEqual((9, None), (len(out.steps), out.braked))

    def test_none_is_settled_by_what_is_out_of_sight(self) -> None:
        for changed in (
            {"missing": ("cell2",)},
            {"jumped": True},
            {"starting": True},
            {"stale": True},
            {"policy": EXPIRED},
        ):
            for many in (0, 3):
                it = self.ruled(many, holds=Holds(), **changed)
                out = planned(it, begin(Step.LOCK))
                self.assertTrue(out.holds.empty, changed)
                self.assertEqual((), out.steps, changed)

    def test_traits_are_mirrored_or_not(self) -> None:
        it = situation()
        verdict = dataclasses.replace(
            it.verdict, traits={"CUSTOM_NFV_MLA_POOL_X": frozenset({"u-h1"})}
        )
        for wanted, number in ((True, 1), (False, 0)):
            out = planned(
                dataclasses.replace(it, verdict=verdict, traits=wanted), {}
            )
            self.assertEqual(number, len(out.traits))
            for one in out.traits:
                self.assertIsInstance(one, TraitEdit)


class WithProgressTest(unittest.TestCase):
    """With what works out in earnest what is next."""

    def next(self, mark: Mark | None, **changed: Any) -> list[Any]:
        server = clouds.server(
            1, locked=mark is not None, **changed.pop("server", {})
        )
        it = about(
            clouds.finding(server, **changed.pop("finding", {})),
            picture=clouds.picture([server], [clouds.node("h1")]),
            marks=marked(mark) if mark else Marks({}, {}),
            locks={server.uuid: Lock.OURS} if mark else {},
            **changed,
        )
        bad = {"h1": clouds.host_finding("h1")}
        verdict = dataclasses.replace(it.verdict, hosts=bad)
        it = dataclasses.replace(it, verdict=verdict)
        out = plan(it)
        return [s.asks for s in out.steps] + [h.why for h in out.held]

    def test_from_the_lock_to_the_alarm(self) -> None:
        book = {"integrity": ("lock", "stop", "power-off", "alert")}
        policy = clouds.policy(playbooks=book)
        lock, stop = clouds.mark(Code.LOCK, 5), clouds.mark(Code.STOP, 400)
        self.assertEqual([(Ask.LOCK,)], self.next(None, policy=policy))
        self.assertEqual([(Ask.STOP,)], self.next(lock, policy=policy))
        self.assertEqual([(Ask.POWER_OFF,)], self.next(stop, policy=policy))
        # nobody can: it is tried again, and the alarm is raised
        powerless = self.next(stop, policy=policy, can_power_off=False)
        self.assertEqual([(Ask.STOP,)], powerless)

    def test_a_spent_budget_keeps_a_lock_from_becoming_a_stop(self) -> None:
        spent = clouds.server(2, "h2", locked=True)
        mark, stop = clouds.mark(Code.LOCK, 5), clouds.mark(Code.STOP, 5)
        server = clouds.server(1, locked=True)
        it = about(
            clouds.finding(server),
            clouds.finding(spent),
            picture=clouds.picture([server, spent]),
            marks=Marks({server.uuid: mark, spent.uuid: stop}, {}),
            policy=clouds.policy(
                guard=dataclasses.replace(clouds.GUARD, evictions_at_once=1)
            ),
        )
        it = dataclasses.replace(
            it, locks=dict.fromkeys((server.uuid, spent.uuid), Lock.OURS)
        )
        out = plan(it)
        held = {h.subject: h.why for h in out.held}
        self.assertEqual({server.uuid: Why.AT_ONCE}, held)
        self.assertEqual(1, out.usage.at_once)
