# SPDX-License-Identifier: Apache-2.0
"""A policy that is refused, while Nova runs: the last good one stays.

Each refused one would open a pool that belongs to somebody.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from tests.cloud.site import OFFICERS
from tests.functional import placement
from tests.functional import world

_HOUR_S = 3600


class PolicyFileTest(placement.PlacementTestCase):
    """Rules only change when enough officers change them."""

    hosts = (world.GOOD_1, world.KEY_1, world.WEB)

    def setUp(self) -> None:
        super().setUp()
        self.put_policy(self.next_policy())
        self.addCleanup(self._mend)
        self.cloud.our_log.forget()

    def _mend(self) -> None:
        self.put_policy(self.next_policy())

    def _opening(self, **how: object) -> placement.Json:
        """Return a policy that would open the key stores to everybody."""
        document = self.next_policy(**how)
        del document["pools"]
        return document

    def _signed(
        self, document: placement.Json, officers: Sequence[str] = OFFICERS
    ) -> bytes:
        return self.site.envelope(world.as_yaml(document), officers)

    def _assert_last_good_stays(self, code: str) -> None:
        self.rounds.wait()
        self.assertEqual(1, self.told(code, logging.WARNING), self.news())
        refused = self.tenant.create_server("vm", self.plain, host=world.KEY_1)
        self.assert_reported(refused, {"pool-exclusive": 1}, hosts=1)
        self.boot(self.tpm, world.GOOD_1)
        self.boot(self.plain, world.WEB)
        self.rounds.wait()
        self.assertEqual(1, self.told(code, logging.WARNING), self.news())
        events = self.audit.events("policy-refused", code=code)
        self.assertEqual(code, events[-1]["code"])

    def _assert_refused(self, code: str, data: bytes) -> None:
        self.put(self.site.policy_file, data)
        self._assert_last_good_stays(code)

    def test_policy_of_two_officers_is_taken(self) -> None:
        refused = self.tenant.create_server("vm", self.plain, host=world.KEY_1)
        self.assert_reported(refused, {"pool-exclusive": 1}, hosts=1)
        self.put_policy(self._opening())
        self.assertEqual(1, self.told("policy-taken"))
        self.boot(self.plain, world.KEY_1)

    def test_policy_of_too_few_officers_is_refused(self) -> None:
        document = self._opening()
        for officers, code in (
            ((), "policy-under-signed"),
            (("alice", "alice"), "policy-bad-envelope"),
            (("alice", "mallory"), "policy-under-signed"),
            (("alice",), "policy-under-signed"),
        ):
            self.put_policy(self.next_policy())
            self.cloud.our_log.forget()
            self._assert_refused(code, self._signed(document, officers))

    def test_policy_that_was_altered_after_signing_is_refused(self) -> None:
        envelope = json.loads(self._signed(self.next_policy()))
        envelope["payload"] = json.loads(self._signed(self._opening()))[
            "payload"
        ]
        self._assert_refused(
            "policy-under-signed", json.dumps(envelope).encode()
        )

    def test_policy_that_is_not_sound_is_refused(self) -> None:
        document = self._opening()
        document["hosts"][world.GOOD_1]["attesters"] = {"nobody": "x"}
        self._assert_refused("policy-invalid", self._signed(document))

    def test_policy_of_a_lower_version_is_refused(self) -> None:
        document = self._opening(version=self.version - 1)
        self._assert_refused("policy-rolled-back", self._signed(document))

    def test_other_policy_of_the_same_version_is_refused(self) -> None:
        document = self._opening()
        document["version"] = self.version - 1
        self._assert_refused("policy-same-version", self._signed(document))

    def test_policy_that_has_expired_is_refused(self) -> None:
        document = self._opening(
            issued_ago_s=2 * _HOUR_S, expires_in_s=-_HOUR_S
        )
        for host in document["hosts"].values():
            del host["declared"]
        self._assert_refused("policy-expired", self._signed(document))

    def test_policy_whose_time_has_not_come_is_refused(self) -> None:
        document = self._opening(issued_ago_s=-_HOUR_S)
        self._assert_refused("policy-not-yet", self._signed(document))

    def test_file_that_is_no_envelope_is_refused(self) -> None:
        for code, data in (
            ("policy-unreadable", b"\xff\x00"),
            ("policy-bad-envelope", b"{}"),
            ("policy-too-large", b" " * (17 * 2**20)),
        ):
            self._assert_refused(code, data)

    def test_file_that_vanishes_takes_nothing_with_it(self) -> None:
        self.site.policy_file.unlink()
        self._assert_last_good_stays("policy-missing")
        self.put_policy(self._opening())
        self.assertEqual(1, self.told("policy-taken"))
        self.boot(self.plain, world.KEY_1)
