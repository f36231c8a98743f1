# SPDX-License-Identifier: Apache-2.0
"""Answers of an authority become results, and what is known is not reread."""

from __future__ import annotations

import dataclasses
import itertools
import unittest
from collections.abc import Iterator
from typing import Any
from unittest import mock

from nfv_mla_scheduler.authority import ear_mapping
from nfv_mla_scheduler.authority.ear_problems import NOTES_MAX
from nfv_mla_scheduler.authority.ear_problems import PROBLEMS_MAX
from nfv_mla_scheduler.authority.ear_reader import EarReader
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.authority.ear.reading import KEYS
from tests.unit.authority.ear.reading import TPM
from tests.unit.authority.ear.reading import about
from tests.unit.authority.ear.reading import answer
from tests.unit.authority.ear.reading import inquiry
from tests.unit.authority.ear.reading import reader
from tests.unit.authority.ear.reading import signed
from tests.vectors.ear_making import NOW
from tests.vectors.ear_making import dotted
from tests.vectors.ear_making import submod
from tests.vectors.ear_making import token

IAT = NOW - 10
EXP = NOW + 290
SILENT = {"status": "none", "grade": "boot"}


def said(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{p.path}: {p.message}" for p in problems]


class Verified:
    """Counts the signatures that were verified."""

    def __init__(self) -> None:
        self.count = 0

    def keys(self) -> Any:
        return {kid: self._counted(key) for kid, key in KEYS.items()}

    def _counted(self, key: Any) -> Any:
        def verifies(message: bytes, signature: bytes) -> bool:
            self.count += 1
            return bool(key.verifies(message, signature))

        return dataclasses.replace(key, verifies=verifies)


class AnswerTest(unittest.TestCase):
    def test_a_token_becomes_a_result_and_its_times(self) -> None:
        found = answer(
            reader(), [about("ber-1", bootcount=3, nfv_mla={"tpm": TPM})]
        )
        result = found.results["ber-1"]
        self.assertEqual(
            ("acme", "ber-1"), (result.authority, result.attester)
        )
        self.assertEqual("count=3", result.boot)
        self.assertFalse(result.faulty)
        self.assertEqual({"attestation", "tpm"}, set(result.claims))
        self.assertIs(Grade.RUN_TIME, result.claims["attestation"].grade)
        self.assertEqual(
            {"ber-1": Freshness(IAT, "count=3", EXP)}, found.freshness
        )
        self.assertTrue(found.complete)
        self.assertEqual((), found.problems)
        self.assertIsNone(found.skew_s)

    def test_a_boot_is_attested_at_a_whole_ten_minutes(self) -> None:
        for iat, expected in (
            (1200, 1200),
            (1201, 1200),
            (1799, 1200),
            (1800, 1800),
        ):
            found = answer(reader(), [about("a", iat=iat, exp=...)], 2000)
            self.assertEqual(expected, found.results["a"].boot_attested_at)
            self.assertEqual(iat, found.freshness["a"].at)
            self.assertEqual(FOREVER, found.freshness["a"].until)

    def test_nothing_gives_nothing(self) -> None:
        found = answer(reader(), [])
        rules = found.rules
        self.assertTrue(rules)
        self.assertEqual(Collected({}, {}, True, rules=rules), found)

    def test_one_token_at_fault_costs_no_other(self) -> None:
        tokens = [
            about("ber-1"),
            b"rubbish",
            about("ber-2", submods={}),
            about("ber-3"),
        ]
        found = answer(reader(), tokens)
        self.assertEqual({"ber-1", "ber-3"}, set(found.results))
        self.assertFalse(found.complete)
        self.assertEqual(
            ["token 2", "ber-2"], [p.path for p in found.problems]
        )
        self.assertIn("token-malformed: ", found.problems[0].message)
        self.assertIn("token-no-submods: ", found.problems[1].message)

    def test_who_is_named_without_a_good_signature_is_not_named(self) -> None:
        good = about("ber-1")
        bad = good[:-8] + b"AAAAAAAA"
        found = answer(reader(), [bad])
        self.assertEqual(["token 1"], [p.path for p in found.problems])
        self.assertIn("token-wrong-signature", found.problems[0].message)

    def test_an_answer_that_is_not_complete_stays_so(self) -> None:
        self.assertFalse(
            answer(reader(), [about("a")], complete=False).complete
        )

    def test_a_fault_of_the_reader_itself_refuses_one_token(self) -> None:
        one = reader()
        fault = mock.patch(
            "nfv_mla_scheduler.authority.ear_submods.read_submods",
            side_effect=KeyError("x"),
        )
        with fault:
            found = answer(one, [about("a")])
        self.assertEqual({}, found.results)
        self.assertFalse(found.complete)
        self.assertIn("KeyError in the reader", said(found.problems)[0])

    def test_problems_are_bounded(self) -> None:
        tokens = [b"rubbish %d" % n for n in range(1000)]
        found = answer(reader(), [*tokens, about("a\n" * 100)])
        self.assertEqual(PROBLEMS_MAX + 1, len(found.problems))
        self.assertEqual(
            "tokens: and 901 more tokens were refused",
            said(found.problems)[-1],
        )
        for problem in found.problems:
            self.assertLessEqual(len(str(problem)), LINE_MAX)
            self.assertTrue(str(problem).isprintable())

    def test_what_is_left_out_is_said_once_for_all(self) -> None:
        tokens = [
            about(f"ber-{n}", nfv_mla={"flux": 1, f"x{n}": 1})
            for n in range(NOTES_MAX + 10)
        ]
        found = answer(reader(), tokens)
        self.assertTrue(found.complete)
        self.assertEqual(NOTES_MAX + 1, len(found.notes))
        self.assertIn(
            "'flux' is no capability of the catalogue; left out; also of 29",
            said(found.notes)[0],
        )
        self.assertIn("more is left out", said(found.notes)[-1])

    def test_regions_that_the_table_names_in_vain_are_said(self) -> None:
        table = (
            "location: {grade: boot, regions: {jurisdiction: {ATL: "
            "[{latitude: 1, longitude: 1, radius_km: 1}]}}}"
        )
        mapping = ear_mapping.read_mapping(table.encode(), load())
        found = answer(reader(mapping=mapping), [about("a")])
        self.assertTrue(found.complete)
        (problem,) = said(found.notes)
        self.assertIn(
            "mapping: the mapping table has circles for ATL", problem
        )

    def test_issuer_identity_and_audience_are_asked_for(self) -> None:
        one = reader(issuer="i", identity="ueid", audience="us")
        good = signed(iss="i", ueid="u", aud="us")
        self.assertEqual({"u"}, set(answer(one, [good]).results))
        for more, code in (
            ({"iss": "j"}, "token-wrong-issuer"),
            ({"ueid": 1}, "token-no-attester"),
            ({"aud": "them"}, "token-wrong-audience"),
        ):
            bad = signed(**{"iss": "i", "ueid": "u", "aud": "us", **more})
            self.assertIn(code, said(answer(one, [bad]).problems)[0])


class KnownTest(unittest.TestCase):
    def setUp(self) -> None:
        self.verified = Verified()
        self.reader = EarReader("acme", self.verified.keys(), load())

    def read(self, tokens: list[bytes], now: float = NOW, **more: Any) -> Any:
        self.verified.count = 0
        copies = [bytes(bytearray(one)) for one in tokens]
        return answer(self.reader, copies, now, **more)

    def test_a_token_is_verified_once(self) -> None:
        tokens = [about(f"ber-{n}") for n in range(5)]
        first = self.read(tokens)
        self.assertEqual(5, self.verified.count)
        second = self.read(tokens)
        self.assertEqual(0, self.verified.count)
        for name, result in first.results.items():
            self.assertIs(result, second.results[name])
            self.assertIs(first.freshness[name], second.freshness[name])

    def test_a_newer_token_that_says_the_same_gives_the_same_result(
        self,
    ) -> None:
        first = self.read([about("a", iat=IAT - IAT % 600)])
        second = self.read([about("a", iat=IAT - IAT % 600 + 5)])
        self.assertIs(first.results["a"], second.results["a"])
        self.assertIsNot(first.freshness["a"], second.freshness["a"])

    def test_what_changes_is_another_result(self) -> None:
        start = IAT - IAT % 600
        first = self.read([about("a", iat=start, bootcount=1)])
        for claims in (
            {"iat": start - 1, "bootcount": 1},
            {"iat": start, "bootcount": 2},
            {"iat": start, "bootcount": 1, "nfv_mla": {"tpm": TPM}},
        ):
            second = self.read([about("a", **claims)])
            self.assertIsNot(first.results["a"], second.results["a"])
            first = self.read([about("a", iat=start, bootcount=1)])

    def test_equal_claims_are_one_object(self) -> None:
        other = {
            "values": ["hardware"],
            "grade": "boot",
            "status": "affirming",
        }
        found = self.read(
            [
                about("a", nfv_mla={"tpm": TPM}),
                about("b", nfv_mla={"tpm": TPM}),
                about("c", nfv_mla={"tpm": other}),
                about("d", submods={"x": submod(nfv_mla={"tpm": TPM})}),
                about("e"),
            ]
        )
        sets = {name: one.claims for name, one in found.results.items()}
        for name in "bcd":
            self.assertIs(sets["a"], sets[name])
        self.assertIsNot(sets["a"], sets["e"])
        with self.assertRaises(TypeError):
            sets["a"]["tpm"] = None

    def test_equal_claims_stay_one_object_when_others_are_let_go(self) -> None:
        other = dict(reversed(TPM.items()))
        names = [n for n in load().capabilities if n != "location"]
        many = [
            about(
                str(number),
                nfv_mla={
                    name: SILENT
                    for bit, name in enumerate(names)
                    if number >> bit & 1
                },
            )
            for number in range(200)
        ]
        self.read([about("a", nfv_mla={"tpm": TPM})])
        for _ in range(2):
            self.read(many)
            self.read(many[:1])
        found = self.read(
            [
                about("b", nfv_mla={"tpm": other}),
                about("c", nfv_mla={"tpm": TPM}),
            ]
        )
        self.assertIs(found.results["b"].claims, found.results["c"].claims)

    def test_its_end_is_compared_with_the_clock_each_time(self) -> None:
        tokens = [about("a", exp=NOW + 5), about("b")]
        self.assertEqual({"a", "b"}, set(self.read(tokens).results))
        found = self.read(tokens, NOW + 5)
        self.assertEqual(0, self.verified.count)
        self.assertEqual({"b"}, set(found.results))
        self.assertFalse(found.complete)
        self.assertIn("a: token-expired: ", said(found.problems)[0])
        # and counts again, should the clock have been wrong
        self.assertEqual({"a", "b"}, set(self.read(tokens).results))

    def test_its_beginning_is_compared_with_the_clock_each_time(self) -> None:
        for tokens in ([about("a", iat=NOW)], [about("a", nbf=NOW)]):
            self.assertIn("a", self.read(tokens).results)
            found = self.read(tokens, NOW - 61)
            self.assertEqual({}, found.results)
            self.assertIn("a: token-ahead: ", said(found.problems)[0])

    def test_other_skew_is_minded(self) -> None:
        tokens = [about("a", iat=NOW + 50)]
        strict = inquiry(max_skew_s=10)
        for _ in range(2):
            self.assertFalse(self.read(tokens, asked=strict).results)
            self.assertTrue(self.read(tokens).results)

    def test_where_a_host_was_is_compared_with_the_time_of_each_token(
        self,
    ) -> None:
        table = (
            "location: {grade: boot, max_age_s: 5, regions: {jurisdiction: "
            "{DE: [{latitude: 51, longitude: 10, radius_km: 400}]}}}"
        )
        mapping = ear_mapping.read_mapping(table.encode(), load())
        place = {"latitude": 51, "longitude": 10, "accuracy": 1}
        for of_token in (True, False):
            one = reader(mapping=mapping)
            for iat, known in ((IAT, True), (IAT, True), (IAT + 6, False)):
                there = {"location": dict(place, timestamp=IAT)}
                claims = (
                    there if of_token else {"submods": {"x": submod(**there)}}
                )
                data = about("a", iat=iat, jti=str(iat), **claims)
                result = answer(one, [data]).results["a"]
                self.assertIs(known, "location" in result.claims)

    def test_other_regions_mean_reading_anew(self) -> None:
        place = {
            "status": "affirming",
            "grade": "boot",
            "values": {"jurisdiction": ["DE"]},
        }
        tokens = [about("a", nfv_mla={"location": place}), about("b")]
        first = self.read(tokens)
        self.assertEqual({"a", "b"}, set(first.results))
        same = {Axis.JURISDICTION: Regions({"DE": None})}
        second = self.read(tokens, asked=inquiry(regions=same))
        self.assertEqual(2, self.verified.count)
        self.assertIs(first.results["a"], second.results["a"])
        others = inquiry(regions={Axis.JURISDICTION: Regions({"FR": None})})
        third = self.read(tokens, asked=others)
        self.assertEqual({"b"}, set(third.results))
        self.assertIn("a: token-bad-claim", said(third.problems)[0])

    def test_memory_is_what_the_last_full_answer_held(self) -> None:
        many = [about(f"ber-{n}", jti=str(n)) for n in range(50)]
        self.read(many)
        self.read(many[:2])
        self.read(many)
        self.assertEqual(48, self.verified.count)

    def test_what_was_refused_is_not_remembered(self) -> None:
        bad = [about("a", submods={})]
        self.read(bad)
        self.read(bad)
        self.assertEqual(1, self.verified.count)

    def test_a_targeted_answer_keeps_the_others(self) -> None:
        old = [about(f"ber-{n}", iat=IAT) for n in range(4)]
        first = self.read(old)
        new = [about("ber-1", iat=IAT + 1), about("stranger")]
        asked = inquiry("ber-1", targeted=True)
        second = self.read(new, asked=asked)
        self.assertEqual({"ber-1", "stranger"}, set(second.results))
        self.assertIs(first.results["ber-1"], second.results["ber-1"])
        self.read([old[0], new[0], *old[2:]])
        self.assertEqual(0, self.verified.count)
        self.read(new, asked=asked)
        self.assertEqual(1, self.verified.count)

    def test_what_was_handed_out_is_not_changed_later(self) -> None:
        first = self.read([about("a")])
        before = dict(first.results)
        asked = inquiry("b", targeted=True)
        self.read([about("b")], asked=asked)
        self.reader.read_one(about("c"), "c", inquiry("c"), NOW)
        self.assertEqual(before, first.results)

    def test_a_source_that_fails_changes_nothing(self) -> None:
        tokens = [about("a"), about("b")]
        self.read(tokens)

        def failing() -> Iterator[bytes]:
            yield about("c")
            raise OSError("gone")

        with self.assertRaises(OSError):
            answer(self.reader, failing())
        self.read(tokens)
        self.assertEqual(0, self.verified.count)


class SeveralTest(unittest.TestCase):
    """Several tokens about one attester in one answer."""

    def test_the_later_one_counts_whatever_their_order(self) -> None:
        good = about("a", iat=IAT - 1, nfv_mla={"tpm": TPM})
        bad = about("a", iat=IAT, submods={"host": submod("contraindicated")})
        for tokens in ([good, bad], [bad, good]):
            found = answer(reader(), tokens)
            self.assertEqual({"attestation"}, set(found.results["a"].claims))
            self.assertEqual(IAT, found.freshness["a"].at)
            self.assertEqual((), found.problems)

    def test_the_same_token_twice_is_one(self) -> None:
        one = about("a")
        found = answer(reader(), [one, one, bytes(bytearray(one))])
        self.assertEqual(1, len(found.results))
        self.assertEqual((), found.problems)

    def test_of_one_second_the_worse_of_all_counts(self) -> None:
        tokens = [
            about(
                "a",
                exp=EXP,
                bootcount=1,
                nfv_mla={"tpm": TPM, "secured-boot": dict(TPM, values=[])},
            ),
            about(
                "a",
                exp=EXP - 5,
                bootcount=1,
                nfv_mla={"tpm": dict(TPM, status="warning")},
            ),
            about(
                "a",
                exp=EXP + 5,
                bootcount=2,
                nfv_mla={
                    "tpm": TPM,
                    "hsm": {"status": "none", "grade": "boot"},
                },
            ),
        ]
        for some in itertools.permutations(tokens):
            found = answer(reader(), some)
            result = found.results["a"]
            self.assertEqual(
                {
                    "attestation": Status.AFFIRMING,
                    "tpm": Status.WARNING,
                    "hsm": Status.NONE,
                },
                {n: c.status for n, c in result.claims.items()},
            )
            self.assertIsNone(result.boot)
            self.assertEqual(
                Freshness(IAT, None, EXP - 5), found.freshness["a"]
            )
            (problem,) = said(found.notes)
            self.assertIn("several tokens of one second differ", problem)
            self.assertTrue(found.complete)

    def test_of_one_second_and_all_alike_the_earlier_end_counts(self) -> None:
        found = answer(
            reader(), [about("a", exp=EXP), about("a", exp=EXP - 5)]
        )
        self.assertEqual(EXP - 5, found.freshness["a"].until)
        self.assertEqual((), found.problems)

    def test_what_was_merged_stays_the_same_result(self) -> None:
        one = reader()
        tokens = [
            about("a", nfv_mla={"tpm": TPM}),
            about("a", nfv_mla={"tpm": dict(TPM, grade="run-time")}),
        ]
        first = answer(one, tokens)
        second = answer(one, tokens)
        third = answer(one, tokens[::-1])
        self.assertIs(first.results["a"], second.results["a"])
        self.assertIs(first.results["a"], third.results["a"])
        self.assertIs(Grade.BOOT, first.results["a"].claims["tpm"].grade)

    def test_a_refused_one_takes_no_part(self) -> None:
        good = about("a", iat=IAT - 5)
        bad = about("a", iat=IAT, submods={})
        found = answer(reader(), [good, bad])
        self.assertEqual(IAT - 5, found.freshness["a"].at)
        self.assertFalse(found.complete)


class OneByOneTest(unittest.TestCase):
    def setUp(self) -> None:
        self.verified = Verified()
        self.reader = EarReader("acme", self.verified.keys(), load())
        self.asked = inquiry("a", "b")

    def read(self, data: bytes, attester: str, now: float = NOW) -> Any:
        self.verified.count = 0
        copy = bytes(bytearray(data))
        return self.reader.read_one(copy, attester, self.asked, now)

    def test_a_token_becomes_a_result_and_its_times(self) -> None:
        result, freshness = self.read(about("a"), "a")
        self.assertEqual("a", result.attester)
        self.assertEqual(Freshness(IAT, None, EXP), freshness)

    def test_a_token_of_another_is_refused(self) -> None:
        problem = self.read(about("b"), "a")
        self.assertEqual("a", problem.path)
        self.assertIn("token-other-attester: is about 'b'", problem.message)

    def test_a_fault_is_told_of_whom_was_asked_for(self) -> None:
        problem = self.read(b"rubbish", "a")
        self.assertEqual("a", problem.path)
        self.assertIn("token-malformed", problem.message)

    def test_a_token_is_verified_once(self) -> None:
        data = about("a")
        first = self.read(data, "a")
        second = self.read(data, "a")
        self.assertEqual(0, self.verified.count)
        self.assertIs(first[0], second[0])
        newer = self.read(about("a", iat=IAT + 1), "a")
        self.assertEqual(1, self.verified.count)
        self.assertIs(first[0], newer[0])
        self.assertEqual(IAT + 1, newer[1].at)

    def test_no_token_is_kept_whole(self) -> None:
        data = about("a")
        self.read(data, "a")
        answer(self.reader, [data])
        held = [
            *self.reader._known,
            *(d for d, _ in self.reader._asked.values()),
        ]
        self.assertEqual({32}, {len(digest) for digest in held})

    def test_a_known_token_is_still_not_of_another(self) -> None:
        data = about("a")
        self.read(data, "a")
        self.assertIsInstance(self.read(data, "b"), Problem)

    def test_times_are_compared_with_the_clock_each_time(self) -> None:
        data = about("a")
        self.read(data, "a")
        self.assertIn("token-expired", self.read(data, "a", EXP).message)
        self.assertIn("token-ahead", self.read(data, "a", IAT - 61).message)
        self.assertEqual(0, self.verified.count)

    def test_who_is_not_asked_for_any_more_is_forgotten(self) -> None:
        a, b = about("a"), about("b")
        self.read(a, "a")
        self.read(b, "b")
        self.asked = inquiry("b")
        self.read(b, "b")
        self.assertEqual(0, self.verified.count)
        self.read(a, "a")
        self.assertEqual(1, self.verified.count)

    def test_a_targeted_question_forgets_nobody(self) -> None:
        a, b = about("a"), about("b")
        self.read(a, "a")
        self.read(b, "b")
        self.asked = inquiry("a", targeted=True)
        self.read(a, "a")
        self.asked = inquiry("a", "b")
        self.read(b, "b")
        self.assertEqual(0, self.verified.count)

    def test_what_was_left_out_is_said(self) -> None:
        self.assertEqual((), self.reader.left_out())
        self.read(about("a", nfv_mla={"flux": 1}), "a")
        self.read(about("b", nfv_mla={"flux": 1}), "b")
        (problem,) = said(self.reader.left_out())
        self.assertIn("a: 'flux' is no capability", problem)
        self.assertIn("also of 1 more", problem)
        self.read(about("a"), "a")
        self.read(about("b"), "b")
        self.assertEqual((), self.reader.left_out())

    def test_memory_does_not_grow_with_what_is_said(self) -> None:
        for count in range(400):
            values = [["hardware"], ["shared"], ["virtual"]][count % 3]
            claims = {"tpm": dict(TPM, values=values)}
            for bit, name in enumerate(load().capabilities):
                if count >> bit & 1 and name not in ("tpm", "location"):
                    claims[name] = {"status": "none", "grade": "boot"}
            self.read(about("a", nfv_mla=claims), "a")
        tokens = self.reader._tokens
        assert tokens is not None
        self.assertLess(tokens.held, 80)


class AlgorithmsTest(unittest.TestCase):
    def test_tokens_of_several_keys_in_one_answer(self) -> None:
        tokens = [
            token(dotted(sub="a"), "ed").encode(),
            token(dotted(sub="b"), "p256").encode(),
        ]
        self.assertEqual({"a", "b"}, set(answer(reader(), tokens).results))
