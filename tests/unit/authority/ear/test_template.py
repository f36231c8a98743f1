# SPDX-License-Identifier: Apache-2.0
"""A payload that fits a template means what parsing it would have said."""

from __future__ import annotations

import json
import unittest
from typing import Any

from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.authority import ear_encoding
from nfv_mla_scheduler.authority.ear_template import OF_ONE_LENGTH_MAX
from nfv_mla_scheduler.authority.ear_template import TEMPLATES_MAX
from nfv_mla_scheduler.authority.ear_template import Templates
from tests.vectors.ear_making import b64

OWN = ("sub", "iat", "exp")
PLAIN = '{"a":1,"sub":"ber-1","iat":17,"exp":20,"b":{"c":[1,2]}}'


def split(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is own in a payload, and the rest in pairs."""
    rest = dict(ear_encoding.parse_object(text.encode(), "it"))
    own = {name: rest.pop(name) for name in OWN if name in rest}
    return own, rest


def learnt(text: str) -> Templates[str]:
    found: Templates[str] = Templates()
    found.add(encoded(text), *split(text), "known")
    return found


def encoded(text: str) -> bytes:
    return b64(text.encode()).encode()


class FittingTest(unittest.TestCase):
    def check(self, known: str, text: str, fits: bool) -> None:
        with self.subTest(known=known, text=text):
            found = learnt(known).find(encoded(text))
            if fits:
                self.assertEqual((split(text)[0], "known"), found)
                self.assertEqual(split(known)[1], split(text)[1])
            else:
                self.assertIsNone(found)

    def test_other_values_fit(self) -> None:
        for old, new in (
            ("ber-1", "ber-2"),
            ("ber-1", "fra/9"),
            (":17", ":18"),
            (":17", ":99"),
            ("20", "10"),
        ):
            self.check(PLAIN, PLAIN.replace(old, new), True)

    def test_whatever_else_differs_does_not_fit(self) -> None:
        for old, new in (
            ('{"a":1', '{"a":2'),
            ("[1,2]", "[1,3]"),
            ('"sub"', '"bus"'),
            (":17", ":1a"),
            (":17", ":07"),
            (":17", ":-7"),
            (":17", ': 7"'),
            (":17", ":.7"),
            ('"ber-1"', '"ber\\"'),
            ('"ber-1"', '"be","'),
            ('"ber-1"', "123456 "),
            ('"ber-1"', '"ber 1"'),
            ('"ber-1"', '"ber\n1"'),
        ):
            self.check(PLAIN, PLAIN.replace(old, new), False)

    def test_all_of_the_text_is_compared(self) -> None:
        known = '{"iat":17,"a":"xxxxxx"}'
        self.check(known, '{"iat":99,"a":"xxxxxx"}', True)
        self.check(known, '{"iat":1,"aa":"xxxxxx"}', False)
        self.check(known, '{"iat":1,"a" :"xxxxxx"}', False)
        self.check(known, '{"iat":1 ,"a":"xxxxxx"}', False)
        self.check(known, ' {"iat":1,"a":"xxxxxx"}', False)

    def test_blanks_behind_colons_are_minded(self) -> None:
        spaced = json.dumps(json.loads(PLAIN))
        self.check(spaced, spaced.replace("17", "18"), True)
        self.check(spaced, spaced.replace(" 17", "018"), False)

    def test_the_values_may_stand_anywhere(self) -> None:
        for text in (
            '{"sub":"ber-1","iat":17}',
            '{"iat":17,"a":"x","sub":"ber-1"}',
            '{"b":{"c":1},"iat":17}',
            '{"iat":17,"a":"\u00e4\u20ac"}',
            '{"a":"\u00e4\u20ac","iat":17}',
        ):
            self.check(text, text.replace("17", "18"), True)
            self.check(text, text.replace("ber-1", "ber-2"), True)

    def test_what_only_looks_alike_is_not_cut(self) -> None:
        for text in (
            '{"x":{"iat":17},"iat":17}',  # which of the two?
            '{"x":{"iat":17},"iat" : 17}',  # the one that is found is not it
            '{"x\\"iat":17,"i\\u0061t":17}',  # nor is it here
            '{"x":"\\"iat\\":17","iat" :17}',
            '{"iat":17.5}',
            '{"iat":true}',
            '{"iat":-17}',
            '{"iat":[17]}',
            '{"sub":"a b","iat":17}',
            '{"sub":"\\u0061","iat":17}',
            '{"iat":12345678901234567}',
            '{"a":1}',
        ):
            with self.subTest(text=text):
                self.check(text, text, False)

    def test_a_quoted_key_is_not_mistaken_for_the_key(self) -> None:
        text = '{"x":"\\"iat\\":17","iat":17}'
        self.check(text, '{"x":"\\"iat\\":17","iat":18}', True)
        self.check(text, '{"x":"\\"iat\\":18","iat":17}', False)

    def test_the_end_is_compared_in_its_encoding(self) -> None:
        known = learnt(PLAIN)
        good = encoded(PLAIN)
        self.assertIsNotNone(known.find(good))
        self.assertIsNone(known.find(good + b"="))
        for index in range(len(good)):
            for other in (b"!", b"+", b"=", b"\n", b"\xff"):
                bad = good[:index] + other + good[index + 1 :]
                self.assertIsNone(known.find(bad))

    KEYS = st.sampled_from(["sub", "iat", "exp", "a", "\u00e4", '"iat', "x"])
    LEAVES = (
        st.integers(-20, 20)
        | st.booleans()
        | st.none()
        | st.text('"\\:,{}ai1 \u20ac', max_size=6)
        | st.floats(allow_nan=False, allow_infinity=False)
    )
    OBJECTS = st.dictionaries(
        KEYS,
        st.recursive(
            LEAVES,
            lambda below: (
                st.lists(below, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["iat", "sub", "x"]), below, max_size=3
                )
            ),
            max_leaves=4,
        ),
        max_size=6,
    )

    @given(
        OBJECTS,
        st.booleans(),
        st.booleans(),
        st.lists(
            st.tuples(
                st.integers(0, 200),
                st.sampled_from('"\\:,{}0123456789ab. eE-+\u00e4'),
            ),
            max_size=3,
        ),
    )
    def test_what_fits_parses_to_the_same(
        self,
        payload: dict[str, Any],
        compact: bool,
        ascii_only: bool,
        edits: list[tuple[int, str]],
    ) -> None:
        separators = (",", ":") if compact else None
        text = json.dumps(
            payload, separators=separators, ensure_ascii=ascii_only
        )
        known = learnt(text)
        changed = text
        for at, what in edits:
            at %= len(text)
            changed = changed[:at] + what + changed[at + 1 :]
        found = known.find(encoded(changed))
        if found is not None:
            own, rest = split(changed)
            self.assertEqual(
                sorted(map(repr, own.items())),
                sorted(map(repr, found[0].items())),
            )
            self.assertEqual(repr(split(text)[1]), repr(rest))

    @given(
        st.text("abcXYZ019_.:/@-", max_size=9),
        st.integers(0, 2**53),
        st.integers(0, 2**53),
        OBJECTS,
    )
    def test_simple_values_fit(
        self, sub: str, one: int, other: int, rest: dict[str, Any]
    ) -> None:
        for name in OWN:
            rest.pop(name, None)
        assume(not any(f'"{name}' in json.dumps(rest) for name in OWN))
        before = {"a": 1, "sub": sub, "iat": one, "exp": other, **rest}
        after = {"a": 1, "sub": sub[::-1], "iat": one, "exp": other, **rest}
        known = learnt(json.dumps(before))
        found = known.find(encoded(json.dumps(after)))
        assume(json.dumps(before).count(f'"exp": {other}') == 1)
        self.assertIsNotNone(found)


class BoundsTest(unittest.TestCase):
    def test_few_are_kept_of_one_length_and_in_all(self) -> None:
        known: Templates[int] = Templates()
        texts = [
            f'{{"iat":17,"a":"{"x" * length}{n:02}"}}'
            for length in range(80)
            for n in range(12)
        ]
        for text in texts:
            known.add(encoded(text), *split(text), 0)
        found = [text for text in texts if known.find(encoded(text))]
        self.assertEqual(TEMPLATES_MAX, len(found))
        limit = OF_ONE_LENGTH_MAX
        self.assertEqual(texts[:limit], found[:limit])
        self.assertEqual(texts[12 : 12 + limit], found[limit : 2 * limit])
        known.clear()
        self.assertFalse(any(known.find(encoded(text)) for text in texts))
