# SPDX-License-Identifier: Apache-2.0
"""The collector's status as metrics for Prometheus.

Pure: a status in, text out.  prometheus_client is of the extra ``collector``
and imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nfv_mla_scheduler.serving import exposition
from nfv_mla_scheduler.serving.exposition import Figure
from nfv_mla_scheduler.serving.exposition import Status
from nfv_mla_scheduler.serving.exposition import add
from nfv_mla_scheduler.serving.exposition import of_part
from nfv_mla_scheduler.serving.exposition import singles

PREFIX = "nfv_mla_collector_"
STATES = ("starting", "fresh", "late", "failing")

_OF_ALL = (
    Figure(
        "start_time_seconds",
        "When the collector started.",
        lambda s: s["started_at"],
    ),
    Figure(
        "policy_version",
        "Version of the policy in force.",
        lambda s: of_part(s, "policy", "version"),
    ),
    Figure(
        "policy_expiry_timestamp_seconds",
        "When the policy in force expires.",
        lambda s: of_part(s, "policy", "expires_at"),
    ),
    Figure(
        "document_issued_timestamp_seconds",
        "When the newest results document was issued.",
        lambda s: of_part(s, "document", "issued_at"),
    ),
    Figure(
        "document_results",
        "Results in the newest results document.",
        lambda s: of_part(s, "document", "results"),
    ),
    Figure(
        "publish_failing",
        "Whether the newest results could not be published.",
        lambda s: s["publish_failing_since"] is not None,
    ),
)

# name, meaning, key of one authority's status
_OF_EACH = (
    (
        "authority_since_timestamp_seconds",
        "When the authority came into the state that it is in.",
        "since",
    ),
    (
        "authority_last_success_timestamp_seconds",
        "When the authority was last asked with success.",
        "last_success_at",
    ),
    (
        "authority_cadence_seconds",
        "How often the policy has the authority asked.",
        "cadence_s",
    ),
    (
        "authority_max_age_seconds",
        "How long its run-time claims live.",
        "max_age_s",
    ),
    (
        "authority_attesters",
        "Hosts that the policy binds to the authority.",
        "attesters",
    ),
    (
        "authority_results",
        "Results held of the authority.",
        "results",
    ),
    (
        "authority_fresh_results",
        "Results held of it that are not older than they may be.",
        "fresh",
    ),
    (
        "authority_problems",
        "Answers, of its last ones, that gave no result.",
        "problems",
    ),
    (
        "authority_clock_skew_seconds",
        "How far its clock is ahead of ours.",
        "skew_s",
    ),
    (
        "authority_last_poll_seconds",
        "How long asking it took last.",
        "last_poll_s",
    ),
)
_COUNTED = (
    ("authority_polls", "How often it was asked.", "polls"),
    (
        "authority_poll_failures",
        "How often asking it failed.",
        "failures",
    ),
)


def render(status: Status) -> tuple[str, bytes]:
    """Return the content type and the text of the metrics.

    :raises exposition.Unavailable: when prometheus_client is not installed
    """
    return exposition.render(_Families(status).collect, "collector")


class _Families:
    """A status, as families of metrics."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Any]:
        """Yield one family of metrics after the other."""
        from prometheus_client import core

        status = self._status
        yield core.InfoMetricFamily(
            PREFIX.rstrip("_"),
            "Which collector this is.",
            {"collector": status["collector"]},
        )
        yield from singles(core.GaugeMetricFamily, PREFIX, _OF_ALL, status)
        yield self._states(core.GaugeMetricFamily)
        for name, meaning, key in _OF_EACH:
            yield self._each(core.GaugeMetricFamily, name, meaning, key)
        for name, meaning, key in _COUNTED:
            yield self._each(core.CounterMetricFamily, name, meaning, key)

    def _each(self, kind: Any, name: str, meaning: str, key: str) -> Any:
        family = kind(PREFIX + name, meaning, labels=("authority",))
        for authority, stands in self._status["authorities"].items():
            add(family, (authority,), stands[key])
        return family

    def _states(self, kind: Any) -> Any:
        family = kind(
            f"{PREFIX}authority_state",
            "1 for the state that the authority is in, 0 for the others.",
            labels=("authority", "state"),
        )
        for authority, stands in self._status["authorities"].items():
            for state in STATES:
                add(family, (authority, state), stands["state"] == state)
        return family
