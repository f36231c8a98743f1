# SPDX-License-Identifier: Apache-2.0
"""How the collector stands, in plain JSON."""

from __future__ import annotations

import json
import unittest

from nfv_mla_scheduler.collector.standing import Standing
from nfv_mla_scheduler.collector.status import Published
from nfv_mla_scheduler.collector.status import status
from nfv_mla_scheduler.collector.values import Said
from tests import policies
from tests.unit.collector.answers import NAME
from tests.unit.collector.answers import NOW
from tests.unit.collector.answers import SKEW_S
from tests.unit.collector.answers import collected
from tests.unit.collector.answers import failed
from tests.unit.collector.answers import problem
from tests.unit.collector.answers import result
from tests.unit.collector.answers import taken
from tests.unit.collector.answers import task
from tests.unit.collector.answers import well

OF_ALL = {
    "collector",
    "now",
    "started_at",
    "policy",
    "document",
    "publish_error",
    "publish_failing_since",
    "authorities",
}
OF_EACH = {
    "state",
    "since",
    "last_success_at",
    "code",
    "reason",
    "cadence_s",
    "max_age_s",
    "attesters",
    "results",
    "fresh",
    "problems",
    "notes",
    "skew_s",
    "last_poll_s",
    "polls",
    "failures",
}


class StatusTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.standing = Standing(NAME, SKEW_S, NOW)
        self.said = {}
        self.policy = None
        self.published = Published()

    def status(self, now=NOW):
        found = status(
            "collector-a",
            now,
            NOW - 60,
            self.policy,
            self.published,
            {NAME: self.standing},
            self.said,
        )
        self.assertEqual(found, json.loads(json.dumps(found)))
        self.assertEqual(OF_ALL, set(found))
        (one,) = found["authorities"].values()
        self.assertEqual(OF_EACH, set(one))
        return found

    def one(self, now=NOW):
        return self.status(now)["authorities"][NAME]

    def test_at_the_start_nothing_is_known(self):
        found = self.status()
        self.assertEqual("collector-a", found["collector"])
        self.assertIsNone(found["policy"])
        self.assertIsNone(found["document"])
        one = found["authorities"][NAME]
        self.assertEqual("starting", one["state"])
        self.assertIsNone(one["last_success_at"])
        self.assertEqual((0, 0), (one["attesters"], one["polls"]))

    def test_policy_and_document_are_what_they_are(self):
        self.policy = policies.policy()
        self.published = Published(NOW, "ab", 7, "no space", NOW - 5)
        found = self.status()
        self.assertEqual(
            {"version": 7, "expires_at": self.policy.expires_at},
            found["policy"],
        )
        self.assertEqual(
            {"issued_at": NOW, "sha256": "ab", "results": 7},
            found["document"],
        )
        self.assertEqual("no space", found["publish_error"])
        self.assertEqual(NOW - 5, found["publish_failing_since"])

    def test_an_authority_that_answers(self):
        self.standing.assign(task("h1", "h2", "h3"), NOW)
        bad = (problem("h3"),)
        answer = collected(
            result("h1"),
            result("h2"),
            result("stranger"),
            at={"h1": NOW, "h2": NOW - 61, "stranger": NOW},
            problems=bad,
            skew_s=-0.5,
        )
        self.standing.ended(well(answer, took_s=0.25), taken(2, bad), NOW)
        self.said = {NAME: Said(answer.results, answer.freshness)}
        one = self.one()
        self.assertEqual("fresh", one["state"])
        self.assertEqual(NOW, one["last_success_at"])
        self.assertEqual((30.0, 60.0), (one["cadence_s"], one["max_age_s"]))
        counts = (one["attesters"], one["results"], one["fresh"])
        self.assertEqual((3, 2, 1), counts)
        self.assertEqual((1, -0.5), (one["problems"], one["skew_s"]))
        self.assertEqual(0.25, one["last_poll_s"])
        self.assertEqual((1, 0), (one["polls"], one["failures"]))

    def test_what_ran_out_is_not_fresh(self):
        self.standing.assign(task("h1"), NOW)
        answer = collected(result("h1"), until=NOW + 10)
        self.said = {NAME: Said(answer.results, answer.freshness)}
        self.assertEqual(1, self.one(NOW + 9)["fresh"])
        self.assertEqual(0, self.one(NOW + 10)["fresh"])

    def test_an_authority_that_fails(self):
        self.standing.assign(task("h1"), NOW)
        self.standing.ended(failed(), taken(0), NOW + 1)
        one = self.one(NOW + 2)
        self.assertEqual(("failing", NOW + 1), (one["state"], one["since"]))
        self.assertEqual("contact-timed-out", one["code"])
        self.assertEqual("it does not answer", one["reason"])
        self.assertEqual((1, 1), (one["polls"], one["failures"]))
