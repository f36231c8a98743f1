# SPDX-License-Identifier: Apache-2.0
"""The guard keeps every budget, and does not depend on chance."""

from __future__ import annotations

import collections
import dataclasses
import functools
import unittest
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning import guard
from nfv_mla_scheduler.monitor.planning.guard import Candidate
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Usage
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Guard
from tests.unit.generators import examples
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW
from tests.unit.monitor.clouds import US

LIMITS = (
    "evictions_per_minute",
    "evictions_at_once",
    "per_host",
    "per_project",
)
HOSTS = ("h1", "h2", "h3")
PROJECTS = ("p1", "p2", "p3")

few = st.integers(0, 3)
guards = st.builds(
    Guard, *(st.integers(1, 6) for _ in LIMITS), st.integers(1, 100)
)
usages = st.builds(
    Usage,
    st.integers(0, 4),
    st.integers(0, 4),
    st.dictionaries(st.sampled_from(HOSTS), few),
    st.dictionaries(st.sampled_from(PROJECTS), few),
)
DEADLINES_S = {
    step: 60.0 if step in (Step.STOP, Step.POWER_OFF) else 300.0
    for step in Step
    if step.disturbs
}
candidates = st.lists(
    st.builds(
        Candidate,
        st.integers(0, 9).map(clouds.uuid),
        st.sampled_from(HOSTS),
        st.sampled_from(PROJECTS),
        st.integers(0, 2),
    ),
    max_size=14,
)
# Halts that are late: other servers than those above.
lates = st.lists(
    st.builds(
        Candidate,
        st.integers(10, 14).map(clouds.uuid),
        st.sampled_from(HOSTS),
        st.sampled_from(PROJECTS),
        late=st.just(True),
    ),
    max_size=5,
    unique_by=lambda c: c.server,
)


def admitted(
    some: list[Candidate], limits: Guard, usage: Usage
) -> list[Candidate]:
    answers = guard.admit(some, limits, usage)
    return [c for c in guard.ordered(some, usage) if answers[c.server] is None]


class AdmitPropertiesTest(unittest.TestCase):
    @examples(300)
    @given(candidates, guards, usages)
    def test_no_budget_is_ever_exceeded(
        self, some: list[Candidate], limits: Guard, usage: Usage
    ) -> None:
        let = admitted(some, limits, usage)
        if not let:
            return
        self.assertLessEqual(
            usage.last_minute + len(let), limits.evictions_per_minute
        )
        self.assertLessEqual(
            usage.at_once + len(let), limits.evictions_at_once
        )
        hosts = collections.Counter(c.host for c in let)
        for host, number in hosts.items():
            before = usage.hosts.get(host, 0)
            self.assertLessEqual(before + number, limits.per_host)
        projects = collections.Counter(c.project_id for c in let)
        for project, number in projects.items():
            before = usage.projects.get(project, 0)
            self.assertLessEqual(before + number, limits.per_project)

    @examples(200)
    @given(candidates, lates, guards, usages)
    def test_what_is_late_needs_no_room_and_leaves_less(
        self,
        some: list[Candidate],
        late: list[Candidate],
        limits: Guard,
        usage: Usage,
    ) -> None:
        hosts = collections.Counter(usage.hosts)
        hosts.update(c.host for c in late)
        projects = collections.Counter(usage.projects)
        projects.update(c.project_id for c in late)
        after = Usage(
            usage.last_minute + len(late),
            usage.at_once + len(late),
            hosts,
            projects,
        )
        answers = dict(guard.admit([*some, *late], limits, usage))
        for one in late:
            self.assertIsNone(answers.pop(one.server))
        self.assertEqual(guard.admit(some, limits, after), answers)

    @examples(200)
    @given(candidates, guards, usages, st.integers())
    def test_the_order_in_which_they_come_is_nothing(
        self, some: list[Candidate], limits: Guard, usage: Usage, seed: int
    ) -> None:
        shuffled = some[:]
        Random(seed).shuffle(shuffled)
        self.assertEqual(
            guard.admit(some, limits, usage),
            guard.admit(shuffled, limits, usage),
        )

    @examples(300)
    @given(candidates, lates, guards, usages, st.sampled_from(LIMITS), few)
    def test_a_stricter_guard_lets_nobody_else_through(
        self,
        some: list[Candidate],
        late: list[Candidate],
        lax: Guard,
        usage: Usage,
        limit: str,
        less: int,
    ) -> None:
        some = [*some, *late]
        fewer = max(1, getattr(lax, limit) - less)
        strict = dataclasses.replace(lax, **{limit: fewer})
        self.assertLessEqual(
            set(admitted(some, strict, usage)),
            set(admitted(some, lax, usage)),
        )

    @examples(200)
    @given(candidates, guards, usages)
    def test_each_server_has_one_answer(
        self, some: list[Candidate], limits: Guard, usage: Usage
    ) -> None:
        answers = guard.admit(some, limits, usage)
        self.assertEqual({c.server for c in some}, set(answers))
        in_turn = guard.ordered(some, usage)
        self.assertEqual(len(answers), len(in_turn))

    @examples(200)
    @given(candidates, guards)
    def test_where_nothing_is_spent_somebody_comes_through(
        self, some: list[Candidate], limits: Guard
    ) -> None:
        let = admitted(some, limits, Usage())
        self.assertEqual(bool(some), bool(let))


class AdmitTest(unittest.TestCase):
    def test_it_goes_round_hosts_and_projects(self) -> None:
        some = [
            Candidate("1", "h1", "p1"),
            Candidate("2", "h1", "p2"),
            Candidate("3", "h2", "p1"),
            Candidate("4", "h3", "p3"),
        ]
        order = [c.server for c in guard.ordered(some, Usage())]
        # 3 is the second of its project, 2 the second of its host
        self.assertEqual(["1", "4", "3", "2"], order)

    def test_who_has_some_in_progress_comes_later(self) -> None:
        some = [Candidate("1", "h1", "p1"), Candidate("2", "h2", "p2")]
        usage = Usage(1, 1, {"h1": 1}, {})
        order = [c.server for c in guard.ordered(some, usage)]
        self.assertEqual(["2", "1"], order)

    def test_what_is_urgent_comes_first(self) -> None:
        some = [Candidate("1", "h1", "p1", 3), Candidate("2", "h1", "p1", 0)]
        order = [c.server for c in guard.ordered(some, Usage())]
        self.assertEqual(["2", "1"], order)

    def test_the_reason_names_the_budget(self) -> None:
        wide = Guard(9, 9, 9, 9, 20)
        table = (
            (Why.PER_MINUTE, "evictions_per_minute"),
            (Why.AT_ONCE, "evictions_at_once"),
            (Why.PER_HOST, "per_host"),
            (Why.PER_PROJECT, "per_project"),
        )
        some = [Candidate("1", "h1", "p1"), Candidate("2", "h1", "p1")]
        for why, limit in table:
            with self.subTest(limit):
                strict = dataclasses.replace(wide, **{limit: 1})
                answers = guard.admit(some, strict, Usage())
                self.assertEqual({"1": None, "2": why}, answers)


def after(state: State, *asks: Ask, begins: bool = False) -> Next:
    return Next(Step.STOP, state, asks, begins)


_BEGIN = after(State.ASKED, Ask.STOP, begins=True)
_FOLLOWS = Next(Step.STOP, State.ASKED, (Ask.STOP,), code="stop")


TERMS = guard.Terms(NOW, US, DEADLINES_S)


class UsedTest(unittest.TestCase):
    def used(
        self,
        of: Server,
        mark: Mark | None = None,
        follows: Next | None = None,
        *moves: Migration,
        kept: bool = True,
        hosts_off: frozenset[str] = frozenset(),
    ) -> tuple[int, int]:
        """Return what is spent, under an administrator's lock if unmarked."""
        usage = guard.used(
            clouds.picture([of], moves=moves),
            {of.uuid: mark} if mark else {},
            {of.uuid: follows} if follows else {},
            {of.uuid} if kept else set(),
            dataclasses.replace(TERMS, hosts_off=hosts_off),
        )
        self.assertEqual(usage.at_once, sum(usage.hosts.values()))
        self.assertEqual(usage.at_once, sum(usage.projects.values()))
        return usage.last_minute, usage.at_once

    def test_what_counts(self) -> None:
        here = clouds.server(1)
        stop, lock = Code.STOP, Code.LOCK
        asked = after(State.ASKED)
        busy = dataclasses.replace(here, task="powering-off")
        waits = dataclasses.replace(here, vm_state=VmState.RESIZED)
        move = clouds.move(here)
        moved = functools.partial(dataclasses.replace, move)
        arrived = after(State.REPORTED)
        mark = clouds.mark
        table: tuple[tuple[str, tuple[object, ...], tuple[int, int]], ...] = (
            ("nothing was done", (here,), (0, 0)),
            ("locked only", (here, mark(lock), asked), (0, 0)),
            ("just asked", (here, mark(stop, 5), asked), (1, 1)),
            (
                "asked before that",
                (here, mark(Code.LIVE_MIGRATE, 61), asked),
                (0, 1),
            ),
            ("within its time", (here, mark(stop, 59), asked), (1, 1)),
            ("its time is over", (here, mark(stop, 60), asked), (0, 0)),
            ("a clock ahead", (here, mark(stop, -90), asked), (1, 1)),
            ("far ahead", (here, mark(stop, -4000), asked), (0, 1)),
            (
                "reported",
                (here, mark(stop, 61), after(State.REPORTED)),
                (0, 0),
            ),
            (
                "given up",
                (here, mark(stop, 61), after(State.NOT_HALTED)),
                (0, 0),
            ),
            (
                "about to go on",
                (
                    here,
                    mark(Code.LIVE_MIGRATE, 61),
                    after(State.LOCKED, Ask.STOP),
                ),
                (0, 1),
            ),
            (
                "about to take another step",
                (here, mark(Code.LIVE_MIGRATE, 301), _FOLLOWS),
                (0, 1),
            ),
            (
                "the same is asked for again and again",
                (here, mark(stop, 61), after(State.ASKED, Ask.STOP)),
                (0, 0),
            ),
            (
                "it is aborted again and again",
                (
                    here,
                    mark(Code.LIVE_MIGRATE, 301),
                    after(State.ASKED, Ask.ABORT),
                    move,
                ),
                (0, 0),
            ),
            (
                "to begin anew",
                (
                    here,
                    mark(stop, 61),
                    after(State.LOCKED, Ask.STOP, begins=True),
                ),
                (0, 0),
            ),
            ("no finding", (here, mark(stop, 61)), (0, 0)),
            ("no finding, and busy", (busy, mark(stop, 59)), (1, 1)),
            ("busy beyond its time", (busy, mark(stop, 61)), (0, 0)),
            (
                "to be confirmed",
                (waits, mark(Code.COLD_MIGRATE, 61)),
                (0, 1),
            ),
            (
                "moving",
                (here, mark(Code.LIVE_MIGRATE, 61), None, move),
                (0, 1),
            ),
            (
                "moving beyond its time",
                (here, mark(Code.LIVE_MIGRATE, 301), asked, move),
                (0, 0),
            ),
            ("asked without mark", (busy, None, asked), (0, 1)),
            (
                "busy for long without mark",
                (dataclasses.replace(busy, updated=NOW - 60), None, asked),
                (0, 0),
            ),
            ("to begin without mark", (here, None, _BEGIN), (0, 0)),
            ("moving without mark", (here, None, asked, move), (1, 1)),
            (
                "moving for long without mark",
                (here, None, asked, moved(created=NOW - 300)),
                (0, 0),
            ),
            (
                "moving since a time to come",
                (here, None, asked, moved(created=NOW + 31)),
                (0, 0),
            ),
            (
                "moved without mark",
                (here, None, arrived, moved(course=Course.ARRIVED)),
                (1, 0),
            ),
            (
                "moved by somebody else",
                (here, None, _BEGIN, moved(user_id="b")),
                (0, 0),
            ),
            ("no mark and no finding", (here, None, None, move), (0, 0)),
        )
        for name, given_, expected in table:
            with self.subTest(name):
                self.assertEqual(expected, self.used(*given_))  # type: ignore[arg-type]

    def test_moves_in_our_name_count_only_where_we_cannot_mark(self) -> None:
        here, asked = clouds.server(1), after(State.ASKED)
        move = clouds.move(here)
        for kept, expected in ((True, (1, 1)), (False, (0, 0))):
            found = self.used(here, None, asked, move, kept=kept)
            self.assertEqual(expected, found)

    def test_what_a_host_was_asked_that_is_off_is_over(self) -> None:
        here, asked = clouds.server(1), after(State.ASKED)
        for code, expected in (
            (Code.LIVE_MIGRATE, (1, 0)),
            (Code.COLD_MIGRATE, (1, 0)),
            (Code.STOP, (1, 0)),
            (Code.POWER_OFF, (1, 0)),
            (Code.EVACUATE, (1, 1)),
            (Code.REBUILD_ELSEWHERE, (1, 1)),
        ):
            with self.subTest(code):
                mark = clouds.mark(code, 5)
                for off, after_ in (("h1", expected), ("h2", (1, 1))):
                    hosts = frozenset({off})
                    found = self.used(here, mark, asked, hosts_off=hosts)
                    self.assertEqual(after_, found)

    def test_a_host_that_is_left_counts_until_the_end(self) -> None:
        arrived = clouds.server(1, "h2", vm_state=VmState.RESIZED)
        moved = clouds.move(
            arrived, source="h1", kind="migration", course=Course.ARRIVED
        )
        usage = guard.used(
            clouds.picture([arrived], moves=[moved]),
            {arrived.uuid: clouds.mark(Code.COLD_MIGRATE, 61)},
            {},
            set(),
            TERMS,
        )
        self.assertEqual({"h1": 1}, usage.hosts)

    def test_a_power_off_counts_once_for_all_on_its_host(self) -> None:
        servers = [clouds.server(n, "h1") for n in range(3)]
        marks = {s.uuid: clouds.mark(Code.POWER_OFF, 5) for s in servers}
        nexts = {s.uuid: after(State.ASKED) for s in servers}
        usage = guard.used(clouds.picture(servers), marks, nexts, set(), TERMS)
        self.assertEqual((1, 1), (usage.last_minute, usage.at_once))

    def test_a_server_that_is_gone_counts_no_more(self) -> None:
        gone = {clouds.uuid(1): clouds.mark(Code.STOP)}
        usage = guard.used(clouds.picture(), gone, {}, set(), TERMS)
        self.assertEqual(Usage(), usage)
