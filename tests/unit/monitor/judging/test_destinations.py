# SPDX-License-Identifier: Apache-2.0
"""Whether a server has somewhere to go."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.monitor.judging.destinations import Destinations
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.monitor.scene import Scene
from tests.unit.monitor.scene import ask
from tests.unit.monitor.scene import node
from tests.unit.monitor.scene import server
from tests.unit.monitor.scene import uuid

ALL = frozenset(drafts.uuid(f"h{n}") for n in range(1, 200))


class TestDestinations(unittest.TestCase):
    def setUp(self):
        self.cloud = Scene(asking(2, capability__tpm="required"))

    def _somewhere(self, roomy=ALL, closed=frozenset(), which=1) -> bool:
        cloud = self.cloud
        cloud.new_policy()
        destinations = Destinations(
            cloud.picture(),
            cloud.take(),
            Judge(cloud.bearings),
            NOW,
            roomy if callable(roomy) or roomy is None else lambda _: roomy,
            closed,
        )
        return destinations.somewhere(cloud.servers[uuid(which)])

    def test_another_host_that_complies(self):
        self.assertTrue(self._somewhere())

    def test_not_one_that_does_not(self):
        says(self.cloud.draft, "tpm", host="h2", status=Status.CONTRAINDICATED)
        self.assertFalse(self._somewhere())

    def test_its_own_host_is_no_other(self):
        del self.cloud.nodes["h2"]
        self.assertFalse(self._somewhere())

    def test_not_one_that_is_closed_down_or_disabled(self):
        self.assertFalse(self._somewhere(closed=of("h2")))
        for how in (
            {"enabled": False},
            {"up": False},
            {"forced_down": True},
            {"uuid": ""},
            {"uuid": "another"},
        ):
            self.cloud.nodes["h2"] = node("h2", **how)
            with self.subTest(how):
                self.assertFalse(self._somewhere())

    def test_not_one_without_room(self):
        self.assertFalse(self._somewhere(frozenset({drafts.uuid("h1")})))

    def test_what_is_not_known_is_not_promised(self):
        self.assertFalse(self._somewhere(None))
        self.assertFalse(self._somewhere(lambda _: None))

    def test_room_is_asked_for_what_the_server_takes(self):
        asked = []

        def room(amounts):
            asked.append(dict(amounts))
            return ALL

        self.cloud.add(server(1, asked=ask(amounts={"VCPU": 8})))
        self.assertTrue(self._somewhere(room))
        self.assertEqual([{"VCPU": 8}], asked)

    def test_the_class_of_its_host_says_how_far_it_may_move(self):
        for moves_to, expected in ((of(), False), (of("h2"), True)):
            pool(
                self.cloud.draft,
                host_class=HostClass.SINGLE_RESTRICTED,
                moves_to=moves_to,
            )
            self.assertEqual(expected, self._somewhere())

    def test_a_server_that_asks_for_nothing_needs_an_open_host(self):
        self.cloud.add(server(2, "h1", project="p2"))
        self.assertTrue(self._somewhere(which=2))
        pool(self.cloud.draft, members="h2", exclusive_to=of("police"))
        self.assertFalse(self._somewhere(which=2))

    def test_what_cannot_be_read_has_nowhere_to_go(self):
        self.cloud.add(server(1, asked=ask({"nfv_mla:no-such": "1"})))
        self.assertFalse(self._somewhere())

    def _takes_back(self, closed=frozenset(), host="h2") -> bool:
        cloud = self.cloud
        cloud.new_policy()
        full = Destinations(
            cloud.picture(),
            cloud.take(),
            Judge(cloud.bearings),
            NOW,
            lambda _: frozenset(),
            closed,
        )
        return full.takes_back(cloud.servers[uuid(1)], host)

    def test_back_where_its_disk_still_is_it_needs_no_room(self):
        self.assertTrue(self._takes_back())
        self.assertFalse(self._takes_back(closed=of("h2")))
        self.assertFalse(self._takes_back(host="h9"))
        says(self.cloud.draft, "tpm", host="h2", status=Status.CONTRAINDICATED)
        self.assertFalse(self._takes_back())

    def test_the_last_of_many_hosts_is_found(self):
        self.cloud = Scene(asking(150, capability__tpm="required"))
        for number in range(2, 150):
            says(
                self.cloud.draft,
                "tpm",
                host=f"h{number}",
                status=Status.CONTRAINDICATED,
            )
        self.assertTrue(self._somewhere())
        self.assertFalse(self._somewhere(closed=of("h150")))
