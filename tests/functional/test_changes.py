# SPDX-License-Identifier: Apache-2.0
"""What is known of hosts changes and ages while Nova runs."""

from __future__ import annotations

import logging
import time
import typing as ty

from tests.functional import placement
from tests.functional import world


class ContraindicatedTest(placement.PlacementTestCase):
    """A host that is not what it should be takes no more servers."""

    def test_it_takes_no_more_while_others_do(self) -> None:
        self.boot(self.tpm, world.GOOD_1)
        self.contraindicate(world.GOOD_1)
        refused = self.tenant.create_server("vm", self.tpm, host=world.GOOD_1)
        self.assert_reported(refused, {"contraindicated": 1}, hosts=1)
        for _ in range(3):
            server = self.tenant.create_server("vm", self.tpm)
            self.assert_rests(server, world.GOOD_2)

    def test_it_takes_servers_again_once_it_is_well(self) -> None:
        self.contraindicate(world.GOOD_1)
        refused = self.tenant.create_server("vm", self.tpm, host=world.GOOD_1)
        self.assert_reported(refused, {"contraindicated": 1}, hosts=1)
        self._forget()
        self.boot(self.tpm, world.GOOD_1)

    def test_doubt_takes_away_what_the_authority_says_otherwise(self) -> None:
        # Only the attestation fails; the TPM is claimed still (5.0.4).
        world.contraindicate(self.site, world.GOOD_1, "attestation")
        self.publish()
        refused = self.tenant.create_server("vm", self.tpm, host=world.GOOD_1)
        self.assert_reported(refused, {"doubted": 1}, hosts=1)

    def test_server_that_asks_for_nothing_may_use_it(self) -> None:
        self.contraindicate(world.GOOD_1)
        self.boot(self.plain, world.GOOD_1)


class StaleTest(placement.PlacementTestCase):
    """The collector falls silent, and results grow old."""

    def _wait_until_stale(self) -> None:
        until = time.time() + world.HASTY_MAX_AGE_S + 0.1
        self.admin.wait_until(lambda: time.time() > until, "time stands still")

    def test_askers_are_refused_and_others_are_not(self) -> None:
        fresh = self.admin.create_flavor("fresh", world.FRESH)
        self.publish()
        server = self.tenant.create_server("vm", fresh)
        self.assertEqual("ACTIVE", self.tenant.status_of(server))
        self._wait_until_stale()
        refused = self.tenant.create_server("vm", fresh)
        self.assert_reported(
            refused, {"stale": 3, "no-claim": 1, "host-unbound": 1}, hosts=4
        )
        self.assert_fault(refused)
        self.boot(self.plain, world.WEB)
        # Not everything is as old for whoever asks less.
        self.boot(self.tpm, world.GOOD_1)
        self.publish()
        server = self.tenant.create_server("vm", fresh)
        self.assertEqual("ACTIVE", self.tenant.status_of(server))


class ExpiryTest(placement.PlacementTestCase):
    """The officers forget to sign the next policy."""

    hosts = (world.GOOD_1, world.KEY_1, world.WEB)
    _LEFT_S = 5

    def test_askers_are_refused_and_pools_stay_closed(self) -> None:
        self.publish()
        self.put_policy(self.next_policy(expires_in_s=self._LEFT_S))
        self.boot(self.tpm, world.GOOD_1)
        until = time.time() + self._LEFT_S
        self.admin.wait_until(lambda: time.time() > until, "time stands still")
        self.rounds.wait()
        refused = self.tenant.create_server("vm", self.tpm)
        self.assert_reported(
            refused,
            {"policy-expired": 2, "pool-exclusive": 1, "host-unbound": 1},
            hosts=3,
        )
        self.assert_fault(refused)
        with self.filter_calls(1) as calls:
            self.tenant.create_server("vm", self.plain)
        self.assertEqual({world.GOOD_1, world.WEB}, calls[0].admitted)
        stranger = self.tenant.create_server(
            "vm", self.plain, host=world.KEY_1
        )
        self.assert_reported(stranger, {"pool-exclusive": 1}, hosts=1)
        self.boot(self.plain, world.KEY_1, self.keys)
        self.assertTrue(self.told("policy-expired", logging.WARNING))
        self.assertTrue(self.audit.events("policy-expired"))
        self.put_policy(self.next_policy())
        self.boot(self.tpm, world.GOOD_1)


class _WithoutPolicy:
    """No officer ever signed anything."""

    @classmethod
    def prepare_site(cls) -> None:
        """Put nothing where nova-scheduler looks."""


class RefuseAskingTest(_WithoutPolicy, placement.PlacementTestCase):
    """By default, those who ask for nothing are placed."""

    hosts = (world.GOOD_1, world.KEY_1)

    def test_askers_are_refused_and_others_are_not(self) -> None:
        refused = self.tenant.create_server("vm", self.tpm)
        self.assert_reported(refused, {"no-policy": 2}, hosts=2)
        self.assert_fault(refused)
        for host in self.hosts:
            self.boot(self.plain, host)
        # Nobody knows yet to whom this host belongs, nor any floor.
        self.boot(self.plain, world.KEY_1, self.floored)

    def test_hint_is_a_question_too(self) -> None:
        refused = self.tenant.create_server(
            "vm", self.plain, hints={"nfv_mla:pool": "key-stores"}
        )
        self.assert_reported(refused, {"no-policy": 2}, hosts=2)


class RefuseAllTest(_WithoutPolicy, placement.PlacementTestCase):
    """Where all hosts are somebody's, nobody is placed unawares."""

    hosts = (world.GOOD_1, world.KEY_1)
    options: ty.ClassVar = {"without_policy": "refuse_all"}

    def test_everybody_is_refused_until_there_is_a_policy(self) -> None:
        for flavor in (self.tpm, self.plain):
            refused = self.tenant.create_server("vm", flavor)
            self.assert_reported(refused, {"no-policy": 2}, hosts=2)
            self.assert_fault(refused)
        world.attest(self.site)
        self.put_policy(self.next_policy())
        self.publish()
        self.boot(self.tpm, world.GOOD_1)
        self.boot(self.plain, world.GOOD_1)
