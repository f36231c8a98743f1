# SPDX-License-Identifier: Apache-2.0
"""A scheduler's feed that asks real authorities by itself."""

from __future__ import annotations

import time

from oslo_config import cfg

from nfv_mla_scheduler.collector import embedded
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.feed.feed import Sources
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.functional.collectors import CollectorTestCase
from tests.unit.collector.site import AUTHORITIES
from tests.unit.collector.site import HOSTS


class EmbeddedTest(CollectorTestCase):
    def setUp(self):
        super().setUp()
        self.news = []
        teller = Teller(self.news.append)
        conf = cfg.ConfigOpts()
        path = self.options()
        conf([], default_config_files=[str(path)], default_config_dirs=[])
        self.feed = Feed(
            Sources(
                policies.root(),
                self.site.directory / "state",
                self.site.policy_file,
                None,
            ),
            embedded.start(conf, 30.0, load(), teller),
            load(),
            dict,
            teller,
        )
        self.addCleanup(self.feed.close)

    def refreshed(self):
        self.feed.refresh(time.time())
        return self.feed.snapshot

    def test_hosts_are_known_by_what_authorities_say(self):
        snapshot = self.wait(
            lambda: (s := self.refreshed()).document and s, self.news
        )
        self.assertEqual(set(AUTHORITIES), set(snapshot.document.results))
        hosts = {r.binding.host: r for r in snapshot.records.values()}
        self.assertEqual(set(HOSTS), set(hosts))
        for record in hosts.values():
            self.assertEqual(2, len(record.results))
        self.assertFalse(self.site.results_file.exists())
        at = snapshot.freshness["fra"]["h1"].at
        later = self.wait(
            lambda: (
                (s := self.refreshed()).freshness["fra"]["h1"].at > at and s
            ),
            self.news,
        )
        # only times have changed, so that nothing is judged anew
        self.assertIs(snapshot.records, later.records)

    def test_an_outage_leaves_what_is_known_to_age(self):
        self.wait(lambda: self.refreshed().document, self.news)
        self.labs["bka"].end()

        def told():
            self.refreshed()
            return any(n.code == "contact-unreachable" for n in self.news)

        self.wait(told, self.news)
        snapshot = self.refreshed()
        self.assertEqual(set(HOSTS), set(snapshot.document.results["bka"]))
        self.assertTrue(
            any("for development" in news.text for news in self.news)
        )
