# SPDX-License-Identifier: Apache-2.0
"""The guard keeps every budget, and does not depend on chance."""

from __future__ import annotations

import collections
import dataclasses
import unittest
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.monitor.planning import guard
from nfv_mla_scheduler.monitor.planning.guard import Candidate
from nfv_mla_scheduler.monitor.plans import Usage
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Guard
from tests.unit.generators import examples
from tests.unit.monitor import clouds

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
