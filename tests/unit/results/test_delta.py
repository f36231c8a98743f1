# SPDX-License-Identifier: Apache-2.0
"""A delta leads to the very bytes that were published, or to an error."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time
import unittest
from typing import Any
from unittest import mock

from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.results import alignment
from nfv_mla_scheduler.results import delta
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from tests.unit.generators import examples
from tests.unit.results.documents import BOOTED
from tests.unit.results.documents import NOW
from tests.unit.results.documents import SIGNER
from tests.unit.results.documents import TPM
from tests.unit.results.documents import read

MAX_BYTES = 2**20
HOSTS = 200


def published(
    hosts: dict[str, tuple[Any, ...]], issued_at: float = NOW
) -> bytes:
    """Return a document of two authorities.

    :param hosts: name -> claims, time, boot
    """
    results, freshness = {}, {}
    for authority in ("ear", "keylime"):
        results[authority] = {
            name: Result(authority, name, claims, boot, NOW - 100)
            for name, (claims, _, boot) in hosts.items()
        }
        freshness[authority] = {
            name: Freshness(at, boot, at + 60)
            for name, (_, at, boot) in hosts.items()
        }
    draft = ResultsDraft("collector", issued_at, results, freshness)
    return write(draft, SIGNER)


def many(seed: int = 0) -> dict[str, tuple[Any, ...]]:
    """Return hosts of which each has times and a boot of its own."""
    chance = random.Random(seed)
    return {
        f"host-{number:04}": (
            TPM if number % 3 else BOOTED,
            round(NOW - chance.random() * 30, 3),
            f"boot-{chance.randbytes(8).hex()}",
        )
        for number in range(HOSTS)
    }


def later(hosts: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return the same hosts, all of them attested again."""
    return {
        name: (claims, at + 30, boot)
        for name, (claims, at, boot) in hosts.items()
    }


# what has happened to a host between two documents
CHANGES = st.dictionaries(
    st.integers(0, HOSTS + 20),
    st.sampled_from(("claims", "boot", "time", "gone", "come")),
    max_size=30,
)


class ExactTest(unittest.TestCase):
    """What is rebuilt is what was published."""

    def _check(self, old: bytes, new: bytes) -> bytes | None:
        made = delta.encode(old, new)
        if made is not None:
            self.assertLessEqual(len(made), len(new) * delta.WORTH)
            rebuilt = delta.apply(old, made, max_bytes=MAX_BYTES)
            self.assertEqual(new, rebuilt)
        return made

    @given(CHANGES, st.booleans(), st.integers(0, 9))
    @examples(40)
    def test_whatever_has_changed(
        self, changes: dict[int, str], renewed: bool, seed: int
    ) -> None:
        before = many(seed)
        after = later(before) if renewed else dict(before)
        for number, what in changes.items():
            name = f"host-{number:04}"
            claims, at, boot = after.get(name, (TPM, NOW, "boot"))
            if what == "gone":
                after.pop(name, None)
            elif name in after or what == "come":
                after[name] = {
                    "claims": (TPM if claims is BOOTED else BOOTED, at, boot),
                    "boot": (claims, at, "another boot"),
                    "time": (claims, at + 1, boot),
                    "come": (claims, at, boot),
                }[what]
        old, new = published(before), published(after, NOW + 1)
        made = self._check(old, new)
        if made is None:
            self.assertIn("gone", changes.values())
            return
        rebuilt = delta.apply(old, made, max_bytes=MAX_BYTES)
        self.assertEqual(NOW + 1, read(rebuilt, now=NOW + 40).issued_at)

    @given(st.binary(max_size=200), st.binary(max_size=200))
    @examples(120)
    @example(b"", b"")
    @example(b"", b"\n" * 900)
    @example(b"," * 900, b"," * 901)
    def test_arbitrary_bytes(self, old: bytes, new: bytes) -> None:
        self._check(old, new)
        # long enough to be worth it, if they are text
        self._check(old + b",a" * 500, new + b",a" * 500)

    ODD = st.text(
        st.sampled_from(',],"[\n\\ü{}:a=') | st.characters(codec="utf-8"),
        max_size=60,
    )

    @given(ODD, ODD, ODD, st.sampled_from(('{"payload":"', '"payload":"', "")))
    @examples(120)
    def test_documents_that_no_writer_writes(
        self, one: str, other: str, more: str, mark: str
    ) -> None:
        folded = base64.b64encode(one.encode()).decode()
        fill = ',"filler"' * 100
        olds = [
            f"{mark}{folded}{tail}{more}\n{body}{fill}".encode()
            for tail in ('"', "")
            for body in (one, other)
        ]
        for old in olds:
            for new in (*olds, (more + fill).encode()):
                self._check(old, new)

    def test_the_same_document_again(self) -> None:
        data = published(many())
        made = self._check(data, data)
        assert made is not None
        self.assertLess(len(made), 250)


class SmallTest(unittest.TestCase):
    """What has not changed does not travel."""

    def setUp(self) -> None:
        self.before = many()
        self.old = published(self.before)

    def _size(self, after: dict[str, tuple[Any, ...]]) -> int:
        made = delta.encode(self.old, published(after, NOW + 1))
        assert made is not None
        rebuilt = delta.apply(self.old, made, max_bytes=MAX_BYTES)
        self.assertEqual(published(after, NOW + 1), rebuilt)
        return len(made)

    def test_nothing_but_the_time_of_issue(self) -> None:
        self.assertLess(self._size(self.before), 600)

    def test_one_host(self) -> None:
        after = dict(self.before)
        claims, at, _ = after["host-0007"]
        after["host-0007"] = (claims, at + 5, "rebooted")
        self.assertLess(self._size(after), 900)

    def test_all_times(self) -> None:
        size = self._size(later(self.before))
        # two columns of two authorities, 15 characters each
        self.assertLess(size, 2 * 2 * HOSTS * 16 + 800)
        self.assertLess(size, len(self.old) / 2)

    def test_a_host_that_has_come_or_gone(self) -> None:
        for name in ("host-0000", "host-0100", "host-0199"):
            with self.subTest(gone=name):
                after = {k: v for k, v in self.before.items() if k != name}
                self.assertLess(self._size(after), len(self.old) / 5)
        for name in ("a", "host-0100x", "z"):
            with self.subTest(come=name):
                after = {**self.before, name: (TPM, NOW, "boot")}
                self.assertLess(self._size(after), len(self.old) / 5)

    def test_all_of_it_is_not_worth_it(self) -> None:
        other = {f"x{name}": (BOOTED, 1.0, "?") for name in self.before}
        self.assertIsNone(delta.encode(self.old, published(other)))

    def test_beyond_a_size_what_has_gone_is_not_looked_for(self) -> None:
        gone = {k: v for k, v in self.before.items() if k != "host-0100"}
        small = self._size(gone)
        with mock.patch.object(alignment, "ALIGNED_MAX", 100):
            self.assertIsNone(delta.encode(self.old, published(gone)))
            # as many as before are still compared
            self.assertLess(self._size(self.before), small)

    def test_beyond_a_number_of_pieces_nothing_is_taken_apart(self) -> None:
        made = delta.encode(self.old, self.old)
        assert made is not None
        few = max(part.count(",") for part in delta._unfold(self.old)) + 1
        with mock.patch.object(delta, "PIECES_MAX", few):
            self.assertIsNotNone(delta.encode(self.old, self.old))
            delta.apply(self.old, made, max_bytes=MAX_BYTES)
        with (
            mock.patch.object(delta, "PIECES_MAX", few - 1),
            self.assertRaises(ResultsRefused) as caught,
        ):
            self.assertIsNone(delta.encode(self.old, self.old))
            delta.apply(self.old, made, max_bytes=MAX_BYTES)
        self.assertIs(ResultsCode.TOO_LARGE, caught.exception.reason)
        self.assertIn("pieces", str(caught.exception))

    def test_what_nobody_would_take_is_not_made(self) -> None:
        old = b"{}\n" + b"a" * 300_000
        new = old + b"," + b"b" * 200_000
        # worth it for the new one, and too much for the old one
        self.assertTrue(delta.encode(old, new) is None)
        with mock.patch.object(delta, "bytes_max", len):
            made = delta.encode(old, new)
        assert made is not None
        self.assertLess(len(made), len(new) * delta.WORTH)
        with self.assertRaises(ResultsRefused) as caught:
            delta.apply(old, made, max_bytes=MAX_BYTES)
        self.assertIs(ResultsCode.TOO_LARGE, caught.exception.reason)

    def test_a_huge_text_that_nothing_touches_costs_little(self) -> None:
        old = (b"ab," * (2**26 // 3))[: 2**26]
        data = delta_of(sha256="0" * 64, length=0)
        began = time.process_time()
        with self.assertRaises(ResultsRefused) as caught:
            delta.apply(old, data, max_bytes=2**26)
        self.assertIs(ResultsCode.TOO_LARGE, caught.exception.reason)
        self.assertLess(time.process_time() - began, 0.5)

    def test_what_is_no_text_is_sent_whole(self) -> None:
        filler = b",filler" * 100
        self.assertIsNone(delta.encode(b"\xff" + filler, filler))
        self.assertIsNone(delta.encode(filler, b"\xff" + filler))


def delta_of(**changed: Any) -> bytes:
    """Return a delta that leads from ``a,b,c`` to itself, or a spoilt one."""
    fields = {
        "format": delta.FORMAT,
        "sha256": hashlib.sha256(OLD).hexdigest(),
        "length": len(OLD),
        "envelope": [],
        "payload": [],
        "body": [],
        **changed,
    }
    kept = {name: value for name, value in fields.items() if value is not ...}
    return json.dumps(kept).encode()


OLD = b'{"payload":"YSxi","x":1}\na,b,c\n'
DEEP = b'{"body":' + b"[" * 60 + b"]" * 60 + b"}"
# delta, why it is refused, a word of it
REFUSED = {
    "empty": (b"", ResultsCode.INVALID, "JSON"),
    "not JSON": (b"\xff", ResultsCode.INVALID, "UTF-8"),
    "not an object": (b"[]", ResultsCode.INVALID, "object"),
    "too deep": (DEEP, ResultsCode.TOO_DEEP, "deeper"),
    "a key twice": (b'{"body":[],"body":[]}', ResultsCode.INVALID, "twice"),
    "a key too many": (delta_of(more=1), ResultsCode.INVALID, "not known"),
    "a key too few": (delta_of(body=...), ResultsCode.INVALID, "lacks"),
    "another format": (delta_of(format="x"), ResultsCode.INVALID, "format"),
    "a length too far": (
        delta_of(length=MAX_BYTES + 1),
        ResultsCode.INVALID,
        "at most",
    ),
    "a length below 0": (delta_of(length=-1), ResultsCode.INVALID, "count"),
    "a length of truth": (delta_of(length=True), ResultsCode.INVALID, "count"),
    "another length": (delta_of(length=3), ResultsCode.INVALID, "lead"),
    "another digest": (delta_of(sha256="0" * 64), ResultsCode.INVALID, "lead"),
    "a digest of numbers": (delta_of(sha256=7), ResultsCode.INVALID, "lead"),
    "edits no array": (delta_of(body={}), ResultsCode.INVALID, "array"),
    "edits of two": (delta_of(body=[[0, 0]]), ResultsCode.INVALID, "three"),
    "keeps less than none": (
        delta_of(body=[[-1, 1, None]]),
        ResultsCode.INVALID,
        "than there is",
    ),
    "drops less than none": (
        delta_of(body=[[1, -1, None]]),
        ResultsCode.INVALID,
        "than there is",
    ),
    "keeps too much": (
        delta_of(body=[[4, 0, None]]),
        ResultsCode.INVALID,
        "than there is",
    ),
    "drops too much": (
        delta_of(body=[[1, 1, "b"], [0, 2, None]]),
        ResultsCode.INVALID,
        "than there is",
    ),
    "keeps a truth": (
        delta_of(body=[[True, 0, None]]),
        ResultsCode.INVALID,
        "counts",
    ),
    "drops 1.0": (delta_of(body=[[0, 1.0, None]]), ResultsCode.INVALID, "cou"),
    "puts a number": (delta_of(body=[[0, 0, 1]]), ResultsCode.INVALID, "text"),
    "puts half a character": (
        delta_of(body=[[0, 0, "\ud800"]]),
        ResultsCode.INVALID,
        "text",
    ),
    "puts too much": (
        delta_of(body=[[0, 0, "more"]]),
        ResultsCode.INVALID,
        "lead",
    ),
    "a payload and no envelope": (
        delta_of(envelope=[[0, 2, None]]),
        ResultsCode.INVALID,
        "no envelope",
    ),
    "larger than it may be": (
        b" " * (delta.ALWAYS_BYTES + 1),
        ResultsCode.TOO_LARGE,
        "bytes",
    ),
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
SECTIONS = st.sampled_from(("envelope", "payload", "body", "length", "x"))


class RefusedTest(unittest.TestCase):
    def test_the_one_that_is_spoilt_is_good(self) -> None:
        rebuilt = delta.apply(OLD, delta_of(), max_bytes=MAX_BYTES)
        self.assertEqual(OLD, rebuilt)

    def test_each_fault_is_an_error_that_says_so(self) -> None:
        for name, (data, code, word) in REFUSED.items():
            with self.subTest(name):
                with self.assertRaises(ResultsRefused) as caught:
                    delta.apply(OLD, data, max_bytes=MAX_BYTES)
                self.assertIs(code, caught.exception.reason)
                self.assertIn(word, str(caught.exception))

    def test_a_delta_of_another_document(self) -> None:
        first, second = published(many(1)), published(many(1), NOW + 1)
        made = delta.encode(first, second)
        assert made is not None
        for base in (published(many(2)), b"", b"\xff\xfe", second[:-9]):
            with self.assertRaises(ResultsRefused):
                delta.apply(base, made, max_bytes=MAX_BYTES)

    def test_it_may_not_lead_to_more_than_is_taken(self) -> None:
        old = published(many())
        made = delta.encode(old, old)
        assert made is not None
        delta.apply(old, made, max_bytes=len(old))
        with self.assertRaises(ResultsRefused):
            delta.apply(old, made, max_bytes=len(old) - 1)

    @given(st.binary(max_size=300))
    @examples(120)
    def test_arbitrary_bytes(self, data: bytes) -> None:
        with self.assertRaises(ResultsRefused):
            delta.apply(OLD, data, max_bytes=MAX_BYTES)

    @given(st.dictionaries(SECTIONS, JSON, max_size=4))
    @examples(120)
    def test_arbitrary_fields(self, fields: dict[str, Any]) -> None:
        try:
            rebuilt = delta.apply(OLD, delta_of(**fields), max_bytes=MAX_BYTES)
        except ResultsRefused:
            return
        self.assertEqual(OLD, rebuilt)

    @given(st.integers(0, 10**6), st.integers(0, 255))
    @examples(150)
    def test_one_byte_is_another(self, where: int, byte: int) -> None:
        old, new = published(many(3)), published(many(3), NOW + 1)
        made = bytearray(delta.encode(old, new) or b"")
        made[where % len(made)] = byte
        try:
            rebuilt = delta.apply(old, bytes(made), max_bytes=MAX_BYTES)
        except ResultsRefused:
            return
        self.assertEqual(new, rebuilt)
