# SPDX-License-Identifier: Apache-2.0
"""The demo's policy is sound, and so is what its authorities say."""

from __future__ import annotations

import pathlib
import tempfile
import time
import unittest

from demo import world
from demo.laboratory import laboratories
from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.monitor.planning import brakes
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.standard import catalogue
from tests.cloud.site import COLLECTOR_KEY
from tests.cloud.site import Site


class WorldTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.site = Site(pathlib.Path(directory.name))
        self.now = time.time()

    def _policy(self) -> bytes:
        text = world.policy(self.now)
        return text.replace(COLLECTOR_KEY, self.site.collector_key()).encode()

    def test_the_policy_is_sound(self) -> None:
        problems, _ = lint_policy(self._policy(), catalogue.load(), self.now)
        self.assertEqual((), tuple(problems))

    def test_the_policy_is_what_the_scenes_take_it_for(self) -> None:
        policy = read_policy(self._policy(), catalogue.load())
        ages = {a.max_age_s for a in policy.authorities.values()}
        self.assertEqual({world.MAX_AGE_S}, ages)
        self.assertEqual(
            dict(world.FOOTPRINT),
            dict(policy.footprints["lawful-interception"]),
        )
        listed = {host.name: host.pool for host in world.HOSTS if host.pool}
        pools = {
            member: pool.name
            for pool in policy.pools.values()
            for member in pool.members
        }
        self.assertEqual(listed, pools)
        self.assertIn(world.OWNED_BY_KEYS.encode(), self._policy())

    def test_hosts_fail_for_a_person_when_three_do_and_no_sooner(self) -> None:
        guard = read_policy(self._policy(), catalogue.load()).guard
        hosts = len(world.HOSTS)
        held = [
            brakes.exceeds(failing, hosts, guard.suspect_share_percent)
            for failing in (1, 2, 3, hosts)
        ]
        self.assertEqual([False, False, True, True], held)

    def test_the_monitors_account_owns_no_project_with_servers(self) -> None:
        self.assertNotIn(
            world.MONITOR.project_id, {u.project_id for u in world.USERS}
        )

    def test_a_laboratory_changes_its_mind_about_hosts_at_once(self) -> None:
        lab = laboratories(self.site.directory)[world.OURS]
        lab.says_of_all(
            ("ber-1", "fra-1"), "software-integrity", Status.CONTRAINDICATED
        )
        roster = read_attesters(
            lab.files.attesters.read_bytes(), catalogue.load()
        )
        bad = [
            host
            for host, said in roster.attesters.items()
            if said.claims["software-integrity"]["status"] == "contraindicated"
        ]
        self.assertEqual(["ber-1", "fra-1"], sorted(bad))

    def test_the_laboratories_say_what_is_attested(self) -> None:
        labs = laboratories(self.site.directory)
        world.attest(self.site)
        for name, lab in labs.items():
            roster = read_attesters(
                lab.files.attesters.read_bytes(), catalogue.load()
            )
            said = {host: a.claims for host, a in roster.attesters.items()}
            wanted = {
                host: claim_sets.wire(word.claims)
                for host, word in self.site.attested[name].items()
            }
            self.assertEqual(wanted, said)
