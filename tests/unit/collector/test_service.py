# SPDX-License-Identifier: Apache-2.0
"""A collector put together, in this process, with authorities in memory."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import stat
import threading
import time
import unittest
from unittest import mock

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import PrivateFormat
from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.authority import loader
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Trust
from nfv_mla_scheduler.cmd import collector_service as command
from nfv_mla_scheduler.collector import parts
from nfv_mla_scheduler.collector import publishing
from nfv_mla_scheduler.collector import service as services
from nfv_mla_scheduler.collector import settings as own
from nfv_mla_scheduler.collector.notes import Notes
from nfv_mla_scheduler.collector.service import Service
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.results.document import Loader
from tests import policies
from tests.authorities.fake import FakeAuthority
from tests.unit.collector.site import HOSTS
from tests.unit.collector.site import Site

WAIT_S = 10.0


class ServiceTestCase(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.site = Site.of(self)
        self.fakes = {}
        self.news = []
        self.loader = Loader()
        found = mock.patch.object(loader, "driver", lambda name: self._driver)
        found.start()
        self.addCleanup(found.stop)

    def _driver(self, setting):
        fake = self.fakes.get(setting.name)
        if fake is None:
            fake = self.fakes[setting.name] = FakeAuthority(setting)
            for host in HOSTS:
                fake.hold(host, time.time())
        return fake

    _driver.OPTIONS = ()

    def parts(self, *args, **kwargs):
        path = self.site.options(*args, **kwargs)
        conf = cfg.ConfigOpts()
        common.register(conf)
        own.register(conf)
        conf([], default_config_files=[str(path)], default_config_dirs=[])
        return parts.read(conf)

    def new(self, *args, **kwargs):
        service = Service(self.parts(*args, **kwargs), self.news.append)
        self.addCleanup(self.end, service)
        return service

    def start(self, *args, **kwargs):
        service = self.new(*args, **kwargs)
        service.start()
        return service

    def run_once(self):
        """Start a collector, and end it once it has published."""
        service = self.start()
        self.wait(lambda: self.published("fra") and self.published("bka"))
        self.end(service)

    ended = ()

    def end(self, service):
        if service not in self.ended:
            self.ended = (*self.ended, service)
            service.stop()

    def wait(self, done, what=""):
        end = time.monotonic() + WAIT_S
        while not done():
            self.assertLess(time.monotonic(), end, f"{what} {self.news}")
            time.sleep(0.005)

    def read(self):
        return self.site.read(loader=self.loader)

    def published(self, authority, hosts=HOSTS):
        if not self.site.results_file.exists():
            return False
        try:
            found = self.read().results.get(authority)
        except ResultsRefused:
            return False
        return found is not None and set(found) == set(hosts)

    def codes(self, subject):
        return [n.code for n in self.news if n.subject == subject]


class PartsTest(ServiceTestCase):
    def refused(self, *args, **kwargs):
        with self.assertRaises(Exception) as caught:
            self.parts(*args, **kwargs)
        said = str(caught.exception)
        self.assertNotIn("\n", said)
        self.assertLessEqual(len(said), LINE_MAX)
        return said

    def _without(self, option):
        path = self.site.options()
        lines = path.read_text().splitlines(keepends=True)
        text = "".join(x for x in lines if not x.startswith(f"{option} "))
        with mock.patch.object(self.site, "options", return_value=path):
            path.write_text(text)
            return self.refused()

    def test_it_needs_a_policy_and_a_state_directory_of_its_own(self):
        self.assertIn("[nfv_mla] policy_file", self._without("policy_file"))
        said = self._without("state_dir")
        self.assertIn("[nfv_mla] state_dir", said)
        self.assertIn("not that of nova-scheduler", said)

    def test_a_key_that_is_missing_or_none(self):
        key = self.site.directory / "collector-a.key"
        key.unlink()
        said = self.refused()
        self.assertIn("[nfv_mla_collector] key_file", said)
        self.assertIn(str(key), said)
        key.write_text(policies.public_pem("collector-a"))
        self.assertIn("no private key", self.refused())

    def test_an_encrypted_key_and_its_passphrase(self):
        key = self.site.directory / "collector-a.key"
        key.write_bytes(
            policies.private_key("collector-a").private_bytes(
                Encoding.PEM,
                PrivateFormat.PKCS8,
                BestAvailableEncryption(b"open sesame"),
            )
        )
        with mock.patch.dict(os.environ):
            os.environ.pop(parts.PASSPHRASE, None)
            self.assertIn(parts.PASSPHRASE, self.refused())
            os.environ[parts.PASSPHRASE] = "wrong"
            self.assertIn("passphrase is wrong", self.refused())
            os.environ[parts.PASSPHRASE] = "open sesame"
            self.parts()
        secret = self.site.directory / "secret"
        line = f"key_passphrase_file = {secret}"
        self.assertIn(str(secret), self.refused("collector-a", line))
        secret.write_bytes(b"open sesame\n")
        self.parts("collector-a", line)

    def test_two_authorities_that_share_a_key_are_refused(self):
        self.assertEqual((), parts.check(self.parts()))
        for name in ("fra", "bka"):
            self.fakes[name].trusts = Trust(frozenset({"one", name}))
        with self.assertRaises(SettingsError) as caught:
            parts.check(self.parts())
        said = str(caught.exception)
        self.assertIn("[nfv_mla_authority_bka]", said)
        self.assertIn("shares a key with authority fra", said)
        self.assertLessEqual(len(said), LINE_MAX)

    def test_what_is_odd_in_the_policy_is_said_before_it_matters(self):
        self.assertEqual((), parts.check(self.parts()))
        found = parts.check(self.parts(asked=("fra", "spare")))
        self.assertEqual(2, len(found))
        self.assertIn("bka: the policy wants it asked", found[0])
        self.assertIn("spare: is not asked", found[1])

    def test_what_would_keep_everything_from_counting_is_an_error(self):
        cases = (
            ({"collectors": {"collector-b": ["fra"]}}, "names no collector"),
            ({"keys": {"collector-a": "other"}}, "another key"),
        )
        for kwargs, says in cases:
            self.site.put_policy(**kwargs)
            with self.assertRaises(SettingsError) as caught:
                parts.check(self.parts())
            self.assertIn(says, str(caught.exception))
        self.site.policy_file.unlink()
        with self.assertRaises(SettingsError):
            parts.check(self.parts())

    def test_looking_touches_no_state(self):
        found = self.parts()
        before = set(self.site.directory.rglob("*"))
        parts.check(found)
        self.assertEqual(before, set(self.site.directory.rglob("*")))


class ServiceTest(ServiceTestCase):
    def test_what_authorities_say_is_published(self):
        self.start()
        self.wait(lambda: self.published("fra") and self.published("bka"))
        document = self.read()
        self.assertEqual("collector-a", document.collector)
        self.assertEqual((), document.problems)
        mode = stat.S_IMODE(self.site.results_file.stat().st_mode)
        self.assertEqual(0o640, mode)

    def test_the_first_document_waits_for_all_that_answer_soon(self):
        gate = threading.Event()
        service = self.new()

        def slow(inquiry):
            gate.wait(WAIT_S)
            return self.fakes["bka"].all()

        self.fakes["bka"].script(slow)
        service.start()
        self.wait(lambda: self.fakes["bka"].inquiries)
        time.sleep(0.5)
        self.assertFalse(self.site.results_file.exists())
        gate.set()
        self.wait(self.site.results_file.exists)
        self.assertEqual({"fra", "bka"}, set(self.read().results))

    def test_one_that_hangs_keeps_the_others_out_for_no_longer(self):
        with mock.patch.object(services, "FIRST_ANSWERS_S", 0.5):
            service = self.new()
            self.fakes["bka"].script(3600.0)
            service.start()
        self.wait(lambda: self.published("fra"))
        self.assertNotIn("bka", self.read().results)
        self.wait(lambda: self.codes("authority bka") == ["authority-late"])
        states = {
            name: one["state"]
            for name, one in service.status()["authorities"].items()
        }
        self.assertEqual({"fra": "fresh", "bka": "late"}, states)
        began = time.monotonic()
        self.end(service)
        self.assertLess(time.monotonic() - began, 5.0)

    def test_after_a_restart_nothing_fresh_is_lost(self):
        self.run_once()
        before = self.read()
        self.assertEqual({"fra", "bka"}, set(before.results))
        service = self.new()
        for fake in self.fakes.values():
            fake.script(*[AuthorityError(fake.name, "is down")] * 1000)
        service.start()
        self.wait(lambda: "authority-failed" in self.codes("authority fra"))
        found = service.status()
        self.assertEqual(6, found["document"]["results"])
        self.assertEqual(3, found["authorities"]["fra"]["results"])
        self.assertEqual(before.issued_at, found["document"]["issued_at"])
        self.assertIn("results-restored", self.codes("results"))

    def test_after_a_restart_no_document_is_older(self):
        self.run_once()
        first = self.read().issued_at
        self.start()
        self.wait(lambda: self.read().issued_at > first)

    def test_why_nothing_is_taken_up_is_said(self):
        self.site.results_file.write_bytes(b"garbage\n")
        self.start()
        (said,) = [n for n in self.news if n.code == "results-not-restored"]
        self.assertIn("results-bad-envelope", said.text)
        self.wait(lambda: self.published("fra"))

    def test_a_second_collector_on_the_same_file_is_refused(self):
        self.start()
        self.site.put_policy({"collector-a": ["fra"], "collector-b": ["bka"]})
        with self.assertRaises(SettingsError) as caught:
            self.new("collector-b")
        self.assertIn("another collector", str(caught.exception))

    def test_a_policy_that_is_replaced_is_followed(self):
        service = self.start()
        self.wait(lambda: self.published("bka"))
        self.site.put_policy({"collector-a": ["fra"]}, hosts=(*HOSTS, "h4"))
        self.wait(lambda: "bka" not in self.read().results)
        self.fakes["fra"].hold("h4", time.time())
        self.wait(lambda: self.published("fra", (*HOSTS, "h4")))
        found = service.status()
        self.assertEqual(2, found["policy"]["version"])
        self.assertEqual("starting", found["authorities"]["bka"]["state"])
        self.assertEqual(
            "results-not-theirs", found["authorities"]["bka"]["code"]
        )

    def test_without_a_policy_it_waits_for_one(self):
        data = self.site.policy_file.read_bytes()
        self.site.policy_file.unlink()
        service = self.start()
        self.wait(lambda: self.codes("policy") == ["policy-missing"])
        self.wait(
            lambda: service.status()["publish_error"] == "there is no policy"
        )
        self.assertIsNone(service.status()["policy"])
        self.assertEqual([], self.fakes["fra"].inquiries)
        self.site.policy_file.write_bytes(data)
        self.wait(lambda: self.published("fra") and self.published("bka"))
        self.wait(lambda: service.status()["publish_error"] == "")

    @mock.patch.object(publishing, "RETRY_S", 0.1)
    def test_with_a_key_that_is_not_in_the_policy_nothing_is_published(self):
        self.site.put_policy(keys={"collector-a": "other"})
        service = self.start()
        self.wait(lambda: "publish-withheld" in self.codes("results"))
        self.assertIn("another key", service.status()["publish_error"])
        self.assertFalse(self.site.results_file.exists())
        self.site.put_policy()
        self.wait(lambda: self.published("fra"))

    def test_pins_that_changed_while_it_was_away_end_what_they_pin(self):
        pin = f'pinned_keys: ["sha256:{"1" * 64}"]'
        self.run_once()
        old = policies.signed
        with mock.patch.object(
            policies,
            "signed",
            lambda text: old(
                text.replace(
                    "attesters: {fra: h1", f"{pin}\n    attesters: {{fra: h1"
                )
            ),
        ):
            self.site.put_policy()
        service = self.new()
        for fake in self.fakes.values():
            fake.script(*[AuthorityError(fake.name, "is down")] * 1000)
        service.start()
        found = service.status()["authorities"]["fra"]
        self.assertEqual((3, 2), (found["results"], found["fresh"]))

    def test_what_it_publishes_is_known_by_which_policy_it_was_checked(self):
        self.run_once()
        (note,) = Notes(self.state_dir).read()
        self.assertEqual(self.site.policy.digest, note.policy)
        self.assertEqual({"fra", "bka"}, set(note.rules))

    @property
    def state_dir(self):
        return self.site.directory / "state-collector-a"

    def test_an_older_document_of_its_own_is_not_made_new(self):
        self.run_once()
        old = self.site.results_file.read_bytes()
        for fake in self.fakes.values():
            fake.hold("h1", time.time())
        service = self.start()
        self.wait(lambda: self.site.results_file.read_bytes() != old)
        self.end(service)
        last = self.read().issued_at
        self.site.results_file.write_bytes(old)
        service = self.new()
        for fake in self.fakes.values():
            fake.script(*[AuthorityError(fake.name, "is down")] * 1000)
        service.start()
        (said,) = [n for n in self.news if n.code == "results-not-restored"]
        self.assertIn("published last", said.text)
        self.assertIsNone(service.status()["document"])
        self.assertEqual(0, service.status()["authorities"]["fra"]["results"])
        self.end(service)
        for fake in self.fakes.values():
            fake._steps.clear()
        self.start()
        self.wait(lambda: self.published("fra") and self.published("bka"))
        self.assertGreater(self.read().issued_at, last)

    def test_what_was_taken_by_other_rules_ends_over_a_restart(self):
        self.run_once()
        service = self.new()
        fake = self.fakes["fra"]
        fake.script(*[lambda _: self._spoilt(fake)] * 1000)
        service.start()
        self.wait(lambda: service.status()["authorities"]["fra"]["fresh"] == 0)
        found = service.status()["authorities"]
        self.assertEqual(3, found["fra"]["results"])
        self.assertEqual(3, found["bka"]["fresh"])

    def _spoilt(self, fake):
        """Return an answer under new rules that renews nothing."""
        problem = Problem("h1", "token-unknown-key: for a test")
        return Collected({}, {}, False, (problem,), rules="others")

    def test_the_status_file_is_the_status(self):
        service = self.start()
        self.wait(lambda: self.published("fra"))
        self.wait(self.site.status_file.exists)
        found = json.loads(self.site.status_file.read_bytes())
        self.assertEqual(set(service.status()), set(found))
        self.assertEqual("collector-a", found["collector"])

    def test_a_status_file_that_cannot_be_written_is_told_once(self):
        self.site.status_file.mkdir()
        self.start()
        self.wait(lambda: self.published("fra"))
        self.wait(lambda: self.codes("status") == ["status-unwritten"])
        time.sleep(0.3)
        self.assertEqual(["status-unwritten"], self.codes("status"))

    def test_a_refresh_reaches_the_authority(self):
        service = self.start()
        self.wait(lambda: self.published("fra"))
        self.assertTrue(service._ask_soon("fra", ("h2",)))
        self.wait(lambda: any(i.targeted for i in self.fakes["fra"].inquiries))
        self.assertFalse(service._ask_soon("nobody", ("h2",)))


class CommandTest(ServiceTestCase):
    def run_command(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = command.main(words)
        return status, out.getvalue(), err.getvalue()

    def _conf(self, *args, **kwargs):
        return ("--config-file", str(self.site.options(*args, **kwargs)))

    def test_it_checks_and_says_that_all_is_well(self):
        status, out, err = self.run_command(*self._conf(), "--check")
        self.assertEqual((0, ""), (status, err))
        self.assertIn("collector collector-a asks fra, bka", out)
        self.assertFalse(self.site.results_file.exists())

    def test_what_is_odd_is_said_and_is_no_error(self):
        status, _, err = self.run_command(
            *self._conf(asked=("fra",)), "--check"
        )
        self.assertEqual(0, status)
        self.assertIn("bka: the policy wants it asked", err)

    def test_what_is_wrong_is_one_line_and_status_1(self):
        (self.site.directory / "collector-a.key").unlink()
        bad = self.site.directory / "bad.conf"
        bad.write_text("[nfv_mla\n")
        cases = (
            self._conf(),
            ("--config-file", "/nonexistent.conf"),
            ("--config-file", str(bad)),
            self._conf("collector-a", "publish_interval_s = 0"),
        )
        for words in cases:
            for more in ((), ("--check",)):
                with self.subTest(words + more):
                    status, out, err = self.run_command(*words, *more)
                    self.assertEqual(1, status)
                    self.assertEqual("", out)
                    self.assertTrue(err.startswith("nfv-mla-collector: "))
                    self.assertEqual(1, err.count("\n"), err)
                    self.assertLess(len(err), LINE_MAX + 40)

    def test_wrong_usage_is_status_2(self):
        status, _, err = self.run_command("--chekc-this")
        self.assertEqual(2, status)
        self.assertIn("usage", err)

    def test_it_runs_until_a_signal_comes(self):
        conf = self._conf()
        with self.assertLogs("nfv_mla_scheduler", "INFO") as logs:
            signals = {}

            def take(number, handler):
                signals[number] = handler

            def end():
                self.wait(lambda: self.published("fra"))
                signals[signal.SIGTERM](signal.SIGTERM, None)

            ending = threading.Thread(target=end)
            with (
                mock.patch.object(signal, "signal", take),
                mock.patch.object(command.logging, "setup"),
            ):
                ending.start()
                status, _, err = self.run_command(*conf)
            ending.join()
        self.assertEqual((0, ""), (status, err))
        self.assertEqual({signal.SIGTERM, signal.SIGINT}, set(signals))
        text = "\n".join(logs.output)
        self.assertIn("nfv-mla authority fra: answers", text)
        self.assertIn("nfv-mla collector: stops", text)
