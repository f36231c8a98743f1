# SPDX-License-Identifier: Apache-2.0
"""Whatever comes as a token, the reader says one of two things about it."""

from __future__ import annotations

import copy
import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.authority import ear_keys
from nfv_mla_scheduler.authority import ear_mapping
from nfv_mla_scheduler.authority import ear_tiers
from nfv_mla_scheduler.authority import ear_token
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.authority.ear.reading import KEYS
from tests.unit.authority.ear.reading import TPM
from tests.vectors.ear_making import NOW
from tests.vectors.ear_making import VECTOR
from tests.vectors.ear_making import b64
from tests.vectors.ear_making import dotted
from tests.vectors.ear_making import key_set
from tests.vectors.ear_making import submod
from tests.vectors.ear_making import text
from tests.vectors.ear_making import token
from tests.vectors.ear_making import underscored

TABLE = """
entries:
- {entry: hardware, capability: tpm, grade: boot, values: [hardware]}
- {entry: executables, capability: software-integrity, grade: run-time}
location:
  grade: boot
  regions:
    jurisdiction: {DE: [{latitude: 51, longitude: 10, radius_km: 400}]}
"""
RULES = ear_token.Rules(
    load(),
    {Axis.JURISDICTION: Regions({"DE": None})},
    60.0,
    ear_mapping.read_mapping(TABLE.encode(), load()),
)
FULL = dotted(
    jti="1",
    bootseed="AAEC",
    bootcount=3,
    location={"latitude": 52.5, "longitude": 13.4, "accuracy": 20},
    nfv_mla={"tpm": TPM, "hsm": {"status": "none", "grade": "boot"}},
    submods={
        "cpu": submod("affirming", vector=VECTOR, nfv_mla={"tpm": TPM}),
        "host": submod("warning", vector=dict(VECTOR, executables=33)),
    },
)
GOOD = [
    token(payload, "ed").encode()
    for payload in (FULL, dotted(), underscored(nfv_mla={"tpm": TPM}))
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-200, 200)
    | st.sampled_from([2**53, 2**64, 1e999, -0.0, 0.5, NOW, NOW + 100])
    | st.sampled_from(
        ["affirming", "contraindicated", "none", "boot", "tpm", "", "\n", "DE"]
    )
    | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["host", "ear.status", "tpm", "status", "grade", "values"]
            )
            | st.text(max_size=3),
            below,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a payload."""
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, below in items:
        found += places(below, (*path, key))
    return found


PLACES = places(FULL)


def edited(path: tuple[Any, ...], value: Any) -> Any:
    """Return the full payload with one value replaced; ``...``: taken out."""
    found = copy.deepcopy(FULL)
    inner: Any = found
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return found


class AnythingTest(unittest.TestCase):
    warm: ear_token.TokenReader

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.warm = ear_token.TokenReader(KEYS, RULES)
        for _ in range(3):
            for good in GOOD:
                cls.warm.read(good, NOW)

    def read(self, data: bytes) -> ear_token.Appraisal | None:
        """Read it, by a reader that knows nothing, and by one that does."""
        found = refused = None
        try:
            found = ear_token.read(data, KEYS, RULES, NOW)
        except TokenRefused as exc:
            refused = exc
            self.assertLessEqual(len(str(exc)), LINE_MAX)
            self.assertTrue(str(exc).isprintable())
            self.assertNotIn("in the reader", str(exc))
        try:
            other = self.warm.read(data, NOW)
        except TokenRefused as exc:
            self.assertIsNone(found)
            assert refused is not None
            self.assertIs(refused.reason, exc.reason)
            self.assertEqual(str(refused), str(exc))
        else:
            assert found is not None
            self.assertEqual(found[0:1] + found[2:], other[0:1] + other[2:])
            self.assertEqual(
                claim_sets.wire(found.claims), claim_sets.wire(other.claims)
            )
        if found is not None:
            self.check(found)
        return found

    def check(self, found: ear_token.Appraisal) -> None:
        """Hold what was taken to what is promised of it."""
        self.assertTrue(strict_json.is_name(found.attester))
        self.assertTrue(found.boot is None or strict_json.is_name(found.boot))
        self.assertLessEqual(found.at, NOW + 60)
        self.assertGreater(found.until, NOW)
        claim_sets.Reader(load(), RULES.regions).read(
            claim_sets.wire(found.claims), "claims"
        )

    @given(st.binary(max_size=300))
    def test_bytes(self, data: bytes) -> None:
        self.assertIsNone(self.read(data))

    @given(
        st.sampled_from(GOOD),
        st.lists(st.tuples(st.integers(0), st.integers(0, 7)), min_size=1),
    )
    def test_bits_that_are_flipped(
        self, good: bytes, flips: list[tuple[int, int]]
    ) -> None:
        data = bytearray(good)
        for at, bit in flips:
            data[at % len(data)] ^= 1 << bit
        found = self.read(bytes(data))
        self.assertEqual(bytes(data) == good, found is not None)

    @given(st.sampled_from(GOOD), st.integers(0), st.integers(0))
    def test_parts_of_good_ones(
        self, good: bytes, start: int, end: int
    ) -> None:
        start, end = start % len(good), end % len(good)
        self.assertIsNone(self.read(good[start:end]))

    @given(
        st.lists(st.sampled_from([p for g in GOOD for p in g.split(b".")])),
        st.sampled_from([b".", b"..", b""]),
    )
    def test_parts_put_together_otherwise(
        self, parts: list[bytes], between: bytes
    ) -> None:
        data = between.join(parts)
        found = self.read(data)
        self.assertEqual(data in GOOD, found is not None)

    @settings(max_examples=300)
    @given(st.sampled_from(PLACES), JSON | st.just(...))
    def test_one_value_that_is_signed_but_odd(
        self, path: tuple[Any, ...], value: Any
    ) -> None:
        self.read(token(json.dumps(edited(path, value)), "ed").encode())

    @settings(max_examples=200)
    @given(st.dictionaries(st.sampled_from(list(FULL)), JSON), st.booleans())
    def test_claims_that_are_signed_but_odd(
        self, claims: dict[str, Any], whole: bool
    ) -> None:
        payload = claims if whole else {**FULL, **claims}
        self.read(token(json.dumps(payload), "ed").encode())

    @settings(max_examples=200)
    @given(
        st.integers(0),
        st.binary(max_size=3),
        st.integers(0, 3),
        st.booleans(),
    )
    def test_text_that_is_signed_but_odd(
        self, at: int, what: bytes, cut: int, compact: bool
    ) -> None:
        data = (text(FULL) if compact else json.dumps(FULL)).encode()
        at %= len(data)
        self.read(token(data[:at] + what + data[at + cut :], "ed").encode())

    @given(
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "x"]),
            st.sampled_from(["ed", "EdDSA", "none", "HS256", "JWT"]) | JSON,
        )
    )
    def test_headers_that_are_signed_but_odd(
        self, header: dict[str, Any]
    ) -> None:
        whole = {"alg": "EdDSA", "kid": "ed", **header}
        data = token(dotted(), "ed", header=json.dumps(whole)).encode()
        if self.read(data) is not None:
            self.assertEqual(("EdDSA", "ed"), (whole["alg"], whole["kid"]))

    @given(JSON | st.text())
    def test_headers_that_are_nothing(self, header: Any) -> None:
        shown = header if isinstance(header, str) else json.dumps(header)
        part = b64(shown.encode("utf-8", "surrogatepass"))
        self.assertIsNone(self.read(f"{part}.e30.AA".encode()))


class PromisesTest(unittest.TestCase):
    """Whatever an authority signs, these hold of what we make of it."""

    STATUS = st.sampled_from([status.value for status in Status])
    CLAIMS = st.dictionaries(
        st.sampled_from(["tpm", "hsm", "attestation"]),
        st.fixed_dictionaries(
            {"status": STATUS, "grade": st.sampled_from(["boot", "run-time"])}
        ),
    )
    VECTORS = st.dictionaries(
        st.sampled_from([*ear_tiers.ENTRIES, "x"]), st.integers(-128, 127)
    )
    SUBMODS = st.dictionaries(
        st.sampled_from(["host", "cpu", "nic"]),
        st.builds(
            lambda status, vector, claims: submod(
                status, vector=vector, nfv_mla=claims
            ),
            STATUS,
            VECTORS,
            CLAIMS,
        ),
        min_size=1,
    )

    @settings(max_examples=400)
    @given(SUBMODS, CLAIMS, st.none() | STATUS)
    def test_statuses_and_claims(
        self, submods: Any, claims: Any, overall: str | None
    ) -> None:
        rules = ear_token.Rules(load(), {}, 60.0)
        payload = dotted(submods=submods, nfv_mla=claims)
        if overall is not None:
            payload["ear.status"] = overall
        data = token(payload, "ed").encode()
        statuses = [Status(one["ear.status"]) for one in submods.values()]
        against = {Status.WARNING: 1, Status.CONTRAINDICATED: 2}
        hidden = any(
            against.get(Status(one["ear.status"]), 0)
            < against.get(ear_tiers.TIERS[value], 0)
            for one in submods.values()
            for value in one["ear.trustworthiness-vector"].values()
        )
        order = ["affirming", "none", "warning", "contraindicated"]
        worst = max((s.value for s in statuses), key=order.index)
        if overall is not None and order.index(overall) < order.index(worst):
            hidden = True
        try:
            found = ear_token.read(data, KEYS, rules, NOW)
        except TokenRefused as exc:
            self.assertTrue(hidden, str(exc))
            self.assertEqual("token-status-too-good", exc.code)
            return
        self.assertFalse(hidden)
        worst = overall or worst
        said: dict[str, list[str]] = {"attestation": [worst]}
        for holder, limit in (
            (claims, worst),
            *(
                (
                    one["nfv_mla"],
                    max(
                        one["ear.status"],
                        overall or "affirming",
                        key=order.index,
                    ),
                )
                for one in submods.values()
            ),
        ):
            for name, claim in holder.items():
                status = claim["status"]
                if status != "none":
                    status = max(status, limit, key=order.index)
                said.setdefault(name, []).append(status)
        self.assertEqual(
            {name: max(some, key=order.index) for name, some in said.items()},
            {name: one.status.value for name, one in found.claims.items()},
        )

    @given(st.integers(-100, 100), st.integers(-100, 100), st.integers(0, 100))
    def test_times(self, iat: int, exp: int, skew: int) -> None:
        rules = ear_token.Rules(load(), {}, float(skew))
        data = token(dotted(iat=NOW + iat, exp=NOW + exp), "ed").encode()
        try:
            found = ear_token.read(data, KEYS, rules, NOW)
        except TokenRefused as exc:
            code = "token-ahead" if iat > skew else "token-expired"
            self.assertEqual(code, exc.code)
            self.assertTrue(iat > skew or exp <= 0)
        else:
            self.assertTrue(iat <= skew and exp > 0)
            self.assertEqual((NOW + iat, NOW + exp), (found.at, found.until))

    def test_size_is_bounded_to_the_byte(self) -> None:
        keys = ear_keys.read_keys(json.dumps(key_set("ed")).encode())
        rules = ear_token.Rules(load(), {}, 60.0)
        sizes = []
        for pad in range(4):
            header = {"x": "y" * pad}
            empty = len(token(dotted(x=""), "ed", header=header))
            room = (2**16 - empty) // 4 * 3
            for length in range(room - 3, room + 6):
                claims = dotted(x="y" * length)
                data = token(claims, "ed", header=header).encode()
                sizes.append(len(data))
                try:
                    ear_token.read(data, keys, rules, NOW)
                except TokenRefused as exc:
                    self.assertEqual("token-too-large", exc.code)
                    self.assertGreater(len(data), 2**16)
                else:
                    self.assertLessEqual(len(data), 2**16)
        self.assertLessEqual({2**16, 2**16 + 1}, set(sizes))
