# SPDX-License-Identifier: Apache-2.0
"""What we wrote is ours, and nothing else is."""

from __future__ import annotations

import dataclasses
import unittest

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.monitor.acting.asking import next_mark
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Forged
from nfv_mla_scheduler.monitor.marking.marks import Mark

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
BEARER = "6c1f3c4e-0d1f-4a53-9df2-2f6c6a3d4a01"
OTHER_BEARER = "6c1f3c4e-0d1f-4a53-9df2-2f6c6a3d4a02"
MARK = Mark(Code.COLD_MIGRATE, "0a1b2c3d", 1_800_000_060.0, 1.8e9, "active")
TEXT = (
    "nfv-mla/1 cold-migrate 0a1b2c3d 2027-01-15T08:01:00Z "
    "since=2027-01-15T08:00:00Z was=active "
    "3Jgi-J1U9w84bU67fZBVTiexp3H5BYqV4JQGi2CfU24"
)
IDS = st.text("0123456789abcdef", min_size=8, max_size=8)
STATES = st.sampled_from(("active", "shelved_offloaded", "soft-delete", "x"))
SECONDS = st.integers(0, 4_000_000_000)


@st.composite
def any_mark(draw: st.DrawFn) -> Mark:
    since, later = draw(SECONDS), draw(st.integers(0, 10**7))
    return Mark(
        draw(st.sampled_from(Code)),
        draw(IDS),
        float(since + later),
        float(since),
        draw(STATES),
        draw(st.booleans()),
    )


class RoundTripTest(unittest.TestCase):
    @hypothesis.given(any_mark(), st.uuids().map(str), st.binary(min_size=32))
    def test_what_is_written_is_read(
        self, mark: Mark, bearer: str, key: bytes
    ) -> None:
        text = marks.write(mark, bearer, key)
        self.assertLessEqual(len(text), marks.LENGTH_MAX)
        self.assertTrue(text.startswith(marks.PREFIX))
        self.assertEqual(mark, marks.read(text, bearer, (key,)))

    def test_is_this_text_for_good(self) -> None:
        self.assertEqual(TEXT, marks.write(MARK, BEARER, KEY))
        self.assertEqual(MARK, marks.read(TEXT, BEARER, (KEY,)))

    def test_that_it_is_to_be_rebuilt_outlives_the_step(self) -> None:
        self.assertFalse(MARK.to_rebuild)
        code = Code.REBUILD_ELSEWHERE
        mark = dataclasses.replace(MARK, code=code)
        for later in (Code.STOP, Code.COLD_MIGRATE, Code.LOCK, code):
            self.assertTrue(mark.to_rebuild)
            text = marks.write(
                next_mark(later, mark, "stopped", mark.at + 9, "x"),
                BEARER,
                KEY,
            )
            self.assertIn(" was=active+rebuild ", text)
            found = marks.read(text, BEARER, (KEY,))
            assert found is not None
            self.assertIs(later, found.code)
            mark = found

    def test_fractions_of_a_second_are_dropped(self) -> None:
        mark = dataclasses.replace(MARK, at=MARK.at + 0.999)
        self.assertEqual(TEXT, marks.write(mark, BEARER, KEY))

    def test_any_of_several_keys_will_do(self) -> None:
        for keys in ((OTHER_KEY, KEY), (KEY, OTHER_KEY)):
            self.assertEqual(MARK, marks.read(TEXT, BEARER, keys))

    def test_the_longest_fits(self) -> None:
        longest = max((code.value for code in Code), key=len)
        mark = dataclasses.replace(
            MARK, code=Code(longest), was="w" * 32, rebuild=True
        )
        self.assertLess(len(marks.write(mark, BEARER, KEY)), 200)

    def test_what_could_not_be_read_is_not_written(self) -> None:
        for bad in (
            dataclasses.replace(MARK, id="0A1B2C3D"),
            dataclasses.replace(MARK, id=""),
            dataclasses.replace(MARK, was="a b"),
        ):
            with self.assertRaises(ValueError):
                marks.write(bad, BEARER, KEY)


class ForgedTest(unittest.TestCase):
    def _forged(self, text: str, bearer: str = BEARER) -> str:
        with self.assertRaises(Forged) as caught:
            marks.read(text, bearer, (OTHER_KEY, KEY))
        return str(caught.exception)

    def test_every_single_character_changed(self) -> None:
        for at in range(len(TEXT)):
            for other in "aZ09 -_=/\n\0é\ud800":
                if other == TEXT[at]:
                    continue
                text = TEXT[:at] + other + TEXT[at + 1 :]
                with self.subTest(text=text):
                    if at < len(marks.PREFIX):
                        self.assertIsNone(marks.read(text, BEARER, (KEY,)))
                    else:
                        self._forged(text)

    def test_every_character_missing_or_too_many(self) -> None:
        for at in range(len(marks.PREFIX), len(TEXT)):
            self._forged(TEXT[:at] + TEXT[at + 1 :])
            self._forged(TEXT[:at] + TEXT[at] + TEXT[at:])
            self._forged(TEXT[:at])
        self._forged(TEXT + "\n")

    @hypothesis.given(st.text())
    def test_any_text_with_our_prefix(self, text: str) -> None:
        self._forged(marks.PREFIX + text)

    def test_on_another_bearer(self) -> None:
        self.assertIn("bearer", self._forged(TEXT, OTHER_BEARER))

    def test_by_another_key(self) -> None:
        with self.assertRaises(Forged):
            marks.read(TEXT, BEARER, (OTHER_KEY,))

    def test_where_there_is_no_key_at_all(self) -> None:
        with self.assertRaises(Forged):
            marks.read(TEXT, BEARER, ())

    def test_of_a_later_format(self) -> None:
        for text in ("nfv-mla/2 stop", TEXT.replace("/1 ", "/2 ")):
            self.assertIn("format 2, later than our 1", self._forged(text))

    def test_times_that_do_not_exist(self) -> None:
        signed = TEXT.rpartition(" ")[0].replace(
            "2027-01-15T08:01", "2027-02-30T08:01"
        )
        text = f"{signed} {marks._mac(signed, BEARER, KEY)}"
        self.assertIn("not in the form", self._forged(text))

    def test_very_long_texts(self) -> None:
        self.assertIn("longer", self._forged(TEXT + "A" * 10**6))

    @hypothesis.given(st.text())
    def test_what_does_not_begin_like_one_is_none(self, text: str) -> None:
        hypothesis.assume(not text.startswith(marks.PREFIX))
        self.assertIsNone(marks.read(text, BEARER, (KEY,)))

    def test_near_prefixes_are_none(self) -> None:
        for text in ("", "nfv-mla", " " + TEXT, TEXT.upper(), "AUTO: " + TEXT):
            self.assertIsNone(marks.read(text, BEARER, (KEY,)))


class KeyTest(unittest.TestCase):
    def test_one_line_end_is_none_of_it(self) -> None:
        for data in (KEY, KEY + b"\n", KEY + b"\r\n"):
            self.assertEqual(KEY, marks.read_key(data))
        self.assertEqual(KEY + b"\n", marks.read_key(KEY + b"\n\n"))

    def test_short_and_endless_ones_are_refused(self) -> None:
        for data in (b"", b"k" * 31, b"k" * 31 + b"\n", b"k" * 4097):
            with self.assertRaises(KeyFileError):
                marks.read_key(data)
