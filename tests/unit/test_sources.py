# SPDX-License-Identifier: Apache-2.0
"""Where policy, waivers and results come from, by the options."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from typing import Any
from unittest import mock

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler import sources
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.published import PublishedResults
from nfv_mla_scheduler.feed.results_file import ResultsFile
from nfv_mla_scheduler.feed.results_url import WatchedUrl
from nfv_mla_scheduler.results.publish import publish
from tests import policies
from tests.unit.scheduler.site import Site

HTTPS = {
    "results": "https",
    "results_file": "",
    "results_url": "https://127.0.0.1:9/v1/results",
    "results_ca_file": "/nonexistent/ca.pem",
    "results_cert_file": "/nonexistent/client.pem",
    "results_key_file": "/nonexistent/client.key",
}


class SourcesTestCase(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.site = Site(pathlib.Path(directory.name))
        self.site.put_policy()
        self.site.put_results()
        self.news: list[News] = []

    def conf(self, **changed: Any) -> cfg.ConfigOpts:
        conf = cfg.ConfigOpts()
        options.register(conf)
        path = self.site.configure(changed)
        conf([], default_config_files=[path], default_config_dirs=[])
        return conf

    def feed(self, **changed: Any) -> Feed:
        conf = self.conf(**changed)
        feed = sources.new_feed(
            options.settings(conf), conf, dict, self.news.append
        )
        self.addCleanup(feed.close)
        return feed

    def origin(self, feed: Feed) -> Any:
        assert isinstance(feed._results, PublishedResults)
        return feed._results._origin

    def codes(self) -> list[str]:
        return [n.code for n in self.news if n.subject == "results"]


class SourcesTest(SourcesTestCase):
    def test_from_a_file(self) -> None:
        feed = self.feed()
        self.assertIsInstance(self.origin(feed), ResultsFile)
        feed.refresh(time.time())
        self.assertIsNotNone(feed.snapshot.document)
        self.assertTrue(feed.settled)
        feed.close()

    def test_from_nowhere(self) -> None:
        feed = self.feed(results_file="")
        self.assertIsNone(feed._results)
        feed.refresh(time.time())
        self.assertIsNone(feed.snapshot.document)
        self.assertTrue(feed.settled)
        feed.close()

    def test_from_a_url(self) -> None:
        feed = self.feed(**HTTPS)
        self.assertIsInstance(self.origin(feed), WatchedUrl)
        names = [thread.name for thread in threading.enumerate()]
        self.assertNotIn("nfv-mla results", names)
        sources.load(feed, 5)
        # files that cannot be used are told, and do not keep the policy out
        self.assertEqual(["results-unreadable"], self.codes())
        self.assertIn("/nonexistent/ca.pem", self.news[-1].text)
        self.assertIsNotNone(feed.snapshot.policy)

    def test_from_authorities_the_embedded_collector_has_its_own_options(
        self,
    ) -> None:
        with self.assertRaises(SettingsError) as caught:
            self.feed(results="embedded", results_file="")
        self.assertIn("[nfv_mla_collector] authorities", str(caught.exception))

    def test_a_feed_that_cannot_be_made_leaves_nothing_behind(self) -> None:
        closed: list[Any] = []
        with (
            mock.patch.object(
                PublishedResults, "close", lambda self: closed.append(self)
            ),
            mock.patch.object(
                sources, "Feed", side_effect=MemoryError("no more")
            ),
            self.assertRaises(MemoryError),
        ):
            self.feed()
        self.assertEqual(1, len(closed))
        for name in policies.NAMES:
            (self.site.directory / f"{name}.pub").unlink()
        with self.assertRaises(NfvMlaError):
            self.feed()

    def test_it_needs_no_nova(self) -> None:
        code = (
            "import sys, nfv_mla_scheduler.sources\n"
            "sys.exit('nova' in sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class LoadTest(SourcesTestCase):
    """One snapshot, for whoever needs no more."""

    def test_a_file_is_not_waited_for(self) -> None:
        began = time.monotonic()
        feed = self.feed()
        now = sources.load(feed, 30)
        self.assertLess(time.monotonic() - began, 5)
        self.assertAlmostEqual(time.time(), now, delta=5)
        self.assertIsNotNone(feed.snapshot.document)

    def test_neither_is_one_that_is_missing(self) -> None:
        self.site.results_file.unlink()
        feed = self.feed()
        sources.load(feed, 30)
        self.assertEqual(["results-missing"], self.codes())

    def test_nor_results_without_a_policy(self) -> None:
        self.site.policy_file.unlink()
        feed = self.feed(**HTTPS)
        sources.load(feed, 30)
        self.assertTrue(feed.settled)

    def test_what_comes_later_is_waited_for(self) -> None:
        feed = self.feed()
        data = self.site.results_file.read_bytes()
        origin = self.origin(feed)
        came: list[bytes | None] = [data, None, None]
        with mock.patch.object(origin, "changed", side_effect=came.pop):
            sources.load(feed, 30)
        self.assertIsNotNone(feed.snapshot.document)
        self.assertEqual([], came)

    def test_but_no_longer_than_it_may_take(self) -> None:
        feed = self.feed()
        with mock.patch.object(
            self.origin(feed), "changed", return_value=None
        ):
            began = time.monotonic()
            sources.load(feed, 0.1)
            self.assertGreaterEqual(time.monotonic() - began, 0.1)
            self.assertFalse(feed.settled)
        publish(self.site.results_file, b"broken\n")
        sources.load(feed, 30)
        self.assertTrue(feed.settled)
        self.assertEqual(["results-bad-envelope"], self.codes())
