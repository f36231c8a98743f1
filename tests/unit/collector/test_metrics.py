# SPDX-License-Identifier: Apache-2.0
"""A status as metrics, as Prometheus would read them."""

from __future__ import annotations

import pathlib
import re
import unittest
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from nfv_mla_scheduler.collector import metrics
from tests.unit.collector.asking import NOW
from tests.unit.collector.asking import authority
from tests.unit.collector.asking import status

PAGE = (
    pathlib.Path(__file__).parents[3]
    / "doc/source/reference/collector-api.rst"
)
P = metrics.PREFIX


def samples(said: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """Return what is said: name and label values -> value."""
    content_type, text = metrics.render(said)
    assert content_type.startswith("text/plain; version=")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


class MetricsTest(unittest.TestCase):
    def test_of_the_collector(self) -> None:
        found = samples(status())
        expected = {
            "start_time_seconds": NOW - 7200,
            "policy_version": 7,
            "policy_expiry_timestamp_seconds": NOW + 86400,
            "document_issued_timestamp_seconds": NOW - 2,
            "document_results": 21,
            "publish_failing": 0,
        }
        for name, value in expected.items():
            self.assertEqual(value, found[(P + name,)], name)
        self.assertEqual(
            1, found[("nfv_mla_collector_info", status()["collector"])]
        )

    def test_of_each_authority(self) -> None:
        said = authority(state="late")
        found = samples(status(authorities={"ear": said}))
        expected = {
            "authority_since_timestamp_seconds": said["since"],
            "authority_last_success_timestamp_seconds": NOW - 5,
            "authority_cadence_seconds": 30,
            "authority_max_age_seconds": 90,
            "authority_attesters": 12,
            "authority_results": 11,
            "authority_fresh_results": 10,
            "authority_problems": 2,
            "authority_clock_skew_seconds": -0.25,
            "authority_last_poll_seconds": 0.75,
            "authority_polls_total": 120,
            "authority_poll_failures_total": 3,
        }
        for name, value in expected.items():
            self.assertEqual(value, found[(P + name, "ear")], name)
        for state in metrics.STATES:
            value = found[(f"{P}authority_state", "ear", state)]
            self.assertEqual(float(state == "late"), value)

    def test_of_what_is_not_known_nothing_is_said(self) -> None:
        said = authority(
            last_success_at=None,
            skew_s=None,
            last_poll_s=None,
            cadence_s=None,
            max_age_s=None,
        )
        found = samples(
            status(policy=None, document=None, authorities={"ear": said})
        )
        names = {name for name, *_ in found}
        for name in (
            "policy_version",
            "policy_expiry_timestamp_seconds",
            "document_issued_timestamp_seconds",
            "document_results",
            "authority_last_success_timestamp_seconds",
            "authority_clock_skew_seconds",
            "authority_cadence_seconds",
        ):
            self.assertNotIn(P + name, names)

    def test_that_publishing_fails(self) -> None:
        found = samples(status(publish_failing_since=NOW - 60))
        self.assertEqual(1, found[(f"{P}publish_failing",)])

    def test_names_of_others_do_no_harm(self) -> None:
        odd = 'a"b\\c\nd} 1\n'
        found = samples(status(authorities={odd: authority()}))
        self.assertEqual(120, found[(f"{P}authority_polls_total", odd)])

    def test_the_page_names_each_of_them_and_no_others(self) -> None:
        said = {name for name, *_ in samples(status())}
        text = PAGE.read_text(encoding="utf-8")
        documented = set(re.findall(rf"``({P}[a-z_]+)", text))
        self.assertEqual(said, documented)
