# SPDX-License-Identifier: Apache-2.0
"""Each worker says every minute that it is there, and what it judges by."""

from __future__ import annotations

import unittest
from unittest import mock

from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.scheduler import heartbeat
from nfv_mla_scheduler.scheduler import worker
from nfv_mla_scheduler.scheduler.heartbeat import Heartbeat
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.scheduler import site

EMPTY = view.empty(load())
NOW = 1_000_000.0


class HeartbeatTest(unittest.TestCase):
    def setUp(self) -> None:
        self.events: list[Event] = []
        audit = NullAudit()
        audit.record = self.events.append  # type: ignore[method-assign]
        self.heart = Heartbeat(audit, "host/nova-scheduler/1")

    def beats(self, *times: float) -> list[float]:
        for now in times:
            self.heart.beat(EMPTY, now)
        return [event.at for event in self.events]

    def test_at_once_and_every_60_s(self) -> None:
        self.assertEqual(
            [NOW, NOW + 60, NOW + 121],
            self.beats(NOW, NOW + 1, NOW + 59.9, NOW + 60, NOW + 121),
        )

    def test_clocks_that_go_back_do_not_silence_it(self) -> None:
        self.assertEqual([NOW, NOW - 9000], self.beats(NOW, NOW - 9000))

    def test_what_is_not_there_is_null(self) -> None:
        self.beats(NOW)
        (event,) = self.events
        self.assertIs(EventKind.HEARTBEAT, event.kind)
        self.assertEqual(
            {
                "policy_version": None,
                "policy_digest": None,
                "results_age_s": None,
                "generation": 0,
            },
            event.fields,
        )


class WorkerTest(site.SiteTestCase):
    def _beats(self) -> list[dict[str, object]]:
        return [
            event["fields"]
            for event in self.site.events()
            if event["kind"] == "heartbeat"
        ]

    def test_a_worker_beats_with_its_first_load(self) -> None:
        self.ready()
        engine = worker.shared(site.CONF).engine()
        policy = engine.feed.snapshot.policy
        assert policy is not None
        (fields,) = self._beats()
        self.assertEqual(1, fields["policy_version"])
        self.assertEqual(policy.digest, fields["policy_digest"])
        self.assertEqual(engine.feed.snapshot.generation, fields["generation"])
        age = fields["results_age_s"]
        assert isinstance(age, float)
        self.assertLess(age, 60)

    def test_it_beats_on_though_nothing_can_be_read(self) -> None:
        with (
            mock.patch.object(Feed, "refresh", side_effect=RuntimeError("x")),
            mock.patch.object(heartbeat, "INTERVAL_S", 0.01),
            self.assertLogs("nfv_mla_scheduler"),
        ):
            engine = worker.shared(site.CONF).engine()
            self.wait_for(
                lambda: self.site.ledger.bytes().count(b"heartbeat") > 2
            )
            engine.stop()
        self.assertIsNone(self._beats()[0]["policy_version"])
