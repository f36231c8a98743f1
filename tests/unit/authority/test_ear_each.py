# SPDX-License-Identifier: Apache-2.0
"""Tokens one by one: one that fails costs no other, and not all the time."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
import unittest
from collections.abc import Callable
from typing import Any
from typing import ClassVar

from nfv_mla_scheduler.authority import fetch_each
from nfv_mla_scheduler.authority.fetch_each import filled
from nfv_mla_scheduler.authority.fetched import hang_up
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import SettingsError
from tests.authorities.contract import inquiry
from tests.authorities.servers import Asked
from tests.authorities.servers import End
from tests.authorities.servers import Script
from tests.authorities.servers import page
from tests.authorities.stage import EarEachStage

MANY = tuple(f"host-{number:03}" for number in range(60))


class EachTest(unittest.TestCase):
    def setUp(self) -> None:
        self.stage = EarEachStage(self)
        self.token = self.stage.signer.token

    def say(self, *names: str) -> None:
        for name in names:
            self.stage.say(name)

    def but(self, answers: dict[str, Callable[[], Script]]) -> None:
        """Answer for these attesters otherwise."""

        def answer(asked: Asked) -> Script:
            name = asked.path.removeprefix("/results/")
            if name in answers:
                return answers[name]()
            return self.stage.answer(asked)

        self.stage.server.answer = answer

    def collect(self, *names: str, **options: Any) -> Collected:
        self.driver = self.stage.driver(**options)
        return self.driver.collect(inquiry(*names), time.time())

    def asked(self) -> list[str]:
        return [
            asked.path.removeprefix("/results/")
            for asked in self.stage.server.asked
        ]


class OneFailsTest(EachTest):
    def test_it_is_named_and_costs_no_other(self) -> None:
        cases: dict[str, tuple[Script, str]] = {
            "500": ([page(status=500)], "contact-bad-status"),
            "403": ([page(status=403)], "contact-forbidden"),
            "a redirect": ([page(status=302)], "contact-redirected"),
            "HTML": ([page(b"x", "text/html")], "contact-bad-content-type"),
            "JSON": ([page(b"{}")], "contact-bad-content-type"),
            "no answer": ([End.RESET], "contact-interrupted"),
            "silence": ([9.0], "contact-timed-out"),
            "too much": (
                [page(b"x" * 200_000, "application/jwt")],
                "contact-too-large",
            ),
            "no token": ([page(b"x", "application/jwt")], "token-malformed"),
            "nothing": ([page(b"", "application/jwt")], "token-malformed"),
        }
        self.say("a", "b", "c", "d")
        for name, (script, code) in cases.items():
            with self.subTest(name):
                self.but({"b": lambda script=script: script})
                short = {"timeout_s": 0.5} if code.endswith("out") else {}
                found = self.collect("a", "b", "c", "d", **short)
                self.assertEqual({"a", "c", "d"}, set(found.results))
                self.assertFalse(found.complete)
                (problem,) = found.problems
                self.assertEqual("b", problem.path)
                self.assertIn(f"{code}: ", problem.message)

    def test_a_token_about_another_is_not_taken(self) -> None:
        self.say("a", "b")
        self.stage.tokens["a"] = self.stage.tokens["b"]
        found = self.collect("a", "b")
        self.assertEqual({"b"}, set(found.results))
        self.assertIn("token-other-attester", str(found.problems[0]))

    def test_media_types_and_line_breaks_that_are_taken(self) -> None:
        for kind in (
            "application/eat+jwt",
            'application/eat+jwt; eat_profile="tag:x"',
            "application/jwt",
            "APPLICATION/JWT",
        ):
            body = self.token("a", time.time()).encode() + b"\r\n"
            self.but({"a": lambda body=body, kind=kind: [page(body, kind)]})
            self.assertEqual({"a"}, set(self.collect("a").results))
        accept = self.stage.server.asked[0].headers["accept"]
        self.assertEqual("application/eat+jwt, application/jwt", accept)

    def test_an_absence_is_no_problem(self) -> None:
        self.say("a")
        found = self.collect("a", "b")
        self.assertEqual({"a"}, set(found.results))
        self.assertTrue(found.complete)
        self.assertEqual((), found.problems)

    def test_one_may_be_absent_alone(self) -> None:
        found = self.collect("a")
        self.assertEqual({}, found.results)
        self.assertTrue(found.complete)

    def test_that_all_are_absent_is_rather_the_wrong_url(self) -> None:
        with self.assertRaisesRegex(
            AuthorityError,
            "has none of 3 attesters .404.; see whether the url",
        ) as caught:
            self.collect("a", "b", "c")
        self.assertEqual("contact-bad-status", caught.exception.code)

    def test_whoever_asks_for_nobody_asks_nothing(self) -> None:
        driver = self.stage.driver()
        nobody = dataclasses.replace(inquiry("a"), attesters=())
        found = driver.collect(nobody, time.time())
        self.assertTrue(found.complete)
        self.assertEqual([], self.stage.server.asked)


class AllFailTest(EachTest):
    def test_the_first_failure_is_told_with_their_number(self) -> None:
        self.stage.server.answer = lambda _asked: [page(status=500)]
        with self.assertRaises(AuthorityError) as caught:
            self.collect("a", "b", "c")
        self.assertEqual("contact-bad-status", caught.exception.code)
        self.assertRegex(
            str(caught.exception),
            "^none of 3 answers: 127.0.0.1:[0-9]+: answered with status 500$",
        )

    def test_a_server_that_is_silent_is_not_asked_about_everybody(
        self,
    ) -> None:
        self.stage.server.answer = lambda _asked: [9.0]
        with self.assertRaises(AuthorityError):
            self.collect(*MANY, connections=8, timeout_s=0.2)
        self.assertLessEqual(
            len(self.asked()), fetch_each.FAILURES_IN_A_ROW + 8
        )

    def test_one_that_is_down_is_found_out_soon(self) -> None:
        self.stage.server.stop()
        started = time.monotonic()
        with self.assertRaises(AuthorityError) as caught:
            self.collect(*(f"host-{number}" for number in range(5000)))
        self.assertEqual("contact-unreachable", caught.exception.code)
        self.assertLess(time.monotonic() - started, 2)


class RestTest(EachTest):
    SHORT: ClassVar[dict[str, Any]] = {"timeout_s": 0.2, "connections": 8}

    def failing_from(self, first: int) -> None:
        self.but({name: lambda: [9.0] for name in MANY[first:]})

    def test_errors_about_some_are_no_row_however_many(self) -> None:
        # whoever owns many hosts must not keep others from being asked for
        bad = MANY[5:45]
        for status in (500, 403, 302):
            self.say(*MANY)
            self.but({name: lambda s=status: [page(status=s)] for name in bad})
            found = self.collect(*MANY)
            self.assertEqual(set(MANY) - set(bad), set(found.results))
            self.assertEqual(len(bad), len(found.problems))

    def test_a_targeted_question_leaves_the_turns_alone(self) -> None:
        names = MANY[:12]
        self.say(*names)
        good = self.stage.answer
        self.stage.server.answer = lambda asked: [0.1, *good(asked)]
        driver = self.stage.driver(
            connections=1, timeout_s=0.45, collection_timeout_s=0.45
        )
        found: set[str] = set()
        for _ in range(8):
            found |= set(driver.collect(inquiry(*names), time.time()).results)
            one = driver.collect(inquiry(names[0], targeted=True), time.time())
            self.assertEqual({names[0]}, set(one.results))
        self.assertEqual(set(names), found)

    def test_when_the_room_is_spent_the_rest_comes_next(self) -> None:
        self.say(*MANY)
        length = len(self.stage.tokens[MANY[0]])
        driver = self.stage.driver(max_bytes=length * 22, connections=2)
        found: set[str] = set()
        # three rounds have room for all, less what two threads take at once
        rounds = 4
        for _ in range(rounds):
            some = driver.collect(inquiry(*MANY), time.time())
            self.assertFalse(some.complete)
            found |= set(some.results)
        self.assertEqual(set(MANY), found)
        # and nobody is asked for of whom nothing can be taken
        self.assertLessEqual(len(self.asked()), rounds * (22 + 2))

    def test_one_that_is_slow_takes_no_turn_from_the_others(self) -> None:
        names = MANY[:30]
        self.say(*names)
        good = self.stage.answer
        slow = names[2]

        def answer(asked: Asked) -> Script:
            late = asked.path.endswith(slow)
            return [0.5 if late else 0.0, *good(asked)]

        self.stage.server.answer = answer
        length = len(self.stage.tokens[names[0]])
        for limits in (
            # there is no room left when it answers; nor any time
            {"max_bytes": length * 11, "connections": 2},
            {"timeout_s": 0.4, "collection_timeout_s": 0.4, "connections": 1},
        ):
            driver = self.stage.driver(**limits)
            found: set[str] = set()
            for _ in range(6):
                with contextlib.suppress(AuthorityError):
                    some = driver.collect(inquiry(*names), time.time())
                    found |= set(some.results)
            self.assertLessEqual(set(names) - {slow}, found)

    def test_after_a_row_of_failures_the_rest_is_left(self) -> None:
        self.say(*MANY)
        self.failing_from(10)
        found = self.collect(*MANY, **self.SHORT)
        self.assertEqual(set(MANY[:10]), set(found.results))
        self.assertFalse(found.complete)
        self.assertLess(len(self.asked()), 50)
        self.assertRegex(
            str(found.problems[-1]),
            "host-0[0-9]+: contact-timed-out: not asked for, as one of "
            "[0-9]+: (1[6-9]|2[0-3]) failures in a row",
        )

    def test_single_failures_are_no_row(self) -> None:
        self.say(*MANY)
        self.but({name: lambda: [page(status=500)] for name in MANY[::2]})
        found = self.collect(*MANY)
        self.assertEqual(set(MANY[1::2]), set(found.results))
        self.assertEqual(len(MANY), len(self.asked()))
        self.assertEqual(list(MANY[::2]), [p.path for p in found.problems])

    def test_of_many_problems_the_first_are_told(self) -> None:
        names = [f"host-{number:03}" for number in range(240)]
        self.say(*names)
        self.but({name: lambda: [page(status=500)] for name in names[::2]})
        found = self.collect(*names)
        self.assertEqual(101, len(found.problems))
        self.assertIn("and 20 more were not taken", str(found.problems[-1]))

    def test_the_next_collection_begins_with_the_rest(self) -> None:
        self.say(*MANY)
        self.failing_from(10)
        self.collect(*MANY, **self.SHORT)
        asked = len(self.asked())
        self.stage.server.answer = self.stage.answer
        found = self.driver.collect(inquiry(*MANY), time.time())
        self.assertEqual(set(MANY), set(found.results))
        self.assertTrue(found.complete)
        first = self.asked()[asked : asked + 10]
        self.assertLessEqual(set(first), set(MANY[asked:]))

    def test_it_takes_no_longer_than_it_may(self) -> None:
        self.say(*MANY)
        good = self.stage.answer
        self.stage.server.answer = lambda asked: [0.03, *good(asked)]
        started = time.monotonic()
        found = self.collect(*MANY, timeout_s=0.3, collection_timeout_s=0.3)
        self.assertLess(time.monotonic() - started, 1.5)
        self.assertGreater(len(found.results), 2)
        self.assertLess(len(found.results), 30)
        self.assertFalse(found.complete)
        self.assertIn("no time left", str(found.problems[-1]))
        # in the end everybody has had a turn
        names = set(found.results)
        for _ in range(20):
            if names == set(MANY):
                break
            found = self.driver.collect(inquiry(*MANY), time.time())
            names |= set(found.results)
        self.assertEqual(set(MANY), names)

    def test_whoever_was_cut_short_comes_first_the_next_time(self) -> None:
        self.say("a", "b", "c")
        good = self.stage.answer
        self.stage.server.answer = lambda asked: [0.4, *good(asked)]
        found = self.collect(
            "a",
            "b",
            "c",
            connections=1,
            timeout_s=0.6,
            collection_timeout_s=0.6,
        )
        self.assertEqual({"a"}, set(found.results))
        (problem,) = found.problems
        self.assertEqual("b", problem.path)
        self.assertIn("not asked for, as one of 2", problem.message)
        self.stage.server.answer = good
        self.driver.collect(inquiry("a", "b", "c"), time.time())
        self.assertEqual(["a", "b", "b", "c", "a"], self.asked())

    def test_it_reads_no_more_than_it_may(self) -> None:
        self.say(*MANY)
        length = len(self.stage.tokens[MANY[0]])
        found = self.collect(*MANY, max_bytes=length * 20)
        self.assertEqual(20, len(found.results))
        self.assertFalse(found.complete)
        self.assertIn("see max_bytes", str(found.problems[0]))

    def test_what_is_issued_meanwhile_is_not_of_the_future(self) -> None:
        # as long as the collection lasts, the authority's time goes on
        good = self.stage.answer

        def fresh(asked: Asked) -> Script:
            name = asked.path.removeprefix("/results/")
            self.stage.tokens[name] = self.token(name, time.time() + 60)
            return [0.2, *good(asked)]

        self.stage.server.answer = fresh
        names = [f"host-{number}" for number in range(8)]
        found = self.collect(*names, connections=1)
        self.assertEqual(set(names), set(found.results))


class ConnectionsTest(EachTest):
    def test_no_more_are_asked_for_at_once_than_may_be(self) -> None:
        self.say(*MANY[:12])
        good = self.stage.answer
        lock = threading.Lock()
        now, most = 0, 0

        def answer(asked: Asked) -> Script:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            yield 0.03
            with lock:
                now -= 1
            yield from good(asked)

        self.stage.server.answer = answer
        for connections in (1, 3):
            most = 0
            self.collect(*MANY[:12], connections=connections)
            self.assertEqual(connections, most)

    def test_there_are_no_more_threads_than_attesters(self) -> None:
        self.say("a", "b")
        self.collect("a", "b", connections=64)
        self.assertLessEqual(self.stage.server.connections, 2)

    def test_closing_leaves_the_rest_alone(self) -> None:
        self.say(*MANY)
        good = self.stage.answer
        self.stage.server.answer = lambda asked: [0.05, *good(asked)]
        driver = self.stage.driver()
        timer = threading.Timer(0.2, driver.close)
        timer.start()
        self.addCleanup(timer.join)
        found = driver.collect(inquiry(*MANY), time.time())
        self.assertLess(len(self.asked()), 20)
        self.assertFalse(found.complete)
        self.assertIn("told to stop", str(found.problems[-1]))

    def test_a_fault_of_ours_is_no_fault_of_the_server(self) -> None:
        self.say(*MANY)
        driver = self.stage.driver()

        def broken(*_args: object, **_more: object) -> None:
            raise ZeroDivisionError("ours")

        for client in driver._fetch._clients:  # type: ignore[attr-defined]
            client.get = broken
        with self.assertRaisesRegex(AuthorityError, "has a fault: ours"):
            driver.collect(inquiry(*MANY), time.time())


class HangUpTest(unittest.TestCase):
    def test_an_exchange_that_begins_meanwhile_is_ended_too(self) -> None:
        idle = threading.Event()
        closed = []

        class Late:
            def close(self) -> None:
                closed.append(self)
                if len(closed) == 3:
                    idle.set()

        hang_up([Late()], idle)  # type: ignore[list-item]
        self.assertEqual(3, len(closed))
        hang_up([Late()], idle)  # type: ignore[list-item]
        self.assertEqual(4, len(closed))

    def test_one_that_does_not_end_is_not_waited_for(self) -> None:
        started = time.monotonic()
        hang_up([], threading.Event())
        self.assertLess(time.monotonic() - started, 2)


class UrlTest(unittest.TestCase):
    def test_a_name_is_encoded_whatever_it_is(self) -> None:
        for name, encoded in (
            ("ber-1.example_x~", "ber-1.example_x~"),
            ("a/b", "a%2Fb"),
            ("a b?c#d%e&f=g+h", "a%20b%3Fc%23d%25e%26f%3Dg%2Bh"),
            ("é", "%C3%A9"),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("...", "%2E%2E%2E"),
            ("{attester}", "%7Battester%7D"),
        ):
            self.assertEqual(
                f"https://h/{encoded}/x",
                filled("https://h/{attester}/x", name),
            )

    def test_where_it_may_stand(self) -> None:
        stage = EarEachStage(self)
        base = stage.server.url
        stage.say("a/b")
        good = stage.answer
        stage.server.answer = lambda asked: good(
            Asked("GET", "/results/a%2Fb", {}, b"")
        )
        for path, target in (
            ("/{attester}", "/a%2Fb"),
            ("/x/{attester}.jwt?y=z", "/x/a%2Fb.jwt?y=z"),
            ("?id={attester}", "/?id=a%2Fb"),
        ):
            driver = stage.driver(url=f"{base}{path}")
            found = driver.collect(inquiry("a/b"), time.time())
            self.assertEqual({"a/b"}, set(found.results))
            self.assertEqual(target, stage.server.asked[-1].target)

    def test_where_it_may_not_stand(self) -> None:
        stage = EarEachStage(self)
        for url in (
            "https://{attester}/",
            "https://{attester}.example/",
            "https://h:{attester}/",
            "https://h/{attester}/{attester}",
            "https://h/#{attester}",
            "https://{attester}@h/",
            "{attester}",
        ):
            with (
                self.subTest(url),
                self.assertRaisesRegex(SettingsError, "^url: "),
            ):
                stage.driver(url=url)
