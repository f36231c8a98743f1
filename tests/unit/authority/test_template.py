# SPDX-License-Identifier: Apache-2.0
"""The template owns failure: nothing but its own error leaves a driver."""

from __future__ import annotations

import dataclasses
import math
import time
import unittest
from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.authority import template
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from tests.authorities.contract import MAX_SKEW_S
from tests.authorities.contract import inquiry
from tests.authorities.fake import FakeAuthority

NOW = 1_000_000.0
NAME = "authority-a"


def answer(**changes: Any) -> Collected:
    """Return an answer about one attester that is all well."""
    given: dict[str, Any] = {
        "results": {"a": Result(NAME, "a", {}, "1", NOW - 100)},
        "freshness": {"a": Freshness(NOW - 10, "1")},
        "complete": True,
        **changes,
    }
    return Collected(**given)


def timed(**changes: Any) -> Collected:
    """Return an answer whose times are other ones."""
    fine = answer()
    of_result = {"boot_attested_at": changes.pop("booted", NOW - 100)}
    return answer(
        results={"a": dataclasses.replace(fine.results["a"], **of_result)},
        freshness={"a": dataclasses.replace(fine.freshness["a"], **changes)},
    )


class FailureTest(unittest.TestCase):
    def setUp(self) -> None:
        self.fake = FakeAuthority.named(NAME)

    def fails(self, *steps: Any) -> AuthorityError:
        self.fake.script(*steps)
        with self.assertRaises(AuthorityError) as caught:
            self.fake.collect(inquiry(), NOW)
        error = caught.exception
        self.assertEqual(NAME, error.authority)
        self.assertTrue(str(error).isprintable())
        self.assertLessEqual(len(str(error)), LINE_MAX)
        return error

    def test_an_error_of_ours_stays_what_it_is(self) -> None:
        ours = AuthorityError(NAME, "is tired", "authority-tired")
        self.assertIs(ours, self.fails(ours))

    def test_a_failed_contact_keeps_its_code(self) -> None:
        for code in ContactCode:
            error = self.fails(ContactFailed(code, "host:1: went wrong"))
            self.assertEqual(code.value, error.code)
            self.assertEqual("host:1: went wrong", str(error))

    def test_all_else_is_a_fault_of_the_driver(self) -> None:
        for exc in (
            KeyError("x"),
            ValueError("a\nb" * 500),
            RecursionError(),
            MemoryError(),
            OSError(5, "Input/output error"),
            StopIteration(),
            TimeoutError(),
            TokenRefused(TokenCode.MALFORMED, "is none"),
        ):
            with self.subTest(exc):
                error = self.fails(exc)
                self.assertEqual("authority-failed", error.code)
                self.assertIn("the driver has a fault", str(error))
                self.assertIs(exc, error.__cause__)

    def test_whoever_ends_the_process_may_do_so(self) -> None:
        for exc in (KeyboardInterrupt(), SystemExit(3)):
            self.fake.script(exc)
            with self.assertRaises(type(exc)):
                self.fake.collect(inquiry(), NOW)

    def test_what_no_driver_may_answer(self) -> None:
        other = Result("authority-b", "a", {}, "1", NOW)
        misnamed = Result(NAME, "b", {}, "1", NOW)
        fresh = Freshness(NOW, "1")
        cases: dict[str, Callable[[], Any]] = {
            "None": lambda: None,
            "a mapping": lambda: {"a": other},
            "no results": lambda: answer(results=None),
            "no time": lambda: answer(freshness={}),
            "too many times": lambda: answer(
                freshness={"a": fresh, "b": fresh}
            ),
            "of another authority": lambda: answer(results={"a": other}),
            "of another attester": lambda: answer(results={"a": misnamed}),
            "something else": lambda: answer(results={"a": object()}),
            **{
                f"named {name!r:.9}": lambda name=name: answer(
                    results={name: Result(NAME, name, {}, None, NOW)},
                    freshness={name: fresh},
                )
                for name in ("", "a\nb", "x" * 256, 7, None)
            },
            **{
                f"{what} {time_}": lambda what=what, time_=time_: timed(
                    **{what: time_}
                )
                for what in ("at", "until", "booted")
                for time_ in (math.nan, -1.0, -math.inf, 2.0**60, "now", None)
            },
            "at forever": lambda: timed(at=FOREVER),
            "a skew that is none": lambda: answer(skew_s=math.nan),
            "a skew in words": lambda: answer(skew_s="much"),
        }
        for name, case in cases.items():
            with self.subTest(name):
                error = self.fails(lambda _asked, case=case: case())
                self.assertEqual("authority-failed", error.code)

    def test_more_results_than_there_can_be(self) -> None:
        many = {f"a{n}": None for n in range(template.RESULTS_MAX + 1)}
        error = self.fails(answer(results=many, freshness=many))
        self.assertIn("more than 100000 results", str(error))


class AnswerTest(unittest.TestCase):
    def collect(self, collected: Collected) -> Collected:
        fake = FakeAuthority.named(NAME)
        fake.script(collected)
        return fake.collect(inquiry(), NOW)

    def test_what_is_well_is_not_touched(self) -> None:
        for fine in (
            answer(),
            answer(results={}, freshness={}),
            answer(complete=False, problems=(Problem("a", "why"),)),
            answer(skew_s=-3.5),
            timed(at=NOW + MAX_SKEW_S),
            timed(at=0.0, booted=0.0, until=FOREVER),
            # what has run out still contradicts what it contradicts
            timed(until=NOW - 1),
        ):
            self.assertIs(fine, self.collect(fine))

    def test_what_is_ahead_is_left_out_and_named(self) -> None:
        ahead = NOW + MAX_SKEW_S + 5
        for wrong in (timed(at=ahead), timed(booted=ahead)):
            well = Result(NAME, "b", {}, None, NOW)
            fresh = Freshness(NOW, None)
            found = self.collect(
                dataclasses.replace(
                    wrong,
                    results={**wrong.results, "b": well},
                    freshness={**wrong.freshness, "b": fresh},
                    problems=(Problem("c", "said before"),),
                )
            )
            self.assertEqual({"b": well}, found.results)
            self.assertEqual({"b": fresh}, found.freshness)
            self.assertFalse(found.complete)
            self.assertEqual(
                [
                    "c: said before",
                    "a: results-ahead: its time is ahead of ours",
                ],
                list(map(str, found.problems)),
            )

    def test_the_time_that_the_answer_took_is_not_ahead(self) -> None:
        fake = FakeAuthority.named(NAME)
        fake.script(0.2, timed(at=NOW + MAX_SKEW_S + 0.1))
        self.assertEqual({"a"}, set(fake.collect(inquiry(), NOW).results))


class FakeTest(unittest.TestCase):
    """What other tests rely on."""

    def test_a_script_is_played_step_by_step(self) -> None:
        fake = FakeAuthority.named(NAME)
        fake.hold("a", NOW)
        fake.script(
            answer(results={}, freshness={}),
            0.05,
            ContactFailed(ContactCode.TIMED_OUT, "late"),
            lambda asked: fake.all(asked.attesters[:1]),
        )
        asked = inquiry("a", "b")
        self.assertEqual({}, fake.collect(asked, NOW).results)
        started = time.monotonic()
        with self.assertRaisesRegex(AuthorityError, "late"):
            fake.collect(asked, NOW)
        self.assertGreater(time.monotonic() - started, 0.04)
        self.assertEqual({"a"}, set(fake.collect(asked, NOW).results))
        self.assertEqual({"a"}, set(fake.collect(asked, NOW).results))
        self.assertEqual([asked] * 4, fake.inquiries)

    def test_it_holds_one_object_while_only_times_change(self) -> None:
        fake = FakeAuthority.named(NAME)
        fake.hold("a", NOW - 5)
        before = fake.collect(inquiry("a"), NOW)
        fake.hold("a", NOW)
        after = fake.collect(inquiry("a"), NOW)
        self.assertIs(before.results["a"], after.results["a"])
        self.assertEqual(NOW, after.freshness["a"].at)
