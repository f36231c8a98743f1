# SPDX-License-Identifier: Apache-2.0
"""The reference page of the policy says what the schema says."""

from __future__ import annotations

import pathlib
import unittest
from collections.abc import Iterator
from typing import Any

import jsonschema

from nfv_mla_scheduler.policy.page import page
from nfv_mla_scheduler.policy.reading.schema import schema

PAGE = pathlib.Path(__file__).parents[3] / "doc/source/reference/policy.rst"


def subschemas(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema that checks a value, references left out."""
    below = [node.get("propertyNames"), node.get("items")]
    below.append(node.get("additionalProperties"))
    below += node.get("properties", {}).values()
    below += node.get("$defs", {}).values()
    if "$ref" not in node:
        yield node
    for inner in below:
        if isinstance(inner, dict):
            yield from subschemas(inner)


class PageTest(unittest.TestCase):
    def test_the_page_is_the_generated_one(self) -> None:
        self.assertEqual(PAGE.read_text(encoding="utf-8"), page())

    def test_every_key_of_the_schema_is_on_the_page(self) -> None:
        text = page()
        for node in subschemas(schema()):
            for key in node.get("properties", ()):
                if key not in ("geographic", "logical", "jurisdiction"):
                    self.assertIn(f"``{key}``", text)

    def test_the_schema_is_one(self) -> None:
        jsonschema.Draft202012Validator.check_schema(schema())

    def test_every_schema_says_what_a_value_has_to_be(self) -> None:
        for node in subschemas(schema()):
            self.assertIn("description", node, node)
            self.assertFalse(node["description"].endswith("."), node)
