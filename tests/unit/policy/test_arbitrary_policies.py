# SPDX-License-Identifier: Apache-2.0
"""Whatever the bytes are, nothing but our errors comes out."""

from __future__ import annotations

import contextlib
import copy
import json
import unittest
from typing import Any

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.policy.aspects import aspects
from nfv_mla_scheduler.policy.breakglass import BREAK_GLASS_TYPE
from nfv_mla_scheduler.policy.breakglass import read_break_glass
from nfv_mla_scheduler.policy.diff import compare
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.policy.envelope import POLICY_TYPE
from nfv_mla_scheduler.policy.lint import lint_policy
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.strict_yaml import read_yaml
from tests import policies

CATALOGUE = load()
TEXT = policies.policy_yaml()
GOOD = policies.signed(TEXT)
VALUE = read_yaml(TEXT.encode(), max_bytes=1 << 20).value
POLICY = policies.policy()
QUICK = hypothesis.settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a document."""
    found = [path]
    if isinstance(value, dict):
        for key, below in value.items():
            found += paths(below, (*path, key))
    if isinstance(value, list):
        for index, below in enumerate(value):
            found += paths(below, (*path, index))
    return found


PATHS = paths(VALUE)[1:]
WORDS = st.sampled_from(
    (
        *(
            "",
            "acme",
            "ber-1",
            "keys",
            "li-de",
            "DE",
            "tpm",
            "hsm",
            "location",
        ),
        *("5.2.9", "k7", "2027-01-01", "9999-12-31", "0001-01-01", "x\n"),
        *("lawful-interception", "jurisdiction", "execution-enclave", "\x00"),
        *("tpm=hardware", "a|b", "location[jurisdiction]=DE", "self:vouchers"),
    )
)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), WORDS, st.text()
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(WORDS, st.text()), inner, max_size=4),
    ),
    max_leaves=8,
)


def replaced(path: tuple[Any, ...], new: Any) -> Any:
    changed = copy.deepcopy(VALUE)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = new
    return changed


class ArbitraryBytesTest(unittest.TestCase):
    def offered(self, data: bytes) -> None:
        with contextlib.suppress(PolicyRefused):
            policies.accept(data)
        with contextlib.suppress(PolicyRefused):
            read_break_glass(data, policies.root(), policies.NOW)

    @QUICK
    @hypothesis.given(st.binary(max_size=400))
    def test_bytes(self, data: bytes) -> None:
        self.offered(data)

    @QUICK
    @hypothesis.given(VALUES, VALUES, VALUES)
    def test_json_of_the_right_names(
        self, payload: Any, kind: Any, signatures: Any
    ) -> None:
        members = {"payload": payload, "signatures": signatures}
        for payload_type in (kind, POLICY_TYPE, BREAK_GLASS_TYPE):
            members["payloadType"] = payload_type
            self.offered(json.dumps(members).encode())

    @QUICK
    @hypothesis.given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
    def test_one_byte_of_an_envelope(self, index: int, byte: int) -> None:
        """Either it is refused, or it says the very same."""
        data = GOOD[:index] + bytes([byte]) + GOOD[index + 1 :]
        try:
            policy = policies.accept(data)
        except PolicyRefused as exc:
            self.assertLessEqual(len(str(exc)), LINE_MAX)
            return
        self.assertEqual(policy.digest, POLICY.digest)

    @QUICK
    @hypothesis.given(st.integers(0, len(GOOD)))
    def test_an_envelope_that_is_cut(self, length: int) -> None:
        with contextlib.suppress(PolicyRefused):
            policy = policies.accept(GOOD[:length])
            self.assertEqual(policy.digest, POLICY.digest)

    @QUICK
    @hypothesis.given(st.binary(max_size=300))
    def test_signed_bytes(self, payload: bytes) -> None:
        self.offered(policies.signed(payload))
        kind = BREAK_GLASS_TYPE
        self.offered(policies.signed(payload, payload_type=kind))


class MutatedPolicyTest(unittest.TestCase):
    def read(self, payload: bytes) -> None:
        """Read and lint; compare what is sound with the good policy."""
        problems, _ = lint_policy(payload, CATALOGUE, policies.NOW)
        try:
            policy = read_policy(payload, CATALOGUE)
        except PolicyRefused as exc:
            self.assertIs(exc.reason, PolicyCode.INVALID)
            self.assertEqual(exc.problems, problems)
            for problem in problems:
                self.assertLessEqual(len(str(problem)), LINE_MAX)
                self.assertTrue(str(problem).isprintable(), problem)
            return
        self.assertEqual(problems, ())
        for change in compare(aspects(POLICY), aspects(policy)):
            self.assertIsInstance(change.new, str)

    @QUICK
    @hypothesis.given(st.sampled_from(PATHS), VALUES)
    def test_any_value_anywhere(self, path: tuple[Any, ...], new: Any) -> None:
        self.read(json.dumps(replaced(path, new)).encode())

    @QUICK
    @hypothesis.given(st.sampled_from(PATHS), st.sampled_from(PATHS))
    def test_parts_that_change_places(
        self, path: tuple[Any, ...], other: tuple[Any, ...]
    ) -> None:
        part: Any = VALUE
        for step in other:
            part = part[step]
        self.read(json.dumps(replaced(path, part)).encode())

    @QUICK
    @hypothesis.given(st.sampled_from(PATHS), st.one_of(WORDS, st.text()))
    def test_any_name_anywhere(self, path: tuple[Any, ...], name: str) -> None:
        part: Any = VALUE
        for step in path[:-1]:
            part = part[step]
        if isinstance(part, list):
            return
        changed = dict(part)
        changed[name] = changed.pop(path[-1])
        value = replaced(path[:-1], changed) if len(path) > 1 else changed
        self.read(json.dumps(value).encode())

    @QUICK
    @hypothesis.given(st.data())
    def test_any_line_gone_or_twice(self, data: st.DataObject) -> None:
        lines = TEXT.splitlines(keepends=True)
        index = data.draw(st.integers(0, len(lines) - 1))
        times = data.draw(st.sampled_from((0, 2)))
        lines[index] *= times
        self.read("".join(lines).encode())
