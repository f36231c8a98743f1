# SPDX-License-Identifier: Apache-2.0
"""The class of the host that a server is on says where it may move (7.2).

Cold migration, live migration and evacuation, from a source that is known.
"""

from __future__ import annotations

import functools

from tests.functional import leaving
from tests.functional import placement
from tests.functional import world


class PooledRestrictedTest(leaving.LeavingTestCase):
    """Inside its pool only (7.2.2.1), even among pools of one owner."""

    hosts = (world.KEY_1, world.KEY_2, world.VAULT, world.GOOD_1)
    allowed = (world.KEY_2,)
    forbidden = (world.VAULT, world.GOOD_1)


class SingleRestrictedTest(leaving.LeavingTestCase):
    """To the hosts that the officers have listed, only (7.2.1)."""

    hosts = (world.LONE_1, world.LONE_2, world.LONE_3, world.GOOD_1)
    allowed = (world.LONE_2,)
    forbidden = (world.LONE_3, world.GOOD_1)


class SecureExecutionTest(leaving.LeavingTestCase):
    """To any host of the same class (7.2.3), whatever the pool."""

    hosts = (world.ENCLAVE_1, world.ENCLAVE_2, world.GOOD_1)
    allowed = (world.ENCLAVE_2,)
    forbidden = (world.GOOD_1,)


class AskedForByClassTest(leaving.LeavingTestCase):
    """A server that asks for the class is not let out by its own word."""

    asked = world.ENCLAVE
    hosts = (world.ENCLAVE_1, world.ENCLAVE_2, world.GOOD_1)
    allowed = (world.ENCLAVE_2,)
    forbidden = (world.GOOD_1,)

    def refusals(self) -> dict[str, dict[str, int]]:
        return {world.GOOD_1: {"move-not-allowed": 1, "not-in-pool": 1}}


class ExclusivePoolTest(placement.PlacementTestCase):
    """Hosts of one owner are closed to everybody else (7.2.2)."""

    hosts = (world.KEY_1, world.WEB)

    def test_server_that_asks_for_nothing_is_kept_off(self) -> None:
        with self.filter_calls(1) as calls:
            server = self.tenant.create_server("vm", self.plain)
        self.assert_rests(server, world.WEB)
        self.assertEqual({world.WEB}, calls[0].admitted)
        named = self.tenant.create_server("vm", self.plain, host=world.KEY_1)
        self.assert_reported(named, {"pool-exclusive": 1}, hosts=1)
        self.assert_fault(named)

    def test_owner_may_use_them_for_any_server(self) -> None:
        for flavor in (self.plain, self.tpm):
            self.boot(flavor, world.KEY_1, self.keys)

    def test_migration_does_not_lead_a_stranger_in(self) -> None:
        server = self.boot(self.plain, world.WEB)
        for move in (self.admin.live_migrate, self.admin.migrate):
            self.assert_refused(
                server,
                functools.partial(move, server),
                {"pool-exclusive": 1},
                hosts=1,
            )
            self.assert_rests(server, world.WEB)

    def test_single_hosts_are_the_owners_as_well(self) -> None:
        # Where a server of nobody in particular is, no class binds it.
        server = self.boot(self.plain, world.WEB, self.keys)
        self.admin.live_migrate(server)
        self.assert_rests(server, world.KEY_1)
