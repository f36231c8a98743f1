# SPDX-License-Identifier: Apache-2.0
"""Entries as people read them, whoever wrote them."""

from __future__ import annotations

import json
import shlex
import unittest
from typing import Any

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit import shown
from nfv_mla_scheduler.audit import shown_text
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.shown import Shown
from nfv_mla_scheduler.audit.shown import Wanted
from nfv_mla_scheduler.model import NEVER
from tests.unit.audit.scribbled import NOON
from tests.unit.audit.scribbled import OTHER
from tests.unit.audit.scribbled import PROJECT
from tests.unit.audit.scribbled import REFUSED
from tests.unit.audit.scribbled import SERVER

ORIGIN = "ctl-1.nova-scheduler.0"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.text(max_size=12)
    | st.sampled_from(("server", "text", "counts", "heads", "signed", "at")),
    JSON,
    max_size=6,
)


def line(
    fields: Any,
    kind: str = "finding",
    origin: str = ORIGIN,
    at: float = NOON,
    seq: int = 7,
) -> bytes:
    made = entry.encode(
        seq, entry.NOTHING, at, origin, "ctl-1/x/1", kind, fields
    )
    return made[:-1]


def of(fields: Any, **more: Any) -> Shown:
    found = shown.of_line(line(fields, **more))
    assert found is not None
    return found


class LinesTest(unittest.TestCase):
    def test_what_an_entry_says(self) -> None:
        found = of(REFUSED, kind="request-refused")
        self.assertEqual(
            (NOON, "2026-11-23T12:00:00.000Z", ORIGIN, None, 7),
            (found.time, found.at, found.origin, found.domain, found.seq),
        )
        self.assertEqual(
            entry.digest(line(REFUSED, kind="request-refused")), found.hash
        )
        self.assertEqual(REFUSED, found.fields)

    def test_a_sealed_chain_is_told_by_its_origin(self) -> None:
        found = of({"jwe": "x"}, kind="sealed", origin=f"{ORIGIN}/acme")
        self.assertEqual((ORIGIN, "acme"), (found.origin, found.domain))

    def test_what_is_no_entry(self) -> None:
        good = line({"a": 1})
        for bad in (
            b"",
            b"{}",
            b"garbage",
            good[:-1],
            good + b" ",
            good.replace(b'"fields":{"a":1}', b'"fields":{"a":}'),
            good.replace(b'"fields":{"a":1}', b'"fields":[1]'),
            good.replace(b'"a":1', b'"a":"' + b"x" * entry.LINE_MAX + b'"'),
            good.replace(b'"a":1', b'"a":"\x1b"'),
            good.replace(b"1}}", b"[" * 5000 + b"]" * 5000 + b"}}"),
            good.replace(b"1}}", b"9" * 5000 + b"}}"),
            good.replace(b'"kind":"finding"', b'"kind":"\x1b[2J"'),
        ):
            with self.subTest(bad[:80]):
                self.assertIsNone(shown.of_line(bad))

    def test_nesting_of_any_depth_is_borne(self) -> None:
        good = line({"a": 1})
        for depth in range(800, 1100, 3):
            deep = good.replace(b"1}}", b"[" * depth + b"]" * depth + b"}}")
            found = shown.of_line(deep)
            if found is not None:
                self.assertLessEqual(
                    len(shown_text.line(found)), shown_text.LINE_MAX, depth
                )

    def test_a_time_that_cannot_be_read_is_none(self) -> None:
        for at in ("", "yesterday", "2026-11-23T12:00:00", "nan", "9" * 40):
            with self.subTest(at):
                self.assertEqual(NEVER, shown.instant(at))


class TextTest(unittest.TestCase):
    def test_a_refusal(self) -> None:
        self.assertEqual(
            "2026-11-23T12:00:00.000Z ctl-1.nova-scheduler.0 request-refused "
            f"server={SERVER} project={PROJECT} candidates=4 "
            'counts="3 no-claim, 1 host-unbound" '
            f"request={REFUSED['request']}",
            shown_text.line(of(REFUSED, kind="request-refused")),
        )

    def test_what_each_kind_says(self) -> None:
        step = {"outcome": "done", "step": "stop", "server": SERVER}
        signed = {
            "payloadType": "application/vnd.nfv-mla.ledger-checkpoint+json",
            "payload": "eyJmb3JtYXQiOiJuZnYtbWxhLWxlZGdlci1jaGVja3BvaW50LzEi"
            "LCJvcmlnaW4iOiJvIiwic2VxIjo3LCJoYXNoIjoiaCIsImF0IjoidCJ9",
            "signatures": [{"keyid": "k", "sig": "c2ln"}],
        }
        head = {"seq": 9, "hash": "00"}
        waiver = {"host": "ber-1", "officer": "bob", "reason": "INC 12"}
        for kind, fields, said in (
            ("step-done", step, f"step=stop server={SERVER} outcome=done"),
            ("checkpoint", {"signed": signed}, "through=7"),
            ("checkpoint", {"signed": 1}, ""),
            ("sealed-heads", {"heads": {"acme": head}}, 'heads="acme: 9"'),
            ("sealed-heads", {"heads": 3}, ""),
            ("sealed", {"jwe": "x" * 5864}, "bytes=5864"),
            ("heartbeat", {"results_age_s": 3.5, "x": None}, None),
            ("guard-held", {"pause": "begun", "until": NOON}, None),
            ("break-glass-used", {"waivers": [waiver]}, None),
            ("finding", {"name": "b", "text": "c d", "axis": "e"}, None),
            ("finding", {"server": SERVER, "axis": "e"}, None),
            ("new-kind", {"any": ["a", 1, True]}, 'any="a, 1, yes"'),
        ):
            expected = {
                "heartbeat": "results_age_s=3.5 x=none",
                "guard-held": "pause=begun until=2026-11-23T12:00:00.000Z",
                "break-glass-used": 'waivers="host: ber-1, officer: bob, '
                'reason: INC 12"',
                "finding": 'name=b text="c d"'
                if "text" in fields
                else f"server={SERVER} axis=e",
            }.get(kind, said)
            with self.subTest(kind=kind, fields=fields):
                text = shown_text.line(of(fields, kind=kind))
                _, _, told, *rest = text.split(" ", 3)
                self.assertEqual(kind, told)
                self.assertEqual(expected, " ".join(rest))

    def test_nobody_can_make_one_field_look_like_two(self) -> None:
        text = shown_text.line(of({"a": 'x" outcome=done', "b c": 1}))
        words = shlex.split(text.replace("'", "/"))
        self.assertEqual(["a=x/ outcome=done", "b?c=1"], words[3:])

    @hypothesis.settings(deadline=None)
    @hypothesis.given(FIELDS, st.sampled_from(EventKind))
    def test_whatever_is_in_it_the_line_is_printable_and_bounded(
        self, fields: dict[str, Any], kind: EventKind
    ) -> None:
        made = line(fields, kind=kind.value)
        found = shown.of_line(made)
        assert found is not None
        text = shown_text.line(found)
        self.assertTrue(text.isprintable())
        self.assertLessEqual(len(text), shown_text.LINE_MAX)
        written = json.dumps(shown.members(found))
        self.assertTrue(written.isascii() and written.isprintable())
        self.assertNotIn("NaN", written.replace('"NaN', ""))

    @hypothesis.settings(deadline=None)
    @hypothesis.given(st.dictionaries(st.sampled_from("abc"), st.text()))
    def test_values_are_told_apart(self, fields: dict[str, str]) -> None:
        text = shown_text.line(of(fields, kind="new-kind"))
        text = text.replace("\\", "/").replace("'", "/").replace("#", "/")
        told = [word.partition("=")[0] for word in shlex.split(text)[3:]]
        self.assertEqual([k for k, v in fields.items() if v], told)


class WantedTest(unittest.TestCase):
    def test_what_comes_whatever_happens_is_left_out(self) -> None:
        for kind in EventKind:
            steady = kind.value in shown.STEADY
            found = of({}, kind=kind.value)
            with self.subTest(kind):
                self.assertEqual(not steady, Wanted().takes(found))
                self.assertTrue(Wanted(steady=True).takes(found))
                named = Wanted(kinds=frozenset((kind.value,)))
                self.assertTrue(named.takes(found))
        self.assertEqual(4, len(shown.STEADY))

    def test_by_kind_and_time(self) -> None:
        found = of({})
        for wanted, expected in (
            (Wanted(kinds=frozenset(("placed",))), False),
            (Wanted(since=NOON), True),
            (Wanted(since=NOON + 1), False),
            (Wanted(until=NOON), False),
            (Wanted(until=NOON + 1), True),
        ):
            with self.subTest(wanted):
                self.assertEqual(expected, wanted.takes(found))

    def test_what_has_no_time_is_not_hidden(self) -> None:
        found = of({}, at=float("nan"))
        self.assertEqual(NEVER, found.time)
        self.assertTrue(Wanted(since=NOON, until=NOON).takes(found))

    def test_by_what_is_named(self) -> None:
        for fields, name, expected in (
            (REFUSED, SERVER, True),
            (REFUSED, PROJECT, True),
            (REFUSED, OTHER, False),
            (REFUSED, "3", False),
            ({"name": f"{SERVER} req-1"}, SERVER, True),
            ({"waivers": [{"server": SERVER}]}, SERVER, True),
            ({"hosts": {"ber-1": 3}}, "ber-1", True),
            ({"text": "on ber-1: failed"}, "ber-1", False),
        ):
            with self.subTest(fields=fields, name=name):
                wanted = Wanted(names=(name,))
                self.assertEqual(expected, wanted.takes(of(fields)))
        both = Wanted(names=(SERVER, "ber-1"))
        self.assertFalse(both.takes(of(REFUSED)))
        self.assertTrue(both.takes(of({**REFUSED, "host": "ber-1"})))

    def test_by_origin(self) -> None:
        wanted = Wanted(origins=frozenset((ORIGIN,)))
        self.assertTrue(wanted.takes_origin(ORIGIN))
        self.assertFalse(wanted.takes_origin("ctl-2.nova-scheduler.0"))


class OpenedTest(unittest.TestCase):
    def test_a_block_that_nests_deep_is_borne(self) -> None:
        fields: list[object] = []
        for _ in range(100_000):
            fields = [fields]
        events = [{"kind": "finding", "fields": {"a": fields}}]
        (found,) = shown.of_opened(of({"jwe": "x"}), events)
        said = json.dumps(shown.members(found))
        self.assertLess(len(said), entry.LINE_MAX)

    def test_entries_of_a_block_have_its_place_and_their_own_time(
        self,
    ) -> None:
        block = of({"jwe": "x"}, kind="sealed", origin=f"{ORIGIN}/acme")
        events = [
            {
                "at": "2026-11-23T11:59:58.000Z",
                "process": "p",
                "kind": "placed",
                "fields": {"server": SERVER},
            },
            {"at": 3, "kind": "\x1b", "fields": [1]},
        ]
        one, two = shown.of_opened(block, events)
        self.assertEqual((NOON - 2, "acme", 7), (one.time, one.domain, 7))
        self.assertEqual((1, 2), (one.place, two.place))
        self.assertEqual(
            "2026-11-23T11:59:58.000Z ctl-1.nova-scheduler.0 sealed:acme "
            f"placed server={SERVER}",
            shown_text.line(one),
        )
        self.assertEqual((NEVER, "?", {}), (two.time, two.kind, two.fields))
        self.assertTrue(shown_text.line(two).isprintable())
