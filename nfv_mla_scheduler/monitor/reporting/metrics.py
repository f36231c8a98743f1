# SPDX-License-Identifier: Apache-2.0
"""The monitor's status as metrics for Prometheus.

Pure: a status in, text out.  prometheus_client is of the extra ``monitor``
and imported when it is first asked for.  Of a status it takes, and of what is
None says nothing (times are seconds since the epoch; whatever is of a sealed
domain is not in it to begin with):

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
                                              ``status.HostState``
``findings``: kind -> count                   as ``findings.Kind``
``in_flight``, ``not_halted``                 counts of servers
``held``: why -> count                        steps, as ``steps.Why``
``suspects``                                  names of authorities
``braked``                                    whether the policy is a suspect
``paused_until``                              None: it is not paused
``steps``: step -> outcome -> count           done since the process started
``evictions_last_minute``                     as the guard counts them
``traits``: ``providers``, ``failed``         that have one of ours; whose last
                                              edit failed
``webhook``: ``knocks``, ``refused``          since the process started
============================================ ================================
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.reporting.status import HostState
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.serving import exposition
from nfv_mla_scheduler.serving.exposition import add

PREFIX = "nfv_mla_monitor_"
ACTS = ("none", "fence", "all")

_Status = Mapping[str, Any]

# name, meaning, what it is of a status; nothing is said for None
_GAUGES: tuple[tuple[str, str, Callable[[_Status], Any]], ...] = (
    (
        "start_time_seconds",
        "When the monitor started.",
        lambda s: s["started_at"],
    ),
    (
        "policy_version",
        "Version of the policy in force.",
        lambda s: _part(s, "policy", "version"),
    ),
    (
        "policy_expiry_timestamp_seconds",
        "When the policy in force expires.",
        lambda s: _part(s, "policy", "expires_at"),
    ),
    (
        "results_issued_timestamp_seconds",
        "When the newest results document was issued.",
        lambda s: _part(s, "results", "issued_at"),
    ),
    (
        "picture_timestamp_seconds",
        "When Nova was last looked at.",
        lambda s: _part(s, "picture", "at"),
    ),
    (
        "picture_full_timestamp_seconds",
        "When Nova was last asked for everything.",
        lambda s: _part(s, "picture", "full_at"),
    ),
    (
        "picture_missing",
        "Parts of the cloud that did not answer at the last look.",
        lambda s: _missing(s),
    ),
    (
        "cycle_timestamp_seconds",
        "When the last cycle ended.",
        lambda s: _part(s, "cycle", "at"),
    ),
    (
        "cycle_duration_seconds",
        "How long the last cycle took.",
        lambda s: _part(s, "cycle", "seconds"),
    ),
    (
        "cycle_failures",
        "Requests of the last cycle that failed.",
        lambda s: _part(s, "cycle", "failures"),
    ),
    (
        "in_flight",
        "Servers whose eviction or halt is under way.",
        lambda s: s["in_flight"],
    ),
    (
        "not_halted",
        "Servers that should be halted or gone by now, and are not.",
        lambda s: s["not_halted"],
    ),
    (
        "suspects",
        "Authorities that fail for so many hosts that they are suspects.",
        lambda s: len(s["suspects"]),
    ),
    (
        "braked",
        "Whether a new policy fails so many that nothing is done for it.",
        lambda s: s["braked"],
    ),
    (
        "paused",
        "Whether a person has paused the monitor.",
        lambda s: _paused(s),
    ),
    (
        "paused_until_timestamp_seconds",
        "When the pause ends.",
        lambda s: s["paused_until"],
    ),
    (
        "evictions_last_minute",
        "Evictions begun in the last minute, as the guard counts them.",
        lambda s: s["evictions_last_minute"],
    ),
    (
        "trait_providers",
        "Resource providers that have a trait of ours.",
        lambda s: s["traits"]["providers"],
    ),
    (
        "trait_failures",
        "Resource providers whose traits could not be set at the last try.",
        lambda s: s["traits"]["failed"],
    ),
)
_COUNTERS: tuple[tuple[str, str, Callable[[_Status], Any]], ...] = (
    (
        "webhook_knocks",
        "Requests that brought the next cycle forward.",
        lambda s: s["webhook"]["knocks"],
    ),
    (
        "webhook_refused",
        "Requests at the webhook that were refused.",
        lambda s: s["webhook"]["refused"],
    ),
)

# name, meaning, label, key of the status, values that are always there
_COUNTS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "hosts",
        "Hosts in each state.",
        "state",
        "hosts",
        tuple(state.value for state in HostState),
    ),
    (
        "findings",
        "Findings of each kind.",
        "kind",
        "findings",
        tuple(kind.value for kind in Kind),
    ),
    (
        "held",
        "Steps that are due and are not taken, by why.",
        "why",
        "held",
        tuple(why.value for why in Why),
    ),
)


def render(status: _Status) -> tuple[str, bytes]:
    """Return the content type and the text of the metrics.

    :raises exposition.Unavailable: when prometheus_client is not installed
    """
    return exposition.render(_Families(status).collect, "monitor")


class _Families:
    """A status, as families of metrics."""

    def __init__(self, status: _Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Any]:
        """Yield one family of metrics after the other."""
        from prometheus_client import core

        for name, meaning, value in _GAUGES:
            family = core.GaugeMetricFamily(PREFIX + name, meaning)
            add(family, (), value(self._status))
            yield family
        for name, meaning, value in _COUNTERS:
            counter = core.CounterMetricFamily(PREFIX + name, meaning)
            add(counter, (), value(self._status))
            yield counter
        for name, meaning, label, key, always in _COUNTS:
            family = core.GaugeMetricFamily(
                PREFIX + name, meaning, labels=(label,)
            )
            counts = self._status[key]
            for one in _all(always, counts):
                add(family, (one,), counts.get(one, 0))
            yield family
        yield self._acts(core.GaugeMetricFamily)
        yield self._suspected(core.GaugeMetricFamily)
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


def _part(status: _Status, part: str, key: str) -> Any:
    found = status[part]
    return None if found is None else found[key]


def _missing(status: _Status) -> int | None:
    missing = _part(status, "picture", "missing")
    return None if missing is None else len(missing)


def _paused(status: _Status) -> bool:
    until = status["paused_until"]
    return until is not None and until > status["now"]
