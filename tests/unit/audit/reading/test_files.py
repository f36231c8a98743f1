# SPDX-License-Identifier: Apache-2.0
"""The files of a ledger, whatever they are called and however they end."""

from __future__ import annotations

import gzip
import os
import pathlib
import tempfile
import unittest

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.reading import files
from tests.unit.audit.reading import built


class Case(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, name: str, data: bytes) -> pathlib.Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def names(self) -> list[str]:
        return [one.path.name for one in files.segments(self.directory)]

    def raws(self) -> list[bytes]:
        found = files.segments(self.directory)
        return [line.raw for line in files.chain_lines(found)]


class TestSegments(Case):
    def test_they_come_in_the_order_of_their_names(self) -> None:
        for first in (9, 1, 100):
            self.write(f"{first:020d}.jsonl", b"x\n")
        self.assertEqual(
            [1, 9, 100],
            [one.first for one in files.segments(self.directory)],
        )

    def test_those_that_were_renamed_or_compressed(self) -> None:
        self.write(f"{1:020d}.jsonl.gz", gzip.compress(b"a\n"))
        self.write(f"{2:020d}.jsonl.1", b"b\n")
        self.write(f"{3:020d}.jsonl-20260101", b"c\n")
        self.write(f"{4:020d}.jsonl.2.gz", gzip.compress(b"d\n"))
        self.assertEqual([b"a", b"b", b"c", b"d"], self.raws())

    def test_several_that_begin_with_the_same_entry(self) -> None:
        for again in (10, 2, 1):
            self.write(f"{7:020d}.jsonl.{again}", b"")
        self.write(f"{7:020d}.jsonl", b"")
        self.assertEqual(
            ["jsonl", "1", "2", "10"],
            [name.rpartition(".")[2] for name in self.names()],
        )

    def test_a_strange_name_goes_by_what_is_inside(self) -> None:
        lines = built.chain(built.TWO, 60)
        whole = b"".join(line + b"\n" for line in lines[20:40])
        self.write(f"{41:020d}.jsonl", lines[40] + b"\n")
        self.write("old.jsonl.gz", gzip.compress(whole))
        self.write(f"{1:020d}.jsonl", lines[0] + b"\n")
        found = files.segments(self.directory)
        self.assertEqual([1, 21, 41], [one.first for one in found])

    def test_one_damaged_line_does_not_hide_where_a_file_belongs(self) -> None:
        lines = built.chain(built.TWO, 60)[20:40]
        lines[0] = b'{"seq":9' + lines[0][8:]
        self.write("old.jsonl", b"".join(line + b"\n" for line in lines))
        self.assertEqual(21, files.segments(self.directory)[0].first)

    def test_a_file_that_is_being_compressed_counts_once(self) -> None:
        self.write(f"{1:020d}.jsonl", b"a\nb\n")
        self.write(f"{1:020d}.jsonl.gz", gzip.compress(b"a\nb\n")[:9])
        self.assertEqual([b"a", b"b"], self.raws())

    def test_what_is_no_file_of_lines(self) -> None:
        os.mkfifo(self.directory / f"{1:020d}.jsonl")
        (self.directory / f"{2:020d}.jsonl").mkdir()
        (self.directory / f"{3:020d}.jsonl").symlink_to("nowhere")
        for name in ("lock", "head", "x.json", "jsonl"):
            self.write(name, b"x\n")
        self.assertEqual([], self.names())

    def test_a_directory_that_is_not_there(self) -> None:
        with self.assertRaisesRegex(files.LedgerUnreadable, "No such file"):
            files.segments(self.directory / "other")


class TestLines(Case):
    def test_they_are_numbered(self) -> None:
        self.write(f"{1:020d}.jsonl", b"a\n\nc")
        (segment,) = files.segments(self.directory)
        self.assertEqual(
            [(1, b"a", True), (2, b"", True), (3, b"c", False)],
            [(one.number, one.raw, one.whole) for one in files.lines(segment)],
        )

    def test_one_that_is_longer_than_any_entry_is_bounded(self) -> None:
        long = b"x" * 3 * entry.LINE_MAX
        self.write(f"{1:020d}.jsonl", long + b"\nb\n" + long)
        (segment,) = files.segments(self.directory)
        first, second, third = files.lines(segment)
        self.assertLess(len(first.raw), entry.LINE_MAX + 2)
        self.assertEqual((2, b"b"), second[1:3])
        self.assertEqual((True, False), (first.whole, third.whole))

    def test_what_is_behind_a_line_without_an_end_is_not_read(self) -> None:
        path = self.write(f"{1:020d}.jsonl", b"a\n")
        os.truncate(path, 2**42)
        (segment,) = files.segments(self.directory)
        first, second = files.lines(segment)
        self.assertEqual((b"a", True), first[2:])
        # of the file's last line nothing is expected: this one is no entry
        self.assertEqual((b"\0" * (entry.LINE_MAX + 1), True), second[2:])

    def test_what_unpacks_to_more_than_lines_can(self) -> None:
        data = gzip.compress((b"x" * 1023 + b"\n") * 2**12)
        packed = b"".join(data for _ in range(20))
        self.write(f"{1:020d}.jsonl.gz", packed)
        (segment,) = files.segments(self.directory)
        count = 0
        with self.assertRaisesRegex(files.LedgerUnreadable, "unpacks to more"):
            for _ in files.lines(segment):
                count += 1
        self.assertEqual(64 * 2**10, count)

    def test_what_comes_after_it_was_listed_is_for_the_next_time(self) -> None:
        path = self.write(f"{1:020d}.jsonl", b"a\nb\nhalf of")
        (segment,) = files.segments(self.directory)
        with path.open("ab") as file:
            file.write(b" c\nd\n")
        self.assertEqual(
            [b"a", b"b"], [one.raw for one in files.lines(segment)]
        )

    def test_a_compressed_file_that_is_damaged(self) -> None:
        packed = gzip.compress(os.urandom(5000) + b"\n" + os.urandom(5000))
        for data in (packed[:-900], b"hello", packed[:99] + b"??" + packed):
            with self.subTest(len(data)):
                self.write(f"{1:020d}.jsonl.gz", data)
                with self.assertRaisesRegex(files.LedgerUnreadable, "beyond"):
                    self.raws()

    def test_a_file_that_was_renamed_or_compressed_since(self) -> None:
        for suffix in (".1", ".gz"):
            path = self.write(f"{1:020d}.jsonl", b"a\nb\n")
            (segment,) = files.segments(self.directory)
            to = path.with_name(path.name + suffix)
            path.rename(to)
            if suffix == ".gz":
                to.write_bytes(gzip.compress(b"a\nb\n"))
            found = list(files.lines(segment))
            self.assertEqual([b"a", b"b"], [one.raw for one in found])
            self.assertEqual(to, found[0].path)
            to.unlink()

    def test_a_file_that_is_gone_since(self) -> None:
        path = self.write(f"{1:020d}.jsonl", b"a\n")
        (segment,) = files.segments(self.directory)
        path.unlink()
        with self.assertRaisesRegex(files.LedgerUnreadable, "No such file"):
            list(files.lines(segment))


class TestChains(Case):
    def test_sealed_ones_follow_those_of_their_origin(self) -> None:
        built.ledger().write(self.directory)
        self.write("a stray file", b"")
        expected = [
            (built.ONE, None),
            (built.SEALED, built.DOMAIN),
            (built.TWO, None),
        ]
        found = files.chains(self.directory)
        self.assertEqual(expected, [(one.origin, one.domain) for one in found])


if __name__ == "__main__":
    unittest.main()
