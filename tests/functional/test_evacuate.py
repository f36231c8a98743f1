# SPDX-License-Identifier: Apache-2.0
"""Servers of failed hosts, shelved and rebuilt servers are judged anew."""

from __future__ import annotations

import functools

from tests.cloud import description as desc
from tests.functional import placement
from tests.functional import world

NOWHERE = {"contraindicated": 1, "no-claim": 1, "host-unbound": 1}


class EvacuationTest(placement.PlacementTestCase):
    """With the scheduler: without a host, or with one that is not forced."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.tpm, world.GOOD_1)

    def test_lands_on_the_host_that_complies(self) -> None:
        self.take_down(world.GOOD_1)
        with self.filter_calls(1) as calls:
            self.admin.evacuate(self.server, microversion="2.94")
        self.assert_rests(self.server, world.GOOD_2)
        self.assertEqual({world.GOOD_2}, calls[0].admitted)

    def test_ends_in_error_where_no_host_complies(self) -> None:
        self.contraindicate(world.GOOD_2)
        self.take_down(world.GOOD_1)
        for microversion in ("2.28", "2.94", "latest"):
            evacuate = functools.partial(
                self.admin.evacuate, self.server, microversion=microversion
            )
            self.assert_refused(self.server, evacuate, NOWHERE, hosts=3)
            self.assert_rests(self.server, world.GOOD_1, "ERROR")
            self.assert_fault(self.server)

    def test_lands_on_a_named_host_that_complies(self) -> None:
        self.take_down(world.GOOD_1)
        with self.filter_calls(1) as calls:
            self.admin.evacuate(self.server, world.GOOD_2, microversion="2.68")
        self.assert_rests(self.server, world.GOOD_2)
        self.assertEqual({world.GOOD_2}, calls[0].offered)

    def test_named_host_that_does_not_comply_is_refused(self) -> None:
        self.take_down(world.GOOD_1)
        for how in (
            {"microversion": "2.29", "force": False},
            {"microversion": "2.67", "force": False},
            {"microversion": "2.68"},
            {"microversion": "latest"},
        ):
            evacuate = functools.partial(
                self.admin.evacuate, self.server, world.DULL, **how
            )
            self.assert_refused(
                self.server, evacuate, {"no-claim": 1}, hosts=1
            )
            self.assert_rests(self.server, world.GOOD_1, "ERROR")
            self.assert_fault(self.server)

    def test_comes_to_rest_stopped_in_newer_microversions(self) -> None:
        self.take_down(world.GOOD_1)
        self.admin.evacuate(self.server, microversion="2.95")
        self.assert_rests(self.server, world.GOOD_2, "SHUTOFF")


class RebuildTest(placement.PlacementTestCase):
    """A rebuild stays where it is, if that host still is what it was."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.tpm, world.GOOD_1)

    def test_new_image_is_accepted_where_the_host_complies(self) -> None:
        with self.filter_calls(1) as calls:
            self.tenant.rebuild(self.server, desc.SIGNED_IMAGE)
        self.assert_rests(self.server, world.GOOD_1)
        self.assertEqual({world.GOOD_1}, calls[0].offered)
        self.assertEqual(
            desc.SIGNED_IMAGE.id,
            self.tenant.server(self.server)["image"]["id"],
        )

    def test_new_image_ends_in_error_where_the_host_complies_no_more(
        self,
    ) -> None:
        self.contraindicate(world.GOOD_1)
        rebuild = functools.partial(
            self.tenant.rebuild, self.server, desc.SIGNED_IMAGE
        )
        self.assert_refused(
            self.server, rebuild, {"contraindicated": 1}, hosts=1
        )
        self.assert_rests(self.server, world.GOOD_1, "ERROR")
        self.assert_fault(self.server)

    def test_new_image_is_refused_where_it_is_not_what_was_asked(
        self,
    ) -> None:
        signed = self.admin.create_flavor(
            "signed", {"nfv_mla:provision": "signed-image"}
        )
        server = self.boot(signed, world.GOOD_1, image=desc.SIGNED_IMAGE)
        rebuild = functools.partial(self.tenant.rebuild, server)
        self.assert_refused(server, rebuild, {"application-lacks": 1}, hosts=1)
        self.assert_fault(server)


class UnshelveTest(placement.PlacementTestCase):
    """A server that was offloaded comes back as if it were new."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.tpm, world.GOOD_1)
        self.tenant.shelve(self.server)
        self.assert_rests(self.server, None, "SHELVED_OFFLOADED")

    def test_lands_on_a_host_that_complies(self) -> None:
        self.contraindicate(world.GOOD_1)
        with self.filter_calls(1) as calls:
            self.tenant.unshelve(self.server)
        self.assert_rests(self.server, world.GOOD_2)
        self.assertEqual({world.GOOD_2}, calls[0].admitted)

    def test_stays_shelved_where_no_host_complies(self) -> None:
        self.contraindicate(world.GOOD_1, world.GOOD_2)
        unshelve = functools.partial(self.tenant.unshelve, self.server)
        self.assert_refused(
            self.server,
            unshelve,
            {"contraindicated": 2, "no-claim": 1, "host-unbound": 1},
            hosts=4,
        )
        self.assert_rests(self.server, None, "SHELVED_OFFLOADED")
        self.assertIsNone(self.tenant.fault_of(self.server))
        self.assert_owner_reads_no_host(self.server)

    def test_lands_on_a_named_host_that_complies(self) -> None:
        with self.filter_calls(1) as calls:
            self.admin.unshelve(self.server, host=world.GOOD_2)
        self.assert_rests(self.server, world.GOOD_2)
        self.assertEqual({world.GOOD_2}, calls[0].offered)

    def test_named_host_that_does_not_comply_is_refused(self) -> None:
        unshelve = functools.partial(
            self.admin.unshelve, self.server, host=world.DULL
        )
        self.assert_refused(self.server, unshelve, {"no-claim": 1}, hosts=1)
        self.assert_rests(self.server, None, "SHELVED_OFFLOADED")
        self.assert_owner_reads_no_host(self.server)
