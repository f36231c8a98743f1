# SPDX-License-Identifier: Apache-2.0
"""An audit event as one line."""

from __future__ import annotations

import json
import math
import unittest

import hypothesis
from hypothesis import strategies

from nfv_mla_scheduler.audit import line
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import RefusalCode

ANYTHING = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text()
    | strategies.binary()
    | strategies.sets(strategies.integers()),
    lambda inner: (
        strategies.lists(inner)
        | strategies.dictionaries(strategies.text(), inner)
    ),
)


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError


def read(fields, at=1_700_000_000.5, origin="worker"):
    data = line.encode(Event(EventKind.HEARTBEAT, at, origin, fields), 7)
    assert data.endswith(b"\n") and data.count(b"\n") == 1
    assert len(data) <= line.LINE_MAX
    return json.loads(data.decode("ascii"), parse_constant=lambda _: 1 / 0)


class TestLine(unittest.TestCase):
    def test_what_is_in_it(self):
        self.assertEqual(
            {
                "at": "2023-11-14T22:13:20.500Z",
                "kind": "heartbeat",
                "origin": "worker",
                "pid": 7,
                "fields": {"hosts": 3, "why": ["stale"], "of": {"a": None}},
            },
            read({"hosts": 3, "why": (RefusalCode.STALE,), "of": {"a": None}}),
        )

    def test_infinity_is_a_word(self):
        self.assertEqual({"until": "inf"}, read({"until": math.inf})["fields"])
        self.assertEqual("-inf", read({}, at=-math.inf)["at"])
        self.assertEqual("nan", read({}, at=math.nan)["at"])

    def test_fields_that_do_not_fit_are_left_out_and_counted(self):
        for big in (
            "x" * line.LINE_MAX,
            ["y"] * line.LINE_MAX,
            "\u00e9" * 9999,
        ):
            with self.subTest(type(big)):
                found = read({"small": 1, "big": big, "after": 2})
                self.assertEqual({"small": 1}, found["fields"])
                self.assertEqual(2, found["omitted"])

    def test_a_line_of_exactly_the_most_is_whole(self):
        bare = len(
            line.encode(Event(EventKind.HEARTBEAT, 0, "", {"a": ""}), 7)
        )
        text = "x" * (line.LINE_MAX - bare)
        self.assertEqual({"a": text}, read({"a": text}, 0, "")["fields"])
        self.assertIn("omitted", read({"a": text + "x"}, 0, ""))

    def test_a_value_that_cannot_be_read_costs_the_fields_only(self):
        for hostile in (Hostile(), 10**5000):
            found = read({"a": 1, "b": hostile})
            self.assertEqual({}, found["fields"])
            self.assertEqual("all", found["omitted"])

    def test_a_ring_ends_somewhere(self):
        ring: list[object] = []
        ring.append(ring)
        self.assertIn("ring", read({"ring": ring})["fields"])

    @hypothesis.settings(deadline=None)
    @hypothesis.given(strategies.text(), strategies.floats(), ANYTHING)
    def test_whatever_it_holds_it_is_one_bounded_line(self, origin, at, value):
        read({"value": value}, at, origin)
