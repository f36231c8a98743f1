# SPDX-License-Identifier: Apache-2.0
"""Which ledger a service writes, and what of its news is recorded."""

from __future__ import annotations

import pathlib
import socket
import tempfile
import unittest

from oslo_config import cfg

from nfv_mla_scheduler import conf
from nfv_mla_scheduler import recording
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.collector.loop import NOTICE
from nfv_mla_scheduler.feed.news import News
from tests import policies
from tests.ledgers import Ledger

WELL = {"authority": "lab", "state": "fresh"}
BAD = {"authority": "lab", "state": "failing"}
# subject, good, code and facts of news -> its kind for readers, publishers
KINDS = (
    ("policy", True, "policy-taken", {}, "policy-loaded", "policy-loaded"),
    ("policy", False, "policy-x", {}, "policy-refused", "policy-refused"),
    ("expiry", False, "policy-expired", {}, *["policy-expired"] * 2),
    ("expiry", False, "policy-expires", {}, None, None),
    ("results", True, "loaded", {}, "results-loaded", "results-published"),
    ("results", False, "c", {}, "results-refused", "results-unpublished"),
    ("authority lab", True, "c", WELL, *["authority-well"] * 2),
    ("authority lab", False, "c", BAD, *["authority-failed"] * 2),
    ("authority lab", False, NOTICE, {}, None, None),
    ("authority lab results", False, "c", {}, None, None),
    ("results age", False, "results-stale", {}, None, None),
    ("break-glass x", True, "loaded", {}, None, None),
    ("state", False, "policy-not-kept", {}, None, None),
)


class EventTest(unittest.TestCase):
    def test_what_is_recorded_and_what_is_only_logged(self) -> None:
        for subject, good, code, facts, *kinds in KINDS:
            news = News(subject, good, code, "words", {**facts, "n": 1})
            for kind, table in zip(
                kinds, (recording.READS, recording.PUBLISHES), strict=True
            ):
                found = recording.event(news, 7.0, "h/x/1", table)
                with self.subTest(subject=subject, code=code, kind=kind):
                    if kind is None:
                        self.assertIsNone(found)
                        continue
                    fields = {"code": code, "text": "words", "n": 1, **facts}
                    self.assertEqual(
                        Event(EventKind(kind), 7.0, "h/x/1", fields), found
                    )

    def test_news_that_have_a_kind_of_event_are_all_in_the_table(self) -> None:
        named = {kind for *_, one, two in KINDS for kind in (one, two)}
        tables = {**recording.READS, **recording.PUBLISHES}
        self.assertLessEqual({kind.value for kind in tables.values()}, named)


class NewAuditTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def settings(self, **options: object) -> conf.Settings:
        found = cfg.ConfigOpts()
        conf.register(found)
        found([], default_config_files=[], default_config_dirs=[])
        for name, value in options.items():
            found.set_override(name, value, group="nfv_mla")
        return conf.settings(found)

    def test_none_without_a_directory(self) -> None:
        audit = recording.new_audit(self.settings(), "x")
        self.assertIsInstance(audit, NullAudit)

    def test_a_chain_is_named_by_host_and_service_and_signed(self) -> None:
        key = self.directory / "key"
        key.write_bytes(policies.private_pem("audit"))
        place = self.directory / "audit"
        place.mkdir()
        options = {"audit_dir": str(place), "audit_key_file": str(key)}
        audit = recording.new_audit(self.settings(**options), "some-service")
        self.assertEqual([], list(place.iterdir()))
        event = Event(EventKind.HEARTBEAT, 1.0, "h/some-service/1", {})
        self.assertTrue(audit.commit(event, 30.0))
        audit.close()
        (origin,) = place.iterdir()
        name = f"{socket.gethostname()}.some-service.0"
        self.assertEqual(name, origin.name)
        kinds = [entry["kind"] for entry in Ledger(place).entries()]
        self.assertIn("heartbeat", kinds)
        self.assertIn("checkpoint", kinds)
