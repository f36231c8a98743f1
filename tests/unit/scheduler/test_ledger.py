# SPDX-License-Identifier: Apache-2.0
"""Profiles that need a ledger are refused while it is down (5.3.2).

And what a worker writes there of itself.
"""

from __future__ import annotations

import json
import os
import pathlib
import threading
import time
from typing import Any
from unittest import mock

from oslo_config import cfg

from nfv_mla_scheduler import conf
from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.scheduler import engine as engines
from nfv_mla_scheduler.scheduler import heartbeat
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.adapters import read_spec
from nfv_mla_scheduler.scheduler.engine import Engine
from nfv_mla_scheduler.scheduler.filters import NfvMlaFilter
from nfv_mla_scheduler.sources import configuration_digest
from tests import policies
from tests.authorities.fake import FakeAuthority
from tests.unit.scheduler import site
from tests.unit.scheduler.site import TPM
from tests.unit.scheduler.site import names
from tests.unit.scheduler.site import spec
from tests.unit.scheduler.site import states

AUDITED = {"nfv_mla:profile": "audited"}
VIRTUAL = {"nfv_mla:capability.tpm": "equivalent-hardware"}
NEEDED = "5.3.2"


class AuditedCase(site.SiteTestCase):
    """A profile that needs monitor and ledger alone, and a monitor."""

    def setUp(self) -> None:
        super().setUp()
        found = site.waived_profile("audited", time.time())
        found["waivers"] = [
            one for one in found["waivers"] if one["requirement"] != NEEDED
        ]
        self.site.put_policy(**found)
        self.site.put_results()
        status = self.site.directory / "monitor-status.json"
        now = time.time()
        said = {"now": now, "act": "all", "cycle": {"at": now}}
        status.write_text(json.dumps(said), encoding="utf-8")
        self.set(monitor_status_file=str(status))
        self.filter = NfvMlaFilter()

    def admitted(self, what: dict[str, str] = AUDITED) -> list[str]:
        host = states(site.GOOD_1)
        return names(self.filter.filter_all(host, spec(what)))

    def assert_refused_with(self, code: str) -> None:
        """Who needs a ledger is refused with this code; nobody else is."""
        engine = worker.shared(site.CONF).engine()
        case = engine.case(read_spec(spec(AUDITED)))
        tally = case.tally(states(site.GOOD_1), time.time())
        self.assertEqual({code: 1}, dict(tally))
        self.assertEqual([], self.admitted())
        self.assertEqual([site.GOOD_1], self.admitted(TPM))

    def wait_until_refused(self) -> None:
        """Have something to write, and wait for what comes of it."""
        self.admitted(VIRTUAL)
        self.wait_for(lambda: not self.admitted())


class UpTest(AuditedCase):
    def test_the_first_request_is_admitted(self) -> None:
        self.assertEqual([site.GOOD_1], self.admitted())

    def test_the_first_request_waits_until_it_is_open(self) -> None:
        self.set(first_load_timeout_s=30.0)
        refreshed, refresh, opened = threading.Event(), Feed.refresh, os.open

        def refresh_once(feed: Feed, now: float) -> None:
            refresh(feed, now)
            refreshed.set()

        def open_later(*args: Any, **more: Any) -> int:
            if threading.current_thread().name == "nfv-mla-audit":
                refreshed.wait()
            return opened(*args, **more)

        with (
            mock.patch.object(engines, "LEDGER_S", 30.0),
            mock.patch.object(Feed, "refresh", refresh_once),
            mock.patch.object(os, "open", open_later),
        ):
            self.assertEqual([site.GOOD_1], self.admitted())

    def test_it_is_signed(self) -> None:
        self.admitted()
        worker.stop_all()
        kinds = [entry["kind"] for entry in self.site.ledger.entries()]
        self.assertEqual("ledger-opened", kinds[0])
        self.assertIn("checkpoint", kinds)


class DownTest(AuditedCase):
    def test_without_a_ledger_nobody_can_judge(self) -> None:
        self.set(audit_dir="", audit_key_file="")
        self.assert_refused_with("not-judged")

    def test_its_directory_is_gone_and_comes_back(self) -> None:
        self.assertEqual([site.GOOD_1], self.admitted())
        aside = self.site.directory / "aside"
        self.site.audit_dir.rename(aside)
        self.wait_until_refused()
        self.assert_refused_with("self-unmet")
        aside.rename(self.site.audit_dir)
        self.wait_for(self.admitted)

    def test_it_was_never_there(self) -> None:
        self.site.audit_dir.rmdir()
        self.assert_refused_with("self-unmet")
        self.site.audit_dir.mkdir()
        self.wait_for(self.admitted)

    def test_what_is_not_signed_is_written(self) -> None:
        self.site.audit_key.write_bytes(b"")
        self.assert_refused_with("self-unmet")
        self.site.audit_key.write_bytes(policies.private_pem("audit"))
        self.wait_for(self.admitted)
        kinds = [event["kind"] for event in self.site.events()]
        self.assertIn("worker-started", kinds)
        self.assertIn("request-refused", kinds)


class StuckTest(AuditedCase):
    """The disk does not answer: nobody who is placed waits for it."""

    def setUp(self) -> None:
        super().setUp()
        self.set(audit_queue_size=16)
        self.stuck = threading.Event()
        self.goes_on = threading.Event()
        # before anything is stopped at the end
        self.addCleanup(self.goes_on.set)

    def block(self, name: str) -> None:
        """Have a call of the system never end, until the test lets it."""
        original = getattr(os, name)

        def blocked(*args: Any) -> Any:
            if threading.current_thread().name == "nfv-mla-audit":
                self.stuck.set()
                self.goes_on.wait()
            return original(*args)

        patch = mock.patch.object(os, name, blocked)
        patch.start()
        self.addCleanup(patch.stop)

    def check(self) -> None:
        self.admitted(VIRTUAL)
        self.assertTrue(self.stuck.wait(30))
        # many more than the queue holds, while nothing is written
        for _ in range(50):
            self.request()
            self.assertEqual([], self.admitted(VIRTUAL))
            self.assertEqual([site.GOOD_1], self.admitted(TPM))
        self.wait_for(lambda: not self.admitted())
        self.assert_refused_with("self-unmet")
        self.goes_on.set()
        self.wait_for(self.admitted)
        # refusals go on while the queue is written, and may fill it again
        dropped = [
            event["fields"]["dropped"]
            for event in self.site.events()
            if event["kind"] == "events-dropped"
        ]
        self.assertGreater(sum(dropped), 30)

    def test_in_a_write(self) -> None:
        self.admitted()
        self.block("write")
        self.check()

    def test_in_a_sync(self) -> None:
        self.admitted()
        self.block("fdatasync")
        self.check()

    def test_from_the_beginning(self) -> None:
        self.block("open")
        self.check()


class RecordedTest(site.SiteTestCase):
    """What a worker says of itself."""

    def setUp(self) -> None:
        super().setUp()
        self.ready()

    def of_kind(self, kind: str) -> dict[str, Any]:
        (fields,) = [
            event["fields"]
            for event in self.site.events()
            if event["kind"] == kind
        ]
        return dict(fields)

    def start(self) -> Engine:
        return worker.shared(site.CONF).engine()

    def test_that_it_starts_by_which_package_and_options(self) -> None:
        settings = self.start().settings
        expected = configuration_digest(settings, site.CONF)
        fields = self.of_kind("worker-started")
        self.assertEqual(
            {
                "version": identity.version(),
                "configuration_digest": expected,
            },
            fields,
        )
        self.set(max_skew_s=7.0)
        other = configuration_digest(conf.settings(site.CONF), site.CONF)
        self.assertNotEqual(expected, other)

    def test_which_policy_is_in_force_and_by_whom(self) -> None:
        policy = self.start().feed.snapshot.policy
        assert policy is not None
        fields = self.of_kind("policy-loaded")
        self.assertEqual(policy.digest, fields["digest"])
        self.assertEqual(1, fields["version"])
        ids = {policies.signer(n).public_key.keyid for n in policies.NAMES}
        self.assertEqual(ids, set(fields["signers"]))
        self.assertEqual("policy-taken", fields["code"])

    def test_which_policy_is_refused(self) -> None:
        engine = self.start()
        text = site.policy(time.time(), 2)
        data = policies.signed(text, [policies.signer("alice")] * 2)
        self.site.policy_file.write_bytes(data)
        self.wait_for(lambda: engine.feed._teller.is_bad("policy"))
        fields = self.of_kind("policy-refused")
        keyid = policies.signer("alice").public_key.keyid
        self.assertEqual([keyid], fields["signers"])
        self.assertRegex(fields["digest"], "^[0-9a-f]{64}$")

    def test_whose_results_count_and_of_when(self) -> None:
        document = self.start().feed.snapshot.document
        assert document is not None
        fields = self.of_kind("results-loaded")
        self.assertEqual(site.COLLECTOR, fields["issuer"])
        self.assertEqual(document.issued_at, fields["issued_at"])

    def test_that_it_is_there(self) -> None:
        with mock.patch.object(heartbeat, "INTERVAL_S", 0.01):
            self.start()
            self.wait_for(
                lambda: self.site.ledger.bytes().count(b'"heartbeat"') > 2
            )
        beats = [e for e in self.site.events() if e["kind"] == "heartbeat"]
        self.assertEqual(1, beats[-1]["fields"]["policy_version"])

    def test_what_comes_first_is_that_it_starts(self) -> None:
        self.start()
        self.assertEqual("worker-started", self.site.events()[0]["kind"])

    def test_two_workers_have_chains_of_their_own(self) -> None:
        self.start()
        other = worker.Worker(site.CONF)
        self.addCleanup(other.stop)
        other.engine()
        other.stop()
        self.site.events()
        origins = {entry["origin"] for entry in self.site.ledger.entries()}
        self.assertEqual(2, len(origins))
        for number, origin in enumerate(sorted(origins)):
            self.assertTrue(origin.endswith(f".nova-scheduler.{number}"))


class EmbeddedTest(site.SiteTestCase):
    """A worker that asks authorities itself records how they stand."""

    def setUp(self) -> None:
        super().setUp()
        self.site.put_policy()
        self.fake = FakeAuthority.named("lab")
        self.fake.hold(site.GOOD_1, time.time())
        driver = mock.Mock(side_effect=lambda _: self.fake)
        driver.OPTIONS = (cfg.StrOpt("colour", default="red"),)
        patch = mock.patch.object(loader, "driver", lambda _: driver)
        patch.start()
        self.addCleanup(patch.stop)

    def run_until(self, kind: str, colour: str = "red") -> list[Any]:
        """Run a worker until it has recorded an event; return all of them."""
        path = pathlib.Path(
            self.site.configure({"results": "embedded", "results_file": ""})
        )
        text = (
            "[nfv_mla_collector]\nauthorities = lab\n"
            f"[nfv_mla_authority_lab]\ndriver = x\ncolour = {colour}\n"
        )
        path.write_text(path.read_text() + text)
        own = cfg.ConfigOpts()
        here = worker.Worker(own)
        own([], default_config_files=[str(path)], default_config_dirs=[])
        self.addCleanup(here.stop)
        here.engine()
        self.wait_for(lambda: self.of(kind))
        here.stop()
        return self.site.ledger.events()

    def of(self, kind: str) -> list[Any]:
        return [e for e in self.site.ledger.events() if e["kind"] == kind]

    def test_one_that_answers(self) -> None:
        self.run_until("authority-well")
        (well,) = self.of("authority-well")
        self.assertEqual("lab", well["fields"]["authority"])
        self.assertEqual([], self.of("collector-started"))

    def test_one_that_does_not(self) -> None:
        self.fake.script(*[AuthorityError("lab", "is down")] * 9)
        self.run_until("authority-failed")
        failed, *_ = self.of("authority-failed")
        self.assertEqual("failing", failed["fields"]["state"])

    def test_how_it_is_asked_is_configuration_too(self) -> None:
        for colour in ("red", "red", "blue"):
            self.run_until("authority-well", colour)
        digests = [
            event["fields"]["configuration_digest"]
            for event in self.of("worker-started")
        ]
        self.assertEqual(digests[0], digests[1])
        self.assertNotEqual(digests[0], digests[2])
