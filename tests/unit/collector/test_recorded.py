# SPDX-License-Identifier: Apache-2.0
"""What the collector's process writes to the ledger."""

from __future__ import annotations

import signal
import threading
import time
from unittest import mock

from nfv_mla_scheduler.cmd import collector_service as command
from nfv_mla_scheduler.collector import publisher
from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.errors import AuthorityError
from tests import policies
from tests.ledgers import Ledger
from tests.unit.collector.site import HOSTS
from tests.unit.collector.test_service import ServiceTestCase


class RecordedTest(ServiceTestCase):
    def setUp(self):
        super().setUp()
        directory = self.site.directory / "audit"
        directory.mkdir()
        key = self.site.directory / "audit.key"
        key.write_bytes(policies.private_pem("audit"))
        self.site.shared = (
            f"audit_dir = {directory}",
            f"audit_key_file = {key}",
        )
        self.ledger = Ledger(directory, "nfv-mla-collector")

    def run_while(self, act):
        """Run a collector's process until a function has returned."""
        signals, faults = {}, []
        runs = threading.Event()

        def take(number, handler):
            signals[number] = handler
            if len(signals) == 2:
                runs.set()

        def end():
            runs.wait()
            try:
                self.wait(lambda: self.published("fra"))
                act()
            except BaseException as exc:
                faults.append(exc)
            finally:
                signals[signal.SIGTERM](signal.SIGTERM, None)

        ending = threading.Thread(target=end)
        with (
            mock.patch.object(signal, "signal", take),
            mock.patch.object(command.logging, "setup"),
        ):
            ending.start()
            path = self.site.options()
            status = command.main(("--config-file", str(path)))
        ending.join()
        for fault in faults:
            raise fault
        self.assertEqual(0, status)

    def events(self, *kinds):
        return [
            event for event in self.ledger.events() if event["kind"] in kinds
        ]

    def wait_for(self, kind, **fields):
        self.wait(
            lambda: any(
                fields.items() <= event["fields"].items()
                for event in self.events(kind)
            ),
            kind,
        )

    def test_that_it_starts_and_by_what(self):
        self.run_while(lambda: None)
        first, *rest = self.ledger.events()
        self.assertEqual("collector-started", first["kind"])
        self.assertEqual(identity.version(), first["fields"]["version"])
        digest = first["fields"]["configuration_digest"]
        self.assertRegex(digest, "^[0-9a-f]{64}$")
        (loaded,) = self.events("policy-loaded")
        self.assertIn(loaded, rest)
        policy = self.site.policy
        self.assertEqual(policy.digest, loaded["fields"]["digest"])
        self.assertEqual(policy.version, loaded["fields"]["version"])
        self.assertEqual(2, len(loaded["fields"]["signers"]))
        last = self.ledger.entries()[-1]
        self.assertEqual("checkpoint", last["kind"])
        # another value of one option
        self.site.shared += ("max_skew_s = 7",)
        self.run_while(lambda: None)
        again = self.events("collector-started")[-1]
        self.assertNotEqual(digest, again["fields"]["configuration_digest"])

    def test_how_authorities_stand(self):
        def act():
            self.wait_for("authority-well", authority="bka", state="fresh")
            down = [AuthorityError("fra", "is down")] * 2
            self.fakes["fra"].script(*down)
            self.wait_for("authority-failed", authority="fra")

        self.run_while(act)
        (failed,) = self.events("authority-failed")
        self.assertEqual("failing", failed["fields"]["state"])
        self.assertIn("is down", failed["fields"]["text"])
        well = self.events("authority-well")
        self.assertEqual(
            {"fra", "bka"}, {event["fields"]["authority"] for event in well}
        )

    def test_that_nothing_is_published_and_then_it_is(self):
        place = self.site.results_file.parent
        aside = place.with_name("aside")

        def act():
            place.rename(aside)
            place.touch()
            # what is new has to be published
            self.fakes["fra"].hold(HOSTS[0], time.time())
            self.wait_for("results-unpublished", code=publisher.UNWRITTEN)
            place.unlink()
            aside.rename(place)
            self.wait_for("results-published")

        self.run_while(act)

    def test_that_a_policy_is_refused(self):
        def act():
            self.site.policy_file.write_bytes(b"no policy")
            self.wait_for("policy-refused")

        self.run_while(act)
        (refused,) = self.events("policy-refused")
        self.assertIn("file_sha256", refused["fields"])

    def test_looking_writes_nothing(self):
        path = self.site.options()
        words = ("--config-file", str(path), "--check")
        with mock.patch("builtins.print"):
            self.assertEqual(0, command.main(words))
        self.assertEqual([], list(self.ledger.directory.iterdir()))

    def test_one_that_cannot_start_begins_no_chain(self):
        (self.site.directory / "collector-a.key").unlink()
        path = self.site.options()
        with mock.patch("sys.stderr"):
            self.assertEqual(1, command.main(("--config-file", str(path))))
        self.assertEqual([], list(self.ledger.directory.iterdir()))
