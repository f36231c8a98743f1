# SPDX-License-Identifier: Apache-2.0
"""A record is read by the type of each field, or not at all."""

from __future__ import annotations

import copy
import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.authority.keylime.record import Standing
from nfv_mla_scheduler.authority.keylime.record import read_record
from nfv_mla_scheduler.authority.keylime.tpm_policy import Malformed
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.model import Status
from tests.authorities import keylime_data as data
from tests.unit.authority.keylime.reading import codes
from tests.unit.authority.keylime.reading import rule

NEEDED = (
    "operational_state",
    "attestation_count",
    "last_successful_attestation",
    "has_mb_refstate",
    "has_runtime_policy",
    "tpm_policy",
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["PASS", "FAIL", "0x0", '{"mask": "0xffff"}', "{}"]),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(st.text(max_size=5), some, max_size=3)
    ),
    max_leaves=6,
)
# What each field may hold; of a bool, Python says that it is an int.
WRONG: dict[str, tuple[Any, ...]] = {
    "operational_state": ("3", 3.0, True, -1, 11, [3], {}),
    "attestation_status": (None, "", "pass", "PASSED", 3, ["PASS"], True),
    "attestation_count": ("5", 5.0, -1, True, [], 2**60, float("nan")),
    "last_successful_attestation": ("1", 1.5, -1, True, {}, 2**60),
    "has_mb_refstate": (2, "1", 1.0, None, [1], -1),
    "has_runtime_policy": (2, "1", 1.0, None, [1], -1),
    "tpm_policy": (
        *(7, [], {}, True, "{", "[]", "null", '"x"', "{'mask': '0x0'}"),
        *('{"mask": 1}', '{"mask": "1"}', '{"mask": "0xg"}'),
        *('{"mask": null}', '{"mask": "0x123456789"}', '{"mask": "0x1\\n"}'),
        *('{"24": []}', '{"-1": []}', '{"015": []}', '{"pcr": []}'),
        *('{"15": 7}', '{"15": [7]}', '{"15": ["zz"]}', '{"15": {}}'),
        *('{"15": ["00"]}', '{"15": [], "15": []}', '{"15": [null]}'),
        "[" * 99,
    ),
}


class ReadingTest(unittest.TestCase):
    def test_what_was_recorded_is_read(self) -> None:
        found = read_record(data.agent())
        self.assertIs(Standing.PASS, found.standing)
        self.assertTrue(found.boot_is_checked and found.runtime_is_checked)
        self.assertEqual({15: (data.TAG,)}, dict(found.pcrs))
        self.assertEqual(data.TAG, found.pinned(15))
        self.assertEqual("", found.pinned(14))
        self.assertEqual(frozenset(range(16)), found.quoted)
        self.assertIsNone(
            read_record(data.recorded("push-passes")["results"]).quoted
        )

    def test_one_that_is_too_old_lacks_what_is_needed(self) -> None:
        with self.assertRaises(Malformed) as caught:
            read_record(data.agent(data.HEALTHY, "6.5.3"))
        self.assertEqual("last_successful_attestation", caught.exception.field)

    def test_a_field_that_is_missing_is_named(self) -> None:
        for name in NEEDED:
            raw = data.agent()
            del raw[name]
            with self.assertRaises(Malformed) as caught:
                read_record(raw)
            self.assertEqual(name, caught.exception.field)

    def test_a_field_of_another_kind_is_named(self) -> None:
        for name, values in WRONG.items():
            for value in values:
                with self.subTest(f"{name} = {value!r:.40}"):
                    with self.assertRaises(Malformed) as caught:
                        read_record(data.agent(**{name: value}))
                    self.assertEqual(name, caught.exception.field)
                    self.assertTrue(str(caught.exception).isprintable())

    def test_what_is_no_record(self) -> None:
        for raw in (None, [], "PASS", 7, True):
            with self.assertRaises(Malformed):
                read_record(raw)

    def test_null_is_no_count_and_no_time(self) -> None:
        found = read_record(
            data.agent(
                attestation_count=None, last_successful_attestation=None
            )
        )
        self.assertEqual((0, 0.0), (found.count, found.succeeded_at))

    def test_no_policy_at_all(self) -> None:
        for none in (None, "", "{}"):
            found = read_record(data.agent(tpm_policy=none))
            self.assertEqual(({}, frozenset()), (found.pcrs, found.quoted))

    def test_a_single_digest_need_not_be_in_a_list(self) -> None:
        policy = json.dumps({"15": data.TAG.upper(), "mask": "0x8000"})
        found = read_record(data.agent(tpm_policy=policy))
        self.assertEqual(data.TAG, found.pinned(15))

    def test_fields_that_are_not_known_are_passed_over(self) -> None:
        raw = data.agent(
            new_in_8={"a": [1]}, v=[], meta_data=7, severity_level="high"
        )
        self.assertEqual(read_record(data.agent()), read_record(raw))


class AnythingTest(unittest.TestCase):
    @settings(max_examples=400, deadline=None)
    @given(st.sampled_from(sorted(data.agent())), ANYTHING)
    def test_any_value_in_any_field_is_a_word_or_malformed(
        self, name: str, value: Any
    ) -> None:
        self.check(data.agent(**{name: value}))

    @settings(max_examples=200, deadline=None)
    @given(st.dictionaries(st.sampled_from(sorted(data.agent())), ANYTHING))
    def test_so_are_several(self, changes: dict[str, Any]) -> None:
        self.check(data.agent(**changes))

    @settings(max_examples=200, deadline=None)
    @given(ANYTHING)
    def test_so_is_anything_in_place_of_a_policy(self, value: Any) -> None:
        raw = data.agent(tpm_policy=json.dumps(value))
        self.check(raw)
        raw["tpm_policy"] = json.dumps({"15": value, "mask": "0xffff"})
        self.check(raw)

    @settings(max_examples=200, deadline=None)
    @given(ANYTHING)
    def test_so_is_anything_in_place_of_a_record(self, raw: Any) -> None:
        self.check(raw)

    def check(self, raw: Any) -> None:
        before = copy.deepcopy(raw)
        try:
            found = read_record(raw)
        except Malformed as exc:
            self.assertTrue(str(exc).isprintable())
            self.assertLessEqual(len(str(exc)), LINE_MAX)
            return
        word = rule().judge(found, 2.0**52, 2.0**52)
        self.assertEqual(repr(before), repr(raw))
        if not word.claims:
            self.assertTrue(codes(word))
        elif word.passes:
            # whatever was changed, this much holds of what is believed
            self.assertIn(raw["attestation_status"], ("PASS",))
            self.assertGreater(raw["attestation_count"], 0)
            self.assertEqual(raw["last_successful_attestation"], word.at)
            statuses = {c.status for c in word.claims.values()}
            self.assertEqual({Status.AFFIRMING}, statuses)
