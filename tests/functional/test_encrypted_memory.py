# SPDX-License-Identifier: Apache-2.0
"""Servers whose memory is encrypted: Nova's rules come before ours."""

from __future__ import annotations

import functools

from tests.cloud import description as desc
from tests.functional import placement
from tests.functional import world


class EncryptedMemoryTest(placement.PlacementTestCase):
    """Two hosts with enclaves, in two pools of one class."""

    hosts = (world.ENCLAVE_1, world.ENCLAVE_2, world.GOOD_1)

    def setUp(self) -> None:
        super().setUp()
        encrypted = self.admin.create_flavor(
            "encrypted", {**world.ENCRYPTED, **world.ENCLAVE}
        )
        self.server = self.boot(
            encrypted, world.ENCLAVE_1, image=desc.CONFIDENTIAL_IMAGE
        )

    def test_live_migration_is_refused_before_anybody_is_asked(self) -> None:
        for microversion in ("2.1", "2.30", "2.68", "latest"):
            for host in (None, world.ENCLAVE_2):
                with self.filter_calls(0):
                    message = self.assert_api_refuses(
                        400,
                        functools.partial(
                            self.admin.live_migrate,
                            self.server,
                            host,
                            microversion=microversion,
                        ),
                    )
                self.assertIn("mem encryption", message)
        self.assert_rests(self.server, world.ENCLAVE_1)

    def test_cold_migration_follows_the_rule_of_its_class(self) -> None:
        with self.filter_calls(1) as calls:
            self.admin.migrate(self.server)
        self.assert_rests(self.server, world.ENCLAVE_2, "VERIFY_RESIZE")
        # Placement leaves out who cannot encrypt.
        self.assertEqual({world.ENCLAVE_2}, calls[0].offered)

    def test_cold_migration_is_refused_where_no_enclave_is_attested(
        self,
    ) -> None:
        self.contraindicate(world.ENCLAVE_2)
        self.assert_refused(
            self.server,
            functools.partial(self.admin.migrate, self.server),
            {"contraindicated": 1},
            hosts=1,
        )
        self.assert_rests(self.server, world.ENCLAVE_1)

    def test_evacuation_goes_to_the_other_enclave(self) -> None:
        self.take_down(world.ENCLAVE_1)
        with self.filter_calls(1):
            self.admin.evacuate(self.server, microversion="2.94")
        self.assert_rests(self.server, world.ENCLAVE_2)
