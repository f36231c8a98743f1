# SPDX-License-Identifier: Apache-2.0
"""The demo's policy and results are sound, and what it edits stays so."""

from __future__ import annotations

import pathlib
import tempfile
import time
import unittest

from demo import drafts
from demo import world
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.results.draft import read_draft
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

    def test_what_is_attested_can_be_edited_as_a_draft(self) -> None:
        world.attest(self.site)
        drafts.write_draft(self.site)
        data = drafts.draft_file(self.site).read_bytes()
        draft = read_draft(data, catalogue.load(), self.now)
        said = {
            authority: {host: result.claims for host, result in hosts.items()}
            for authority, hosts in draft.results.items()
        }
        wanted = {
            authority: {host: word.claims for host, word in hosts.items()}
            for authority, hosts in self.site.attested.items()
        }
        self.assertEqual(wanted, said)
