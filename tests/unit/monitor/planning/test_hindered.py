# SPDX-License-Identifier: Apache-2.0
"""Hosts that keep us from their servers, or Nova that does, look to act."""

from __future__ import annotations

import logging
import unittest
from collections.abc import Callable
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.monitor.acting.actor import Actor
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.marking.locks import ended_too_often
from nfv_mla_scheduler.monitor.marking.locks import read_marks
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.owners import Owners
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from tests.unit.monitor import clouds
from tests.unit.monitor import situations
from tests.unit.monitor.cloud_fake import ADMIN
from tests.unit.monitor.cloud_fake import ADMIN_PROJECT
from tests.unit.monitor.cloud_fake import MONITOR
from tests.unit.monitor.cloud_fake import FakeCloud

KEY = b"k" * 32
BOOK = ("fence", "lock", "stop", "alert")
WITH_OFF = ("fence", "lock", "stop", "power-off", "alert")
CYCLE_S = 10.0
# By then a server is halted, its host is off, or an alarm is raised.
LATE = 62


class Command(Power):
    """The operator's commands, which do as they say."""

    def __init__(self) -> None:
        super().__init__((), ())
        self.hosts: list[str] = []

    def power_off(self, host: str, uuid: str = "") -> Outcome:
        """Switch a host off."""
        self.hosts.append(host)
        return Outcome(
            host, host, Step.POWER_OFF, Ask.POWER_OFF, Result.DONE, ""
        )


class Village:
    """A cloud whose host h1 is bad and swallows what it is asked for.

    :ivar before: what happens between look and act
    :ivar after: what happens once that was done
    """

    def __init__(
        self, book: tuple[str, ...] = WITH_OFF, servers: int = 1
    ) -> None:
        self.cloud = FakeCloud(hosts=9)
        self.cloud.swallows.add("h1")
        self.servers = [self.cloud.add_server(n + 1) for n in range(servers)]
        self.books = {"integrity": book}
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None
        self.host_bad = True
        self.acts = True
        self.monotonic = 0.0
        self.pool = ThreadPoolExecutor(2)
        self.owners = Owners(self.cloud, self.pool)
        self.command = Command()
        self.actor = Actor(
            self.cloud,
            (KEY,),
            NullAudit(),
            power=self.command,
            pause=lambda _: None,
        )
        self.acted: Mapping[str, Acted] = {}

    @property
    def stops(self) -> int:
        return sum("os-stop" in entry for entry in self.cloud.written)

    def cycle(self) -> Plan:
        self.cloud.now += CYCLE_S
        self.monotonic += CYCLE_S
        now, picture = self.cloud.now, self.cloud.picture()
        marks = read_marks(picture, (KEY,))
        there = [picture.servers[s.uuid] for s in self.servers]
        bad = [s for s in there if s.host == "h1"]
        acts = [s.uuid for s in bad]
        self.owners.look(picture, marks, acts, acts, now, self.monotonic)
        self.acted = self.owners.acted(picture, acts)
        out = plan(
            situations.situation(
                now=now,
                policy=clouds.policy(9, playbooks=self.books),
                picture=picture,
                verdict=clouds.verdict(
                    map(clouds.finding, bad),
                    [clouds.host_finding("h1")] if self.host_bad else [],
                    asking=frozenset(s.uuid for s in there),
                ),
                marks=marks,
                locks=self.owners.locks(picture, marks, acts),
                deadlines_s=DEADLINES_S,
                user_id=MONITOR,
                hosts_off=frozenset(self.command.hosts),
                acted=self.acted,
            )
        )
        self.owners.forget({step.server for step in out.steps})
        if self.acts:
            self.owners.planned(out)
            self.before()
            self.actor.carry_out(out, picture, now)
            self.after()
        return out

    def until_late(self) -> Plan:
        for _ in range(LATE):
            out = self.cycle()
        return out

    def close(self) -> None:
        self.actor.close()
        self.pool.shutdown()


# -- what is in our way: each for the first server of a village


def _fail_lock(code: CloudCode) -> Callable[[Village], None]:
    def hinder(it: Village) -> None:
        def lock(server: str, reason: str) -> None:
            raise CloudFailed(code, "no lock")

        it.cloud.lock = lock  # type: ignore[method-assign]

    return hinder


def _fail_look(code: CloudCode) -> Callable[[Village], None]:
    def hinder(it: Village) -> None:
        real, first = it.cloud.server, it.servers[0].uuid

        def server(uuid: str) -> Server | None:
            if uuid == first:
                raise CloudFailed(code, "no look")
            return real(uuid)

        it.cloud.server = server  # type: ignore[method-assign]

    return hinder


def _flip(it: Village) -> None:
    uuid = it.servers[0].uuid
    it.before = lambda: it.cloud.change(uuid, host="h9")
    it.after = lambda: it.cloud.change(uuid, host="h1")


def _forge(action: str, user: str = ADMIN) -> Callable[[Village], None]:
    def hinder(it: Village) -> None:
        uuid = it.servers[0].uuid

        def after() -> None:
            it.cloud.change(uuid, locked=False, locked_reason="", task="")
            forged = Deed(
                action, "req-x", user, ADMIN_PROJECT, it.cloud.now, ""
            )
            it.cloud.history[uuid].append(forged)

        it.after = after

    return hinder


HINDRANCES: Mapping[str, Callable[[Village], None]] = {
    "nova refuses the lock": _fail_lock(CloudCode.REFUSED),
    "nova fails the lock": _fail_lock(CloudCode.UNAVAILABLE),
    "nova cannot show it": _fail_look(CloudCode.UNAVAILABLE),
    "what nova shows cannot be read": _fail_look(CloudCode.BAD_ANSWER),
    "it is elsewhere for the moment": _flip,
    "an unlock is forged": _forge("unlock"),
    "a start is forged": _forge("start"),
    "an unlock is forged in our name": _forge("unlock", MONITOR),
}


class HinderedTest(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)

    def village(self, *args: object, **kwargs: int) -> Village:
        it = Village(*args, **kwargs)  # type: ignore[arg-type]
        self.addCleanup(it.close)
        return it

    def test_an_alarm_is_raised_when_its_time_is_over(self) -> None:
        for name, hinder in HINDRANCES.items():
            with self.subTest(name):
                it = self.village(BOOK)
                hinder(it)
                self.assertEqual((), it.cycle().not_halted)
                it.until_late()
                for _ in range(10):
                    out = it.cycle()
                    self.assertEqual(1, len(out.not_halted))
                    self.assertEqual([], it.command.hosts)

    def test_or_its_host_is_switched_off(self) -> None:
        for name, hinder in HINDRANCES.items():
            with self.subTest(name):
                it = self.village()
                hinder(it)
                it.until_late()
                self.assertEqual({"h1"}, set(it.command.hosts))
                self.assertEqual((), it.cycle().not_halted)

    def test_it_is_stopped_without_a_lock_at_last(self) -> None:
        for code in (CloudCode.REFUSED, CloudCode.UNAVAILABLE):
            it = self.village(BOOK, 3)
            it.cloud.swallows.clear()
            _fail_lock(code)(it)
            for _ in range(LATE - 10):
                it.cycle()
            self.assertEqual(0, it.stops)
            it.until_late()
            for server in it.servers:
                state = it.cloud.peek(server.uuid).vm_state
                self.assertIs(VmState.STOPPED, state)
            self.assertEqual((), it.cycle().not_halted)

    def test_one_server_does_not_shield_its_host(self) -> None:
        for name, hinder in HINDRANCES.items():
            for start in (0, 3, 8, 30):
                with self.subTest(name, start=start):
                    it = self.village(servers=5)
                    for number in range(LATE):
                        if number == start:
                            hinder(it)
                        it.cycle()
                    self.assertEqual({"h1"}, set(it.command.hosts))

    def test_a_host_that_nobody_calls_bad_is_not_switched_off(self) -> None:
        for swallows in (False, True):
            it = self.village()
            it.host_bad = False
            if not swallows:
                it.cloud.swallows.clear()
            out = it.until_late()
            self.assertGreater(it.stops, 0)
            self.assertEqual([], it.command.hosts)
            self.assertEqual(swallows, bool(out.not_halted))

    def test_what_is_only_looked_at_is_in_time_for_ever(self) -> None:
        """With ``--dry-run`` nothing has been tried."""
        it = self.village()
        it.acts = False
        for _ in range(2 * LATE):
            out = it.cycle()
            (step,) = out.steps
            self.assertEqual((Ask.LOCK,), step.asks)
            self.assertEqual((), out.not_halted)

    def test_who_is_believed_some_times_and_then_reported(self) -> None:
        it = self.village(BOOK)
        uuid = it.servers[0].uuid
        told = []
        for _ in range(8):
            it.cycle()
            told.append(ended_too_often(uuid, it.acted[uuid], False))
            it.cloud.as_admin(uuid, "unlock")
        self.assertEqual([None] * 4, told[:4])
        last = told[-1]
        assert isinstance(last, Tampered)
        self.assertEqual(("server", uuid), (last.what, last.name))
