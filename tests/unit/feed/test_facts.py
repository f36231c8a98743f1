# SPDX-License-Identifier: Apache-2.0
"""What records say of a policy or of results, besides words."""

from __future__ import annotations

import unittest

from nfv_mla_scheduler.feed.news import Facts
from nfv_mla_scheduler.policy.envelope import read_envelope
from tests import policies
from tests.unit.feed import files
from tests.unit.feed.files import NOW
from tests.unit.feed.files import Files
from tests.unit.feed.files import version

ALICE, BOB = (
    policies.signer(name).public_key.keyid for name in ("alice", "bob")
)
EXPIRES_AT = 1_803_081_600.0  # 2027-02-20T00:00:00Z


def digest(data: bytes) -> str:
    return read_envelope(data).digest


class FactsCase(unittest.TestCase):
    def setUp(self) -> None:
        self.files = Files.of(self)

    def facts(self, subject: str = "policy") -> Facts:
        """Look once, and return the facts of the one news of a subject."""
        news = [n for n in self.files.refresh() if n.subject == subject]
        (one,) = news
        return one.facts

    def assert_is(self, data: bytes, number: int, facts: Facts) -> None:
        self.assertEqual(number, facts["version"])
        self.assertEqual(digest(data), facts["digest"])
        self.assertEqual({ALICE, BOB}, set(facts["signers"]))


class PolicyTest(FactsCase):
    def test_one_that_is_taken(self) -> None:
        self.files.put_policy(version(7))
        self.assert_is(version(7), 7, self.facts())

    def test_one_that_was_taken_before_a_restart(self) -> None:
        self.files.put_policy(version(7))
        self.files.refresh()
        self.files.new_feed()
        self.assert_is(version(7), 7, self.facts())

    def test_one_that_is_older(self) -> None:
        self.files.put_policy(version(7))
        self.files.refresh()
        self.files.put_policy(version(6))
        self.assert_is(version(6), 6, self.facts())

    def test_one_that_not_enough_have_signed(self) -> None:
        text = policies.policy_yaml()
        data = policies.signed(text, [policies.signer("alice")])
        self.files.put_policy(data)
        self.assertEqual(
            {"digest": digest(data), "signers": [ALICE]}, self.facts()
        )

    def test_one_that_strangers_have_signed(self) -> None:
        text = policies.policy_yaml()
        data = policies.signed(text, [policies.signer("mallory")])
        self.files.put_policy(data)
        self.assertEqual({"digest": digest(data), "signers": []}, self.facts())

    def test_one_that_enough_have_signed_and_that_is_none(self) -> None:
        data = version(8, ("vouches:", "voches:"))
        self.files.put_policy(data)
        facts = self.facts()
        self.assertEqual(digest(data), facts["digest"])
        self.assertEqual({ALICE, BOB}, set(facts["signers"]))
        self.assertNotIn("version", facts)

    def test_what_is_no_envelope(self) -> None:
        self.files.put_policy(b"no policy")
        facts = self.facts()
        self.assertEqual({"file_sha256"}, set(facts))
        self.assertRegex(str(facts["file_sha256"]), "^[0-9a-f]{64}$")

    def test_the_one_before_is_in_force_again(self) -> None:
        self.files.put_policy(version(7))
        self.files.refresh()
        self.files.put_policy(b"no policy")
        self.files.refresh()
        self.files.put_policy(version(7))
        self.assert_is(version(7), 7, self.facts())

    def test_one_that_has_expired(self) -> None:
        self.files.put_policy(version(7))
        self.files.refresh()
        self.files.now = EXPIRES_AT + 1
        self.assert_is(version(7), 7, self.facts("expiry"))


class ResultsTest(FactsCase):
    def setUp(self) -> None:
        super().setUp()
        self.files.put_policy(version(7))
        self.files.put_results(files.results())

    def test_those_that_are_taken(self) -> None:
        self.assertEqual(
            {"issuer": "collector-a", "issued_at": NOW, "results": 1},
            self.facts("results"),
        )

    def test_those_that_are_refused(self) -> None:
        self.files.refresh()
        self.files.put_results(files.results(issued_at=NOW - 60))
        held = {"held_issuer": "collector-a", "held_issued_at": NOW}
        self.assertEqual(held, self.facts("results"))

    def test_the_first_are_refused(self) -> None:
        self.files.put_results(b"none")
        self.assertEqual({"held_issuer": None}, self.facts("results"))


class HeedTest(FactsCase):
    """Somebody hears of a policy before anything is judged by it."""

    def setUp(self) -> None:
        super().setUp()
        self.heard: list[tuple[int, int | None]] = []

    def _feed(self) -> None:
        """Begin anew, as after a restart."""
        self.files.new_feed(
            heed=lambda policy: self.heard.append(
                (policy.version, self._in_force())
            )
        )

    def _in_force(self) -> int | None:
        snapshot = getattr(self.files.feed, "snapshot", None)
        policy = snapshot.policy if snapshot else None
        return policy.version if policy else None

    def test_each_policy_once_and_before_it_is_in_force(self) -> None:
        self._feed()
        self.files.put_policy(version(7))
        for _ in range(3):
            self.files.refresh()
        self.files.put_policy(version(8))
        self.files.refresh()
        self.files.put_policy(version(6))
        self.files.refresh()
        self.assertEqual([(7, None), (8, 7)], self.heard)

    def test_what_was_kept_too(self) -> None:
        self.files.put_policy(version(7))
        self.files.refresh()
        self.files.policy_file.unlink()
        self._feed()
        self.assertEqual([7], [number for number, _ in self.heard])
