# SPDX-License-Identifier: Apache-2.0
"""The conformance vectors: our reader does what each of them expects."""

from __future__ import annotations

import json
import unittest
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority import ear_keys
from nfv_mla_scheduler.authority import ear_mapping
from nfv_mla_scheduler.authority import ear_token
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.standard.catalogue import load
from tests.vectors import generate_ear

VECTORS = {
    path.stem: json.loads(path.read_text(encoding="ascii"))
    for path in sorted(generate_ear.DIRECTORY.glob("*.json"))
}
DEFAULT_SKEW_S = 60


def rules_of(raw: Mapping[str, Any]) -> ear_token.Rules:
    """Return the rules of a vector."""
    mapping = ear_mapping.Mapping()
    if "mapping" in raw:
        data = json.dumps(raw["mapping"]).encode()
        mapping = ear_mapping.read_mapping(data, load())
    return ear_token.Rules(
        load(),
        {Axis(a): Regions(r) for a, r in raw.get("regions", {}).items()},
        raw.get("max_skew_s", DEFAULT_SKEW_S),
        mapping,
        raw.get("issuer"),
        raw.get("identity", "sub"),
        raw.get("attester"),
        raw.get("audience"),
    )


def outcome(vector: Mapping[str, Any], token: bytes) -> dict[str, Any]:
    """Return what our reader says of a token, as a vector expects it."""
    keys = ear_keys.read_keys(json.dumps(vector["keys"]).encode())
    rules = rules_of(vector["rules"])
    try:
        found = ear_token.read(token, keys, rules, vector["now"])
    except TokenRefused as exc:
        assert len(str(exc)) <= LINE_MAX and "\n" not in str(exc)
        return {"refused": exc.code}
    return {
        "result": {
            "attester": found.attester,
            "at": found.at,
            "until": None if found.until == FOREVER else found.until,
            "boot": found.boot,
            "claims": claim_sets.wire(found.claims),
        }
    }


class VectorsTest(unittest.TestCase):
    maxDiff = None

    def test_each_gives_what_it_expects(self) -> None:
        self.assertGreater(len(VECTORS), 150)
        for name, vector in VECTORS.items():
            with self.subTest(vector=name, about=vector["about"]):
                found = outcome(vector, vector["token"].encode("utf-8"))
                self.assertEqual(vector["expect"], found)

    def test_every_code_has_one_but_that_of_a_replay(self) -> None:
        expected = {v["expect"].get("refused") for v in VECTORS.values()}
        codes = {code.value for code in TokenCode} - {
            TokenCode.REPLAYED.value  # takes two tokens: the board says it
        }
        self.assertEqual(codes, expected - {None})

    def test_each_is_of_the_form_that_the_readme_gives(self) -> None:
        rules = {"issuer", "identity", "max_skew_s", "attester", "audience"}
        rules |= {"mapping", "regions"}
        for name, vector in VECTORS.items():
            with self.subTest(vector=name):
                self.assertEqual(
                    ["about", "token", "keys", "now", "rules", "expect"],
                    list(vector),
                )
                self.assertLessEqual(vector["rules"].keys(), rules)
                self.assertRegex(vector["about"], r"^[A-Za-z].*\.$")
                ((kind, value),) = vector["expect"].items()
                if kind == "result":
                    self.assertTrue(name.startswith("good-"), name)
                    self.assertIn("attestation", value["claims"])
                else:
                    self.assertEqual("refused", kind)
                    self.assertFalse(name.startswith("good-"), name)

    def test_the_generator_makes_the_same(self) -> None:
        made = generate_ear.cases()
        self.assertEqual(sorted(made), sorted(VECTORS))
        for name, case in made.items():
            with self.subTest(vector=name):
                one = json.loads(json.dumps(case.as_json()))
                other = dict(VECTORS[name])
                tokens = [one.pop("token"), other.pop("token")]
                self.assertEqual(one, other)
                # signatures of ECDSA and PSS are new each time
                parts = [token.split(".") for token in tokens]
                self.assertEqual(parts[0][:2], parts[1][:2])
                self.assertEqual(len(parts[0]), len(parts[1]))

    def test_no_two_are_alike(self) -> None:
        self.assertEqual(
            len(VECTORS),
            len(
                {
                    json.dumps([v["token"], v["rules"], v["keys"]])
                    for v in VECTORS.values()
                }
            ),
        )
