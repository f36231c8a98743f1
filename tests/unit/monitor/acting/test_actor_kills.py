# SPDX-License-Identifier: Apache-2.0
"""Killed at any request, the monitor ends where it would have ended.

A planner of some lines stands in for the real one: it goes by what Nova
shows, as that does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import unittest
from collections.abc import Iterator

from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.monitor.acting.actor import Actor
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Release
from nfv_mla_scheduler.monitor.plans import TraitEdit
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from tests.unit.monitor.cloud_fake import FakeCloud
from tests.unit.monitor.cloud_fake import Killed
from tests.unit.monitor.cloud_fake import ident

KEYS = (b"k" * 32,)
TRAIT = "CUSTOM_NFV_MLA_POOL_P7"
BAD, GOOD = frozenset({"h1"}), frozenset[str]()
CYCLES_MAX = 20
_ASKS = {
    Step.STOP: (Ask.STOP,),
    Step.COLD_MIGRATE: (Ask.MIGRATE,),
    Step.LIVE_MIGRATE: (Ask.LIVE_MIGRATE,),
    Step.EVACUATE: (Ask.FORCE_DOWN, Ask.EVACUATE),
}


def mark_of(server: Server) -> Mark | None:
    return marks.read(server.locked_reason, server.uuid, KEYS)


def replan(picture: Picture, bad: frozenset[str], word: Step) -> Plan:
    """Return what is next, by what Nova shows and nothing else."""
    steps, releases = [], []
    for server in picture.servers.values():
        mark = mark_of(server)
        if server.host in bad:
            steps += list(_steps(server, mark, picture, word))
        elif mark is not None and server.vm_state is VmState.RESIZED:
            steps.append(_planned(server, Step.COLD_MIGRATE, Ask.CONFIRM))
        elif mark is not None and not server.task:
            stopped = server.vm_state is VmState.STOPPED
            start = stopped and mark.was in ("active", "paused")
            asks = (Ask.UNLOCK, Ask.START) if start else (Ask.UNLOCK,)
            releases.append(Release(server.uuid, server.host, asks))
    (node,) = (n for n in picture.nodes.values() if n.host == "h1")
    fences: tuple[Fence, ...] = ()
    if node.enabled and bad:
        fences = (Fence("h1", node.service, True, "failed"),)
    elif not (node.enabled or bad or steps or releases):
        fences = (Fence("h1", node.service, False, "failed"),)
    has = node.uuid in picture.traits.get(TRAIT, ())
    traits: tuple[TraitEdit, ...] = ()
    if has == bool(bad):
        traits = (TraitEdit(node.uuid, TRAIT, add=not bad),)
    return Plan(fences, tuple(steps), tuple(releases), traits)


def _steps(
    server: Server, mark: Mark | None, picture: Picture, word: Step
) -> Iterator[Planned]:
    moves = picture.migrations.get(server.uuid, ())
    if mark is None:
        planned = _planned(server, Step.LOCK, Ask.LOCK)
        yield dataclasses.replace(planned, code="lock")
        return
    halted = server.vm_state is VmState.STOPPED and word is Step.STOP
    if (
        halted
        or server.task
        or any(move.course is Course.UNDER_WAY for move in moves)
    ):
        return
    prelude: tuple[Ask, ...] = ()
    if server.vm_state is VmState.PAUSED:
        prelude = (Ask.UNPAUSE,)
    planned = _planned(server, word, *prelude, *_ASKS[word])
    yield dataclasses.replace(planned, code=word.value)


def _planned(server: Server, step: Step, *asks: Ask) -> Planned:
    return Planned(server.uuid, server.host, step, asks, "", 0.0, "failed")


class Site:
    """A cloud, and the monitors that come and go."""

    def __init__(self, word: Step, workers: int, lag: int) -> None:
        self.cloud = FakeCloud(hosts=2)
        self.cloud.lag = lag
        self.cloud.add_server(1)
        self.cloud.add_server(2, vm_state=VmState.PAUSED)
        if word is Step.LIVE_MIGRATE:
            self.cloud.change(ident(2), vm_state=VmState.ACTIVE)
        self.word = word
        self.workers = workers
        self.kills = 0
        self.asked_again = False
        self.ends: list[object] = []

    def run(self, *, same: bool) -> None:
        """Have a host go bad and recover; restart what is killed.

        :param same: carry a plan out again that was cut short, by the
            picture of then, before a new one is made
        """
        for bad in (BAD, GOOD):
            for _ in range(CYCLES_MAX):
                picture = self.cloud.picture()
                plan = replan(picture, bad, self.word)
                if plan == Plan():
                    break
                if not self._carried_out(plan, picture) and same:
                    self._carried_out(plan, picture)
                self.cloud.settle()
                self.cloud.now += 70
            else:
                raise AssertionError(f"it never ends: {plan}")
            self.ends.append(self._end())

    def _carried_out(self, plan: Plan, picture: Picture) -> bool:
        actor = Actor(
            self.cloud,
            KEYS,
            NullAudit(),
            workers=self.workers,
            pause=lambda _: None,
        )
        try:
            actor.carry_out(plan, picture, self.cloud.now)
        except Killed:
            self.kills += 1
            self.cloud.revive()
            self._owner_interferes()
            return False
        finally:
            actor.close()
        return True

    def _owner_interferes(self) -> None:
        """Have the owner undo what can be undone."""
        for uuid in (ident(1), ident(2)):
            server = self.cloud.peek(uuid)
            for action in ("unlock", "os-start", "os-stop"):
                if server.locked:
                    with contextlib.suppress(CloudFailed):
                        self.cloud.as_owner(uuid, action)
                        raise AssertionError("a member has got past a lock")

    def _end(self) -> object:
        servers = []
        for server in self.cloud.picture().servers.values():
            mark = mark_of(server)
            servers.append(
                (
                    server.uuid,
                    server.host,
                    server.vm_state,
                    server.task,
                    server.locked,
                    (mark.code, mark.was) if mark else None,
                    self._count(server.uuid),
                )
            )
        node = self.cloud.node("h1")
        traits = dict(self.cloud.carried)
        return servers, node.enabled, node.forced_down, node.up, traits

    def _count(self, uuid: str) -> list[str]:
        """Return what was done to a server, but for locks."""
        deeds = self.cloud.history[uuid]
        names = [d.action for d in deeds if "lock" not in d.action]
        return [*names, str(len(self.cloud.moves))]


class KillTest(unittest.TestCase):
    def check(self, word: Step, workers: int = 1, lag: int = 0) -> None:
        calm = Site(word, workers, lag)
        calm.run(same=False)
        requests = len(calm.cloud.log)
        self.assertGreater(requests, 15)
        for same in (False, True):
            for after in (False, True):
                for number in range(1, requests + 1):
                    with self.subTest(n=number, after=after, same=same):
                        site = Site(word, workers, lag)
                        site.cloud.kill_at(number, after=after)
                        site.run(same=same)
                        self.assertEqual(1, site.kills)
                        self.assertEqual(calm.ends, site.ends)

    def test_what_is_undisturbed_ends_well(self) -> None:
        """The end itself: nothing of ours is left, and all run."""
        for word in _ASKS:
            with self.subTest(word.value):
                site = Site(word, 2, 0)
                site.run(same=False)
                node = site.cloud.node("h1")
                self.assertEqual(
                    (True, False, True, ""),
                    (node.enabled, node.forced_down, node.up, node.reason),
                )
                for uuid in (ident(1), ident(2)):
                    server = site.cloud.peek(uuid)
                    self.assertIs(VmState.ACTIVE, server.vm_state)
                    self.assertFalse(server.locked)
                    stayed = word is Step.STOP
                    self.assertEqual("h1" if stayed else "h2", server.host)

    def test_stop(self) -> None:
        self.check(Step.STOP)

    def test_stop_that_takes_its_time(self) -> None:
        self.check(Step.STOP, lag=2)

    def test_cold_migrate(self) -> None:
        self.check(Step.COLD_MIGRATE)

    def test_cold_migrate_that_takes_its_time(self) -> None:
        self.check(Step.COLD_MIGRATE, lag=3)

    def test_live_migrate(self) -> None:
        self.check(Step.LIVE_MIGRATE, lag=3)

    def test_evacuate(self) -> None:
        self.check(Step.EVACUATE)

    def test_with_several_threads(self) -> None:
        self.check(Step.STOP, workers=3)


if __name__ == "__main__":
    unittest.main()
