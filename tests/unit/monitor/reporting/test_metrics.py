# SPDX-License-Identifier: Apache-2.0
"""A status as metrics, as Prometheus would read them."""

from __future__ import annotations

import re
import unittest
from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.judging.traits import tampered
from nfv_mla_scheduler.monitor.reporting import metrics
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.host_states import HostState
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.status import status as begun
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.monitor.reporting.telling import standings
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.standard.catalogue import load
from tests.unit.monitor import clouds

NOW = 1_700_000_000.0
P = metrics.PREFIX


def status(**changed: Any) -> dict[str, Any]:
    """Return a monitor's status, with something in every part of it."""
    return {
        "now": NOW,
        "started_at": NOW - 7200,
        "act": "fence",
        "policy": {"version": 7, "expires_at": NOW + 86400},
        "results": {"issued_at": NOW - 2},
        "picture": {
            "at": NOW - 4,
            "full_at": NOW - 900,
            "missing": ["cell 2", "placement"],
        },
        "cycle": {"at": NOW - 3, "seconds": 0.75, "failures": 1},
        "hosts": {"well": 40, "fenced": 2},
        "findings": {"failed": 5, "outage": 1},
        "in_flight": 3,
        "not_halted": 1,
        "held": {"per-minute": 4},
        "suspects": ["keylime-fra"],
        "braked": True,
        "paused": True,
        "paused_until": NOW + 600,
        "ledger": False,
        "steps": {"lock": {"done": 9, "failed": 1}, "stop": {"done": 2}},
        "evictions_last_minute": 6,
        "traits": {"providers": 38, "failed": 2},
        "webhook": {"knocks": 11, "refused": 12},
        **changed,
    }


def samples(said: Mapping[str, Any]) -> dict[tuple[str, ...], float]:
    """Return what is said: name and label values -> value."""
    content_type, text = metrics.render(said)
    assert content_type.startswith("text/plain; version=")
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            key = (sample.name, *sample.labels.values())
            assert key not in found, key
            found[key] = sample.value
    return found


class MetricsTest(unittest.TestCase):
    def test_of_the_whole(self) -> None:
        found = samples(status())
        expected = {
            "start_time_seconds": NOW - 7200,
            "policy_version": 7,
            "policy_expiry_timestamp_seconds": NOW + 86400,
            "results_issued_timestamp_seconds": NOW - 2,
            "picture_timestamp_seconds": NOW - 4,
            "picture_full_timestamp_seconds": NOW - 900,
            "picture_missing": 2,
            "cycle_timestamp_seconds": NOW - 3,
            "cycle_duration_seconds": 0.75,
            "cycle_failures": 1,
            "in_flight": 3,
            "not_halted": 1,
            "suspects": 1,
            "braked": 1,
            "paused": 1,
            "paused_until_timestamp_seconds": NOW + 600,
            "ledger_written": 0,
            "evictions_last_minute": 6,
            "trait_providers": 38,
            "trait_failures": 2,
            "webhook_knocks_total": 11,
            "webhook_refused_total": 12,
        }
        plain = {key[0]: value for key, value in found.items() if not key[1:]}
        self.assertEqual(
            {P + name: value for name, value in expected.items()}, plain
        )

    def test_of_each(self) -> None:
        found = samples(status())
        expected = {
            ("act", "none"): 0,
            ("act", "fence"): 1,
            ("act", "all"): 0,
            ("hosts", "well"): 40,
            ("hosts", "fenced"): 2,
            ("findings", "failed"): 5,
            ("findings", "outage"): 1,
            ("held", "per-minute"): 4,
            ("suspect_authority", "keylime-fra"): 1,
            # in the order of their labels' names: outcome, step
            ("steps_total", "done", "lock"): 9,
            ("steps_total", "failed", "lock"): 1,
            ("steps_total", "done", "stop"): 2,
        }
        for (name, *labels), value in expected.items():
            self.assertEqual(value, found[(P + name, *labels)], name)

    def test_of_no_ledger_nothing_is_said(self) -> None:
        name = (f"{P}ledger_written",)
        self.assertEqual(1, samples(status(ledger=True))[name])
        self.assertNotIn(name, samples(status(ledger=None)))

    def test_what_there_is_none_of_is_there_and_zero(self) -> None:
        found = samples(status(hosts={}, findings={}, held={}))
        for state in HostState:
            self.assertEqual(0, found[(f"{P}hosts", state.value)])
        for kind in Kind:
            self.assertEqual(0, found[(f"{P}findings", kind.value)])
        for why in Why:
            self.assertEqual(0, found[(f"{P}held", why.value)])

    def test_a_word_that_is_not_known_is_said_as_well(self) -> None:
        found = samples(status(findings={"of a later version": 3}))
        self.assertEqual(3, found[(f"{P}findings", "of a later version")])

    def test_of_what_is_not_known_nothing_is_said(self) -> None:
        found = samples(
            status(
                policy=None,
                results=None,
                picture=None,
                cycle=None,
                paused=False,
                paused_until=None,
                suspects=[],
            )
        )
        names = {name for name, *_ in found}
        for name in (
            "policy_version",
            "policy_expiry_timestamp_seconds",
            "results_issued_timestamp_seconds",
            "picture_timestamp_seconds",
            "picture_full_timestamp_seconds",
            "picture_missing",
            "cycle_timestamp_seconds",
            "cycle_duration_seconds",
            "cycle_failures",
            "paused_until_timestamp_seconds",
            "suspect_authority",
        ):
            self.assertNotIn(P + name, names)
        self.assertEqual(0, found[(f"{P}paused",)])
        self.assertEqual(0, found[(f"{P}suspects",)])

    def test_of_a_monitor_that_has_just_begun(self) -> None:
        said = begun(NOW, Process(NOW, "none"), None, Tally())
        found = samples(said)
        self.assertEqual(1, found[(f"{P}act", "none")])
        self.assertEqual(NOW, found[(f"{P}start_time_seconds",)])
        self.assertEqual(0, found[(f"{P}not_halted",)])

    def test_a_pause_that_is_over_is_none(self) -> None:
        found = samples(status(paused_until=NOW))
        self.assertEqual(0, found[(f"{P}paused",)])

    def test_what_people_said_cannot_be_read(self) -> None:
        """It holds all but fences, and everybody is told so."""
        report = CycleReport(
            NOW, True, view.empty(load()), Holds(fault="is damaged")
        )
        said = begun(NOW, Process(NOW, "all"), report, Tally())
        self.assertEqual("is damaged", said["pause_reason"])
        found = samples(said)
        self.assertEqual(1, found[(f"{P}paused",)])
        self.assertNotIn((f"{P}paused_until_timestamp_seconds",), found)
        told = standings(report)[Topic.PAUSED]
        self.assertIn("cannot be read", told["by itself"].text)

    def test_hosts_are_not_looked_up_one_among_all(self) -> None:
        class Strangers(tuple[str, ...]):
            """A row of names that nobody may search."""

            def __contains__(self, name: object) -> bool:
                raise AssertionError("each host would be sought in all")

        names = [f"h{n}" for n in range(3)]
        found = clouds.verdict(strangers=Strangers(names[1:]))
        picture = clouds.picture((), map(clouds.node, names))
        report = CycleReport(
            NOW,
            True,
            view.empty(load()),
            Holds(),
            picture,
            NOW,
            ruling=Ruling(found, {}, {}),
        )
        said = begun(NOW, Process(NOW, "all"), report, Tally())
        self.assertEqual({"unknown": 2, "well": 1}, said["hosts"])
        self.assertEqual((), tampered(found, picture))

    def test_names_of_others_do_no_harm(self) -> None:
        odd = 'a"b\\c\nd} 1\n'
        found = samples(status(suspects=[odd]))
        self.assertEqual(1, found[(f"{P}suspect_authority", odd)])

    def test_every_name_says_its_unit_and_has_a_meaning(self) -> None:
        _, text = metrics.render(status())
        for family in text_string_to_metric_families(text.decode()):
            self.assertTrue(family.documentation.endswith("."), family.name)
            if family.samples[0].value > 1e6:
                self.assertRegex(family.name, "_seconds$")

    def test_the_schema_names_what_a_status_has(self) -> None:
        said = metrics.__doc__ or ""
        table = said[said.index("====\nkey") :]
        named = set(re.findall(r"``([a-z_]+)``", table))
        parts = ("policy", "results", "picture", "cycle", "traits", "webhook")
        keys = set(status())
        for part in parts:
            keys |= set(status()[part])
        self.assertEqual(keys, named - set(metrics.ACTS))
