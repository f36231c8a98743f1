# SPDX-License-Identifier: Apache-2.0
"""Servers move to hosts that prove what they ask for, or stay where they are.

Live migration, cold migration and resize.
"""

from __future__ import annotations

import functools

from tests.functional import placement
from tests.functional import world

#: What befalls a server on GOOD_1 when GOOD_2 is good no more.
NOWHERE = {"contraindicated": 1, "no-claim": 1, "host-unbound": 1}


class LiveMigrationTest(placement.PlacementTestCase):
    """With the scheduler: without a host, or with one that is not forced."""

    def test_lands_on_the_host_that_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        for microversion in ("2.24", "2.30", "latest"):
            source = self.admin.host_of(server)
            with self.filter_calls(1) as calls:
                self.admin.live_migrate(server, microversion=microversion)
            (there,) = {world.GOOD_1, world.GOOD_2} - {source}
            self.assert_rests(server, there)
            self.assertEqual({*self.hosts} - {source}, calls[0].offered)
            self.assertEqual({there}, calls[0].admitted)

    def test_is_refused_where_no_other_host_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self.contraindicate(world.GOOD_2)
        for microversion in ("2.34", "latest"):
            migrate = functools.partial(
                self.admin.live_migrate, server, microversion=microversion
            )
            self.assert_refused(server, migrate, NOWHERE, hosts=3)
            self.assert_rests(server, world.GOOD_1)
            self.assertEqual(
                "error", self.admin.migrations(server)[0]["status"]
            )
        self.assert_owner_reads_no_host(server)

    def test_is_refused_with_http_400_by_old_microversions(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self.contraindicate(world.GOOD_2)
        for microversion in ("2.24", "2.30", "2.33"):
            migrate = functools.partial(
                self.admin.live_migrate, server, microversion=microversion
            )
            with self.filter_calls(1):
                message = self.assert_api_refuses(400, migrate)
            self.assertEqual(placement.NOT_ENOUGH, message)
            self.assert_reported(server, NOWHERE, hosts=3)
            self.assert_rests(server, world.GOOD_1)

    def test_lands_on_a_named_host_that_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        for there, how in (
            (world.GOOD_2, {"microversion": "2.68"}),
            (world.GOOD_1, {"microversion": "2.30", "force": False}),
            (world.GOOD_2, {"microversion": "2.67", "force": False}),
            (world.GOOD_1, {"microversion": "latest"}),
        ):
            with self.filter_calls(1) as calls:
                self.admin.live_migrate(server, there, **how)
            self.assert_rests(server, there)
            self.assertEqual({there}, calls[0].offered)

    def test_named_host_that_does_not_comply_is_refused(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        for how in (
            {"microversion": "2.67", "force": False},
            {"microversion": "2.68"},
            {"microversion": "latest"},
        ):
            migrate = functools.partial(
                self.admin.live_migrate, server, world.DULL, **how
            )
            self.assert_refused(server, migrate, {"no-claim": 1}, hosts=1)
            self.assert_rests(server, world.GOOD_1)
        unforced = functools.partial(
            self.admin.live_migrate,
            server,
            world.DULL,
            microversion="2.30",
            force=False,
        )
        self.assert_refused(
            server,
            lambda: self.assert_api_refuses(400, unforced),
            {"no-claim": 1},
            hosts=1,
        )
        self.assert_rests(server, world.GOOD_1)

    def test_server_that_asks_for_nothing_goes_anywhere(self) -> None:
        server = self.boot(self.plain, world.GOOD_1)
        self.admin.live_migrate(server, world.WEB)
        self.assert_rests(server, world.WEB)


class ColdMigrationTest(placement.PlacementTestCase):
    """To where the scheduler says, or to a host by its name."""

    def test_lands_on_the_host_that_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        with self.filter_calls(1) as calls:
            self.admin.migrate(server)
        self.assert_rests(server, world.GOOD_2, "VERIFY_RESIZE")
        self.assertEqual({world.GOOD_2}, calls[0].admitted)

    def test_is_refused_where_no_other_host_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self.contraindicate(world.GOOD_2)
        migrate = functools.partial(self.admin.migrate, server)
        self.assert_refused(server, migrate, NOWHERE, hosts=3)
        self.assert_rests(server, world.GOOD_1)
        self.assert_owner_reads_no_host(server)

    def test_lands_on_a_named_host_that_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        with self.filter_calls(1) as calls:
            self.admin.migrate(server, world.GOOD_2)
        self.assert_rests(server, world.GOOD_2, "VERIFY_RESIZE")
        self.assertEqual({world.GOOD_2}, calls[0].offered)

    def test_named_host_that_does_not_comply_is_refused(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        for host, code in (
            (world.DULL, "no-claim"),
            (world.WEB, "host-unbound"),
        ):
            migrate = functools.partial(self.admin.migrate, server, host)
            self.assert_refused(server, migrate, {code: 1}, hosts=1)
            self.assert_rests(server, world.GOOD_1)
        self.assert_owner_reads_no_host(server)


class ResizeTest(placement.PlacementTestCase):
    """What counts is the new flavor, and the floor of the project."""

    def setUp(self) -> None:
        super().setUp()
        self.large = self.admin.create_flavor("large", world.TPM, vcpus=4)
        self.large_plain = self.admin.create_flavor("large-plain", vcpus=4)

    def test_lands_on_the_host_that_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        with self.filter_calls(1) as calls:
            self.tenant.resize(server, self.large)
        self.assert_rests(server, world.GOOD_2, "VERIFY_RESIZE")
        self.assertEqual({world.GOOD_2}, calls[0].admitted)
        with self.filter_calls(0):
            self.tenant.confirm_resize(server)
        self.assert_rests(server, world.GOOD_2)

    def test_is_refused_where_no_other_host_complies(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self.contraindicate(world.GOOD_2)
        resize = functools.partial(self.tenant.resize, server, self.large)
        self.assert_refused(server, resize, NOWHERE, hosts=3)
        self.assert_rests(server, world.GOOD_1)
        self.assert_owner_reads_no_host(server)
        (action, *_) = self.tenant.request(
            "GET", f"/servers/{server}/os-instance-actions"
        )["instanceActions"]
        self.assertEqual(
            ("resize", "Error"), (action["action"], action["message"])
        )

    def test_flavor_that_begins_to_ask_is_judged(self) -> None:
        server = self.boot(self.plain, world.DULL)
        self.contraindicate(world.GOOD_1)
        with self.filter_calls(1) as calls:
            self.tenant.resize(server, self.large)
        self.assert_rests(server, world.GOOD_2, "VERIFY_RESIZE")
        self.assertEqual({world.GOOD_2}, calls[0].admitted)

    def test_plain_flavor_does_not_lead_below_the_floor(self) -> None:
        server = self.boot(self.plain, world.GOOD_1, self.floored)
        self.contraindicate(world.GOOD_2)
        resize = functools.partial(
            self.floored.resize, server, self.large_plain
        )
        self.assert_refused(server, resize, NOWHERE, hosts=3)
        self.assert_rests(server, world.GOOD_1)
        self._forget()
        self.floored.resize(server, self.large_plain)
        self.assert_rests(server, world.GOOD_2, "VERIFY_RESIZE")

    def test_member_without_a_floor_can_resize_away_from_what_was_asked(
        self,
    ) -> None:
        # A gap by design of Nova: the owner chooses the flavor.  A floor
        # closes it; the monitor sees a server that asks for nothing.
        server = self.boot(self.tpm, world.GOOD_1)
        self.admin.update_service(world.GOOD_2, status="disabled")
        self.admin.update_service(world.WEB, status="disabled")
        with self.filter_calls(1):
            self.tenant.resize(server, self.large_plain)
        self.assert_rests(server, world.DULL, "VERIFY_RESIZE")
        self.tenant.confirm_resize(server)
        self.assert_rests(server, world.DULL)
