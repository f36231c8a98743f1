# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit verify`` and ``checkpoint``: what they print and refuse."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import random
import tempfile
import unittest

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.cmd import main as program
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.policy.officers import write_key_pair
from tests.unit.audit.reading import built
from tests.unit.audit.reading.built import ONE
from tests.unit.audit.reading.built import SEALED
from tests.unit.audit.reading.built import TWO
from tests.unit.audit.reading.tampering import WAYS


class Case(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.ledger = self.directory / "ledger"
        built.ledger(600).write(self.ledger)
        self.key = self.directory / "audit.pub"
        self.key.write_bytes(built.public_pem())
        self.kept = self.directory / "kept"

    def run_it(self, *words: object) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = program.main(["audit", *map(str, words)])
        return found, out.getvalue(), err.getvalue()

    def verify(self, *words: object) -> tuple[int, str, str]:
        return self.run_it("verify", self.ledger, *words)

    def checkpoint(self, *words: object) -> tuple[int, str, str]:
        return self.run_it(
            "checkpoint", self.ledger, "--key", self.key, *words
        )

    def tamper(self, way: str) -> None:
        ledger = built.ledger(600).copy()
        WAYS[way](ledger, random.Random(1))
        for path in self.ledger.glob("**/*.jsonl"):
            path.unlink()
        ledger.write(self.ledger)


class TestVerify(Case):
    def test_a_whole_ledger(self) -> None:
        status, out, err = self.verify("--key", self.key)
        self.assertEqual((0, ""), (status, err))
        for text in (ONE, SEALED, TWO, "2023-11-14T22:23:23Z"):
            self.assertIn(text, out)
        self.assertEqual("Whole.", out.splitlines()[-1])
        # a name of 32 letters is in a line of 100
        width = max(map(len, out.splitlines())) - len(SEALED)
        self.assertLessEqual(width, 100 - 32)

    def test_the_last_line_tells_of_what_is_not_signed(self) -> None:
        path = max(self.ledger.glob(f"{ONE}/*.jsonl"))
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        status, out, _ = self.verify("--key", self.key)
        self.assertEqual(0, status)
        last = out.splitlines()[-1]
        self.assertTrue(last.startswith("Whole up to the last checkpoints."))
        self.assertIn("Unsigned tail: 2 entries in 1 of 3 chains", last)

    def test_without_a_key_it_says_so(self) -> None:
        status, out, _ = self.verify()
        self.assertEqual(0, status)
        self.assertIn("NO SIGNATURE WAS CHECKED", out.splitlines()[-1])
        self.assertNotIn("| whole", out)

    def test_one_that_is_not_signed(self) -> None:
        for path in self.ledger.glob("*/*.jsonl"):
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(lines[:50]))
            if path.stem != f"{1:020d}":
                path.unlink()
        for path in self.ledger.glob("*/sealed/*/*.jsonl"):
            path.unlink()
        status, out, _ = self.verify("--key", self.key)
        self.assertEqual(1, status)
        self.assertIn("NOT SIGNED: 2 of 3 chains", out.splitlines()[-1])
        found = json.loads(self.verify("--key", self.key, "--json")[1])
        self.assertFalse(found["whole"])
        self.assertEqual("not-signed", found["chains"][0]["verdict"])
        status, out, err = self.checkpoint()
        self.assertEqual((1, ""), (status, out))
        self.assertIn("NOT SIGNED: 2 of 3 chains", err)

    def test_one_that_was_tampered_with(self) -> None:
        self.tamper("one_is_removed")
        status, out, _ = self.verify("--key", self.key)
        self.assertEqual(1, status)
        self.assertEqual("TAMPERED: 1 of 3 chains", out.splitlines()[-1])
        (line,) = (one for one in out.splitlines() if "removed" in one)
        self.assertRegex(line, rf"^{ONE}: removed \d+ at .*\.jsonl:\d+$")

    def test_what_scripts_read(self) -> None:
        self.tamper("one_is_removed")
        status, out, _ = self.verify("--key", self.key, "--json")
        found = json.loads(out)
        self.assertEqual((1, False), (status, found["whole"]))
        self.assertTrue(found["signatures_checked"])
        first, sealed, second = found["chains"]
        (anomaly,) = first["anomalies"]
        self.assertEqual("removed", anomaly["kind"])
        self.assertEqual(anomaly["first"], anomaly["last"])
        self.assertTrue(anomaly["file"].endswith(".jsonl"))
        self.assertEqual(
            ["tampered", "whole", "whole"],
            [one["verdict"] for one in found["chains"]],
        )
        self.assertEqual("interception", sealed["sealed_for"])
        self.assertEqual([], second["anomalies"])

    def test_a_key_for_some_origins(self) -> None:
        self.assertEqual(
            0,
            self.verify(
                "--key", f"{ONE}={self.key}", "--key", f"{TWO}={self.key}"
            )[0],
        )
        status, out, _ = self.verify("--key", f"ctl-1={self.key}")
        self.assertEqual(1, status)
        self.assertIn(f"{TWO}: bad-checkpoint", out)

    def test_the_directory_of_a_service(self) -> None:
        conf = self.directory / "nova.conf"
        conf.write_text(f"[nfv_mla]\naudit_dir = {self.ledger}\n")
        status, out, _ = self.run_it(
            "verify", "--config-file", conf, "--key", self.key
        )
        self.assertEqual((0, "Whole."), (status, out.splitlines()[-1]))

    def test_whatever_stands_in_a_ledger_is_printed_in_lines(self) -> None:
        path = next(self.ledger.glob(f"{TWO}/*.jsonl"))
        line = path.read_bytes().splitlines(keepends=True)[3]
        path.write_bytes(line.replace(TWO.encode(), b"\x1b[31m" * 30))
        status, out, _ = self.verify("--key", self.key)
        self.assertEqual(1, status)
        self.assertNotIn("\x1b", out)


class TestCheckpoint(Case):
    def test_what_is_kept_is_compared(self) -> None:
        self.assertEqual((0, "", ""), self.checkpoint("--output", self.kept))
        self.assertEqual(self.kept.read_text(), self.checkpoint()[1])
        words = ("--key", self.key, "--checkpoint", self.kept)
        self.assertEqual(0, self.verify(*words)[0])
        for path in self.ledger.glob(f"{TWO}/*.jsonl"):
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(lines[:101]))
        self.assertEqual(0, self.verify("--key", self.key)[0])
        status, out, _ = self.verify(*words)
        self.assertEqual(1, status)
        self.assertIn(f"{TWO}: truncated 102..", out)
        for path in self.ledger.glob(f"{TWO}/*"):
            path.unlink()
        (self.ledger / TWO).rmdir()
        status, out, _ = self.verify(*words)
        self.assertEqual(1, status)
        self.assertIn(f"{TWO}: missing 1..", out)

    def test_a_ledger_that_was_tampered_with_gives_none(self) -> None:
        self.tamper("a_field_is_changed")
        status, out, err = self.checkpoint("--output", self.kept)
        self.assertEqual((1, ""), (status, out))
        self.assertIn(f"{ONE}: changed", err)
        self.assertFalse(self.kept.exists())

    def test_what_goes_on_right_behind_what_is_kept(self) -> None:
        """A file ends with a checkpoint; what is kept tells its hash, too."""
        whole = {
            path: path.read_bytes()
            for path in sorted(self.ledger.glob(f"{TWO}/*.jsonl"))
        }
        ((path, data),) = whole.items()
        lines = data.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:99]))
        self.checkpoint("--output", self.kept)
        path.unlink()
        path.with_name(f"{100:020d}.jsonl").write_bytes(b"".join(lines[99:]))
        words = ("--key", self.key, "--checkpoint", self.kept)
        status, out, _ = self.verify(*words)
        self.assertEqual((0, True), (status, "begins with entry 100" in out))
        envelopes = [
            json.loads(line) for line in self.kept.read_text().splitlines()
        ]
        for one in envelopes:
            del one["entry"]
        self.kept.write_text("\n".join(map(json.dumps, envelopes)))
        status, out, _ = self.verify(*words)
        self.assertEqual((1, True), (status, f"{TWO}: removed 1..99" in out))

    def test_what_was_kept_is_not_replaced(self) -> None:
        self.kept.write_text("yesterday's")
        status, _, err = self.checkpoint("--output", self.kept)
        self.assertEqual(2, status)
        self.assertIn("exists already", err)
        self.assertEqual("yesterday's", self.kept.read_text())

    def test_several_files_may_be_put_into_one(self) -> None:
        text = self.checkpoint()[1]
        self.kept.write_text(text + "\n" + text)
        words = ("--key", self.key, "--checkpoint", self.kept)
        self.assertEqual(0, self.verify(*words)[0])

    def test_what_holds_no_checkpoints_that_count(self) -> None:
        text = self.checkpoint()[1]
        forged = checkpoint.sign(ONE, 9, "0" * 64, 0.0, built.signer(9))
        forged["signatures"][0]["keyid"] = built.signer().public_key.keyid
        other = self.directory / "other.pub"
        other.write_bytes(built.public_pem(2))
        for content, key, says in (
            ("", self.key, "holds no checkpoint"),
            ("hello\n", self.key, "line 1: is no checkpoint"),
            (text + "{}\n", self.key, "line 3: is no checkpoint"),
            ("[" * 100_000, self.key, "line 1: is no checkpoint"),
            (json.dumps(forged), self.key, "signature does not hold"),
            (text.replace('"entry":"', '"entry":"x'), self.key, "line 1"),
            (text.replace('"entry":"', '"entry":7,"x":"'), self.key, "is no"),
            (text, other, "line 1: is signed by no key given"),
        ):
            self.kept.write_text(content)
            with self.subTest(says):
                status, out, err = self.verify(
                    "--key", key, "--checkpoint", self.kept
                )
                self.assertEqual((1, ""), (status, out))
                self.assertIn(says, err)


class TestMisuse(Case):
    def test_it_is_told_in_a_line(self) -> None:
        empty = self.directory / "empty"
        empty.mkdir()
        private, _ = write_key_pair(self.directory, "pair")
        no_key = self.directory / "no key"
        no_key.write_text("hello")
        conf = self.directory / "nova.conf"
        conf.write_text("[nfv_mla]\n")
        nothing = self.directory / "nothing"
        key = ("--key", self.key)
        for words, says in (
            ((nothing, *key), "does not exist"),
            ((self.key, *key), "is no directory"),
            ((empty, *key), "is empty"),
            ((self.ledger / ONE, *key), "the directory of one origin"),
            ((self.ledger, "--key", nothing), "No such file"),
            ((self.ledger, "--key", no_key), "exactly one PEM public key"),
            ((self.ledger, "--key", private), "holds a private key"),
            ((self.ledger, "--key", f"x={private}"), "holds a private key"),
            ((self.ledger, *key, "--checkpoint", nothing), "No such file"),
            (("--config-file", conf, *key), "audit_dir is not set"),
        ):
            for command in ("verify", "checkpoint"):
                with self.subTest(command, says=says):
                    status, out, err = self.run_it(command, *words)
                    self.assertEqual((2, ""), (status, out))
                    self.assertIn(says, err)
                    self.assertEqual(1, len(err.splitlines()))
                    self.assertLessEqual(len(err), LINE_MAX + 1)

    def test_words_that_are_wrong(self) -> None:
        for words in (
            ("checkpoint", self.ledger),
            ("verify", self.ledger, "--key"),
            ("verify", self.ledger, "another"),
        ):
            self.assertEqual(2, self.run_it(*words)[0])


if __name__ == "__main__":
    unittest.main()
