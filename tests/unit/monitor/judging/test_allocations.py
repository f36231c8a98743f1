# SPDX-License-Identifier: Apache-2.0
"""Servers that Nova and Placement have on different hosts."""

from __future__ import annotations

import collections
import time
import unittest
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.monitor.judging import allocations
from nfv_mla_scheduler.monitor.judging.allocations import A_LOOK
from nfv_mla_scheduler.monitor.judging.allocations import AGAIN_S
from nfv_mla_scheduler.monitor.judging.allocations import APART_S
from nfv_mla_scheduler.monitor.judging.allocations import CHANGED_A_LOOK
from nfv_mla_scheduler.monitor.judging.allocations import NOTHING
from nfv_mla_scheduler.monitor.judging.allocations import Allocations
from nfv_mla_scheduler.monitor.observing.observer import Observer
from tests.simulated.cloud import SimulatedCloud
from tests.simulated.connecting import connected
from tests.simulated.records import identifier

HERE, THERE = "host-00000", "host-00001"
CYCLE_S = 10.0


class AllocationsTestCase(unittest.TestCase):
    """Three hosts; one server on each, and as many more as a test has."""

    def setUp(self) -> None:
        self.start = float(int(time.time()))
        self.passed = 0.0
        self.sim = SimulatedCloud(
            3, 3, clock=lambda: self.start + self.passed
        ).start()
        self.addCleanup(self.sim.stop)
        self.cloud = connected(self.sim.credentials(), 5.0)
        self.observer = Observer(self.cloud)
        self.allocations = Allocations(self.cloud)
        self.servers = [self.sim.server(number).uuid for number in range(3)]
        self.asking = set(self.servers)
        self.server = self.servers[0]

    def look(self, after_s: float = CYCLE_S) -> Mapping[str, str]:
        """Look at the cloud, and then at allocations; only these count."""
        self.passed += after_s
        self.observer.look(self.start + self.passed, self.passed)
        return self.again(0.0)

    def again(self, after_s: float = CYCLE_S) -> Mapping[str, str]:
        """Look at allocations: nothing else has changed."""
        self.passed += after_s
        self.sim.forget_calls()
        return self.allocations.look(
            self.observer.picture, self.asking, self.passed
        )

    def looks(self, number: int = 4) -> None:
        """Look until each has had its turn, and find nothing."""
        self.assertEqual({}, self.look())
        for _ in range(number - 1):
            self.assertEqual({}, self.again())

    def asked(self) -> list[str]:
        """Return what the last look asked for, other than by traits."""
        return [call.partition("?")[0] for call in self.sim.made]

    def find(self) -> Mapping[str, str]:
        """Look until something is found, or long enough."""
        found = self.look()
        for _ in range(int(2 * APART_S / CYCLE_S)):
            found = self.again() or found
        return found


class CountsTest(AllocationsTestCase):
    def test_servers_that_are_where_they_were_placed(self) -> None:
        self.looks(20)

    def test_server_that_is_said_to_be_on_another_host(self) -> None:
        self.looks()
        self.sim.misstate(self.server, THERE)
        self.assertEqual({}, self.look(), "it was seen once")
        for _ in range(int(APART_S / CYCLE_S) - 1):
            self.assertEqual({}, self.again(), "too soon after")
        detail = f"Nova has it on {THERE}, Placement on {HERE}"
        for _ in range(20):
            self.assertEqual({self.server: detail}, self.again())
        self.sim.change(self.server, host=HERE)
        self.assertEqual({}, self.look())

    def test_allocation_that_was_moved_by_hand(self) -> None:
        self.looks()
        there = self.sim.world.hosts[THERE].uuid
        self.sim.world.allocated[self.server] = {there}
        self.assertEqual([self.server], list(self.find()))
        del self.sim.world.allocated[self.server]
        self.look(AGAIN_S)
        self.assertEqual({}, self.look(), "its turn comes though it rests")

    def test_provider_of_nobody(self) -> None:
        nobodys = identifier("node", "nobody's")
        self.sim.world.allocated[self.server] = {nobodys}
        detail = f"Nova has it on {HERE}, Placement on {nobodys}"
        self.assertEqual({self.server: detail}, self.find())

    def test_host_that_changes_all_the_time_does_not_hide_it(self) -> None:
        self.looks()
        found: Mapping[str, str] = {}
        self.sim.misstate(self.server, THERE)
        for number in range(12):
            host = "host-00002" if number % 2 else THERE
            self.sim.change(self.server, host=host)
            found = self.look()
        self.assertEqual([self.server], list(found))

    def test_no_allocation_where_others_have_some(self) -> None:
        self.sim.world.allocated[self.server] = set()
        self.assertEqual({self.server: NOTHING}, self.find())

    def test_cloud_without_allocations(self) -> None:
        for uuid in self.servers:
            self.sim.world.allocated[uuid] = set()
        self.assertEqual({}, self.find())

    def test_what_counts_as_on_its_host(self) -> None:
        world = self.sim.world
        here, there = world.hosts[HERE], world.hosts[THERE]
        below, storage = identifier("gpu", HERE), identifier("disks", "all")
        here.below.add(below)
        there.below.add(identifier("gpu", THERE))
        for where, agrees in (
            ({here.uuid}, True),
            ({here.uuid, storage}, True),
            ({below}, True),
            ({below, storage}, True),
            ({here.uuid, there.uuid}, True),  # evacuated, and not cleaned up
            ({there.uuid}, False),
            ({there.uuid, storage}, False),
            (set(there.below), False),
            ({storage}, False),
        ):
            with self.subTest(where=where):
                self.allocations = Allocations(self.cloud)
                world.allocated[self.server] = where
                self.assertEqual(
                    [] if agrees else [self.server], list(self.find())
                )

    def test_states_in_which_nothing_is_compared(self) -> None:
        self.looks()
        self.sim.misstate(self.server, THERE)
        for fields in (
            {"task_state": "migrating"},
            {"task_state": "resize_reverting"},
            {"vm_state": "shelved_offloaded"},
            {"vm_state": "shelved_offloaded", "host": ""},
            {"host": ""},
        ):
            with self.subTest(**fields):
                usual = {"task_state": None, "vm_state": "active"}
                self.sim.change(
                    self.server, **{**usual, "host": THERE, **fields}
                )
                self.allocations = Allocations(self.cloud)
                self.assertEqual({}, self.find())

    def test_states_that_hide_nothing(self) -> None:
        self.looks()
        self.sim.misstate(self.server, THERE)
        for state in ("error", "stopped", "soft-delete", "resized", "paused"):
            with self.subTest(state=state):
                self.sim.change(self.server, vm_state=state)
                self.allocations = Allocations(self.cloud)
                self.assertEqual([self.server], list(self.find()))

    def test_those_that_ask_for_nothing_are_not_looked_at(self) -> None:
        self.asking.discard(self.server)
        self.sim.misstate(self.server, THERE)
        self.assertEqual({}, self.find())

    def test_one_that_asks_for_nothing_any_more_is_forgotten(self) -> None:
        self.sim.misstate(self.server, THERE)
        self.assertEqual([self.server], list(self.find()))
        self.asking.discard(self.server)
        self.assertEqual({}, self.look())

    def test_one_that_is_deleted_is_forgotten(self) -> None:
        self.sim.misstate(self.server, THERE)
        self.assertEqual([self.server], list(self.find()))
        self.sim.delete(self.server)
        self.assertEqual({}, self.look())


class MovesTest(AllocationsTestCase):
    """What Nova itself does makes no finding, at whatever moment it is seen.

    Hosts take so long for a move that looks fall into each part of it.
    """

    def setUp(self) -> None:
        super().setUp()
        self.sim.world.settle_s = APART_S + 25.0
        self.looks()

    def through(self, after_s: float = 25.0) -> None:
        for _ in range(6):
            self.assertEqual({}, self.look(after_s))

    def host(self) -> str:
        return self.sim.world.servers[self.server].host

    def test_moves(self) -> None:
        for ask in (
            lambda: self.cloud.act(self.server, "os-migrateLive"),
            lambda: self.cloud.act(self.server, "migrate"),
        ):
            before = self.host()
            ask()
            self.through()
            self.assertNotEqual(before, self.host())
        self.cloud.act(self.server, "confirmResize")
        self.through()

    def test_revert(self) -> None:
        self.cloud.act(self.server, "migrate")
        self.through()
        self.cloud.act(self.server, "revertResize")
        self.through()
        self.assertEqual(HERE, self.host())

    def test_evacuation_of_which_the_old_host_is_not_back(self) -> None:
        self.sim.world.hosts[HERE].up = False
        self.cloud.act(self.server, "evacuate")
        self.through()
        self.assertNotEqual(HERE, self.host())
        self.assertEqual(2, len(self.sim.world.allocated_to(self.server)))

    def _move_behind_the_picture(self) -> None:
        """Look while a move begins after the cloud has been looked at."""
        self.passed += CYCLE_S
        picture = self.observer.look(self.start + self.passed, self.passed)
        self.cloud.act(self.server, "os-migrateLive")
        # its turn, whoever's it is
        for _ in range(3):
            found = self.allocations.look(picture, self.asking, self.passed)
            self.assertEqual({}, found)

    def test_move_that_begins_between_two_reads(self) -> None:
        self._move_behind_the_picture()
        self.assertIn("GET placement/resource_providers", self.asked())
        self.through(APART_S)
        self.assertNotEqual(HERE, self.host())

    def test_moves_that_begin_between_two_reads_twice(self) -> None:
        self._move_behind_the_picture()
        move = self.sim.world.moves[-1]
        # it is rolled back, and nobody sees it end
        self.sim.world.moved(move, "error")
        self.sim.change(self.server, task_state=None)
        self.passed += APART_S
        self._move_behind_the_picture()
        self.assertIn("GET compute/servers/{id}", self.asked())
        self.through(APART_S)


class CostTest(AllocationsTestCase):
    """How many requests a look makes, and who is next."""

    def setUp(self) -> None:
        super().setUp()
        for _ in range(17):
            self.servers.append(self.sim.boot(HERE).uuid)
        self.asking = set(self.servers)

    def seen(self, look: Callable[[], Any] | None = None) -> list[str]:
        """Look, and return the servers that were looked at.

        :param look: by default at allocations alone
        """
        asked: list[str] = []
        real = self.cloud.allocation

        def noted(server: str) -> frozenset[str]:
            asked.append(server)
            return real(server)

        self.cloud.allocation = noted  # type: ignore[method-assign]
        try:
            (look or self.again)()
        finally:
            del self.cloud.allocation  # type: ignore[attr-defined]
        return asked

    def test_first_look_is_as_dear_as_any(self) -> None:
        for _ in range(3):
            self.look()
            self.assertEqual(A_LOOK, len(self.sim.made), self.sim.made)

    def test_all_in_turn_and_none_twice(self) -> None:
        self.observer.look(self.start, 0.0)
        rounds = collections.Counter(
            uuid for _ in range(30) for uuid in self.seen()
        )
        self.assertEqual(dict.fromkeys(self.servers, 3), rounds)

    def test_new_ones_and_those_elsewhere_come_first(self) -> None:
        self.looks(3)
        new = self.sim.boot(HERE).uuid
        self.asking.add(new)
        self.sim.change(self.servers[7], host="host-00002")
        seen = self.seen(self.look)
        self.assertLessEqual({new, self.servers[7]}, set(seen))
        self.assertLessEqual(len(seen), A_LOOK + 2)
        self.assertEqual(A_LOOK, len(self.seen()))

    def test_many_that_change_at_once_are_looked_at_in_time(self) -> None:
        self.looks(1)
        for uuid in self.servers:
            self.sim.change(uuid, host="host-00002")
        seen = set(self.seen(self.look))
        while seen < set(self.servers):
            now = self.seen()
            self.assertLessEqual(len(now), A_LOOK + CHANGED_A_LOOK)
            self.assertTrue(set(now) - seen)
            seen |= set(now)
        self.assertLessEqual(len(self.seen()), A_LOOK)

    def test_one_that_moves_for_ever_takes_nobodys_turn(self) -> None:
        for uuid in self.servers[:15]:
            self.sim.change(uuid, task_state="migrating")
        self.observer.look(self.start, 0.0)
        seen = {uuid for _ in range(5) for uuid in self.seen()}
        self.assertEqual(set(self.servers[15:]), seen)

    def test_lies_keep_nobody_from_having_a_turn(self) -> None:
        self.looks(1)
        for uuid in self.servers[:15]:
            self.sim.misstate(uuid, THERE)
        self.find()
        seen: collections.Counter[str] = collections.Counter()
        for _ in range(30):
            seen.update(set(self.seen()))
            self.assertLessEqual(len(self.sim.made), 3 * A_LOOK)
        self.assertLessEqual(set(self.servers[15:]), seen.keys())


class FailureTest(AllocationsTestCase):
    def test_placement_that_fails_makes_nothing_of_it(self) -> None:
        self.looks()
        self.sim.fail("GET", "/allocations", status=503, times=None)
        with self.assertLogs(allocations.LOG, "WARNING") as logs:
            for _ in range(10):
                self.assertEqual({}, self.again())
        (line,) = logs.output
        self.assertIn("cloud-unavailable", line)
        self.assertLess(len(line), 400)
        self.assertNotIn(self.server, line)
        self.sim.heal()
        self.sim.misstate(self.server, THERE)
        self.look(AGAIN_S)
        self.assertEqual([self.server], list(self.find()))

    def test_it_is_asked_ever_more_rarely(self) -> None:
        self.look()
        self.sim.fail("GET", "/allocations", status=503, times=None)
        calls = 0
        with self.assertLogs(allocations.LOG, "WARNING"):
            for _ in range(100):
                self.again()
                calls += len(self.sim.made)
        self.assertLess(calls, 8)

    def test_what_was_found_holds_while_it_fails(self) -> None:
        self.sim.misstate(self.server, THERE)
        found = self.find()
        self.sim.fail("GET", "/allocations", status=500, times=None)
        with self.assertLogs(allocations.LOG, "WARNING"):
            for _ in range(70):
                self.assertEqual(found, self.again())

    def test_one_that_cannot_be_read_keeps_nobody_from_a_turn(self) -> None:
        self.looks()
        self.sim.fail("GET", "/allocations", status=500, times=2)
        self.sim.misstate(self.server, THERE)
        with self.assertLogs(allocations.LOG, "WARNING"):
            self.look()
            self.look(APART_S)
        for _ in range(5):
            self.again(APART_S)
        self.assertEqual([self.server], list(self.find()))

    def test_server_that_cannot_be_read_does_not_count(self) -> None:
        self.looks()
        self.sim.misstate(self.server, THERE)
        self.look()
        self.passed += APART_S
        picture = self.observer.look(self.start + self.passed, self.passed)
        self.sim.fail("GET", "/servers/", status=503)
        with self.assertLogs(allocations.LOG, "WARNING"):
            found = self.allocations.look(picture, self.asking, self.passed)
        self.assertEqual({}, found)
        self.assertEqual({}, self.look(APART_S))
        self.assertEqual([self.server], list(self.look(AGAIN_S)))
