# SPDX-License-Identifier: Apache-2.0
"""The monitor's status as metrics for Prometheus.

Pure: a status in, text out.  prometheus_client is of the extra ``monitor``
and imported when it is first asked for.  ``figures.py`` says which numbers
there are.  Of a status it takes, and of what is None says nothing (times are
seconds since the epoch; whatever is of a sealed domain is not in it to begin
with):

============================================ ================================
key                                           meaning
============================================ ================================
``now``, ``started_at``                       of the status, of the process
``act``                                       ``none``, ``fence`` or ``all``
``policy``: ``version``, ``expires_at``       in force; or None
``results``: ``issued_at``                    the newest document; or None
``picture``: ``at``, ``full_at``,             the newest one, the newest full
``missing``                                   listing, and what (names) did not
                                              answer; or None
``cycle``: ``at``, ``seconds``, ``failures``  the last one: when it ended, how
                                              long it took, how many of its
                                              requests failed; or None
``hosts``: state -> count                     each host in one state, as
                                              ``host_states.HostState``
``findings``: kind -> count                   as ``findings.Kind``
``in_flight``, ``not_halted``                 counts of servers
``held``: why -> count                        steps, as ``steps.Why``
``suspects``                                  names of authorities
``braked``                                    whether the policy is a suspect
``paused``                                    also when it cannot be known
``paused_until``                              None: no pause that a person said
``ledger``                                    whether what happens is
                                              recorded; None: there is none
``steps``: step -> outcome -> count           done since the process started
``evictions_last_minute``                     as the guard counts them
``traits``: ``providers``, ``failed``         that have one of ours; whose last
                                              edit failed
``webhook``: ``knocks``, ``refused``          since the process started
============================================ ================================
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.monitor.reporting.figures import COUNTERS
from nfv_mla_scheduler.monitor.reporting.figures import COUNTS
from nfv_mla_scheduler.monitor.reporting.figures import GAUGES
from nfv_mla_scheduler.serving import exposition
from nfv_mla_scheduler.serving.exposition import Status
from nfv_mla_scheduler.serving.exposition import add
from nfv_mla_scheduler.serving.exposition import singles

PREFIX = "nfv_mla_monitor_"
ACTS = ("none", "fence", "all")


def render(status: Status) -> tuple[str, bytes]:
    """Return the content type and the text of the metrics.

    :raises exposition.Unavailable: when prometheus_client is not installed
    """
    return exposition.render(_Families(status).collect, "monitor")


class _Families:
    """A status, as families of metrics."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Any]:
        """Yield one family of metrics after the other."""
        from prometheus_client import core

        status, gauge = self._status, core.GaugeMetricFamily
        yield from singles(gauge, PREFIX, GAUGES, status)
        yield from singles(core.CounterMetricFamily, PREFIX, COUNTERS, status)
        for name, meaning, label, key, always in COUNTS:
            family = gauge(PREFIX + name, meaning, labels=(label,))
            counts = status[key]
            for one in _all(always, counts):
                add(family, (one,), counts.get(one, 0))
            yield family
        yield self._acts(gauge)
        yield self._suspected(gauge)
        yield self._steps(core.CounterMetricFamily)

    def _acts(self, kind: Any) -> Any:
        family = kind(
            f"{PREFIX}act",
            "1 for what the monitor is armed to do, 0 for the others.",
            labels=("act",),
        )
        for act in ACTS:
            add(family, (act,), self._status["act"] == act)
        return family

    def _suspected(self, kind: Any) -> Any:
        family = kind(
            f"{PREFIX}suspect_authority",
            "1 for each authority that is a suspect.",
            labels=("authority",),
        )
        for authority in self._status["suspects"]:
            add(family, (authority,), 1)
        return family

    def _steps(self, kind: Any) -> Any:
        family = kind(
            f"{PREFIX}steps",
            "Steps that were taken, and what became of them.",
            labels=("step", "outcome"),
        )
        for step, outcomes in self._status["steps"].items():
            for outcome, count in outcomes.items():
                add(family, (step, outcome), count)
        return family


def _all(always: Iterable[str], counts: Mapping[str, Any]) -> Iterable[str]:
    return dict.fromkeys((*always, *counts))
