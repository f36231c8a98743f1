# SPDX-License-Identifier: Apache-2.0
"""The cloud that our functional tests run in moves servers as Nova does.

With Nova's own filters only: what fails here is the harness or Nova, and
never ours.
"""

from __future__ import annotations

from concurrent import futures

from tests.cloud import description as desc
from tests.cloud import testcase

HOSTS = ("edge-1", "edge-2", "edge-3")


class ServersMoveTest(testcase.CloudTestCase):
    """Every operation after which a server may be elsewhere."""

    description = desc.Description(
        computes=tuple(desc.Compute(name) for name in HOSTS)
    )

    def setUp(self) -> None:
        super().setUp()
        self.small = self.admin.create_flavor("small")

    def _boot(self, host: str = "edge-1") -> str:
        server = self.admin.create_server("vm", self.small, host=host)
        self.assertEqual(host, self.admin.host_of(server))
        return server

    def test_boots_on_the_host_that_is_asked_for(self) -> None:
        for host in HOSTS:
            self._boot(host)
        self.assertEqual(
            set(HOSTS),
            {
                server["OS-EXT-SRV-ATTR:host"]
                for server in self.admin.servers()
            },
        )

    def test_forced_host_goes_past_the_scheduler(self) -> None:
        server = self.admin.create_server(
            "vm", self.small, zone="nova:edge-2", microversion="2.73"
        )
        self.assertEqual("edge-2", self.admin.host_of(server))

    def test_scheduler_hints_are_kept(self) -> None:
        server = self.tenant.create_server(
            "vm", self.small, hints={"nfv_mla:country": "DE"}
        )
        self.assertEqual(
            {"nfv_mla:country": ["DE"]},
            self.tenant.server(server)["scheduler_hints"],
        )

    def test_live_migrates(self) -> None:
        server = self._boot()
        self.assertEqual("ACTIVE", self.admin.live_migrate(server)["status"])
        self.assertIn(self.admin.host_of(server), ("edge-2", "edge-3"))
        self.assertEqual(
            "completed", self.admin.migrations(server)[0]["status"]
        )
        self.assertEqual([], self.cloud.driver("edge-1").list_instance_uuids())

    def test_live_migrates_to_a_forced_host_with_an_old_microversion(
        self,
    ) -> None:
        server = self._boot()
        self.admin.update_service("edge-2", status="disabled")
        self.admin.live_migrate(server, "edge-2", microversion="2.24")
        self.assertEqual("edge-2", self.admin.host_of(server))

    def test_cold_migrates_and_confirms(self) -> None:
        server = self._boot()
        moved = self.admin.migrate(server, "edge-2")
        self.assertEqual("VERIFY_RESIZE", moved["status"])
        self.assertEqual("ACTIVE", self.admin.confirm_resize(server)["status"])
        self.assertEqual("edge-2", self.admin.host_of(server))

    def test_resizes_and_reverts(self) -> None:
        server = self._boot()
        big = self.admin.create_flavor("big", vcpus=4)
        resized = self.admin.resize(server, big)
        self.assertEqual("VERIFY_RESIZE", resized["status"])
        self.assertNotEqual("edge-1", self.admin.host_of(server))
        self.admin.revert_resize(server)
        self.assertEqual("edge-1", self.admin.host_of(server))

    def test_rejected_resize_leaves_the_server_as_it_was(self) -> None:
        server = self._boot()
        huge = self.admin.create_flavor("huge", vcpus=17)
        self.assertEqual("ACTIVE", self.admin.resize(server, huge)["status"])
        self.assertEqual("edge-1", self.admin.host_of(server))

    def test_evacuates_and_cleans_up_when_the_host_returns(self) -> None:
        server = self._boot()
        self.cloud.stop_compute("edge-1")
        self.admin.update_service("edge-1", forced_down=True)
        self.admin.evacuate(server)
        self.assertIn(self.admin.host_of(server), ("edge-2", "edge-3"))
        self.assertEqual(
            [server], self.cloud.driver("edge-1").list_instance_uuids()
        )
        self.cloud.start_compute("edge-1")
        self.admin.update_service("edge-1", forced_down=False)
        self.assertEqual([], self.cloud.driver("edge-1").list_instance_uuids())

    def test_what_a_stopped_host_is_told_waits_for_it(self) -> None:
        server = self._boot()
        self.cloud.stop_compute("edge-1")
        self.admin.request("DELETE", f"/servers/{server}")
        deleting = self.admin.server(server)
        self.assertEqual("deleting", deleting["OS-EXT-STS:task_state"])
        self.cloud.start_compute("edge-1")
        self.admin.wait_until(
            lambda: not self.admin.servers(), "the server is still there"
        )
        self.assertIn(
            "instance.delete.end",
            [notice["event_type"] for notice in self.cloud.notifications],
        )

    def test_rebuilds_from_another_image(self) -> None:
        server = self._boot()
        self.admin.rebuild(server, desc.SIGNED_IMAGE)
        shown = self.admin.server(server)
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual(desc.SIGNED_IMAGE.id, shown["image"]["id"])
        self.assertEqual("edge-1", self.admin.host_of(server))

    def test_shelves_and_unshelves_elsewhere(self) -> None:
        server = self._boot()
        self.assertEqual(
            "SHELVED_OFFLOADED", self.admin.shelve(server)["status"]
        )
        self.assertIsNone(self.admin.host_of(server))
        self.admin.unshelve(server, host="edge-2")
        self.assertEqual("edge-2", self.admin.host_of(server))

    def test_stops_and_starts(self) -> None:
        server = self._boot()
        self.assertEqual("SHUTOFF", self.admin.stop(server)["status"])
        self.assertEqual("ACTIVE", self.admin.start(server)["status"])

    def test_servers_created_at_once_by_several_clients(self) -> None:
        def create(number: int) -> str:
            return self.cloud.client(desc.TENANT).create_server(
                f"vm-{number}", self.small
            )

        def providers(_: int) -> int:
            return len(
                self.admin.request(
                    "GET", "/resource_providers", service="placement"
                )["resource_providers"]
            )

        with futures.ThreadPoolExecutor(6) as executor:
            created = executor.map(create, range(6))
            counted = executor.map(providers, range(6))
            self.assertEqual(
                {"ACTIVE"},
                {self.tenant.status_of(server) for server in created},
            )
            self.assertEqual({len(HOSTS)}, set(counted))
