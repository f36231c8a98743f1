# SPDX-License-Identifier: Apache-2.0
"""The observer, through the monitor's own port, sees the simulated cloud."""

from __future__ import annotations

import time
import unittest
from typing import Any

from nfv_mla_scheduler.monitor.observing.observer import Observer
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.policy.traits import PREFIX
from tests.simulated.cloud import SimulatedCloud
from tests.simulated.connecting import connected
from tests.simulated.faults import Break

TRAIT = f"{PREFIX}X"


class ObservedTest(unittest.TestCase):
    """Six hosts in two cells, 30 servers, seven of them on a page."""

    def setUp(self) -> None:
        self.start = float(int(time.time()))
        self.passed = 0.0
        self.sim = SimulatedCloud(
            6, 30, cells=2, clock=lambda: self.start + self.passed
        ).start()
        self.addCleanup(self.sim.stop)
        self.cloud = connected(self.sim.credentials(), 2.0, limit=7)
        self.observer = Observer(self.cloud)

    def look(self, after_s: float = 30.0) -> Picture:
        self.passed += after_s
        self.sim.forget_calls()
        return self.observer.look(self.start + self.passed, self.passed)

    def change(self, number: int, **fields: Any) -> None:
        self.sim.change(self.sim.server(number).uuid, **fields)

    def hosts(self, picture: Picture) -> dict[str, str]:
        return {uuid: s.host for uuid, s in picture.servers.items()}

    def truth(self) -> dict[str, str]:
        return {
            uuid: server.host
            for uuid, server in self.sim.world.servers.items()
            if not server.deleted
        }

    def test_all_at_first_then_what_changed(self) -> None:
        picture = self.look()
        self.assertEqual((), picture.missing)
        self.assertEqual(self.truth(), self.hosts(picture))
        self.assertEqual(set(self.sim.world.hosts), set(picture.nodes))
        self.change(3, host="host-00005")
        self.sim.delete(self.sim.server(4).uuid)
        made = self.sim.boot("host-00002")
        picture = self.look()
        self.assertEqual(self.truth(), self.hosts(picture))
        self.assertIn(made.uuid, picture.servers)
        self.look()
        self.assertLessEqual(sum(self.sim.calls.values()), 8, self.sim.made)

    def test_what_nova_was_asked_for_shows(self) -> None:
        self.look()
        uuid = self.sim.server(0).uuid
        self.cloud.lock(uuid, "why")
        self.cloud.act(uuid, "os-migrateLive")
        self.cloud.act(uuid, "os-stop")
        self.assertIsNotNone(self.observer.refresh_server(uuid))
        found = self.observer.picture.servers[uuid]
        self.assertEqual(
            (VmState.STOPPED, "why"), (found.vm_state, found.locked_reason)
        )
        [move] = self.look().migrations[uuid]
        self.assertEqual(
            (Course.ARRIVED, "host-00000"), (move.course, move.source)
        )

    def test_traits_that_we_write_are_read_at_the_next_look(self) -> None:
        self.look()
        provider = self.sim.world.hosts["host-00001"].uuid
        self.cloud.create_trait(TRAIT)
        self.cloud.edit_traits(provider, {TRAIT})
        self.observer.touched_traits([TRAIT])
        self.assertEqual({TRAIT: {provider}}, dict(self.look().traits))

    def test_half_a_page_leaves_the_rest_and_comes_again(self) -> None:
        self.look()
        for number in range(30):
            self.change(number, host="host-00000", updated=self.start + 400)
        self.sim.fail("GET", "servers/detail", how=Break.HALF, after=2)
        picture = self.look(400)
        self.assertTrue(picture.partial)
        here = [h for h in self.hosts(picture).values() if h == "host-00000"]
        self.assertEqual(30, len(picture.servers))
        self.assertGreater(len(here), 13)
        self.assertLess(len(here), 30)
        picture = self.look(400)
        self.assertFalse(picture.partial)
        self.assertEqual({"host-00000"}, set(self.hosts(picture).values()))

    def test_each_part_may_fail_by_itself(self) -> None:
        before = self.look()
        for path, part in (
            ("os-services", "compute services"),
            ("servers/detail", "servers"),
            ("os-migrations", "migrations"),
            ("placement/traits", "traits"),
        ):
            for status in (409, 429, 500, 503):
                with self.subTest(path, status=status):
                    self.sim.fail("GET", path, status=status)
                    self.sim.fail("GET", path, status=status)
                    picture = self.look()
                    self.assertEqual(before.servers, picture.servers)
                    self.assertEqual(before.nodes, picture.nodes)
                    [said] = picture.missing
                    self.assertTrue(said.startswith(part), said)
                    self.sim.heal()
        self.assertFalse(self.look().partial)

    def test_a_cell_that_goes_and_comes_back_loses_nothing(self) -> None:
        before = self.look()
        self.sim.cell_down("cell-2")
        for _ in range(20):
            picture = self.look(200)
            self.assertTrue(picture.partial)
        self.assertEqual(set(before.servers), set(picture.servers))
        self.assertEqual(before.nodes, picture.nodes)
        self.change(1, host="host-00003", updated=self.start + 1000)
        self.sim.cell_up("cell-2")
        self.assertTrue(self.look().partial)
        for _ in range(10):
            picture = self.look()
        self.assertFalse(picture.partial)
        self.assertEqual(self.truth(), self.hosts(picture))

    def test_what_was_purged_goes_within_the_hour(self) -> None:
        self.look()
        self.sim.purge(self.sim.server(7).uuid)
        self.assertEqual(30, len(self.look().servers))
        self.look(3600)
        for _ in range(10):
            picture = self.look()
        self.assertEqual(self.truth(), self.hosts(picture))

    def test_a_nova_that_is_too_old_is_said_to_be(self) -> None:
        self.sim.nova.newest = "2.95"
        picture = self.look()
        said = [w for w in picture.missing if w.startswith("servers (")]
        self.assertIn("cloud-too-old", said[0])
        self.assertIn("2.95, and 2.100 is needed", said[0])
        self.assertEqual({}, dict(picture.servers))


if __name__ == "__main__":
    unittest.main()
