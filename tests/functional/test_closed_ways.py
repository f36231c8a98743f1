# SPDX-License-Identifier: Apache-2.0
"""Rules of Nova's API policy close the ways past the scheduler."""

from __future__ import annotations

import functools

from tests.functional import placement
from tests.functional import world

LIVE_HOST = "os_compute_api:os-migrate-server:migrate_live:host"
EVACUATE = "os_compute_api:os-evacuate"
FORCED_HOST = "os_compute_api:servers:create:forced_host"


class ClosedWaysTest(placement.PlacementTestCase):
    """``!`` binds an administrator too, at every microversion."""

    def setUp(self) -> None:
        super().setUp()
        rules = (LIVE_HOST, EVACUATE, FORCED_HOST)
        self.cloud.set_policy(dict.fromkeys(rules, "!"))
        self.addCleanup(
            self.cloud.set_policy,
            dict.fromkeys(rules, "rule:context_is_admin"),
        )

    def test_nobody_forces_a_new_server_onto_a_host(self) -> None:
        for zone in (f"nova:{world.GOOD_1}", f"nova::{world.GOOD_1}"):
            for microversion in ("2.37", "2.73", "latest"):
                self.assert_api_refuses(
                    403,
                    functools.partial(
                        self.admin.create_server,
                        "vm",
                        self.tpm,
                        zone=zone,
                        microversion=microversion,
                    ),
                )
        self.assertEqual([], self.admin.servers(all_projects=True))

    def test_nobody_names_the_host_of_a_live_migration(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        with self.filter_calls(0):
            for how in (
                {"microversion": "2.1"},
                {"microversion": "2.29"},
                {"microversion": "2.30", "force": False},
                {"microversion": "2.67", "force": True},
                {"microversion": "latest"},
            ):
                self.assert_api_refuses(
                    403,
                    functools.partial(
                        self.admin.live_migrate, server, world.GOOD_2, **how
                    ),
                )
        self.assert_rests(server, world.GOOD_1)

    def test_live_migration_without_a_host_works_still(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        with self.filter_calls(1):
            self.admin.live_migrate(server)
        self.assert_rests(server, world.GOOD_2)

    def test_nobody_evacuates_with_or_without_a_host(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self.take_down(world.GOOD_1)
        for host, how in (
            (None, {"microversion": "latest"}),
            (world.GOOD_2, {"microversion": "2.28"}),
            (world.GOOD_2, {"microversion": "2.67", "force": True}),
            (world.GOOD_2, {"microversion": "latest"}),
        ):
            self.assert_api_refuses(
                403,
                functools.partial(self.admin.evacuate, server, host, **how),
            )
        self.assert_rests(server, world.GOOD_1)
