# SPDX-License-Identifier: Apache-2.0
"""What the metrics say of a status: names, meanings, and where each value is.

Pure.
"""

from __future__ import annotations

from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.reporting.host_states import HostState
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.serving.exposition import Figure
from nfv_mla_scheduler.serving.exposition import Status
from nfv_mla_scheduler.serving.exposition import of_part

GAUGES = (
    Figure(
        "start_time_seconds",
        "When the monitor started.",
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
        "results_issued_timestamp_seconds",
        "When the newest results document was issued.",
        lambda s: of_part(s, "results", "issued_at"),
    ),
    Figure(
        "picture_timestamp_seconds",
        "When Nova was last looked at.",
        lambda s: of_part(s, "picture", "at"),
    ),
    Figure(
        "picture_full_timestamp_seconds",
        "When Nova was last asked for everything.",
        lambda s: of_part(s, "picture", "full_at"),
    ),
    Figure(
        "picture_missing",
        "Parts of the cloud that did not answer at the last look.",
        lambda s: _missing(s),
    ),
    Figure(
        "cycle_timestamp_seconds",
        "When the last cycle ended.",
        lambda s: of_part(s, "cycle", "at"),
    ),
    Figure(
        "cycle_duration_seconds",
        "How long the last cycle took.",
        lambda s: of_part(s, "cycle", "seconds"),
    ),
    Figure(
        "cycle_failures",
        "Requests of the last cycle that failed.",
        lambda s: of_part(s, "cycle", "failures"),
    ),
    Figure(
        "in_flight",
        "Servers whose eviction or halt is under way.",
        lambda s: s["in_flight"],
    ),
    Figure(
        "not_halted",
        "Servers that should be halted or gone by now, and are not.",
        lambda s: s["not_halted"],
    ),
    Figure(
        "suspects",
        "Authorities that fail for so many hosts that they are suspects.",
        lambda s: len(s["suspects"]),
    ),
    Figure(
        "braked",
        "Whether a new policy fails so many that nothing is done for it.",
        lambda s: s["braked"],
    ),
    Figure(
        "paused",
        "Whether the monitor is paused, or cannot know what people said.",
        lambda s: _paused(s),
    ),
    Figure(
        "paused_until_timestamp_seconds",
        "When the pause ends.",
        lambda s: s["paused_until"],
    ),
    Figure(
        "ledger_written",
        "Whether the audit ledger is written; absent where there is none.",
        lambda s: s["ledger"],
    ),
    Figure(
        "evictions_last_minute",
        "Evictions begun in the last minute, as the guard counts them.",
        lambda s: s["evictions_last_minute"],
    ),
    Figure(
        "trait_providers",
        "Resource providers that have a trait of ours.",
        lambda s: s["traits"]["providers"],
    ),
    Figure(
        "trait_failures",
        "Resource providers whose traits could not be set at the last try.",
        lambda s: s["traits"]["failed"],
    ),
)

COUNTERS = (
    Figure(
        "webhook_knocks",
        "Requests that brought the next cycle forward.",
        lambda s: s["webhook"]["knocks"],
    ),
    Figure(
        "webhook_refused",
        "Requests at the webhook that were refused.",
        lambda s: s["webhook"]["refused"],
    ),
)

# name, meaning, label, key of the status, values that are always there
COUNTS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
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


def _missing(status: Status) -> int | None:
    missing = of_part(status, "picture", "missing")
    return None if missing is None else len(missing)


def _paused(status: Status) -> bool:
    until = status["paused_until"]
    ended = until is not None and until <= status["now"]
    return bool(status["paused"]) and not ended
