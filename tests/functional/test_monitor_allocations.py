# SPDX-License-Identifier: Apache-2.0
"""Servers that a real Nova and Placement have on different hosts.

Either is rewritten by hand, as whoever runs a host could; whatever Nova does
by itself is no finding.
"""

from __future__ import annotations

import typing as ty

from nova import context
from nova import objects

from nfv_mla_scheduler.monitor.judging.allocations import AGAIN_S
from nfv_mla_scheduler.monitor.judging.allocations import APART_S
from nfv_mla_scheduler.monitor.reporting.report import Code
from tests.functional import monitored
from tests.functional import world

HERE, THERE = world.GOOD_1, world.GOOD_2
VERSION = "1.36"


class AllocationsTest(monitored.MonitoredTestCase):
    hosts = (HERE, THERE)

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.trusted, HERE)
        self.other = self.boot(self.trusted, THERE)
        self.looks()

    def looks(self, number: int = 3) -> None:
        """Look so often that each server has its turn, and find nothing."""
        for _ in range(number):
            self.cycle()
            self.assertEqual({}, self.astray())
            self.wait(APART_S)

    def astray(self) -> dict[str, str]:
        """Return what the last cycle found, by server."""
        assert self.last.ruling is not None, self.last.failures
        self.assertEqual((), self.last.failures)
        return {
            found.name: found.detail
            for found in self.last.ruling.verdict.tampered
            if found.what == "allocation"
        }

    def find(self) -> None:
        """Assert that the server is found, and said once, and left alone."""
        self.cycles(lambda _: self.astray(), "found")
        self.assertEqual([self.server], list(self.astray()))
        for _ in range(3):
            self.wait(AGAIN_S)
            self.publish()
            self.cycle()
            self.assertEqual([self.server], list(self.astray()))
            self.assertEqual((), self.plan().steps)
            self.assertEqual((), self.plan().fences)
        (line,) = self.said(Code.TAMPERED)
        self.assertIn(self.server, line)
        for server in (self.server, self.other):
            self.assertFalse(self.admin.server(server)["locked"])

    def over(self) -> None:
        """Assert that nothing is found any more, and that this is said."""
        self.wait(AGAIN_S)
        self.publish()
        self.cycles(lambda _: not self.astray(), "over")
        self.assertEqual(1, len(self.said(Code.TAMPERED_OVER)))

    def test_host_that_a_compute_has_rewritten(self) -> None:
        misstate(self.server, THERE)
        self.addCleanup(misstate, self.server, HERE)
        self.assertEqual(THERE, self.admin.host_of(self.server))
        self.find()
        self.assertEqual(
            f"Nova has it on {THERE}, Placement on {HERE}",
            self.astray()[self.server],
        )
        misstate(self.server, HERE)
        self.over()

    def test_allocation_that_was_moved(self) -> None:
        was = self._allocation()
        there = {_uuid(THERE): was["allocations"][_uuid(HERE)]}
        self._allocate({**was, "allocations": there})
        self.find()
        self._allocate({**was, "allocations": was["allocations"]})
        self.over()

    def test_allocation_that_is_gone(self) -> None:
        was = self._allocation()
        self.admin.request(
            "DELETE", self._path(), service="placement", microversion=VERSION
        )
        self.find()
        self._allocate({**was, "consumer_generation": None})
        self.over()

    def test_moves_of_novas_own(self) -> None:
        admin, server = self.admin, self.server
        for move in (
            lambda: admin.live_migrate(server, THERE),
            lambda: admin.migrate(server),
            lambda: admin.revert_resize(server),
            lambda: admin.migrate(server),
            lambda: admin.confirm_resize(server),
            lambda: admin.shelve(server),
            lambda: admin.unshelve(server),
            lambda: admin.stop(server),
        ):
            move()
            self.looks()
        self.assertEqual([], self.said(Code.TAMPERED))

    def test_evacuation(self) -> None:
        self.acts = "none"
        self.restart()
        self.cloud.stop_compute(HERE)
        self.admin.update_service(HERE, forced_down=True)
        self.admin.evacuate(self.server, THERE)
        self.assertEqual(THERE, self.admin.host_of(self.server))
        self.assertEqual(2, len(self._allocation()["allocations"]))
        self.looks()
        self.cloud.start_compute(HERE)
        self.admin.update_service(HERE, forced_down=False)
        self.assertEqual(1, len(self._allocation()["allocations"]))
        self.looks()
        self.assertEqual([], self.said(Code.TAMPERED))

    def _path(self) -> str:
        return f"/allocations/{self.server}"

    def _allocation(self) -> dict[str, ty.Any]:
        return ty.cast(
            dict[str, ty.Any],
            self.admin.request(
                "GET",
                self._path(),
                service="placement",
                microversion=VERSION,
            ),
        )

    def _allocate(self, body: dict[str, ty.Any]) -> None:
        """Write an allocation as nova-compute's credentials could."""
        now = self._allocation()
        generation = now.get("consumer_generation")
        allocated = {
            uuid: {"resources": each["resources"]}
            for uuid, each in body["allocations"].items()
        }
        self.admin.request(
            "PUT",
            self._path(),
            {
                **body,
                "allocations": allocated,
                "consumer_generation": generation,
            },
            service="placement",
            microversion=VERSION,
        )


def misstate(server: str, host: str) -> None:
    """Write into Nova's records that a server is on another host."""
    everywhere = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(everywhere, server)
    with context.target_cell(everywhere, mapping.cell_mapping) as there:
        instance = objects.Instance.get_by_uuid(there, server)
        instance.host = instance.node = host
        node = objects.ComputeNode.get_by_host_and_nodename(there, host, host)
        instance.compute_id = node.id
        instance.save()


def _uuid(host: str) -> str:
    return world.compute(host).uuid
