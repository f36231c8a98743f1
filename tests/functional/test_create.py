# SPDX-License-Identifier: Apache-2.0
"""Servers are created on hosts that prove what they ask for, or not at all."""

from __future__ import annotations

from tests.cloud import description as desc
from tests.functional import placement
from tests.functional import world

#: What befalls whoever asks for a TPM while no good host is good.
NOWHERE = {"contraindicated": 2, "no-claim": 1, "host-unbound": 1}


class CreateTest(placement.PlacementTestCase):
    """A single server, wherever or on a host by its name."""

    def test_lands_on_a_host_that_complies(self) -> None:
        self.contraindicate(world.GOOD_1)
        with self.filter_calls(1) as calls:
            server = self.tenant.create_server("vm", self.tpm)
        self.assert_rests(server, world.GOOD_2)
        self.assertEqual({*self.hosts}, calls[0].offered)
        self.assertEqual({world.GOOD_2}, calls[0].admitted)
        self.assert_not_reported(server)

    def test_ends_in_error_where_no_host_complies(self) -> None:
        self.contraindicate(world.GOOD_1, world.GOOD_2)
        with self.filter_calls(1):
            server = self.tenant.create_server("vm", self.tpm)
        self.assert_rests(server, None, "ERROR")
        self.assert_reported(server, NOWHERE, hosts=4)
        self.assert_fault(server)

    def test_server_that_asks_for_nothing_goes_anywhere(self) -> None:
        with self.filter_calls(1) as calls:
            server = self.tenant.create_server("vm", self.plain)
        self.assertEqual("ACTIVE", self.tenant.status_of(server))
        self.assertEqual({*self.hosts}, calls[0].admitted)

    def test_lands_on_a_named_host_that_complies(self) -> None:
        for host in (world.GOOD_1, world.GOOD_2):
            with self.filter_calls(1) as calls:
                server = self.admin.create_server(
                    "vm", self.tpm, host=host, microversion="2.74"
                )
            self.assert_rests(server, host)
            self.assertEqual({host}, calls[0].offered)

    def test_named_host_that_does_not_comply_is_refused(self) -> None:
        for host, code in (
            (world.DULL, "no-claim"),
            (world.WEB, "host-unbound"),
        ):
            with self.filter_calls(1):
                server = self.admin.create_server(
                    "vm", self.tpm, host=host, microversion="2.74"
                )
            self.assert_rests(server, None, "ERROR")
            self.assert_reported(server, {code: 1}, hosts=1)
            self.assert_fault(server)

    def test_floor_of_a_project_holds_for_every_flavor(self) -> None:
        self.contraindicate(world.GOOD_1)
        server = self.floored.create_server("vm", self.plain)
        self.assert_rests(server, world.GOOD_2)
        self.contraindicate(world.GOOD_2)
        server = self.floored.create_server("vm", self.plain)
        self.assert_reported(server, NOWHERE, hosts=4)
        self.assert_fault(server)


class SeveralTest(placement.PlacementTestCase):
    """Several servers in one request."""

    def _create(self, flavor: str, count: int) -> list[str]:
        first = self.tenant.create_server("vm", flavor, count=count)
        created = [server["id"] for server in self.tenant.servers()]
        self.assertIn(first, created)
        self.assertEqual(count, len(created))
        for server in created:
            self.tenant.settled(server)
        return created

    def test_each_server_is_filtered_and_so_are_the_alternates(self) -> None:
        with self.filter_calls(4) as calls:
            created = self._create(self.tpm, count=3)
        for call in calls:
            self.assertEqual({world.GOOD_1, world.GOOD_2}, {*call.admitted})
        for server in created:
            self.assertEqual("ACTIVE", self.tenant.status_of(server))
            self.assertIn(
                self.admin.host_of(server), (world.GOOD_1, world.GOOD_2)
            )

    def test_none_is_built_where_the_compliant_hosts_cannot_hold_all(
        self,
    ) -> None:
        whole = self.admin.create_flavor("whole", world.TPM, vcpus=16)
        for server in self._create(whole, count=3):
            self.assert_rests(server, None, "ERROR")
            self.assert_fault(server)

    def test_refusal_is_told_once_for_all_of_them(self) -> None:
        self.contraindicate(world.GOOD_1, world.GOOD_2)
        with self.filter_calls(1) as calls:
            created = self._create(self.tpm, count=3)
        self.assert_reported(calls[0].server, NOWHERE, hosts=4)
        for server in created:
            self.assert_fault(server)


class ServerGroupTest(placement.PlacementTestCase):
    """Nova's server groups choose among the hosts that we leave."""

    more_filters = (
        "ServerGroupAntiAffinityFilter",
        "ServerGroupAffinityFilter",
    )

    def _group(self, policy: str) -> str:
        group: str = self.tenant.request(
            "POST",
            "/os-server-groups",
            {"server_group": {"name": policy, "policy": policy}},
        )["server_group"]["id"]
        self.addCleanup(
            self.tenant.request, "DELETE", f"/os-server-groups/{group}"
        )
        return group

    def _create(self, group: str, flavor: str) -> str:
        return self.tenant.create_server("vm", flavor, hints={"group": group})

    def test_those_kept_apart_take_the_compliant_hosts_and_no_other(
        self,
    ) -> None:
        group = self._group("anti-affinity")
        pair = {self._create(group, self.tpm) for _ in range(2)}
        self.assertEqual(
            {world.GOOD_1, world.GOOD_2},
            {self.admin.host_of(server) for server in pair},
        )
        third = self._create(group, self.tpm)
        self.assert_fault(third)
        # It was not we who had no host left.
        self.assert_not_reported(third)
        self.assertEqual(
            "ACTIVE", self.tenant.status_of(self._create(group, self.plain))
        )

    def test_those_kept_together_are_refused_when_their_host_fails(
        self,
    ) -> None:
        group = self._group("affinity")
        first = self._create(group, self.tpm)
        second = self._create(group, self.tpm)
        host = self.admin.host_of(first) or ""
        self.assert_rests(second, host)
        self.contraindicate(host)
        third = self._create(group, self.tpm)
        self.assert_fault(third)


class BindingTest(placement.PlacementTestCase):
    """A host is who the policy says it is, by name and by compute node."""

    @classmethod
    def describe(cls) -> desc.Description:
        described = super().describe()
        honest, *_ = described.computes
        impostor = desc.Compute(
            world.GOOD_2, uuid=desc.identifier("compute", "impostor")
        )
        # The node of a host that is well known, under another's name.
        renamed = desc.Compute(
            world.DULL, uuid=world.compute(world.GOOD_2).uuid
        )
        return desc.Description(
            **{
                name: getattr(described, name)
                for name in desc.Description.__dataclass_fields__
                if name != "computes"
            },
            computes=(honest, impostor, renamed),
        )

    def test_name_and_compute_node_have_to_belong_together(self) -> None:
        for host in (world.GOOD_2, world.DULL):
            server = self.tenant.create_server("vm", self.tpm, host=host)
            self.assert_reported(server, {"binding-mismatch": 1}, hosts=1)
            self.assert_fault(server)
        server = self.tenant.create_server("vm", self.tpm)
        self.assert_rests(server, world.GOOD_1)
