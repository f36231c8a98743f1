# SPDX-License-Identifier: Apache-2.0
"""What is spent of the guard's budgets, by marks and by Nova's records."""

from __future__ import annotations

import dataclasses
import functools
import unittest

from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning import spent
from nfv_mla_scheduler.monitor.plans import Usage
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW
from tests.unit.monitor.clouds import US

DEADLINES_S = {
    step: 60.0 if step in (Step.STOP, Step.POWER_OFF) else 300.0
    for step in Step
    if step.disturbs
}


def after(state: State, *asks: Ask, begins: bool = False) -> Next:
    return Next(Step.STOP, state, asks, begins)


_BEGIN = after(State.ASKED, Ask.STOP, begins=True)
_FOLLOWS = Next(Step.STOP, State.ASKED, (Ask.STOP,), code="stop")
TERMS = spent.Terms(NOW, US, DEADLINES_S)


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
        usage = spent.used(
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
        usage = spent.used(
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
        usage = spent.used(clouds.picture(servers), marks, nexts, set(), TERMS)
        self.assertEqual((1, 1), (usage.last_minute, usage.at_once))

    def test_a_server_that_is_gone_counts_no_more(self) -> None:
        gone = {clouds.uuid(1): clouds.mark(Code.STOP)}
        usage = spent.used(clouds.picture(), gone, {}, set(), TERMS)
        self.assertEqual(Usage(), usage)
