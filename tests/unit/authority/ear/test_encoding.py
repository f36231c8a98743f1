# SPDX-License-Identifier: Apache-2.0
"""base64url and JSON of tokens are read strictly."""

from __future__ import annotations

import base64
import json
import unittest
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.authority import ear_encoding
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused

BASE64URL = b"abcABC019-_"
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.text(), below, max_size=3)
    ),
    max_leaves=8,
)


def read(data: bytes) -> Any:
    return ear_encoding.unfolded(ear_encoding.parse_object(data, "it"), "it")


class Base64UrlTest(unittest.TestCase):
    @given(st.binary(max_size=64))
    def test_what_was_encoded_is_decoded(self, data: bytes) -> None:
        text = base64.urlsafe_b64encode(data).rstrip(b"=")
        self.assertEqual(data, ear_encoding.decoded(text))

    @given(
        st.lists(st.sampled_from(b"AQgwBZ9-_+/= \n\xff"), max_size=12).map(
            bytes
        )
    )
    def test_there_is_one_spelling_of_each_value(self, text: bytes) -> None:
        data = ear_encoding.decoded(text)
        if data is not None:
            self.assertEqual(base64.urlsafe_b64encode(data).rstrip(b"="), text)

    def test_other_spellings_are_refused(self) -> None:
        self.assertEqual(b"\xfb\xff", ear_encoding.decoded(b"-_8"))
        for text in (
            b"A",
            b"AAAAA",
            b"+_8",
            b"-/8",
            b"AB+A",
            b"/BAA",
            b"-_8=",
            b"QQ==",
            b"QUJD=",
            b"====",
            b"QUI D",
            b"QUJD\n",
            b"\nQUJD",
            b"QU=D",
            b"-_9",
            b"QR",
            b"\xff\xff\xff\xff",
        ):
            with self.subTest(text=text):
                self.assertIsNone(ear_encoding.decoded(text))


class JsonTest(unittest.TestCase):
    def refusal(self, data: bytes) -> TokenCode:
        with self.assertRaises(TokenRefused) as caught:
            read(data)
        return caught.exception.reason

    @given(st.dictionaries(st.text(), VALUES, max_size=4))
    def test_what_was_written_is_read(self, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.assertEqual(value, read(data))
        self.assertEqual(repr(json.loads(data)), repr(read(data)))

    def test_an_empty_array_is_no_empty_object(self) -> None:
        self.assertEqual(
            {"a": [], "b": {}, "c": [{}, []]},
            read(b'{"a":[],"b":{},"c":[{},[]]}'),
        )

    def test_a_key_that_stands_twice_is_refused_wherever_it_is(self) -> None:
        for data in (
            b'{"a":1,"a":1}',
            b'{"a":1,"\\u0061":2}',
            b'{"a":{"b":1,"c":2,"b":3}}',
            b'{"a":[[{"":1,"":1}]]}',
        ):
            with self.subTest(data=data):
                self.assertIs(TokenCode.MALFORMED, self.refusal(data))

    def test_depth_is_counted_from_the_outermost_bracket(self) -> None:
        for opening, closing in ((b"[", b"]"), (b'{"x":', b"}")):
            for depth, fits in ((15, True), (16, False), (100, False)):
                inner = opening * depth + b"1" + closing * depth
                data = b'{"a":' + inner + b"}"
                with self.subTest(depth=depth):
                    if fits:
                        read(data)
                    else:
                        self.assertIs(TokenCode.TOO_DEEP, self.refusal(data))

    def test_depth_beyond_the_parsers_is_refused_too(self) -> None:
        data = b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
        self.assertIs(TokenCode.TOO_DEEP, self.refusal(data))

    def test_what_is_no_json_is_refused(self) -> None:
        for data in (
            b"",
            b"null",
            b"[]",
            b"1",
            b'"a"',
            b"{",
            b"{}}",
            b"{} {}",
            b"{'a':1}",
            b'{"a":01}',
            b'{"a":.5}',
            b'{"a":+1}',
            b'{"a":NaN}',
            b'{"a":-Infinity}',
            b'{"a":1,}',
            b'{"a":"\n"}',
            b'{"a":"\xff"}',
            b"\xef\xbb\xbf{}",
            b'{"a":' + b"9" * 5000 + b"}",
        ):
            with self.subTest(data=data[:20]):
                self.assertIs(TokenCode.MALFORMED, self.refusal(data))
