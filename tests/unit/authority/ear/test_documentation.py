# SPDX-License-Identifier: Apache-2.0
"""The page about tokens is exact: what it shows is taken as it says."""

from __future__ import annotations

import json
import pathlib
import re
import unittest

from nfv_mla_scheduler.authority import ear_keys
from nfv_mla_scheduler.authority import ear_mapping
from nfv_mla_scheduler.authority import ear_token
from nfv_mla_scheduler.authority.ear_jws import TOKEN_MAX
from nfv_mla_scheduler.authority.ear_profile import PROFILES
from nfv_mla_scheduler.authority.ear_tiers import ENTRIES
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.authority.ear.reading import KEYS
from tests.unit.test_docs import blocks
from tests.vectors.ear_making import token

PAGE = pathlib.Path(__file__).parents[4] / "doc/source/reference/ear.rst"


class PageTest(unittest.TestCase):
    text: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.text = PAGE.read_text(encoding="utf-8")

    def test_the_table_that_it_shows_is_taken(self) -> None:
        (block,) = blocks(self.text, "yaml")
        mapping = ear_mapping.read_mapping(block.encode(), load())
        self.assertEqual(2, len(mapping.entries))
        assert mapping.location is not None
        self.assertEqual(2, len(mapping.location.circles))
        keys = set(re.findall(r"^ *-? *\{?(\w+):", block, re.MULTILINE))
        for key in (keys | {"longitude", "radius_km"}) - {"berlin", "DE"}:
            if key not in ("geographic", "jurisdiction"):
                self.assertIn(f"``{key}``", self.text.split(block[:20])[-1])

    def test_the_token_that_it_shows_is_taken(self) -> None:
        (block,) = blocks(self.text, "json")
        payload = json.loads(block)
        rules = ear_token.Rules(load(), {}, 0.0, issuer=payload["iss"])
        found = ear_token.read(
            token(payload, "ed").encode(), KEYS, rules, payload["iat"] + 1
        )
        self.assertEqual("count=17", found.boot)
        wired = claim_sets.wire(found.claims)
        self.assertEqual("affirming", wired.pop("attestation")["status"])
        self.assertEqual(payload["nfv_mla"], wired)

    def test_it_has_every_code_every_profile_and_every_entry(self) -> None:
        for word in (
            *(code.value for code in TokenCode),
            *PROFILES,
            *ENTRIES,
            *ear_keys.ALGORITHMS,
        ):
            self.assertIn(f"``{word}``", self.text)
        codes = set(re.findall(r"``(token-[a-z-]+)``", self.text))
        self.assertEqual({code.value for code in TokenCode}, codes)

    def test_its_bounds_are_the_real_ones(self) -> None:
        self.assertIn(f"At most {TOKEN_MAX:,} bytes", self.text)
        self.assertIn(f"{ear_keys.RSA_BITS_MAX} bits", self.text)
        self.assertIn("Left out: 86,400.", self.text)
        self.assertEqual(86_400, ear_mapping.LOCATION_MAX_AGE_S)
