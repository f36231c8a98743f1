# SPDX-License-Identifier: Apache-2.0
"""Hosts that undo what is done to their servers, from look to act."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Callable
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.monitor.acting.actor import Actor
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.locks import read_marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.owners import Owners
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from tests.unit.monitor import clouds
from tests.unit.monitor import situations
from tests.unit.monitor.cloud_fake import MONITOR
from tests.unit.monitor.cloud_fake import FakeCloud

Books = Mapping[str, tuple[str, ...]]
KEY = b"k" * 32
BOOK: Books = {"integrity": ("fence", "lock", "stop", "alert")}
WITH_OFF: Books = {
    "integrity": ("fence", "lock", "stop", "power-off", "alert")
}
CYCLE_S = 10.0
# By then a server is halted or an alarm is raised, whatever its host does.
HALT_WITHIN_S = 600.0
LATE = int(HALT_WITHIN_S / CYCLE_S) + 10

Spoil = Callable[[FakeCloud, Server], object]


class Town:
    """A cloud whose host h1 is bad, and the monitor from look to act.

    :ivar spoil: what the host does after each cycle
    :ivar off: whether h1 is known to be off
    """

    def __init__(self, books: Books | None = None):
        self.cloud = FakeCloud(hosts=4)
        self.cloud.swallows.add("h1")
        self.server = self.cloud.add_server(1)
        self.books = books or BOOK
        self.spoil: Spoil = lambda _cloud, _server: None
        self.off = False
        self.starting = False
        self.bad = True
        self.pool = ThreadPoolExecutor(1)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Have another process take over."""
        self.owners = Owners(self.cloud, self.pool)
        self.actor = Actor(
            self.cloud, (KEY,), NullAudit(), pause=lambda _: None
        )

    def peek(self) -> Server:
        return self.cloud.peek(self.server.uuid)

    @property
    def stops(self) -> int:
        asked = [e for e in self.cloud.written if "os-stop" in e]
        return len(asked)

    def cycle(self, act: bool = True) -> Plan:
        self.cloud.now += CYCLE_S
        picture = self.cloud.picture()
        found = read_marks(picture, (KEY,))
        one = picture.servers[self.server.uuid]
        findings = [clouds.finding(one, Kind.FAILED)] if self.bad else []
        acts = [f.server for f in findings]
        now = self.cloud.now
        self.owners.look(picture, found, acts, acts, now, now)
        self.locks = self.owners.locks(picture, found, acts)
        out = plan(
            situations.situation(
                now=now,
                policy=clouds.policy(4, playbooks=self.books),
                picture=picture,
                verdict=clouds.verdict(
                    findings,
                    [clouds.host_finding("h1")] if self.bad else [],
                    complies=frozenset({one.uuid} - set(acts)),
                    asking=frozenset({one.uuid}),
                ),
                marks=found,
                locks=self.locks,
                deadlines_s=DEADLINES_S,
                user_id=MONITOR,
                starting=self.starting,
                hosts_off=frozenset({"h1"} if self.off else ()),
                acted=self.owners.acted(picture, acts),
            )
        )
        self.owners.forget({step.server for step in out.steps})
        self.owners.planned(out)
        if act:
            self.actor.carry_out(out, picture, now)
        self.spoil(self.cloud, one)
        return out

    def cycles(self, count: int) -> Plan:
        for _ in range(count - 1):
            self.cycle()
        return self.cycle()

    def close(self) -> None:
        self.actor.close()
        self.pool.shutdown()


def change(**changes: object) -> Spoil:
    return lambda cloud, server: cloud.change(server.uuid, **changes)


def as_it_was(cloud: FakeCloud, server: Server) -> None:
    """Show a server as if nothing had been done to it."""
    cloud._servers[server.uuid] = server


SPOILS: dict[str, Spoil] = {
    "unlocked": change(locked=False, locked_reason=""),
    "overwritten by what begins as a mark": change(
        locked_reason="nfv-mla/1 x"
    ),
    "overwritten by a plain text": change(locked_reason="maintenance"),
    "and the stop swallowed at once": change(
        locked_reason="maintenance", task=""
    ),
    "and dated ahead": lambda cloud, server: cloud.change(
        server.uuid, locked_reason="x", updated=cloud.now + 3600
    ),
    "as if nothing had been done": as_it_was,
    "every second time": lambda cloud, server: cloud.change(
        server.uuid,
        task="",
        locked=bool(cloud.now // CYCLE_S % 2),
    ),
}


class UndoneTest(unittest.TestCase):
    def town(self, books: Books | None = None) -> Town:
        town = Town(books)
        self.addCleanup(town.close)
        return town

    def test_whoever_undoes_each_lock_is_not_spared(self) -> None:
        for name, spoil in SPOILS.items():
            with self.subTest(name):
                town = self.town()
                town.spoil = spoil
                out = town.cycles(LATE)
                self.assertGreater(town.stops, 0)
                self.assertEqual(1, len(out.not_halted))
                for _ in range(20):
                    self.assertEqual(1, len(town.cycle().not_halted))

    def test_nor_is_its_host(self) -> None:
        for name, spoil in SPOILS.items():
            with self.subTest(name):
                town = self.town(WITH_OFF)
                town.spoil = spoil
                planned = [town.cycle() for _ in range(LATE)]
                off = [o for o in planned if _powers_off(o)]
                self.assertGreater(len(off), 0)

    def test_a_new_process_goes_on_where_the_last_one_was(self) -> None:
        for name, spoil in SPOILS.items():
            with self.subTest(name):
                town = self.town()
                town.spoil = spoil
                town.cycles(LATE)
                town.begin_anew()
                self.assertEqual(1, len(town.cycle().not_halted))

    def test_under_an_administrators_lock_there_is_a_deadline(self) -> None:
        for spoil in (change(task=""), change(updated=9e9), as_it_was):
            for books in (BOOK, WITH_OFF):
                town = self.town(books)
                town.cloud.as_admin(town.server.uuid, "lock", "maintenance")
                town.spoil = spoil
                planned = [town.cycle() for _ in range(LATE)]
                self.assertEqual("maintenance", town.peek().locked_reason)
                self.assertIs(Lock.ADMINISTRATOR, _only(town.locks))
                self.assertEqual(1, len(planned[-1].not_halted))
                off = any(_powers_off(out) for out in planned)
                self.assertIs(books is WITH_OFF, off)

    def test_nor_does_a_task_that_never_ends_help_it(self) -> None:
        town = self.town(WITH_OFF)
        town.cloud.as_admin(town.server.uuid, "lock", "maintenance")
        town.cloud.change(town.server.uuid, task="rebooting")
        out = town.cycles(LATE)
        self.assertEqual(1, len(out.not_halted))
        self.assertTrue(_powers_off(out))

    def test_no_word_for_its_state_helps_it(self) -> None:
        for state in (
            VmState.BUILDING,
            VmState.UNKNOWN,
            VmState.SHELVED_OFFLOADED,
            VmState.DELETED,
        ):
            for books in (BOOK, WITH_OFF):
                with self.subTest(state, books=books):
                    town = self.town(books)
                    town.cloud.change(town.server.uuid, vm_state=state)
                    town.cycle()
                    self.assertTrue(town.peek().locked)
                    early = town.cycles(LATE - 20)
                    self.assertEqual((), early.not_halted)
                    out = town.cycles(20)
                    self.assertEqual(1, len(out.not_halted))
                    self.assertIs(books is WITH_OFF, _powers_off(out))

    def test_what_a_host_that_is_off_leaves_behind_is_over(self) -> None:
        town = self.town({"integrity": ("lock", "cold-migrate", "stop")})
        town.cloud.lag = 10**6
        town.cycles(2)
        cloud, uuid = town.cloud, town.server.uuid
        mark = Mark(Code.COLD_MIGRATE, "0a1b2c3d", cloud.now, 1.7e9, "active")
        cloud.lock(uuid, marks.write(mark, uuid, KEY))
        move = dataclasses.replace(
            clouds.move(town.peek(), kind="migration", user_id=MONITOR),
            created=cloud.now,
        )
        cloud.moves[1] = move
        cloud.change(uuid, task="resize_migrating")
        self.assertIs(Course.UNDER_WAY, move.course)
        self.assertEqual(1, len(town.cycles(2).not_halted))
        town.off = True
        out = town.cycle()
        self.assertEqual((), out.not_halted)
        self.assertEqual((), out.steps)
        self.assertEqual(0, out.usage.at_once)
        self.assertEqual([State.CONFIRMED], [f.state for f in out.in_flight])

    def test_a_mark_of_former_times_has_nothing_started(self) -> None:
        town = self.town()
        cloud, uuid = town.cloud, town.server.uuid
        town.cloud.swallows.clear()
        town.cycles(3)
        text = town.peek().locked_reason
        town.bad = False
        town.cycles(12)
        self.assertFalse(town.peek().locked)
        self.assertIs(VmState.ACTIVE, town.peek().vm_state)
        cloud.as_admin(uuid, "os-stop")
        cloud.as_admin(uuid, "lock", "maintenance")
        cloud.change(uuid, locked_reason=text)
        for _ in range(12):
            out = town.cycle()
            self.assertEqual((), out.releases)
            self.assertIs(Lock.FORGED, _only(town.locks))
        self.assertIs(VmState.STOPPED, town.peek().vm_state)
        self.assertTrue(town.peek().locked)

    def test_what_cannot_be_proven_ours_is_not_let_go(self) -> None:
        town = self.town()
        town.cloud.swallows.clear()
        town.cycles(3)
        town.bad = False
        town.begin_anew()
        town.cloud.fail("deeds", CloudCode.UNAVAILABLE, times=12)
        for _ in range(12):
            self.assertEqual((), town.cycle().releases)
            self.assertIs(Lock.UNPROVEN, _only(town.locks))
        self.assertEqual(1, len(town.cycle().releases))

    def test_a_new_finding_has_its_own_time(self) -> None:
        """What was done under an administrator's lock long ago is over."""
        town = self.town(WITH_OFF)
        cloud, uuid = town.cloud, town.server.uuid
        cloud.as_admin(uuid, "lock", "maintenance")
        town.cloud.swallows.clear()
        town.cycles(3)
        self.assertIs(VmState.STOPPED, town.peek().vm_state)
        town.bad = False
        town.cycles(10)
        cloud.now += 86400.0
        town.cycles(2)
        cloud.change(uuid, vm_state=VmState.ACTIVE, power=Power.RUNNING)
        cloud.swallows.add("h1")
        town.bad = True
        for _ in range(5):
            out = town.cycle()
            self.assertEqual((), out.not_halted)
            self.assertFalse(_powers_off(out))

    def test_where_the_rest_is_held_it_is_locked_again(self) -> None:
        for lock in (False, True):
            town = self.town()
            town.cycle()
            if lock:
                town.cycle()
            town.spoil = change(locked=False, task="")
            town.starting = True
            town.cycle()
            for _ in range(3):
                out = town.cycle()
                (step,) = out.steps
                self.assertEqual((Ask.LOCK,), step.asks)

    def test_what_is_begun_counts_though_no_mark_says_so(self) -> None:
        for name, admin in (("maintenance", True), ("x", False)):
            with self.subTest(name):
                town = self.town()
                if admin:
                    town.cloud.as_admin(town.server.uuid, "lock", name)
                town.spoil = change(locked=True, locked_reason=name, task="")
                town.cycles(3)
                usage = town.cycle(act=False).usage
                self.assertEqual(1, usage.last_minute)
                self.assertEqual({"h1": 1}, dict(usage.hosts))

    def test_an_owners_lock_that_gives_way_is_told(self) -> None:
        town = self.town()
        town.cloud.as_owner(town.server.uuid, "lock", "mine")
        self.assertEqual({town.server.uuid}, town.cycle(act=False).replaced)
        self.assertEqual({town.server.uuid}, town.cycle().replaced)
        self.assertEqual(frozenset(), town.cycle().replaced)


class ReadTest(unittest.TestCase):
    """Deeds are read of few, and seldom."""

    def test_once_for_each_that_changes(self) -> None:
        town = Town()
        self.addCleanup(town.close)
        town.bad = False
        town.cycles(3)
        self.assertEqual(0, self.reads(town))
        town.bad = True
        # It has only come up: nothing can have been done for it.
        town.cycle()
        self.assertEqual(0, self.reads(town))
        town.cycles(2)
        before = self.reads(town)
        for _ in range(3):
            town.cycle(act=False)
        self.assertLessEqual(self.reads(town), before + 1)

    def reads(self, town: Town) -> int:
        return sum(entry[0] == "deeds" for entry in town.cloud.log)


def _powers_off(out: Plan) -> bool:
    return any(Ask.POWER_OFF in step.asks for step in out.steps)


def _only(locks: Mapping[str, Lock]) -> Lock:
    (one,) = locks.values()
    return one
