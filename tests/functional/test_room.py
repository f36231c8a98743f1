# SPDX-License-Identifier: Apache-2.0
"""A real Placement says which hosts have room, and we understand it."""

from __future__ import annotations

import threading
import time
import typing as ty
from unittest import mock

from keystoneauth1 import session
from keystoneauth1.identity import v3
from nova.scheduler.client import report
from openstack import connection

from nfv_mla_scheduler.scheduler.room import PlacementRefused
from nfv_mla_scheduler.scheduler.room import PlacementRoom
from nfv_mla_scheduler.scheduler.room import ask_placement
from tests.cloud import description as desc
from tests.cloud import testcase

EMPTY, SMALL, FULL, DISABLED, SPARE = (
    *("empty", "small", "full", "disabled"),
    "spare",
)
COMPUTES = tuple(
    desc.Compute(name, vcpus=2 if name == SMALL else 16)
    for name in (EMPTY, SMALL, FULL, DISABLED, SPARE)
)
UUIDS = {compute.uuid: compute.name for compute in COMPUTES}


class Client(report.SchedulerReportClient):  # type: ignore[misc]
    """Nova's own client, whose way to Placement Nova's fixtures replace."""

    get = report.SchedulerReportClient.get


class RoomTest(testcase.CloudTestCase):
    description = desc.Description(computes=COMPUTES)

    def setUp(self) -> None:
        super().setUp()
        flavor = self.admin.create_flavor("fourteen", vcpus=14)
        self.admin.create_server("vm", flavor, host=FULL)
        self.admin.update_service(DISABLED, status="disabled")

    def _names(self, found: frozenset[str] | None) -> set[str] | None:
        return None if found is None else {UUIDS[uuid] for uuid in found}

    def _room(self, max_age_s: float = 30) -> PlacementRoom:
        room = PlacementRoom(max_age_s)
        self.addCleanup(room.stop)
        return room

    def test_full_and_disabled_hosts_are_told_apart(self) -> None:
        room = self._room()
        self.assertEqual(
            {EMPTY, SMALL, FULL, SPARE}, self._names(room({"VCPU": 1}))
        )
        self.assertEqual({EMPTY, SPARE}, self._names(room({"VCPU": 4})))
        self.assertEqual(
            {EMPTY, SPARE},
            self._names(room({"VCPU": 4, "MEMORY_MB": 4096, "DISK_GB": 1})),
        )
        self.assertEqual(set(), self._names(room({"VCPU": 17})))
        self.admin.update_service(DISABLED, status="enabled")
        self.assertEqual(
            {EMPTY, SPARE, DISABLED}, self._names(self._room()({"VCPU": 4}))
        )

    def test_the_background_notices_what_changes(self) -> None:
        room = self._room(1.0)
        self.assertEqual({EMPTY, SPARE}, self._names(room({"VCPU": 4})))
        self.admin.update_service(DISABLED, status="enabled")
        end = time.monotonic() + 10
        while self._names(room({"VCPU": 4})) != {EMPTY, SPARE, DISABLED}:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.assertIn("nfv-mla room", [t.name for t in threading.enumerate()])

    def test_whatever_placement_refuses_is_not_known(self) -> None:
        self.assertIsNone(self._room()({"NO_SUCH_THING": 1}))
        self.assertRaises(
            PlacementRefused, ask_placement, (("NO_SUCH_THING", 1),)
        )

    def test_by_the_client_that_nova_uses_over_http(self) -> None:
        client = self._client(self.cloud.endpoints["identity"])
        with self._singleton(client):
            self.assertEqual(
                {EMPTY, SPARE}, self._names(self._room()({"VCPU": 4}))
            )
            self.assertRaises(
                PlacementRefused, ask_placement, (("NO_SUCH_THING", 1),)
            )
        with self._singleton(self._client("http://127.0.0.1:9/identity")):
            self.assertIsNone(self._room()({"VCPU": 4}))

    def _client(self, identity: str) -> Client:
        user = desc.ADMIN
        auth = v3.Password(
            auth_url=f"{identity}/v3",
            username=user.name,
            password=user.name,
            project_name=user.project,
            user_domain_id="default",
            project_domain_id="default",
        )
        there = connection.Connection(
            session=session.Session(auth=auth), region_name="RegionOne"
        )
        return Client(adapter=there.placement)

    @staticmethod
    def _singleton(client: Client) -> ty.Any:
        return mock.patch.object(report, "PLACEMENTCLIENT", client)
