# SPDX-License-Identifier: Apache-2.0
"""Among the hosts that will do, our weighers choose."""

from __future__ import annotations

import time

from tests.functional import placement
from tests.functional import world

OURS = "nfv_mla_scheduler.scheduler.weighers"
ENCLAVES = (world.ENCLAVE_1, world.ENCLAVE_2)


class ScarcityTest(placement.PlacementTestCase):
    """The least privileged host that suffices is taken first (7.2)."""

    hosts = (world.ENCLAVE_1, world.GOOD_1, world.ENCLAVE_2)
    weighers = (f"{OURS}.NfvMlaScarcityWeigher",)

    def test_plain_server_leaves_the_enclaves_to_others(self) -> None:
        for flavor in (self.plain, self.tpm, self.plain):
            with self.filter_calls(1) as calls:
                server = self.tenant.create_server("vm", flavor)
            self.assertEqual({*self.hosts}, calls[0].admitted)
            self.assert_rests(server, world.GOOD_1)

    def test_plain_server_takes_an_enclave_when_nothing_else_is_left(
        self,
    ) -> None:
        whole = self.admin.create_flavor("whole", vcpus=16)
        first = self.tenant.create_server("vm", whole)
        self.assert_rests(first, world.GOOD_1)
        second = self.tenant.create_server("vm", whole)
        self.assertIn(self.admin.host_of(second), ENCLAVES)

    def test_server_that_asks_for_an_enclave_gets_one(self) -> None:
        enclave = self.admin.create_flavor("enclave", world.ENCLAVE)
        server = self.tenant.create_server("vm", enclave)
        self.assertIn(self.admin.host_of(server), ENCLAVES)


class AssuranceTest(placement.PlacementTestCase):
    """The host that was looked at last is taken first (5.1.2)."""

    hosts = (world.GOOD_1, world.GOOD_2, world.DULL)
    weighers = (f"{OURS}.all_weighers",)

    def test_asker_gets_the_fresher_host(self) -> None:
        for fresher, older in (
            (world.GOOD_1, world.GOOD_2),
            (world.GOOD_2, world.GOOD_1),
        ):
            said = self.site.attested[world.AUTHORITY]
            said[fresher].at = None
            said[older].at = time.time() - 3500
            self.publish()
            for _ in range(2):
                with self.filter_calls(1) as calls:
                    server = self.tenant.create_server("vm", self.tpm)
                self.assertEqual({fresher, older}, calls[0].admitted)
                self.assert_rests(server, fresher)


class NovasWeighersTest(placement.PlacementTestCase):
    """Beside Nova's own weighers, as an operator lists them."""

    hosts = (world.ENCLAVE_1, world.GOOD_1)
    weighers = (
        "nova.scheduler.weights.all_weighers",
        f"{OURS}.all_weighers",
    )

    def test_first_plain_server_leaves_the_enclave_to_others(self) -> None:
        server = self.tenant.create_server("vm", self.plain)
        self.assert_rests(server, world.GOOD_1)
