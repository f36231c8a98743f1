# SPDX-License-Identifier: Apache-2.0
"""Writing and publishing a results document."""

from __future__ import annotations

import os
import pathlib
import stat
import tempfile
import unittest
from unittest import mock

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.writer import ResultsDraft
from nfv_mla_scheduler.results.writer import write
from tests.unit.results import documents as d


class TestWriting(unittest.TestCase):
    def test_it_is_two_lines(self):
        data = d.document()
        self.assertEqual(2, data.count(b"\n"))
        self.assertTrue(data.endswith(b"}\n"))

    def test_the_order_of_results_and_claims_does_not_matter(self):
        one = d.draft()
        turned = {
            authority: {
                host: Result(
                    authority,
                    host,
                    dict(reversed(result.claims.items())),
                    result.boot,
                    result.boot_attested_at,
                )
                for host, result in reversed(results.items())
            }
            for authority, results in reversed(one.results.items())
        }
        other = ResultsDraft("collector", d.NOW, turned, one.freshness)
        self.assertEqual(write(one, d.SIGNER), write(other, d.SIGNER))

    def test_each_claim_set_travels_once(self):
        self.assertEqual(1, d.document().count(b"jurisdiction"))

    def test_a_column_of_nulls_does_not_travel(self):
        draft = d.draft()
        fresh = {a: dict(f) for a, f in draft.freshness.items()}
        with_boots = len(write(draft, d.SIGNER))
        fresh["ear"] = {h: Freshness(d.NOW, None) for h in fresh["ear"]}
        draft = ResultsDraft("collector", d.NOW, draft.results, fresh)
        self.assertLess(len(write(draft, d.SIGNER)), with_boots)
        read = d.read(write(draft, d.SIGNER))
        self.assertIsNone(read.freshness["ear"]["h1"].boot)

    def test_a_key_travels_where_there_is_one(self):
        without = len(d.document())
        keyed = Result("ear", "h1", d.TPM, "boot-h1", d.NOW - 100, key="k-1")
        data = d.document(h1=keyed)
        self.assertEqual(1, data.count(b'"k-1"'))
        self.assertEqual(without + len(',"k-1"'), len(data))
        read = d.read(data)
        self.assertEqual("k-1", read.results["ear"]["h1"].key)
        self.assertEqual("", read.results["ear"]["h2"].key)
        self.assertEqual("", read.results["keylime"]["h1"].key)

    def test_times_are_kept_to_the_millisecond(self):
        document = d.read(d.document(at=d.NOW - 0.12345))
        self.assertEqual(d.NOW - 0.123, document.freshness["ear"]["h1"].at)

    def test_what_no_reader_would_take_is_not_written(self):
        draft = d.draft()
        bad = {
            "no time": ResultsDraft("collector", d.NOW, draft.results, {}),
            "before 1970": d.draft(at=-1.0),
            "never": d.draft(issued_at=float("-inf")),
            "NaN": d.draft(at=float("nan")),
            "no attester": d.draft(**{"": Result("ear", "", {}, None, 1.0)}),
            "an odd boot": d.draft(h3=Result("ear", "h3", {}, "\n", 1.0)),
            "an odd key": d.draft(
                h3=Result("ear", "h3", {}, None, 1.0, key="\n")
            ),
        }
        for name, wrong in bad.items():
            with self.subTest(name), self.assertRaises(ResultsRefused):
                write(wrong, d.SIGNER)


class TestPublishing(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.path = self.directory / "results"

    def test_the_file_is_replaced_and_nothing_is_left_beside_it(self):
        publish(self.path, b"one")
        before = self.path.stat().st_ino
        publish(self.path, b"two")
        self.assertEqual(b"two", self.path.read_bytes())
        self.assertNotEqual(before, self.path.stat().st_ino)
        self.assertEqual([self.path], list(self.directory.iterdir()))

    def test_its_group_may_read_it_whatever_the_umask(self):
        for mask in (0o077, 0o000):
            self.addCleanup(os.umask, os.umask(mask))
            publish(self.path, b"one")
            self.assertEqual(0o640, stat.S_IMODE(self.path.stat().st_mode))

    def test_when_it_fails_the_old_file_is_still_there(self):
        publish(self.path, b"one")
        for call in ("fsync", "replace"):
            with (
                self.subTest(call),
                mock.patch.object(os, call, side_effect=OSError),
                self.assertRaises(OSError),
            ):
                publish(self.path, b"two")
            self.assertEqual(b"one", self.path.read_bytes())
            self.assertEqual([self.path], list(self.directory.iterdir()))

    def test_a_directory_that_is_not_there(self):
        with self.assertRaises(OSError):
            publish(self.directory / "no" / "results", b"one")
