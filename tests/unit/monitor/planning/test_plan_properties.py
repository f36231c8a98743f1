# SPDX-License-Identifier: Apache-2.0
"""Whatever the situation is, a plan keeps these promises."""

from __future__ import annotations

import collections
import dataclasses
import unittest
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.spent import disturbing
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Guard
from tests.unit.generators import examples
from tests.unit.monitor import situations
from tests.unit.monitor.situations import PAUSED
from tests.unit.monitor.situations import Drawn

drawn = st.builds(situations.draw, st.integers(0, 2**16), st.just(12))
opened = st.builds(
    situations.draw, st.integers(0, 2**16), st.just(12), st.just(True)
)
LIMITS = (
    "evictions_per_minute",
    "evictions_at_once",
    "per_host",
    "per_project",
)


def answers(out: Plan) -> list[Planned]:
    """Return the steps that answer a finding."""
    return [step for step in out.steps if step.kind != "complies"]


def begun(it: Drawn, out: Plan) -> list[Planned]:
    return [s for s in answers(out) if it.nexts[s.server].begins]


def in_time(it: Situation, out: Plan, step: Planned) -> bool:
    """Whether a halt is not late, or late and in doubt: it needs room."""
    found = it.verdict.servers[step.server]
    mark = it.marks.servers.get(step.server)
    if step.step is not Step.STOP or not found.halts or mark is None:
        return True
    within_s = found.conduct.halt_within_s
    spare_s = min(it.deadlines_s[Step.STOP], within_s / 4)
    age_s = it.ages_s.get(step.server, it.now - mark.since)
    if min(age_s, it.now - mark.since) < within_s - spare_s:
        return True
    rules = [f for f in it.verdict.servers.values() if f.by_rules]
    asking = it.verdict.asking | it.verdict.servers.keys()
    percent = it.policy.guard.suspect_share_percent
    much = len(rules) > 1 and len(rules) * 100 > percent * len(asking)
    suspects = {share.name for share in out.suspects}
    accused = found.authorities | ({BINDINGS} if found.by_identity else set())
    return bool(out.braked or accused & suspects or (found.by_rules and much))


def shuffled(seed: int, some: Mapping[Any, Any]) -> dict[Any, Any]:
    items = list(some.items())
    Random(seed).shuffle(items)
    return dict(items)


class PropertiesTest(unittest.TestCase):
    @examples(120)
    @given(drawn)
    def test_it_keeps_every_budget(self, it: Drawn) -> None:
        self._budgets(it)

    @examples(120)
    @given(opened)
    def test_it_keeps_them_when_nothing_else_holds(self, it: Drawn) -> None:
        self._budgets(it)

    def _budgets(self, it: Drawn) -> None:
        out = it.plan()
        new, used = begun(it, out), out.usage
        # Halts that are late need no room, and the others less of it.
        if not any(in_time(it.situation, out, step) for step in new):
            return
        guard, servers = it.situation.policy.guard, it.situation.picture
        self.assertLessEqual(
            used.last_minute + len(new), guard.evictions_per_minute
        )
        self.assertLessEqual(used.at_once + len(new), guard.evictions_at_once)
        tight = [s for s in new if in_time(it.situation, out, s)]
        hosts = collections.Counter(s.host for s in new)
        for host in {s.host for s in tight}:
            before = used.hosts.get(host, 0)
            self.assertLessEqual(before + hosts[host], guard.per_host)
        of = {s.server: servers.servers[s.server].project_id for s in new}
        projects = collections.Counter(of.values())
        for project in {of[s.server] for s in tight}:
            before = used.projects.get(project, 0)
            self.assertLessEqual(before + projects[project], guard.per_project)

    @examples(80)
    @given(drawn, st.integers())
    def test_the_order_of_what_goes_in_is_nothing(
        self, it: Drawn, seed: int
    ) -> None:
        was = it.situation
        self.assertEqual(
            it.plan(),
            it.plan(
                picture=dataclasses.replace(
                    was.picture,
                    servers=shuffled(seed, was.picture.servers),
                    nodes=shuffled(seed, was.picture.nodes),
                    migrations=shuffled(seed, was.picture.migrations),
                ),
                verdict=dataclasses.replace(
                    was.verdict,
                    servers=shuffled(seed, was.verdict.servers),
                    hosts=shuffled(seed, was.verdict.hosts),
                ),
                marks=dataclasses.replace(
                    was.marks, servers=shuffled(seed, was.marks.servers)
                ),
            ),
        )

    @examples(120)
    @given(drawn)
    def test_each_server_has_one_step_at_most(self, it: Drawn) -> None:
        out = it.plan()
        stepped = [s.server for s in out.steps]
        released = [r.server for r in out.releases]
        held = [h.subject for h in out.held]
        for each in (stepped + released, held):
            self.assertEqual(len(set(each)), len(each))
        self.assertEqual(set(), set(stepped + released) & set(held))
        fenced = [f.service for f in out.fences]
        self.assertEqual(len(set(fenced)), len(fenced))
        flying = [f.server for f in out.in_flight]
        self.assertEqual(len(set(flying)), len(flying))
        self.assertLessEqual(set(out.not_halted), set(out.in_flight))

    @examples(120)
    @given(drawn)
    def test_a_host_is_switched_off_by_one_request(self, it: Drawn) -> None:
        offs = [s.host for s in it.plan().steps if s.step is Step.POWER_OFF]
        self.assertEqual(len(set(offs)), len(offs))

    @examples(160)
    @given(opened, st.sampled_from(LIMITS), st.integers(1, 3))
    def test_a_stricter_guard_plans_nothing_else(
        self, it: Drawn, limit: str, less: int
    ) -> None:
        guard = it.situation.policy.guard
        strict = self._with(
            it, **{limit: max(1, getattr(guard, limit) - less)}
        )
        self.assertLessEqual(set(strict.steps), set(it.plan().steps))

    @examples(120)
    @given(opened, st.integers(1, 60))
    def test_a_stricter_share_only_lets_those_come_who_waited(
        self, it: Drawn, percent: int
    ) -> None:
        """Who is held by a brake makes room for others, whose turn comes."""
        lax, now = it.situation.policy.guard.suspect_share_percent, it.plan()
        strict = self._with(it, suspect_share_percent=min(percent, lax))
        waiting = {
            h.subject
            for h in now.held
            if h.why
            in (
                Why.PER_MINUTE,
                Why.AT_ONCE,
                Why.PER_HOST,
                Why.PER_PROJECT,
                Why.BUSY,
            )
        }
        planned = {s.server for s in now.steps}
        self.assertLessEqual(
            {s.server for s in strict.steps}, planned | waiting
        )

    def _with(self, it: Drawn, **limits: int) -> Plan:
        policy = it.situation.policy
        guard: Guard = dataclasses.replace(policy.guard, **limits)
        return it.plan(policy=dataclasses.replace(policy, guard=guard))

    @examples(120)
    @given(drawn)
    def test_nothing_is_done_without_a_finding(self, it: Drawn) -> None:
        out = it.plan()
        findings, marks = it.situation.verdict.servers, it.situation.marks
        for step in answers(out):
            self.assertIn(step.server, findings)
            self.assertTrue(findings[step.server].evicts)
        for step in set(out.steps) - set(answers(out)):
            self.assertIn(step.asks, ((Ask.ABORT,), (Ask.CONFIRM,)))
            found = findings.get(step.server)
            self.assertTrue(found is None or found.permissive)
            self.assertIn(step.server, marks.servers)
        for release in out.releases:
            found = findings.get(release.server)
            self.assertTrue(found is None or found.permissive)
            self.assertIn(release.server, marks.servers)

    @examples(120)
    @given(drawn)
    def test_what_is_permissive_or_suspect_gets_no_step(
        self, it: Drawn
    ) -> None:
        out = it.plan()
        suspects = {s.name for s in out.suspects}
        for step in answers(out):
            found = it.situation.verdict.servers[step.server]
            self.assertFalse(found.permissive)
            if it.situation.holds.frees(step.server, it.situation.now):
                continue
            names = found.authorities
            names |= {BINDINGS} if found.by_identity else set()
            self.assertFalse(names and names <= suspects)
            if out.braked is not None:
                self.assertNotIn(step.server, out.braked.found)
                self.assertIn(step.server, it.situation.before)

    @examples(40)
    @given(drawn)
    def test_what_stops_everything_does(self, it: Drawn) -> None:
        policy = it.situation.policy
        expired = dataclasses.replace(policy, expires_at=it.situation.now)
        stops: tuple[tuple[dict[str, Any], bool], ...] = (
            ({"act": Arming.NONE}, False),
            ({"act": Arming.FENCE}, True),
            ({"holds": PAUSED}, False),
            ({"holds": dataclasses.replace(PAUSED, fault="x")}, True),
            ({"policy": expired}, False),
            ({"stale": True}, True),
        )
        for changed, fences in stops:
            out = it.plan(**changed)
            self.assertEqual(((), ()), (out.steps, out.releases))
            if not fences:
                self.assertEqual((), out.fences)

    @examples(120)
    @given(opened)
    def test_a_clock_that_was_set_forward_makes_nobody_late(
        self, it: Drawn
    ) -> None:
        """Once that is no news any more, the guard holds as it did."""
        young = dict.fromkeys(it.situation.picture.servers, 60.0)
        ahead = it.plan(ages_s=young)
        for step in begun(it, ahead):
            changed = dataclasses.replace(it.situation, ages_s=young)
            self.assertTrue(in_time(changed, ahead, step))
        guard, used = it.situation.policy.guard, ahead.usage
        new = len(begun(it, ahead))
        if new:
            self.assertLessEqual(
                used.last_minute + new, guard.evictions_per_minute
            )
            self.assertLessEqual(used.at_once + new, guard.evictions_at_once)

    @examples(120)
    @given(opened)
    def test_under_a_new_policy_no_more_is_begun_than_its_share(
        self, it: Drawn
    ) -> None:
        """Locks included, save for those that were found before it."""
        policy = it.situation.policy
        out = it.plan(holds=Holds(), before=frozenset())
        percent = policy.guard.suspect_share_percent
        verdict = it.situation.verdict
        asking = verdict.asking | verdict.servers.keys()
        stepped = len({s.server for s in answers(out)})
        self.assertTrue(stepped < 2 or stepped * 100 <= percent * len(asking))

    @examples(80)
    @given(drawn)
    def test_nothing_is_disturbed_for_a_clock(self, it: Drawn) -> None:
        for changed in ({"jumped": True}, {"starting": True}):
            out = it.plan(**changed)
            self.assertEqual((), out.releases)
            self.assertEqual([], [s for s in out.steps if s.step.disturbs])

    @examples(80)
    @given(drawn)
    def test_what_is_out_of_sight_releases_nothing(self, it: Drawn) -> None:
        picture = dataclasses.replace(it.situation.picture, missing=("c",))
        out = it.plan(picture=picture)
        self.assertEqual((), out.releases)
        self.assertEqual([], [f for f in out.fences if not f.disable])

    @examples(120)
    @given(drawn)
    def test_what_is_due_is_planned_or_held(self, it: Drawn) -> None:
        out = it.plan()
        said = {s.server for s in out.steps} | {h.subject for h in out.held}
        said |= {r.server for r in out.releases}
        for uuid, finding in it.situation.verdict.servers.items():
            due = it.nexts[uuid].asks or it.nexts[uuid].why
            if finding.evicts and finding.kind.value != "outage" and due:
                self.assertIn(uuid, said)

    @examples(80)
    @given(drawn)
    def test_who_is_not_where_nova_says_is_not_released(
        self, it: Drawn
    ) -> None:
        everybody = situations.Everybody()
        for_sure = {r.server for r in it.plan(there=everybody).releases}
        some = frozenset(sorted(for_sure)[::2])
        out = it.plan(there=some)
        self.assertEqual(some, {r.server for r in out.releases})
        astray = {h.subject for h in out.held if h.why is Why.ASTRAY}
        self.assertEqual(for_sure - some, astray)

    @examples(80)
    @given(opened)
    def test_who_has_nowhere_to_go_stays_unless_it_is_to_halt(
        self, it: Drawn
    ) -> None:
        for step in begun(it, it.plan()):
            halts = it.situation.verdict.servers[step.server].halts
            self.assertTrue(it.situation.somewhere[step.server] or halts)


class WithProgressTest(unittest.TestCase):
    """The same with what works out in earnest what is next."""

    @examples(150)
    @given(opened, st.integers())
    def test_budgets_order_and_one_step_a_server(
        self, it: Drawn, seed: int
    ) -> None:
        was = it.situation
        out = plan(was)
        found = [s for s in out.steps if s.kind != "complies"]
        self.assertEqual(len({s.server for s in found}), len(found))
        marks = was.marks.servers
        new = [
            s
            for s in found
            if s.step.disturbs and not disturbing(marks.get(s.server))
            and s.asks != (Ask.ABORT,)
        ]  # fmt: skip
        limits = was.policy.guard
        if any(in_time(was, out, step) for step in new):
            for before, limit in (
                (out.usage.last_minute, limits.evictions_per_minute),
                (out.usage.at_once, limits.evictions_at_once),
            ):
                self.assertLessEqual(before + len(new), limit)
        verdict = dataclasses.replace(
            was.verdict, servers=shuffled(seed, was.verdict.servers)
        )
        again = dataclasses.replace(was, verdict=verdict)
        self.assertEqual(out, plan(again))

    @examples(100)
    @given(opened)
    def test_only_a_host_that_is_itself_bad_is_switched_off(
        self, it: Drawn
    ) -> None:
        books = dict.fromkeys(
            ("integrity", "withheld"), ("lock", "stop", "power-off", "alert")
        )
        policy = it.situation.policy
        policy = dataclasses.replace(policy, playbooks=books)
        old = {
            uuid: dataclasses.replace(mark, since=mark.since - 9e3)
            for uuid, mark in it.situation.marks.servers.items()
        }
        marks = dataclasses.replace(it.situation.marks, servers=old)
        was = dataclasses.replace(it.situation, policy=policy, marks=marks)
        bad = {h.host for h in was.verdict.hosts.values() if h.fences}
        for step in plan(was).steps:
            if Ask.POWER_OFF in step.asks:
                self.assertIn(step.host, bad)

    def test_it_does_not_hold_everything(self) -> None:
        begun = sum(
            bool(plan(situations.draw(seed, 12, True).situation).steps)
            for seed in range(60)
        )
        self.assertGreater(begun, 20)


class CoverageTest(unittest.TestCase):
    def test_what_is_drawn_is_not_all_held(self) -> None:
        """Properties of plans that do nothing would say nothing."""
        steps = releases = fences = tight = late = 0
        whys: set[Why] = set()
        for seed in range(600):
            it = situations.draw(seed, 12, seed % 2 == 0)
            out = it.plan()
            steps += bool(begun(it, out))
            releases += bool(out.releases)
            fences += bool(out.fences)
            whys.update(h.why for h in out.held)
            tight += any(h.why is Why.PER_HOST for h in out.held)
            late += any(
                not in_time(it.situation, out, s) for s in begun(it, out)
            )
        for number in (steps, releases, fences):
            self.assertGreater(number, 40)
        self.assertGreater(tight, 5)
        self.assertGreater(late, 10)
        never = {Why.NOT_CLEAN}
        missing = set(Why) - whys - never
        self.assertEqual(set(), missing)
