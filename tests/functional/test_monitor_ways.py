# SPDX-License-Identifier: Apache-2.0
"""Each way onto a host on which Nova asks no filter is found and undone.

``test_gaps.py`` shows the ways; here a monitor looks at what came of them.
"""

from __future__ import annotations

import functools
import threading
import typing as ty

import fixtures
from nova import exception
from nova.conductor import api as conductor

from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Kind
from tests.functional import monitored
from tests.functional import world

#: How a live migration, or an evacuation, passes the scheduler by.
FORCED_LIVE: tuple[dict[str, ty.Any], ...] = (
    {"microversion": "2.29"},
    {"microversion": "2.67", "force": True},
)
FORCED_EVACUATION: tuple[dict[str, ty.Any], ...] = (
    {"microversion": "2.28"},
    {"microversion": "2.67", "force": True},
)
COMPLYING = (world.GOOD_1, world.GOOD_2)


class WaysTest(monitored.MonitoredTestCase):
    """What Nova lets pass is not where it was put for long."""

    hosts = (
        world.GOOD_1,
        world.GOOD_2,
        world.WEB,
        world.KEY_1,
    )
    asking = monitored.ASKED[Axis.INTEGRITY]

    def _assert_undone(self, server: str, host: str) -> None:
        """Assert that a server leaves a host that nobody attests."""
        self.assert_rests(server, host)
        self.assert_found(server, Kind.MISPLACED, Axis.PLACE)
        self.assertIsNotNone(self.mark_of(server))
        self.assertTrue(self.admin.server(server)["locked"])
        where = self.assert_evicted(server, host)
        self.assertIn(where, COMPLYING)
        self.assertIsNone(self.fence_of(host), "it is not the host's fault")

    def _assert_halted(self, server: str, host: str) -> None:
        """Assert that a server stays where it is, and runs no more."""
        self.assert_found(server, Kind.FAILED, Axis.INTEGRITY)
        self.assert_halted(server, host)
        self.assert_locked_against(self.tenant, server)
        self.assertIsNotNone(self.fence_of(host))

    def _turn_bad(self, host: str) -> None:
        self.contraindicate(host, axis=Axis.INTEGRITY)

    # Past the scheduler, by an administrator.

    def test_created_on_a_host_by_its_zone(self) -> None:
        for zone in (f"nova:{world.WEB}", f"nova::{world.WEB}"):
            with self.subTest(zone):
                server = self.admin.create_server("vm", self.tpm, zone=zone)
                self._assert_undone(server, world.WEB)

    def test_live_migrated_by_force(self) -> None:
        server = self.boot(self.trusted, world.GOOD_1)
        for how in FORCED_LIVE:
            with self.subTest(how):
                self.cycle()
                self.admin.live_migrate(server, world.WEB, **how)
                self._assert_undone(server, world.WEB)

    def test_live_migrated_by_force_long_before_it_is_seen(self) -> None:
        server = self.boot(self.trusted, world.GOOD_1)
        self.admin.live_migrate(server, world.WEB, microversion="2.29")
        self.wait(3 * monitored.LONG_S)
        self._assert_undone(server, world.WEB)

    def test_evacuated_by_force(self) -> None:
        for how in FORCED_EVACUATION:
            with self.subTest(how):
                server = self.boot(self.trusted, world.GOOD_1)
                self.cycle()
                self.take_down(world.GOOD_1)
                self.admin.evacuate(server, world.WEB, **how)
                self.assert_rests(server, world.WEB)
                self._assert_undone(server, world.WEB)
                self.cloud.start_compute(world.GOOD_1)
                self.admin.update_service(world.GOOD_1, forced_down=False)

    def test_somebody_elses_on_a_host_that_is_exclusive(self) -> None:
        server = self.admin.create_server(
            "vm", self.plain, zone=f"nova:{world.KEY_1}"
        )
        self.assert_rests(server, world.KEY_1)
        self.assert_found(server, Kind.MISPLACED, Axis.PLACE)
        self.assert_evicted(server, world.KEY_1)

    # Back on its host, which has turned bad meanwhile.

    def _back(self, *before: tuple[str, ty.Any], **then: ty.Any) -> None:
        """Let a server's owner act before and after its host turns bad."""
        server = self.boot(self.trusted, world.GOOD_1)
        for action, argument in before:
            self.tenant.act(server, action, argument)
        self.cycle()
        self._turn_bad(world.GOOD_1)
        for action, argument in then.items():
            self.tenant.act(server, action.replace("_", "-"), argument)
        self.assert_rests(server, world.GOOD_1)
        self._assert_halted(server, world.GOOD_1)

    def test_started(self) -> None:
        self._back(("os-stop", None), os_start=None)

    def test_rebooted(self) -> None:
        self._back(reboot={"type": "HARD"})

    def test_resumed(self) -> None:
        self._back(("suspend", None), resume=None)

    def test_unpaused(self) -> None:
        self._back(("pause", None), unpause=None)

    def test_unrescued(self) -> None:
        self._back(("rescue", {}), unrescue=None)

    def test_rebuilt_from_the_same_image(self) -> None:
        server = self.boot(self.trusted, world.GOOD_1)
        self.cycle()
        self._turn_bad(world.GOOD_1)
        self.tenant.rebuild(server)
        self._assert_halted(server, world.GOOD_1)

    def test_unshelved_where_it_was_not_offloaded(self) -> None:
        self.set_option("shelved_offload_time", -1)
        self._back(("shelve", None), unshelve=None)

    def test_restored_after_a_soft_deletion(self) -> None:
        self.set_option("reclaim_instance_interval", 3600)
        server = self.boot(self.trusted, world.GOOD_1)
        self.tenant.request("DELETE", f"/servers/{server}")
        self.admin.wait_for_status(server, "SOFT_DELETED")
        self.cycle()
        self._turn_bad(world.GOOD_1)
        self.admin.act(server, "restore")
        self._assert_halted(server, world.GOOD_1)
        # Or what clears the cloud would delete softly as well.
        self.set_option("reclaim_instance_interval", 0)

    def test_started_with_its_host(self) -> None:
        server = self.boot(self.trusted, world.GOOD_1)
        self.cycle()
        self.cloud.stop_compute(world.GOOD_1)
        self._turn_bad(world.GOOD_1)
        self.cloud.start_compute(world.GOOD_1)
        self._assert_halted(server, world.GOOD_1)

    def test_resize_reverted(self) -> None:
        server = self.boot(self.trusted, world.GOOD_1)
        large = self.admin.create_flavor("large", self.asking, vcpus=4)
        self.tenant.resize(server, large)
        self.assert_rests(server, world.GOOD_2, "VERIFY_RESIZE")
        self.cycle()
        self._turn_bad(world.GOOD_1)
        self.tenant.revert_resize(server)
        self._assert_halted(server, world.GOOD_1)

    def test_resize_confirmed(self) -> None:
        server = self.boot(self.trusted, world.GOOD_1)
        large = self.admin.create_flavor("large", self.asking, vcpus=4)
        self.tenant.resize(server, large)
        self._turn_bad(world.GOOD_2)
        self.tenant.confirm_resize(server)
        self._assert_halted(server, world.GOOD_2)

    # Away from what it asked for.

    def test_resized_to_a_plain_flavor_in_a_project_with_a_floor(
        self,
    ) -> None:
        server = self.boot(self.tpm, world.GOOD_1, self.floored)
        self.floored.resize(server, self.plain)
        self.floored.confirm_resize(server)
        self.assert_rests(server, world.GOOD_2)
        self.cycle()
        self.admin.live_migrate(server, world.WEB, microversion="2.29")
        self.assert_found(server, Kind.MISPLACED)
        self.assertIn(self.assert_evicted(server, world.WEB), COMPLYING)

    # Where Nova falls back on another host, or on the one before.

    def test_built_on_an_alternate(self) -> None:
        for host, other in (COMPLYING, COMPLYING[::-1]):
            self._failing(
                host, "spawn", functools.partial(self._turn_bad, other)
            )
        self._let_casts_be_casts()
        server = self.tenant.create_server("vm", self.trusted)
        host = self.admin.host_of(server) or ""
        self.assertIn(host, COMPLYING)
        self._assert_halted(server, host)

    def test_live_migration_that_fails(self) -> None:
        server = self.boot(self.trusted, world.GOOD_1)
        self._failing(
            world.GOOD_2,
            "pre_live_migration",
            lambda: self._turn_bad(world.GOOD_1),
        )
        self.admin.live_migrate(server, world.GOOD_2)
        self._assert_halted(server, world.GOOD_1)

    def _failing(
        self, host: str, method: str, then: ty.Callable[[], object]
    ) -> None:
        """Let a host's driver fail once at what it is asked to do."""
        driver = self.cloud.driver(host)

        def fail(*_: object, **__: object) -> None:
            for other in self.hosts:
                self.cloud.driver(other).__dict__.pop(method, None)
            then()
            raise exception.NovaException("this host cannot")

        setattr(driver, method, fail)
        self.addCleanup(driver.__dict__.pop, method, None)

    def _let_casts_be_casts(self) -> None:
        """Let the host that fails not wait for the next one to be done."""
        build = conductor.ComputeTaskAPI.build_instances

        def cast(*args: object, **kwargs: object) -> None:
            thread = threading.Thread(target=build, args=args, kwargs=kwargs)
            thread.start()
            self.addCleanup(thread.join)

        self.useFixture(
            fixtures.MockPatchObject(
                conductor.ComputeTaskAPI, "build_instances", cast
            )
        )
