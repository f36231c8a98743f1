# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla collector``: how a collector stands, from its status file."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pathlib
import tempfile
import time
import unittest

from nfv_mla_scheduler.cmd import main as command
from nfv_mla_scheduler.errors import LINE_MAX

FRESH = {
    "state": "fresh",
    "since": 1_800_000_000.0,
    "last_success_at": 1_800_000_000.0,
    "code": "",
    "reason": "",
    "cadence_s": 30.0,
    "max_age_s": 60.0,
    "attesters": 120,
    "results": 119,
    "fresh": 118,
    "problems": 0,
    "skew_s": -0.25,
    "last_poll_s": 0.5,
    "polls": 7,
    "failures": 0,
}
FAILING = {
    **FRESH,
    "state": "failing",
    "code": "contact-timed-out",
    "reason": "bka.example: does not answer",
    "skew_s": None,
}
WELL = {
    "collector": "collector-a",
    "now": 0.0,
    "started_at": 1_800_000_000.0,
    "policy": {"version": 7, "expires_at": 1_900_000_000.0},
    "document": {"issued_at": 1_800_000_000.0, "sha256": "ab", "results": 9},
    "publish_error": "",
    "publish_failing_since": None,
    "authorities": {"keylime-fra": FRESH},
}


class StatusTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "status.json"
        self.found = copy.deepcopy(WELL) | {"now": time.time()}

    def told(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = command.main(["collector", *words])
        return status, out.getvalue(), err.getvalue()

    def status(self, *words):
        self.path.write_text(json.dumps(self.found))
        return self.told("status", "--status-file", str(self.path), *words)

    def test_all_fresh_is_status_0_and_a_table(self):
        status, out, err = self.status()
        self.assertEqual((0, ""), (status, err))
        for part in (
            "collector-a",
            "version 7",
            "9 results",
            "keylime-fra",
            "fresh",
            "118/120",
            "-0.2 s",
            "2027-01-15T08:00:00Z",
        ):
            self.assertIn(part, out)

    def test_json_is_the_status_itself(self):
        status, out, _ = self.status("--format", "json")
        self.assertEqual(0, status)
        self.assertEqual(self.found, json.loads(out))

    def test_whatever_is_not_well_is_status_1(self):
        cases = (
            {"policy": None},
            {"document": None},
            {"publish_error": "no", "publish_failing_since": 1.8e9},
            {"authorities": {}},
            {"authorities": {"a": FRESH, "b": FAILING}},
            {"authorities": {"a": {**FRESH, "state": "late"}}},
            {"authorities": {"a": {**FRESH, "state": "starting"}}},
        )
        for differing in cases:
            with self.subTest(differing):
                self.found = copy.deepcopy(WELL) | differing
                self.found["now"] = time.time()
                status, out, err = self.status()
                self.assertEqual((1, ""), (status, err))
                self.assertIn("collector-a", out)

    def test_why_it_is_not_well_is_in_the_table(self):
        self.found["authorities"]["b"] = FAILING
        self.found["publish_error"] = "the policy has another key"
        self.found["publish_failing_since"] = 1.8e9
        _, out, _ = self.status()
        self.assertIn("bka.example: does not answer (contact-timed-out)", out)
        self.assertIn("Not published since 2027-01-15T08:00:00Z", out)
        self.assertIn("another key", out)

    def test_refused_results_are_shown_where_there_is_no_error(self):
        self.found["authorities"]["keylime-fra"] = {**FRESH, "problems": 3}
        self.assertIn("3 results not taken", self.status()[1])

    def test_a_file_that_nobody_renews_is_no_status(self):
        self.found["now"] = time.time() - 61
        status, out, err = self.status()
        self.assertEqual((1, ""), (status, out))
        self.assertIn("no collector runs there", err)

    def test_what_is_no_status_is_one_line(self):
        cases = (
            b"",
            b"{",
            b"[]",
            b"{}",
            b'{"now": 1}',
            json.dumps(WELL | {"authorities": {"a": {}}}).encode(),
            json.dumps(WELL | {"authorities": [1]}).encode(),
            json.dumps(WELL | {"policy": 7}).encode(),
            json.dumps(WELL | {"now": "x"}).encode(),
            b"[" * 10000,
        )
        for data in cases:
            with self.subTest(data[:40]):
                self.path.write_bytes(data)
                status, out, err = self.told(
                    "status", "--status-file", str(self.path)
                )
                self.assertEqual((1, ""), (status, out))
                self.assertEqual(1, err.count("\n"), err)
                self.assertLessEqual(len(err), LINE_MAX + 20)

    def test_a_file_that_is_not_there(self):
        status, _, err = self.told("status", "--status-file", "/none/x")
        self.assertEqual(1, status)
        self.assertIn("/none/x", err)

    def test_wrong_usage_is_status_2(self):
        for words in (
            ("status",),
            ("status", "--url", "https://x", "--status-file", "f"),
            ("status", "--url", "https://x"),
            ("refresh",),
            ("refresh", "a", "b"),
            ("refresh", "a", "--url", "https://x"),
            ("status", "--status-file", "f", "--format", "xml"),
        ):
            with self.subTest(words):
                self.assertEqual(2, self.told(*words)[0])

    def test_a_url_that_cannot_be_used_is_one_line(self):
        self.path.write_text("no certificate")
        for url in ("http://x:1", "https://127.0.0.1:1", "nothing"):
            with self.subTest(url):
                status, _, err = self.told(
                    "status", "--url", url, "--ca", str(self.path)
                )
                self.assertEqual(1, status)
                self.assertEqual(1, err.count("\n"), err)
