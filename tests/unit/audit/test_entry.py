# SPDX-License-Identifier: Apache-2.0
"""An entry of the ledger as one line."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import unittest

import hypothesis
from hypothesis import strategies

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.model import RefusalCode

NOW = 1_700_000_000.5
PREV = "ab" * 32
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


def encoded(fields, at=NOW, origin="ctl.0", process="worker", seq=7):
    return entry.encode(seq, PREV, at, origin, process, "heartbeat", fields)


def read(fields, *args):
    data = encoded(fields, *args)
    assert data.endswith(b"\n") and data.count(b"\n") == 1
    assert len(data) <= entry.LINE_MAX
    found = json.loads(data.decode("ascii"), parse_constant=lambda _: 1 / 0)
    head = entry.head(data[:-1])
    assert head is not None and head.seq == found["seq"]
    assert entry.parse(data[:-1]) == found
    return found


class EntryTest(unittest.TestCase):
    def test_what_is_in_it_and_in_which_order(self):
        expected = {
            "seq": 7,
            "prev": PREV,
            "at": "2023-11-14T22:13:20.500Z",
            "origin": "ctl.0",
            "process": "worker",
            "kind": "heartbeat",
            "fields": {"hosts": 3, "why": ["stale"], "of": {"a": None}},
        }
        fields = {"hosts": 3, "why": (RefusalCode.STALE,), "of": {"a": None}}
        self.assertEqual(expected, read(fields))
        self.assertEqual(list(expected), list(read(fields)))

    def test_its_hash_is_that_of_the_bytes_before_the_newline(self):
        line = encoded({})[:-1]
        self.assertEqual(hashlib.sha256(line).hexdigest(), entry.digest(line))

    def test_infinity_is_a_word(self):
        self.assertEqual({"until": "inf"}, read({"until": math.inf})["fields"])
        self.assertEqual("-inf", read({}, -math.inf)["at"])
        self.assertEqual("nan", read({}, math.nan)["at"])

    def test_an_instant_comes_back(self):
        for at in (NOW, 0.0, -1.5, 4e9):
            self.assertEqual(at, entry.instant(entry.utc(at)))
        for text in ("inf", "", "soon"):
            self.assertEqual(0.0, entry.instant(text))

    @hypothesis.given(
        strategies.floats(-1e11, 3e11)
        | strategies.floats(1.7e9, 1.8e9).map(lambda at: round(at, 6))
        | strategies.integers(0, 2 * 10**12).map(lambda ms: ms / 1000)
    )
    def test_an_instant_is_written_as_datetime_does(self, at):
        try:
            time = datetime.datetime.fromtimestamp(at, datetime.UTC)
        except (ValueError, OverflowError):
            expected = str(at)
        else:
            said = time.isoformat(timespec="milliseconds")
            expected = said.replace("+00:00", "Z")
        self.assertEqual(expected, entry.utc(at))

    def test_whatever_is_taken_for_a_time_or_a_process_it_is_an_entry(self):
        class Bad:
            def __str__(self):
                raise RuntimeError

        for bad in (None, "", 'x"\\', Bad(), [], 10**400, float("nan"), "ü"):
            for at, process in ((bad, "w"), (0.0, bad)):
                line = entry.encode(
                    1, entry.NOTHING, at, "o", process, "k", {}
                )
                self.assertEqual("k", entry.parse(line[:-1])["kind"], line)

    def test_what_is_too_deep_is_not_looked_into(self):
        deep = {"x": 1}
        for _ in range(100_000):
            deep = {"x": deep}
        fields = {"deep": deep, "list": [[[[[[[1]]]]]]], "n": 1}
        found = entry.plain(fields)
        self.assertEqual(1, found["n"])
        self.assertEqual([[[[["..."]]]]], found["list"])
        self.assertIn(
            '{"x":"..."}', json.dumps(found["deep"], separators=(",", ":"))
        )
        json.dumps(found)

    def test_fields_that_do_not_fit_are_left_out_and_counted(self):
        for big in (
            "x" * entry.LINE_MAX,
            ["y"] * entry.LINE_MAX,
            "\u00e9" * 9999,
        ):
            with self.subTest(type(big)):
                found = read({"small": 1, "big": big, "after": 2})
                self.assertEqual({"small": 1, "omitted": 2}, found["fields"])

    def test_a_line_of_exactly_the_most_is_whole(self):
        bare = len(encoded({"a": ""}))
        text = "x" * (entry.LINE_MAX - bare)
        self.assertEqual(entry.LINE_MAX, len(encoded({"a": text})))
        self.assertEqual({"a": text}, read({"a": text})["fields"])
        self.assertEqual({"omitted": 1}, read({"a": text + "x"})["fields"])

    def test_a_value_that_cannot_be_read_costs_the_fields_only(self):
        for hostile in (Hostile(), 10**5000):
            found = read({"a": 1, "b": hostile})
            self.assertEqual({"omitted": "all"}, found["fields"])

    def test_a_ring_ends_somewhere(self):
        ring: list[object] = []
        ring.append(ring)
        self.assertIn("ring", read({"ring": ring})["fields"])

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        strategies.text(),
        strategies.text(),
        strategies.floats(),
        ANYTHING,
    )
    def test_whatever_it_holds_it_is_one_bounded_line(
        self, origin, process, at, value
    ):
        read({"value": value}, at, origin or "o", process)

    def test_nobody_writes_a_head_by_a_name(self):
        found = read({}, NOW, 'a","seq":9,"x":"', 'b\\"\n')
        self.assertEqual(7, found["seq"])
        self.assertNotIn('"', found["origin"] + found["process"])


class HeadTest(unittest.TestCase):
    line = encoded({"a": {"b": "}}"}})[:-1]

    def test_what_it_says(self):
        self.assertEqual(
            entry.Head(
                7, PREV, "2023-11-14T22:13:20.500Z", "ctl.0", "heartbeat"
            ),
            entry.head(self.line),
        )

    def test_what_is_none(self):
        for line in (
            b"",
            b"{}",
            self.line[:-2],
            self.line[1:],
            self.line + b"\n",
            self.line + b" ",
            b"\0" * 200,
            self.line.replace(b'"seq":7', b'"seq":07'),
            self.line.replace(b'"seq":7', b'"seq":-7'),
            self.line.replace(b'"seq":7', b'"seq": 7'),
            self.line.replace(PREV.encode(), PREV.upper().encode()),
            self.line.replace(b"ctl.0", b""),
            self.line.replace(b"ctl.0", b"\xff"),
            self.line.replace(b"heartbeat", b"Heart Beat"),
        ):
            with self.subTest(line):
                self.assertIsNone(entry.head(line))
                self.assertIsNone(entry.parse(line))

    def test_what_begins_well_and_is_no_json(self):
        line = self.line.replace(b'"b":', b'"b";')
        self.assertIsNotNone(entry.head(line))
        self.assertIsNone(entry.parse(line))

    @hypothesis.given(strategies.binary())
    def test_any_bytes(self, line):
        self.assertIsNone(entry.head(line))
