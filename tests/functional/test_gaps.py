# SPDX-License-Identifier: Apache-2.0
"""Ways onto a host on which Nova asks no filter.

Each is shown as it is: the filter is not called, and the server lands, or
stays, on a host that does not comply.  Policy rules of Nova close the forced
ways (``test_closed_ways.py``); what remains is for the monitor to find.
"""

from __future__ import annotations

import contextlib
import typing as ty

from tests.cloud import description as desc
from tests.functional import placement
from tests.functional import world


class ForcedPastTheSchedulerTest(placement.PlacementTestCase):
    """An administrator forces a host."""

    def test_create_in_zone_and_host_is_not_judged(self) -> None:
        with self.filter_calls(0):
            server = self.admin.create_server(
                "vm", self.tpm, zone=f"nova:{world.DULL}"
            )
        self.assert_rests(server, world.DULL)
        self.assert_not_reported(server)

    def test_create_in_zone_and_node_is_not_judged(self) -> None:
        with self.filter_calls(0):
            server = self.admin.create_server(
                "vm", self.tpm, zone=f"nova::{world.WEB}"
            )
        self.assert_rests(server, world.WEB)

    def test_live_migration_to_a_forced_host_is_not_judged(self) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        for there, how in (
            (world.DULL, {"microversion": "2.1"}),
            (world.WEB, {"microversion": "2.29"}),
            (world.DULL, {"microversion": "2.30", "force": True}),
            (world.WEB, {"microversion": "2.67", "force": True}),
        ):
            with self.filter_calls(0):
                self.admin.live_migrate(server, there, **how)
            self.assert_rests(server, there)

    def test_forced_live_migration_even_lands_on_a_disabled_host(
        self,
    ) -> None:
        server = self.boot(self.tpm, world.GOOD_1)
        self.admin.update_service(world.DULL, status="disabled")
        with self.filter_calls(0):
            self.admin.live_migrate(server, world.DULL, microversion="2.29")
        self.assert_rests(server, world.DULL)

    def test_evacuation_to_a_forced_host_is_not_judged(self) -> None:
        for there, how in (
            (world.DULL, {"microversion": "2.28"}),
            (world.WEB, {"microversion": "2.29", "force": True}),
            (world.DULL, {"microversion": "2.67", "force": True}),
        ):
            server = self.boot(self.tpm, world.GOOD_1)
            self.take_down(world.GOOD_1)
            with self.filter_calls(0):
                self.admin.evacuate(server, there, **how)
            self.assert_rests(server, there)
            self.cloud.start_compute(world.GOOD_1)
            self.admin.update_service(world.GOOD_1, forced_down=False)


class BackOnItsHostTest(placement.PlacementTestCase):
    """A server runs again where it is, whatever became of that host."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.tpm, world.GOOD_1)

    @contextlib.contextmanager
    def _host_fails_before(self) -> ty.Iterator[None]:
        """What follows happens on a host that complies no more."""
        self.contraindicate(world.GOOD_1)
        with self.filter_calls(0):
            yield
        self.assert_rests(self.server, world.GOOD_1)
        self.assert_not_reported(self.server)
        self._assert_takes_no_new_server(world.GOOD_1)

    def _assert_takes_no_new_server(self, host: str) -> None:
        refused = self.tenant.create_server("vm", self.tpm, host=host)
        self.assert_reported(refused, {"contraindicated": 1}, hosts=1)

    def test_start_is_not_judged(self) -> None:
        self.tenant.stop(self.server)
        with self._host_fails_before():
            self.tenant.start(self.server)

    def test_reboot_is_not_judged(self) -> None:
        with self._host_fails_before():
            for kind in ("SOFT", "HARD"):
                self.tenant.act(self.server, "reboot", {"type": kind})

    def test_resume_is_not_judged(self) -> None:
        self.tenant.act(self.server, "suspend")
        self.assert_rests(self.server, world.GOOD_1, "SUSPENDED")
        with self._host_fails_before():
            self.tenant.act(self.server, "resume")

    def test_unpause_is_not_judged(self) -> None:
        self.tenant.act(self.server, "pause")
        self.assert_rests(self.server, world.GOOD_1, "PAUSED")
        with self._host_fails_before():
            self.tenant.act(self.server, "unpause")

    def test_unrescue_is_not_judged(self) -> None:
        self.tenant.act(self.server, "rescue", {})
        self.assert_rests(self.server, world.GOOD_1, "RESCUE")
        with self._host_fails_before():
            self.tenant.act(self.server, "unrescue")

    def test_rescue_is_not_judged(self) -> None:
        self.contraindicate(world.GOOD_1)
        with self.filter_calls(0):
            self.tenant.act(
                self.server,
                "rescue",
                {"rescue_image_ref": desc.SIGNED_IMAGE.id},
            )
        self.assert_rests(self.server, world.GOOD_1, "RESCUE")
        self._assert_takes_no_new_server(world.GOOD_1)

    def test_rebuild_from_the_same_image_is_not_judged(self) -> None:
        with self._host_fails_before():
            self.tenant.rebuild(self.server)

    def test_rebuild_from_the_old_image_undoes_a_refused_one(self) -> None:
        self.contraindicate(world.GOOD_1)
        self.tenant.rebuild(self.server, desc.SIGNED_IMAGE)
        self.assert_rests(self.server, world.GOOD_1, "ERROR")
        with self.filter_calls(0):
            self.tenant.rebuild(self.server)
        self.assert_rests(self.server, world.GOOD_1)

    def test_unshelve_of_what_was_not_offloaded_is_not_judged(self) -> None:
        self.set_option("shelved_offload_time", -1)
        self.tenant.shelve(self.server)
        self.assert_rests(self.server, world.GOOD_1, "SHELVED")
        with self._host_fails_before():
            self.tenant.unshelve(self.server)

    def test_restore_from_soft_delete_is_not_judged(self) -> None:
        self.set_option("reclaim_instance_interval", 3600)
        self.tenant.request("DELETE", f"/servers/{self.server}")
        self.admin.wait_for_status(self.server, "SOFT_DELETED")
        with self._host_fails_before():
            self.admin.act(self.server, "restore")

    def test_revert_of_a_resize_is_not_judged(self) -> None:
        large = self.admin.create_flavor("large", world.TPM, vcpus=4)
        self.tenant.resize(self.server, large)
        self.assert_rests(self.server, world.GOOD_2, "VERIFY_RESIZE")
        with self._host_fails_before():
            self.tenant.revert_resize(self.server)

    def test_confirmation_of_a_resize_is_not_judged(self) -> None:
        large = self.admin.create_flavor("large", world.TPM, vcpus=4)
        self.tenant.resize(self.server, large)
        self.contraindicate(world.GOOD_2)
        with self.filter_calls(0):
            self.tenant.confirm_resize(self.server)
        self.assert_rests(self.server, world.GOOD_2)
        self._assert_takes_no_new_server(world.GOOD_2)

    def test_server_that_resumes_with_its_host_is_not_judged(self) -> None:
        self.set_option("resume_guests_state_on_host_boot", True)
        self.cloud.stop_compute(world.GOOD_1)
        resumed: list[str] = []
        driver = self.cloud.driver(world.GOOD_1)
        driver.resume_state_on_host_boot = (  # type: ignore[method-assign]
            lambda _, instance, *__: resumed.append(instance.uuid)
        )
        self.addCleanup(delattr, driver, "resume_state_on_host_boot")
        driver.instances.pop(self.server)
        with self._host_fails_before():
            self.cloud.start_compute(world.GOOD_1)
        self.assertEqual([self.server], resumed)
