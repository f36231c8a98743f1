# SPDX-License-Identifier: Apache-2.0
"""A document says one thing only, whichever parser reads it."""

from __future__ import annotations

import unittest
from unittest import mock

import hypothesis
import yaml
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.standard.strict_yaml import DEPTH_MAX
from nfv_mla_scheduler.standard.strict_yaml import PROBLEMS_MAX
from nfv_mla_scheduler.standard.strict_yaml import YamlDocument
from nfv_mla_scheduler.standard.strict_yaml import format_path
from nfv_mla_scheduler.standard.strict_yaml import read_yaml

MAX = 65536

# text -> value
WORDS = (
    ("6.10", "6.10"),
    ("NO", "NO"),
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("True", "True"),
    ("TRUE", "TRUE"),
    ("true", True),
    ("false", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("Null", "Null"),
    ("0", 0),
    ("42", 42),
    ("-7", -7),
    ("+7", "+7"),
    ("-0", "-0"),
    ("010", "010"),
    ("0x1f", "0x1f"),
    ("0o17", "0o17"),
    ("1_000", "1_000"),
    ("1:30", "1:30"),
    ("1e3", "1e3"),
    (".inf", ".inf"),
    ("2026-01-01", "2026-01-01"),
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("=", "="),
    ("<<", "<<"),
    ("'42'", "42"),
    ('"true"', "true"),
    ("''", ""),
    ("|\n  a\n  b\n", "a\nb\n"),
    ("[a, 1, [b]]", ["a", 1, ["b"]]),
    ("{b: {c: d}}", {"b": {"c": "d"}}),
    ("\u0661\u0662", "\u0661\u0662"),
)

# bytes, line, path, what is said
REFUSED = (
    (b"a: 1\nb: 2\na: 3\n", 3, "a", "already stands at line 1"),
    (b"x:\n  b: 1\n  b: 2\n", 3, "x.b", "already stands at line 2"),
    (b"x:\n- b: 1\n  b: 2\n", 3, "x[0].b", "already stands at line 2"),
    (b"a: &x 1\n", 1, "a", "anchors are not allowed"),
    (b"a: &x 1\nb: *x\n", 2, "b", "aliases are not allowed"),
    (b"a: !!str 1\n", 1, "a", "tags are not allowed"),
    (b"a: !!python/object:os.system x\n", 1, "a", "tags are not"),
    (b"a: ! 1\n", 1, "a", "tags are not allowed"),
    (b"!!map {}\n", 1, "document", "tags are not allowed"),
    (b"---\na: 1\n---\nb: 2\n", 3, "document", "more than one document"),
    (b"a: 1\n6: 1\n", 2, "document", "a key must be a string"),
    (b"true: 1\n", 1, "document", "a key must be a string"),
    (b"~: 1\n", 1, "document", "a key must be a string"),
    (b"? [a]\n: 1\n", 1, "document", "a key must be a string"),
    (b"? {a: b}\n: 1\n", 1, "document", "a key must be a string"),
    (b"a: b: c\n", 1, "document", "not YAML"),
    (b"a: [1\nb", None, "document", "not YAML"),
    (b"a:\n\t- 1\n", 2, "document", "not YAML"),
    (b"ok: 1\na: \xff\n", 2, "document", "not UTF-8"),
    (b"\xff\xfea\x00", 1, "document", "not UTF-8"),
    (b"a: 1\nb: \x01\n", 2, "document", "not YAML"),
    (b"a: 1234567890123456789\n", 1, "a", "number too long"),
    (b"a: " + b"9" * 5000, 1, "a", "number too long"),
    (b'a: "\\ud800"\n', 1, None, None),
    (b'a: "\\UFFFFFFFF"\n', None, None, "not YAML"),
)


PARTS = (
    *("a", "b", ":", ": ", "- ", " ", "{", "}", "[", "]", ", ", " #", "'"),
    *('"', "|", ">", "1", "true", "~", "? ", "\\x41"),
)
PARTS_OF_LINES = ("\n", "\n  ", "\t", "\r", "\u2028", "\x85", "---\n")


def read(data: bytes, limit: int = MAX) -> YamlDocument:
    return read_yaml(data, max_bytes=limit)


class StrictYamlTest(unittest.TestCase):
    """With libyaml, which is fast and usual."""

    libyaml = True

    def setUp(self) -> None:
        if self.libyaml and not yaml.__with_libyaml__:
            self.skipTest("PyYAML was built without libyaml")
        chosen = mock.patch.object(yaml, "__with_libyaml__", self.libyaml)
        chosen.start()
        self.addCleanup(chosen.stop)

    def refusal(self, data: bytes, limit: int = MAX) -> DocumentError:
        with self.assertRaises(DocumentError) as caught:
            read(data, limit)
        return caught.exception

    def test_a_word_means_what_is_written(self) -> None:
        for text, value in WORDS:
            with self.subTest(text):
                found = read(f"a: {text}".encode()).value
                self.assertEqual({"a": value}, found)
                self.assertIs(type(value), type(found["a"]))

    def test_an_empty_document_is_null(self) -> None:
        for data in (b"", b"\n\n", b"# nothing\n", b"---\n", b"null"):
            self.assertIsNone(read(data).value)
            self.assertGreater(read(data).line(()), 0)

    def test_a_byte_order_mark_is_no_part_of_the_first_key(self) -> None:
        self.assertEqual({"a": 1}, read(b"\xef\xbb\xbfa: 1").value)

    def test_knows_the_line_of_every_path(self) -> None:
        found = read(
            b"# comment\n"
            b"hosts:\n"
            b"  ber-1:\n"
            b"    uuid:\n"
            b"      x\n"
            b"    list: [a,\n"
            b"      b]\n"
            b"pools:\n"
            b"- name: c\n"
            b"  rank: 1\n"
        )
        for path, line in (
            ((), 2),
            (("hosts",), 2),
            (("hosts", "ber-1"), 3),
            (("hosts", "ber-1", "uuid"), 4),
            (("hosts", "ber-1", "list"), 6),
            (("hosts", "ber-1", "list", 0), 6),
            (("hosts", "ber-1", "list", 1), 7),
            (("pools", 0), 9),
            (("pools", 0, "rank"), 10),
        ):
            self.assertEqual(line, found.line(path), path)

    def test_what_is_missing_is_looked_for_around_it(self) -> None:
        found = read(b"a:\n  b: 1\n")
        self.assertEqual(1, found.line(("a", "c", "d")))
        self.assertEqual(2, found.line(("a", "b", 7)))

    def test_refuses_with_line_and_path(self) -> None:
        for data, line, path, message in REFUSED:
            with self.subTest(data[:40]):
                problem = self.refusal(data).problems[-1]
                if line is not None:
                    self.assertEqual(line, problem.line)
                if path is not None:
                    self.assertEqual(path, problem.path)
                if message is not None:
                    self.assertIn(message, problem.message)

    def test_tells_every_duplicate(self) -> None:
        error = self.refusal(b"a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n")
        self.assertEqual(
            [("a", 2), ("b.c", 3), ("a", 4)],
            [(problem.path, problem.line) for problem in error.problems],
        )

    def test_tells_a_bounded_number_of_problems(self) -> None:
        error = self.refusal(b"a: 1\n" * 5000)
        self.assertEqual(PROBLEMS_MAX, len(error.problems))

    def test_reads_no_deeper_than_the_bound(self) -> None:
        deep = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
        self.assertEqual(1, len(read(deep).value))
        error = self.refusal(b"[" * (DEPTH_MAX + 1) + b"]" * 33)
        self.assertIn("nested deeper", str(error))
        self.assertIn("nested deeper", str(self.refusal(b"{a: " * 9000)))
        self.assertIn("nested deeper", str(self.refusal(b"- " * 9000)))

    def test_reads_no_more_than_the_bound(self) -> None:
        self.assertEqual("abcd", read(b"abcd", 4).value)
        self.assertIn("longer than 4", str(self.refusal(b"abcde", 4)))
        self.assertIn("longer than 4", str(self.refusal(b"\xff" * 5, 4)))

    def test_an_error_is_one_bounded_line(self) -> None:
        for data in (b"a\n" * 300 + b"b: 1", b"x: &" + b"y" * 9000 + b" 1"):
            self.assertLessEqual(len(str(self.refusal(data))), 240)
            self.assertNotIn("\n", str(self.refusal(data)))

    @hypothesis.given(st.binary(max_size=200))
    @hypothesis.example(b"\xef\xbb\xbf")
    @hypothesis.example(b"%YAML 9.9\n---\n")
    @hypothesis.example(b'"\\x')
    @hypothesis.settings(
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.differing_executors],
    )
    def test_bytes_raise_nothing_else(self, data: bytes) -> None:
        try:
            read(data)
        except DocumentError as exc:
            self.assertTrue(exc.problems)

    @hypothesis.given(
        st.text(
            alphabet=" \t\n-:?[]{},#&*!|>'\"%@`\\ux0a1~<=.\u2028\ufeff\x85",
            max_size=60,
        )
    )
    @hypothesis.settings(
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.differing_executors],
    )
    def test_marks_of_the_language_raise_nothing_else(self, text: str) -> None:
        try:
            found = read(text.encode())
        except DocumentError as exc:
            self.assertTrue(exc.problems)
        else:
            self.assert_plain(found, found.value, ())

    def assert_plain(
        self, found: YamlDocument, value: object, path: tuple[str | int, ...]
    ) -> None:
        """Only plain values, each with a line of its own."""
        self.assertGreater(found.line(path), 0)
        if isinstance(value, dict):
            for key, entry in value.items():
                self.assertIs(str, type(key))
                self.assert_plain(found, entry, (*path, key))
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                self.assert_plain(found, entry, (*path, index))
        else:
            self.assertIn(type(value), (str, int, bool, type(None)))


class StrictYamlWithoutLibyamlTest(StrictYamlTest):
    """With the parser that every PyYAML has."""

    libyaml = False


class ParsersAgreeTest(unittest.TestCase):
    """A signed document may not mean one thing here and another there."""

    def setUp(self) -> None:
        if not yaml.__with_libyaml__:
            self.skipTest("PyYAML was built without libyaml")

    def read_with(self, data: bytes, libyaml: bool) -> YamlDocument | None:
        with mock.patch.object(yaml, "__with_libyaml__", libyaml):
            try:
                return read(data)
            except DocumentError:
                return None

    @hypothesis.given(
        st.lists(st.sampled_from([*PARTS, *PARTS_OF_LINES]), max_size=12)
    )
    @hypothesis.settings(deadline=None, max_examples=300)
    def test_on_the_value_of_what_both_take(self, parts: list[str]) -> None:
        data = "".join(parts).encode()
        fast, slow = self.read_with(data, True), self.read_with(data, False)
        if fast is not None and slow is not None:
            self.assertEqual(repr(slow.value), repr(fast.value))


class FormatPathTest(unittest.TestCase):
    def test_reads_as_people_write_it(self) -> None:
        for path, text in (
            ((), "document"),
            (("hosts",), "hosts"),
            (("hosts", "ber-1", "uuid"), "hosts.ber-1.uuid"),
            (("pools", 2, "members", 0), "pools[2].members[0]"),
            ((0, "a"), "[0].a"),
        ):
            self.assertEqual(text, format_path(path))

    def test_a_key_cannot_forge_lines(self) -> None:
        self.assertEqual("a?b.c", format_path(("a\nb", "c")))
