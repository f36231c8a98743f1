# SPDX-License-Identifier: Apache-2.0
"""A scheduler that collects by itself."""

from __future__ import annotations

import threading
import time
import unittest
from unittest import mock

from oslo_config import cfg

from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.collector import embedded
from nfv_mla_scheduler.collector import timetable
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.catalogue import load
from tests import policies
from tests.authorities.fake import FakeAuthority
from tests.unit.collector.answers import SKEW_S

FRA = "keylime-fra"
BKA = "veraison-bka"
BER_1 = "d432fbb3-d2f1-4a97-9ef7-75bd81c00001"
BER_2 = "d432fbb3-d2f1-4a97-9ef7-75bd81c00002"
PAR_1 = "d432fbb3-d2f1-4a97-9ef7-75bd81c00003"
WAIT_S = 10.0


def alone(text: str) -> Policy:
    """Return a policy that names no collector at all."""
    before, _, rest = text.partition("collectors:\n")
    _, hosts, after = rest.partition("hosts:\n")
    return policies.policy(f"{before}collectors: {{}}\n{hosts}{after}")


ALONE = alone(policies.policy_yaml())


class Administrator(FakeAuthority):
    """A driver whose credential can do more than read."""

    READS_ONLY = False


class EmbeddedTestCase(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.fakes = {}
        self.news = []
        self.kinds = {}
        found = mock.patch.object(loader, "driver", lambda name: self._driver)
        found.start()
        self.addCleanup(found.stop)
        soon = mock.patch.object(timetable, "REFRESH_MIN_S", 0.02)
        soon.start()
        self.addCleanup(soon.stop)
        for name, attesters in (
            (FRA, (BER_1, BER_2, PAR_1)),
            (BKA, ("ber-1", "par-2")),
        ):
            fake = self.fakes[name] = FakeAuthority.named(name)
            for attester in attesters:
                fake.hold(attester, time.time())

    def _driver(self, setting):
        return self.fakes[setting.name]

    _driver.OPTIONS = ()

    def start(self, *names):
        names = names or (FRA, BKA)
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        embedded.own.register(conf)
        conf.set_override(
            "authorities", ",".join(names).split(","), "nfv_mla_collector"
        )
        for name in names:
            group = f"nfv_mla_authority_{name}"
            conf.register_opts([embedded.own.DRIVER], group=group)
            conf.set_override("driver", "fake", group)
        self.results = embedded.start(
            conf, SKEW_S, load(), Teller(self.news.append)
        )
        self.addCleanup(self.results.close)

    def read(self, policy=ALONE, now=None):
        return self.results.read(policy, time.time() if now is None else now)

    def wait(self, done):
        end = time.monotonic() + WAIT_S
        while not (found := done()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.002)
        return found

    def ask(self, name):
        """Have an authority asked again, and wait for what came of it."""
        polls = self.results._loop.standings[name].polls
        self.results._loop.refresh(name, ())
        self.wait(lambda: self.results._loop.standings[name].polls > polls)


class ReadTest(EmbeddedTestCase):
    def test_all_authorities_of_the_policy_are_heard_without_a_collector(self):
        self.start()
        document = self.wait(self.read)
        self.assertIsInstance(document, ResultsDocument)
        self.assertEqual({BER_1, BER_2, PAR_1}, set(document.results[FRA]))
        self.assertEqual({"ber-1", "par-2"}, set(document.freshness[BKA]))
        self.assertEqual("embedded", document.collector)
        self.assertEqual((), document.problems)

    def test_nothing_is_known_until_all_have_answered(self):
        gate = threading.Event()
        self.fakes[BKA].script(
            lambda inquiry: gate.wait(WAIT_S) and self.fakes[BKA].all()
        )
        self.start()
        self.assertIsNone(self.read())
        self.wait(lambda: self.results._loop.held[1].get(FRA))
        self.assertIsNone(self.read())
        gate.set()
        document = self.wait(self.read)
        self.assertEqual({FRA, BKA}, set(document.results))

    def test_one_that_hangs_is_not_waited_for_for_long(self):
        self.fakes[BKA].script(3600.0)
        with mock.patch.object(embedded, "FIRST_ANSWERS_S", 0.1):
            self.start()
            document = self.wait(self.read)
        self.assertEqual({FRA}, set(document.results))

    def test_one_that_fails_is_not_waited_for(self):
        self.fakes[BKA].script(*[AuthorityError(BKA, "is down")] * 9)
        self.start()
        self.assertEqual({FRA}, set(self.wait(self.read).results))
        self.wait(lambda: any(n.code == "authority-failed" for n in self.news))

    def test_what_did_not_change_is_the_same_object(self):
        self.start()
        document = self.wait(self.read)
        self.assertIs(document, self.read())
        for attester in ("ber-1", "par-2"):
            self.fakes[BKA].hold(attester, time.time())
        self.ask(BKA)
        later = self.wait(
            lambda: self.read() if self.read() is not document else None
        )
        self.assertIs(document.results[BKA], later.results[BKA])
        self.assertIs(document.results[FRA], later.results[FRA])
        self.assertIs(document.freshness[FRA], later.freshness[FRA])
        self.assertIsNot(document.freshness[BKA], later.freshness[BKA])
        self.assertEqual(document.body_digest, later.body_digest)

    def test_what_changed_is_another_document(self):
        self.start()
        document = self.wait(self.read)
        self.fakes[BKA].hold("ber-1", time.time(), boot="2")
        self.ask(BKA)
        later = self.wait(
            lambda: self.read() if self.read() is not document else None
        )
        self.assertNotEqual(document.body_digest, later.body_digest)
        self.assertEqual("2", later.results[BKA]["ber-1"].boot)
        self.assertIs(
            document.results[BKA]["par-2"], later.results[BKA]["par-2"]
        )

    def test_without_a_policy_nothing_is_asked_or_known(self):
        self.start()
        self.assertIsNone(self.read(None))
        time.sleep(0.05)
        self.assertEqual([], self.fakes[FRA].inquiries)
        self.assertTrue(self.wait(self.read))

    def test_a_policy_that_knows_an_authority_no_more_drops_it(self):
        self.start()
        document = self.wait(self.read)
        text = policies.policy_yaml(
            ("  veraison-bka:\n    trust", "  veraison-b:\n    trust"),
            ("      veraison-bka: ber-1\n", "      veraison-b: ber-1\n"),
            ("{veraison-bka: par-2}", "{veraison-b: par-2}"),
        )
        later = self.read(alone(text))
        self.assertIsNot(document, later)
        self.assertEqual({FRA}, set(later.results))

    def test_reading_waits_for_nobody(self):
        self.fakes[FRA].script(3600.0)
        self.fakes[BKA].script(3600.0)
        self.start()
        began = time.monotonic()
        self.read()
        self.assertLess(time.monotonic() - began, 1.0)

    def test_a_snapshot_can_be_made_of_it(self):
        self.start()
        snapshot = view.empty(load())
        document = self.wait(self.read)
        snapshot = view.merge(snapshot, ALONE, document, {})
        records = {r.binding.host: r for r in snapshot.records.values()}
        self.assertEqual(2, len(records["ber-1"].results))
        self.assertEqual((), snapshot.unbound)
        self.assertIs(snapshot, view.merge(snapshot, ALONE, self.read(), {}))


class ClockTest(EmbeddedTestCase):
    """Our clock was fast, and has been set back."""

    def test_what_is_of_the_future_carries_nothing_and_is_not_lost(self):
        self.start()
        document = self.wait(self.read)
        back = time.time() - 3600
        later = self.read(now=back)
        self.assertEqual(
            document.results[FRA].keys(), later.results[FRA].keys()
        )
        self.assertTrue(all(r.faulty for r in later.results[FRA].values()))
        self.assertEqual(
            document.results[FRA][BER_1].claims,
            later.results[FRA][BER_1].claims,
        )
        again = self.read()
        self.assertFalse(any(r.faulty for r in again.results[FRA].values()))


class UnboundTest(EmbeddedTestCase):
    def test_attesters_of_no_host_are_told_once(self):
        self.start()
        unbound = tuple((FRA, f"stranger-{i}") for i in range(20))
        self.results.report_unbound(unbound)
        self.results.report_unbound(unbound)
        told = [n for n in self.news if n.subject == "results unbound"]
        self.assertEqual(1, len(told))
        self.assertIn("20 bound to no host", told[0].text)
        self.assertNotIn("stranger-9", told[0].text)
        self.results.report_unbound(())
        self.assertTrue(self.news[-1].good)


class StartTest(EmbeddedTestCase):
    def _refused(self, *names):
        with self.assertRaises(SettingsError) as caught:
            self.start(*names)
        said = str(caught.exception)
        self.assertLessEqual(len(said), LINE_MAX)
        return said

    def test_a_credential_that_can_do_more_than_read_is_refused(self):
        self.fakes["all-powerful"] = Administrator.named("all-powerful")
        said = self._refused(FRA, "all-powerful")
        self.assertIn("[nfv_mla_authority_all-powerful] driver", said)
        self.assertIn("more than read", said)
        self.assertIn("nfv-mla-collector", said)

    def test_nothing_to_ask_is_refused(self):
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        with self.assertRaises(SettingsError) as caught:
            embedded.start(conf, SKEW_S, load(), Teller(self.news.append))
        self.assertIn("authorities", str(caught.exception))

    def test_closing_ends_all_threads(self):
        self.start()
        self.wait(self.read)
        self.results.close()
        names = [t.name for t in threading.enumerate() if t.is_alive()]
        self.assertNotIn(f"nfv-mla asks {FRA}", names)
        self.assertGreaterEqual(self.fakes[FRA].closed, 0)
