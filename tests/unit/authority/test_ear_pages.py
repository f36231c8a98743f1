# SPDX-License-Identifier: Apache-2.0
"""All tokens at once, or page by page: bounded, and from one server only."""

from __future__ import annotations

import dataclasses
import json
import time
import unittest
from typing import Any

from nfv_mla_scheduler.authority import fetch_pages
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import ContactCode
from tests.authorities.contract import inquiry
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import page
from tests.authorities.stage import EarStage


class PagesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.stage = EarStage(self)
        for name in "abc":
            self.stage.say(name)

    def tokens(self, names: str) -> list[str]:
        return [self.stage.tokens[name] for name in names]

    def serve(self, pages: dict[str, Any]) -> None:
        """Answer by the target of a request: a value in JSON, or bytes."""

        def answer(asked: Asked) -> Script:
            said = pages.get(asked.target)
            if said is None:
                return [page(status=500)]
            if not isinstance(said, bytes):
                said = json.dumps(said).encode()
            return [page(said)]

        self.stage.server.answer = answer

    def collect(self, *attesters: str, **options: Any) -> Collected:
        driver = self.stage.driver(**options)
        asked = inquiry(*(attesters or "abc"))
        return driver.collect(asked, time.time())

    def fails(self, code: ContactCode, **options: Any) -> str:
        with self.assertRaises(AuthorityError) as caught:
            self.collect(**options)
        self.assertEqual(code.value, caught.exception.code)
        message = str(caught.exception)
        self.assertIn(f"127.0.0.1:{self.stage.server.port}", message)
        return message

    def targets(self) -> list[str]:
        return [asked.target for asked in self.stage.server.asked]

    def test_one_page_may_be_all(self) -> None:
        for rest in ({}, {"next": None}):
            self.serve({"/results": {"results": self.tokens("abc"), **rest}})
            found = self.collect()
            self.assertEqual(set("abc"), set(found.results))
            self.assertTrue(found.complete)

    def test_nothing_is_an_answer(self) -> None:
        self.serve({"/results": {"results": []}})
        found = self.collect()
        self.assertEqual({}, found.results)
        self.assertTrue(found.complete)

    def test_each_page_leads_to_the_next(self) -> None:
        # each relative to the page in which it stands
        pages = {
            "/results": {"results": self.tokens("a"), "next": "/more/2?l=1"},
            "/more/2?l=1": {"results": self.tokens("b"), "next": "3"},
            "/more/3": {"results": self.tokens("c"), "next": "?end"},
            "/more/3?end": {"results": []},
        }
        self.serve(pages)
        found = self.collect()
        self.assertEqual(set("abc"), set(found.results))
        self.assertTrue(found.complete)
        self.assertEqual(list(pages), self.targets())
        self.assertEqual(1, self.stage.server.connections)

    def test_a_page_that_fails_fails_them_all(self) -> None:
        # otherwise those on it would look as if they were gone
        self.serve(
            {"/results": {"results": self.tokens("a"), "next": "/broken"}}
        )
        self.fails(ContactCode.BAD_STATUS)

    def test_no_page_is_of_another_server(self) -> None:
        for reference in (
            "https://elsewhere.example/",
            "//elsewhere.example/",
            f"http://127.0.0.1:{self.stage.server.port}/results",
            "/a b",
            "/\n",
            "/b#c",
            "file:///etc/passwd",
        ):
            with self.subTest(reference):
                self.stage.server.asked.clear()
                self.serve({"/results": {"results": [], "next": reference}})
                self.fails(ContactCode.BAD_ANSWER)
                self.assertEqual(["/results"], self.targets())

    def test_pages_do_not_lead_in_a_circle(self) -> None:
        self.serve(
            {
                "/results": {"results": [], "next": "/b"},
                "/b": {"results": [], "next": "/c"},
                "/c": {"results": [], "next": "/b"},
            }
        )
        self.assertIn("in a circle", self.fails(ContactCode.BAD_ANSWER))
        self.assertEqual(3, len(self.targets()))
        for itself in ("", "/results", "?", "results"):
            self.serve({"/results": {"results": [], "next": itself}})
            self.fails(ContactCode.BAD_ANSWER)

    def test_there_is_no_end_of_pages(self) -> None:
        def endless(asked: Asked) -> Script:
            number = int(asked.query or 0) + 1
            return [page(b'{"results": [], "next": "?%d"}' % number)]

        self.stage.server.answer = endless
        message = self.fails(ContactCode.TOO_LARGE)
        self.assertIn("more than 1000 pages", message)
        self.assertEqual(fetch_pages.PAGES_MAX, len(self.targets()))

    def test_pages_are_bounded_together(self) -> None:
        def endless(asked: Asked) -> Script:
            number = int(asked.query or 0) + 1
            body = b'{"results": [], "next": "?%d"}' % number
            return [page(body + b" " * 4000)]

        self.stage.server.answer = endless
        message = self.fails(ContactCode.TOO_LARGE, max_bytes=20_000)
        self.assertIn("longer than 20000 bytes", message)
        self.assertEqual(5, len(self.targets()))

    def test_pages_take_no_longer_than_they_may_together(self) -> None:
        def slow(asked: Asked) -> Script:
            number = int(asked.query or 0) + 1
            return [0.1, page(b'{"results": [], "next": "?%d"}' % number)]

        self.stage.server.answer = slow
        started = time.monotonic()
        self.fails(
            ContactCode.TIMED_OUT, timeout_s=0.5, collection_timeout_s=0.5
        )
        self.assertLess(time.monotonic() - started, 2)

    def test_there_are_no_more_results_than_there_can_be(self) -> None:
        many = json.dumps({"results": [""] * 100_001}).encode()
        self.serve({"/results": many})
        message = self.fails(ContactCode.TOO_LARGE, max_bytes=2**20)
        self.assertIn("more than 100000 results", message)

    def test_what_is_no_page(self) -> None:
        cases: dict[str, Any] = {
            "no JSON": b"<h1>",
            "nothing": b"",
            "half of it": b'{"results": [',
            "two of it": b'{"results": []}{"results": []}',
            "not UTF-8": b'{"results": ["\xff"]}',
            "an array": [],
            "a token": "x.y.z",
            "no results": {"next": "/b"},
            "results that are none": {"results": {"a": "x.y.z"}},
            "a key that is not known": {"results": [], "nextpage": "/b"},
            "a key twice": b'{"results": [], "results": []}',
            "a next that is none": {"results": [], "next": 2},
            "too deep": b'{"results": ' + b"[" * 99 + b"]" * 99 + b"}",
        }
        for name, said in cases.items():
            with self.subTest(name):
                self.serve({"/results": said})
                self.fails(ContactCode.BAD_ANSWER)

    def test_what_is_no_token_costs_no_other(self) -> None:
        for wrong in (
            7,
            None,
            True,
            {"a": 1},
            ["x"],
            "",
            "x.y.z",
            "é",
            "\ud800",
        ):
            with self.subTest(wrong):
                results = [*self.tokens("a"), wrong, *self.tokens("bc")]
                self.serve({"/results": {"results": results}})
                found = self.collect()
                self.assertEqual(set("abc"), set(found.results))
                self.assertFalse(found.complete)
                self.assertEqual(1, len(found.problems))
                self.assertIn("token-malformed", str(found.problems[0]))


class TargetedTest(unittest.TestCase):
    def setUp(self) -> None:
        self.stage = EarStage(self)
        for name in "abc":
            self.stage.say(name)

    def targets(self) -> list[str]:
        return [asked.target for asked in self.stage.server.asked]

    def ask(self, *names: str, **options: Any) -> Collected:
        driver = self.stage.driver(**options)
        return driver.collect(inquiry(*names, targeted=True), time.time())

    def test_the_query_says_who_is_meant(self) -> None:
        self.ask("a", "b/?&=#", "ß")
        self.assertEqual(
            "/results?attester=a&attester=b%2F%3F%26%3D%23&attester=%C3%9F",
            self.targets()[-1],
        )

    def test_a_query_of_the_url_stays(self) -> None:
        self.ask("a", url=f"{self.stage.server.url}/results?site=ber")
        self.assertEqual("/results?site=ber&attester=a", self.targets()[-1])

    def test_of_too_many_all_are_asked_for(self) -> None:
        self.ask(*(f"attester-{n}" for n in range(500)))
        self.assertEqual("/results", self.targets()[-1])

    def test_nobody_in_particular_is_everybody(self) -> None:
        nobody = dataclasses.replace(inquiry("a", targeted=True), attesters=())
        found = self.stage.driver().collect(nobody, time.time())
        self.assertEqual("/results", self.targets()[-1])
        self.assertEqual(set("abc"), set(found.results))

    def test_an_authority_that_does_not_know_the_query(self) -> None:
        found = self.ask("a")
        self.assertEqual(set("abc"), set(found.results))
        self.assertTrue(found.complete)
