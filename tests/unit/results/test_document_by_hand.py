# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla results``: a document signed by hand, and one looked at."""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import pathlib
import sys
import tempfile
import textwrap
import time
import unittest
from unittest import mock

from nfv_mla_scheduler.cmd import results as command
from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.policy.officers import write_key_pair
from nfv_mla_scheduler.results.draft import read_draft
from tests.unit.results import documents as d

DRAFT = """\
collector: by-hand
claim_sets:
  inspected:
    tpm: {status: affirming, grade: boot, values: [hardware]}
    location:
      status: affirming
      grade: boot
      values: {jurisdiction: [DE]}
authorities:
  site-audit:
    ber-1: {claims: inspected}
    ber-2: {claims: inspected, at: AT, boot: "17"}
"""

# what is replaced, by what, the line and the path that the error names
WRONG = (
    ("by-hand", "", 1, "collector"),
    ("by-hand", "[a]", 1, "collector"),
    ("claim_sets:", "claims:", 2, "claims"),
    ("affirming, grade: boot, v", "fine, grade: boot, v", 3, "tpm.status"),
    ("tpm:", "tpn:", 3, "claim_sets.inspected"),
    ("{claims: inspected}", "inspected", 11, "ber-1"),
    ("{claims: inspected}", "{claims: else}", 11, "ber-1.claims"),
    ("{claims: inspected}", "{claims: [x]}", 11, "ber-1.claims"),
    ("{claims: inspected}", "{claims: inspected, by: me}", 11, "ber-1.by"),
    ('"17"', "17", 12, "ber-2.boot"),
    ("AT", "yesterday", 12, "ber-2.at"),
    ("AT", "-1", 12, "ber-2.at"),
    ("AT", "true", 12, "ber-2.at"),
    ("ber-1", '"a\\nb"', 11, "a?b"),
)


class TestDraft(unittest.TestCase):
    def _read(self, text):
        return read_draft(text.encode(), d.CATALOGUE, d.NOW)

    def test_times_and_what_they_are_when_nothing_is_said(self):
        draft = self._read(DRAFT.replace("AT", "2023-11-14T22:13:00Z"))
        fresh = draft.freshness["site-audit"]
        self.assertEqual(d.NOW, fresh["ber-1"].at)
        self.assertIsNone(fresh["ber-1"].boot)
        self.assertEqual(d.NOW - 20, fresh["ber-2"].at)
        self.assertEqual("17", fresh["ber-2"].boot)
        result = draft.results["site-audit"]["ber-2"]
        self.assertEqual(d.NOW - 20, result.boot_attested_at)
        self.assertEqual("17", result.boot)

    def test_seconds_and_now_are_times_too(self):
        draft = self._read(DRAFT.replace("AT", "1600000000"))
        self.assertEqual(1.6e9, draft.freshness["site-audit"]["ber-2"].at)
        draft = self._read(
            DRAFT.replace("AT", "now, boot_attested_at: 1600000000")
        )
        self.assertEqual(d.NOW, draft.freshness["site-audit"]["ber-2"].at)
        result = draft.results["site-audit"]["ber-2"]
        self.assertEqual(1.6e9, result.boot_attested_at)

    def test_an_error_names_path_and_line(self):
        for old, new, line, path in WRONG:
            with self.subTest(f"{old} -> {new}"):
                text = DRAFT.replace(old, new, 1).replace("AT", "now")
                with self.assertRaises(DocumentError) as caught:
                    self._read(text)
                [problem] = caught.exception.problems
                self.assertIn(path, problem.path)
                self.assertEqual(line, problem.line)


class TestCommand(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.private, self.public = write_key_pair(self.directory, "c")
        self.draft = self.directory / "draft.yaml"
        self.draft.write_text(DRAFT.replace("AT", "1700000000"))
        self.output = self.directory / "results"

    def _run(self, *words):
        parser = argparse.ArgumentParser()
        command.register(parser.add_subparsers())
        args = parser.parse_args(["results", *map(str, words)])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.assertEqual(0, args.run(args))
        return printed.getvalue()

    def _sign(self):
        self._run(
            *("sign", self.draft, "--key", self.private),
            *("--out", self.output),
        )

    def test_what_was_signed_is_shown(self):
        self._sign()
        shown = self._run("show", self.output, "--key", self.public)
        for word in (
            "by-hand",
            "site-audit",
            "ber-1",
            "ber-2",
            "17",
            "affirming",
            "hardware",
            "jurisdiction: DE",
            "ago",
        ):
            self.assertIn(word, shown)
        self.assertNotIn("Left out", shown)

    def test_the_option_for_the_document_has_an_older_name(self):
        self._run(
            *("sign", self.draft, "--key", self.private),
            *("--output", self.output),
        )
        self.assertTrue(self.output.exists())

    def test_a_key_under_a_passphrase(self):
        private, public = write_key_pair(self.directory, "locked", b"open it")
        secret = self.directory / "secret"
        secret.write_text("open it\n")
        words = ("sign", self.draft, "--key", private, "--out", self.output)
        self._run(*words, "--passphrase-file", secret)
        shown = self._run("show", self.output, "--key", public)
        self.assertIn("by-hand", shown)
        self.output.unlink()
        with mock.patch.dict(os.environ, NFV_MLA_PASSPHRASE="open it"):
            self._run(*words)
        self.assertTrue(self.output.exists())
        for wrong in ("shut it", ""):
            secret.write_text(wrong)
            with self.assertRaises(KeyFileError):
                self._run(*words, "--passphrase-file", secret)
        with (
            mock.patch.object(sys, "stdin", io.StringIO()),
            self.assertRaises(KeyFileError) as caught,
        ):
            self._run(*words)
        self.assertIn("--passphrase-file", str(caught.exception))

    def test_one_attester_of_many(self):
        self._sign()
        shown = self._run(
            *("show", self.output, "--key", self.public),
            *("--attester", "ber-2"),
        )
        self.assertIn("ber-2", shown)
        self.assertNotIn("ber-1", shown)

    def test_another_key_has_not_signed_it(self):
        self._sign()
        _, other = write_key_pair(self.directory, "other")
        with self.assertRaises(ResultsRefused) as caught:
            self._run("show", self.output, "--key", other)
        self.assertIs(ResultsCode.WRONG_KEY, caught.exception.reason)

    def test_what_is_at_fault_in_the_document_is_shown(self):
        self._sign()
        data = self.output.read_bytes()
        body = data.split(b"\n")[1]
        self.output.write_bytes(data.replace(body, body[:-9]))
        with self.assertRaises(ResultsRefused) as caught:
            self._run("show", self.output, "--key", self.public)
        self.assertIs(ResultsCode.TRUNCATED, caught.exception.reason)
        ahead = int(time.time()) + 100
        self.draft.write_text(DRAFT.replace("AT", str(ahead)))
        self._sign()
        shown = self._run("show", self.output, "--key", self.public)
        self.assertIn("Left out", shown)
        self.assertIn("results-ahead", shown)

    def test_a_private_key_is_no_public_one(self):
        self._sign()
        with self.assertRaises(KeyFileError):
            self._run("show", self.output, "--key", self.private)

    def test_ages_are_in_the_largest_unit_that_says_them(self):
        for seconds, text in (
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7200, "2 h"),
            (172800, "2 d"),
            (-30, "-30 s"),
        ):
            self.assertEqual(text, command.age(1000, 1000 + seconds))


class TestReferencePage(unittest.TestCase):
    """The page is what other collectors are written from."""

    PAGE = (
        pathlib.Path(__file__).parents[3]
        / "doc/source/reference/results-document.rst"
    )

    def _blocks(self, language):
        found = []
        for part in self.PAGE.read_text().split("\n.. code-block:: ")[1:]:
            name, _, rest = part.partition("\n")
            lines = itertools.takewhile(
                lambda line: not line or line.startswith(" "),
                rest.splitlines(),
            )
            if name == language:
                found.append(textwrap.dedent("\n".join(lines)))
        return found

    def test_its_head_and_body_are_read(self):
        head, body = map(json.loads, self._blocks("json"))
        del head["body"]
        signer, collector = d.signer_and_collector(head["collector"])
        document = d.read(
            d.by_hand(body, head=head, signer=signer),
            collectors={collector.name: collector},
            now=head["issued_at"],
        )
        self.assertEqual((), document.problems)
        self.assertEqual("17", document.freshness["keylime"]["ber-1"].boot)
        self.assertEqual("17", document.results["keylime"]["ber-1"].boot)

    def test_its_draft_is_read(self):
        [draft] = self._blocks("yaml")
        read_draft(draft.encode(), d.CATALOGUE, d.NOW)

    def test_it_has_every_code(self):
        page = self.PAGE.read_text()
        elsewhere = {
            ResultsCode.MISSING,
            ResultsCode.UNREADABLE,
            ResultsCode.UNKNOWN_ATTESTER,
        }
        for code in set(ResultsCode) - elsewhere:
            self.assertIn(f"``{code.value}``", page)
