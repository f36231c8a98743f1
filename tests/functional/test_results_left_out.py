# SPDX-License-Identifier: Apache-2.0
"""Single results that do not count in a document which is good otherwise."""

from __future__ import annotations

import logging
import time

from tests.cloud.site import Attested
from tests.cloud.site import claim
from tests.functional import placement
from tests.functional import world

_HOUR_S = 3600
_CODE = "results-left-out"


class LeftOutTest(placement.PlacementTestCase):
    """Nothing good comes from them, and nothing else is lost."""

    def _assert_lost(self, *hosts: str, code: str = "no-claim") -> None:
        """Assert that nothing carries these hosts, and others as before.

        :param code: ``no-claim`` where nobody speaks of them, ``doubted``
            where somebody does, whose result is faulty
        """
        for host in hosts:
            refused = self.tenant.create_server("vm", self.tpm, host=host)
            self.assert_reported(refused, {code: 1}, hosts=1)
        for host in {world.GOOD_1, world.GOOD_2} - {*hosts}:
            self.boot(self.tpm, host)
        self.boot(self.plain, world.WEB)

    def _publish_and_assert_told(self, *words: str) -> None:
        self.publish()
        for _ in range(2):
            self.publish()  # says the same, which is not told again
        self.assertEqual(1, self.told(_CODE, logging.WARNING), self.news())
        (line,) = (n for n in self.news() if n.endswith(f"({_CODE})"))
        for word in words:
            self.assertIn(word, line)

    def test_result_from_the_future_carries_nothing(self) -> None:
        ahead = time.time() + _HOUR_S
        world.praise(self.site, world.DULL).at = ahead
        self.site.attested[world.AUTHORITY][world.GOOD_1].at = ahead
        self._publish_and_assert_told(
            "results-ahead", world.DULL, world.GOOD_1
        )
        self._assert_lost(world.DULL, world.GOOD_1, code="doubted")

    def test_boot_from_the_future_carries_nothing(self) -> None:
        praised = world.praise(self.site, world.DULL)
        praised.boot_attested_at = time.time() + _HOUR_S
        self._publish_and_assert_told("results-ahead", world.DULL)
        self._assert_lost(world.DULL, code="doubted")

    def test_authority_that_the_policy_does_not_know_is_left_out(
        self,
    ) -> None:
        praised = world.praise(self.site, world.DULL)
        world.attest(self.site)
        self.site.attested["nobody"] = {world.DULL: praised}
        self._publish_and_assert_told("results-unknown-authority", "nobody")
        self._assert_lost(world.DULL)

    def test_authority_for_which_the_collector_cannot_speak_is_left_out(
        self,
    ) -> None:
        praised = world.praise(self.site, world.DULL)
        world.attest(self.site)
        self.site.attested[world.FOREIGN] = {world.DULL: praised}
        self._publish_and_assert_told("results-not-theirs", world.FOREIGN)
        self._assert_lost(world.DULL)

    def test_value_that_nobody_knows_takes_its_whole_result_along(
        self,
    ) -> None:
        praised = world.praise(self.site, world.DULL)
        praised.claims["measured-boot"] = claim("measured-boot", ["charm"])
        self._publish_and_assert_told("results-bad-claim", world.DULL)
        self._assert_lost(world.DULL, code="doubted")

    def test_capability_that_nobody_knows_is_left_out_alone(self) -> None:
        said = self.site.attested[world.AUTHORITY][world.GOOD_1]
        said.claims["charm"] = claim("charm")
        self._publish_and_assert_told("results-bad-claim", "charm")
        self._assert_lost(world.DULL)

    def test_attester_that_is_no_host_helps_no_host(self) -> None:
        world.praise(self.site, "ghost-1")
        self.publish()
        self.assertEqual(0, self.told(_CODE))
        self._assert_lost(world.DULL)

    def test_result_under_the_name_of_no_host_is_nobodys(self) -> None:
        said = self.site.attested[world.AUTHORITY]
        said["ghost-1"] = said.pop(world.GOOD_1)
        self.publish()
        self._assert_lost(world.DULL, world.GOOD_1)

    def test_result_under_anothers_name_is_only_the_others(self) -> None:
        # Whoever the authority names is who it is; the policy binds names
        # to hosts, and one name is never that of two.
        said = self.site.attested[world.AUTHORITY]
        said[world.GOOD_2] = said.pop(world.GOOD_1)
        self.publish()
        self._assert_lost(world.DULL, world.GOOD_1)

    def test_authority_that_falls_silent_about_a_host_speaks_no_more(
        self,
    ) -> None:
        del self.site.attested[world.AUTHORITY][world.GOOD_2]
        self.publish()
        self._assert_lost(world.DULL, world.GOOD_2)

    def test_authority_may_only_vouch_for_what_the_policy_gives_it(
        self,
    ) -> None:
        self.site.attested[world.AUTHORITY][world.DULL] = Attested(
            {
                "attestation": claim("attestation"),
                "hsm": claim("hsm", ["physical"]),
            }
        )
        self.publish()
        hsm = self.admin.create_flavor(
            "hsm", {"nfv_mla:capability.hsm": "required"}
        )
        refused = self.tenant.create_server("vm", hsm, host=world.DULL)
        self.assert_reported(refused, {"no-claim": 1}, hosts=1)
