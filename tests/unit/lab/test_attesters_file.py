# SPDX-License-Identifier: Apache-2.0
"""Edits count at once, and a bad one is said once and harms nobody."""

from __future__ import annotations

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.lab import attesters_file
from nfv_mla_scheduler.lab.attesters_file import AttestersFile
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.keys import new_key
from tests.unit.lab import labs

KEYS = Keys.of(new_key())


class AttestersFileTest(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.path = pathlib.Path(temporary.name) / "attesters.yaml"
        self.path.write_bytes(labs.yaml())
        self.said: list[str] = []
        self.file = AttestersFile(self.path, KEYS, self.said.append)

    def names(self) -> list[str]:
        return list(self.file.current(labs.NOW).roster.attesters)

    def write(self, *names: str) -> None:
        data = labs.yaml({name: {"claims": labs.GOOD} for name in names})
        self.path.write_bytes(data)

    def test_what_holds_stays_the_same_while_nothing_changes(self) -> None:
        first = self.file.first(labs.NOW)
        self.assertIs(first, self.file.current(labs.NOW))
        os.utime(self.path)
        self.assertIs(first, self.file.current(labs.NOW))
        self.assertEqual([], self.said)

    def test_an_edit_counts_at_once(self) -> None:
        self.file.first(labs.NOW)
        self.write("a")
        self.assertEqual(["a"], self.names())
        self.write("b")  # of the same length, within the same tick
        self.assertEqual(["b"], self.names())
        self.assertEqual(["attesters.yaml: read, 1 attester"] * 2, self.said)

    def test_a_replaced_file_counts_at_once(self) -> None:
        self.file.first(labs.NOW)
        other = self.path.with_suffix(".new")
        other.write_bytes(labs.yaml({}))
        os.replace(other, self.path)
        self.assertEqual([], self.names())
        self.assertEqual(["attesters.yaml: read, 0 attesters"], self.said)

    def test_a_bad_edit_leaves_what_was_and_is_said_once(self) -> None:
        first = self.file.first(labs.NOW)
        self.path.write_bytes(b"attesters:\n  a:\n    claims: gone\n")
        for _ in range(3):
            self.assertIs(first, self.file.current(labs.NOW))
        (line,) = self.said
        self.assertEqual(
            "attesters.yaml: line 3: attesters.a.claims: is not among "
            "claim_sets ('gone'); what was read before stays",
            line,
        )
        os.utime(self.path)
        self.names()
        self.assertEqual(1, len(self.said))

    def test_another_fault_is_said_anew_and_so_is_the_end_of_it(self) -> None:
        self.file.first(labs.NOW)
        for data in (b"[", b"{}", b"{}", labs.yaml()):
            self.path.write_bytes(data)
            self.assertEqual(["ber-1", "ber-2"], self.names())
        self.assertEqual(3, len(self.said), self.said)
        self.assertIn("not YAML", self.said[0])
        self.assertIn("attesters: must be a mapping", self.said[1])
        self.assertEqual("attesters.yaml: read, 2 attesters", self.said[2])
        self.path.write_bytes(b"{}")
        self.names()
        self.assertEqual(4, len(self.said), self.said)

    def test_lines_are_bounded(self) -> None:
        self.file.first(labs.NOW)
        name = "x" * 5000
        self.path.write_bytes(labs.yaml({name: {"claims": name}}))
        self.names()
        self.assertLess(len(self.said[0]), LINE_MAX + 64)

    def test_a_file_that_is_gone_leaves_what_was(self) -> None:
        self.file.first(labs.NOW)
        self.path.unlink()
        for _ in range(3):
            self.assertEqual(["ber-1", "ber-2"], self.names())
        self.assertEqual(1, len(self.said))
        self.assertIn("No such file", self.said[0])
        self.write("a")
        self.assertEqual(["a"], self.names())
        self.path.unlink()
        self.names()
        self.assertEqual(3, len(self.said))

    def test_a_file_that_grows_without_end_is_refused(self) -> None:
        self.file.first(labs.NOW)
        self.path.write_bytes(b"#" * (attesters_file.BYTES_MAX + 1))
        self.assertEqual(["ber-1", "ber-2"], self.names())
        self.assertIn("longer than", self.said[0])

    def test_at_first_it_must_be_right(self) -> None:
        self.path.write_bytes(b"{}")
        with self.assertRaisesRegex(DocumentError, "attesters"):
            self.file.first(labs.NOW)
        self.path.unlink()
        with self.assertRaisesRegex(KeyFileError, "attesters.yaml: No such"):
            self.file.first(labs.NOW)

    def test_it_is_not_read_again_once_it_has_settled(self) -> None:
        os.utime(self.path, (1, 1))
        later = mock.Mock(return_value=self.path.stat().st_ctime + 1)
        with mock.patch.object(attesters_file.time, "time", later):
            self.file.first(labs.NOW)
        with mock.patch("builtins.open", side_effect=AssertionError):
            self.file.current(labs.NOW)


if __name__ == "__main__":
    unittest.main()
