# SPDX-License-Identifier: Apache-2.0
"""Which request gets which answer, and how late or bad it is to be."""

from __future__ import annotations

import json
import unittest
import urllib.parse
from typing import Any

from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.issued import Issued
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.keys import new_key
from nfv_mla_scheduler.lab.replies import Reply
from nfv_mla_scheduler.lab.replies import reply
from nfv_mla_scheduler.lab.values import Fault
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.lab import labs

KEYS = Keys.of(new_key())
ODD = 'rack 7/ü"?&'


def ask(target: str, own: dict[str, Any] | None = None, **top: Any) -> Reply:
    """Return the answer of a lab with ``a``, ``b`` and one with an odd name.

    :param own: knobs of ``a``
    :param top: knobs for all
    """
    good = {"claims": labs.GOOD}
    data = labs.yaml(
        {"a": {**good, **(own or {})}, "b": good, ODD: good}, **top
    )
    issued = Issued(read_attesters(data, load()), KEYS, labs.NOW)
    return reply(target, KEYS, lambda: issued, labs.NOW)


def subjects(found: Reply) -> list[str]:
    """Return whom the tokens of an answer are about."""
    assert (found.status, found.content_type) == (200, "application/json")
    content = json.loads(found.body)
    assert content.keys() == {"results"}
    return [labs.payload(token)["sub"] for token in content["results"]]


class RoutesTest(unittest.TestCase):
    def test_all_or_some(self) -> None:
        odd = urllib.parse.urlencode({"attester": ODD})
        cases = (
            ("/results", ["a", "b", ODD]),
            ("/results?", ["a", "b", ODD]),
            ("/results?attester=b", ["b"]),
            ("/results?attester=b&attester=a&attester=b", ["b", "a"]),
            ("/results?attester=gone", []),
            ("/results?attester=gone&attester=a", ["a"]),
            (f"/results?{odd}", [ODD]),
        )
        for target, expected in cases:
            with self.subTest(target=target):
                self.assertEqual(expected, subjects(ask(target)))

    def test_one(self) -> None:
        for name in ("a", ODD):
            found = ask(f"/results/{urllib.parse.quote(name, safe='')}")
            self.assertEqual(200, found.status)
            self.assertEqual("application/eat+jwt", found.content_type)
            self.assertEqual(name, labs.payload(found.body.decode())["sub"])

    def test_keys(self) -> None:
        found = ask("/keys")
        self.assertEqual("application/jwk-set+json", found.content_type)
        self.assertEqual(KEYS.jwk_set(), json.loads(found.body))

    def test_what_is_not_there(self) -> None:
        for target in (
            "/",
            "",
            "*",
            "/keys/",
            "/results/",
            "/results/gone",
            "/results/a/b",
            "/results/a?x=1",
            "/resultsa",
            "/moved",
            "/moved/keys",
            "/moved/moved/results",
            "//results",
            "/%72esults",
            "https://127.0.0.1/results",
            "/results/%00",
            "/results/%ff",
        ):
            with self.subTest(target=target):
                found = ask(target)
                self.assertEqual(404, found.status)
                self.assertIn("error", json.loads(found.body))

    def test_queries_that_mean_nothing(self) -> None:
        for query in ("attester", "x=1", "attester=a&x=1", "a&b", "&"):
            with self.subTest(query=query):
                self.assertEqual(400, ask(f"/results?{query}").status)

    def test_the_file_is_not_looked_at_for_the_keys(self) -> None:
        def fail() -> Issued:
            raise AssertionError

        self.assertEqual(200, reply("/keys", KEYS, fail, labs.NOW).status)


class KnobsTest(unittest.TestCase):
    def test_who_is_silent_is_left_out_of_the_others(self) -> None:
        own = {"silent": True}
        found = ask("/results", own)
        self.assertEqual(["b", ODD], subjects(found))
        self.assertFalse(found.knobs.silent)
        self.assertEqual([], subjects(ask("/results?attester=a", own)))
        self.assertTrue(ask("/results/a", own).knobs.silent)
        self.assertFalse(ask("/results/b", own).knobs.silent)

    def test_a_silent_lab_answers_nobody_who_asks_for_results(self) -> None:
        for target in ("/results", "/results/a", "/results/gone"):
            self.assertTrue(ask(target, silent=True).knobs.silent, target)
        self.assertFalse(ask("/keys", silent=True).knobs.silent)
        own = {"silent": False}
        self.assertFalse(ask("/results/a", own, silent=True).knobs.silent)

    def test_an_answer_is_as_late_as_the_slowest_in_it(self) -> None:
        # target, of a, for all, expected
        cases: tuple[tuple[str, Any, int, float], ...] = (
            ("/results", {"slow_s": 3}, 0, 3.0),
            ("/results", {"slow_s": 3}, 5, 5.0),
            ("/results?attester=b", {"slow_s": 3}, 0, 0.0),
            ("/results?attester=a", {"slow_s": 1}, 5, 1.0),
            ("/results?attester=gone", {"slow_s": 3}, 5, 5.0),
            ("/results", {"slow_s": 3, "silent": True}, 0, 0.0),
            ("/results/a", {"slow_s": 3}, 0, 3.0),
            ("/results/b", {"slow_s": 3}, 0, 0.0),
            ("/results/b", {}, 5, 5.0),
            ("/keys", {}, 5, 0.0),
        )
        for target, own, for_all, expected in cases:
            with self.subTest(target=target, own=own, for_all=for_all):
                found = ask(target, own, slow_s=for_all)
                self.assertEqual(expected, found.knobs.slow_s)

    def test_faults_are_those_of_whom_is_asked(self) -> None:
        own = {"answers": "truncated"}
        self.assertIs(Fault.TRUNCATED, ask("/results/a", own).knobs.fault)
        self.assertIsNone(ask("/results", own).knobs.fault)
        self.assertIsNone(ask("/results/b", own).knobs.fault)
        found = ask("/results", answers={"status": 503})
        self.assertEqual(503, found.knobs.status)

    def test_who_follows_a_redirect_gets_what_was_asked_for(self) -> None:
        for path in ("/results", "/results?attester=a", "/results/a"):
            found = ask(path, answers="redirect")
            self.assertIs(Fault.REDIRECT, found.knobs.fault)
            moved = ask(f"/moved{path}", answers="redirect")
            self.assertIsNone(moved.knobs.fault)
            self.assertEqual(200, moved.status)
            self.assertEqual(found.content_type, moved.content_type)
        moved = ask("/moved/results", answers="endless")
        self.assertIs(Fault.ENDLESS, moved.knobs.fault)


if __name__ == "__main__":
    unittest.main()
