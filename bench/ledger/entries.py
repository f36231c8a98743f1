# SPDX-License-Identifier: Apache-2.0
"""The events that are recorded, as schedulers and monitors have them.

Pure.  Of ten three are refusals, three are requests that are about to be made,
three what came of them, and one is a heartbeat.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

COUNT = 20_000
PROCESS = "ctl-1/nova-scheduler/4711"

_SERVERS, _PROJECTS = 997, 31
_STEPS = (
    (Step.LOCK, Ask.LOCK),
    (Step.LIVE_MIGRATE, Ask.LIVE_MIGRATE),
    (Step.STOP, Ask.STOP),
)
_COUNTS = (
    {"stale": 12, "value-mismatch": 4801, "pool-exclusive": 1000},
    {"nothing-follows": 9211, "host-unbound": 3},
    {"contraindicated": 500, "capability-missing": 9000, "stale": 250},
)


def events(
    count: int, now: Instant, domain: str | None = None
) -> Iterator[Event]:
    """Yield so many events, no two of them alike.

    :param domain: whose they are; None: everybody's
    """
    for number in range(count):
        kind, fields = _happening(number)
        yield Event(kind, now + number / 100, PROCESS, fields, domain)


def _happening(number: int) -> tuple[EventKind, dict[str, JSON]]:
    turn, place = divmod(number, 10)
    if place == 9:
        return EventKind.HEARTBEAT, {
            "policy_version": 17,
            "policy_digest": _hex(turn % 3) * 2,
            "results_age_s": round(turn % 97 / 10, 1),
            "generation": turn,
        }
    round_, what = divmod(place, 3)
    server = str(_uuid("server", (turn * 3 + round_) % _SERVERS))
    if what == 0:
        return EventKind.REQUEST_REFUSED, {
            "server": server,
            "project": _uuid("project", turn % _PROJECTS).hex,
            "request": f"req-{_uuid('request', number)}",
            "candidates": 10000,
            "counts": _COUNTS[round_],
        }
    step, ask = _STEPS[round_]
    fields: dict[str, JSON] = {
        "step": step.value,
        "ask": ask.value,
        "mark": _hex(turn)[:8],
        "server": server,
    }
    if what == 1:
        return EventKind.STEP_INTENDED, fields
    return EventKind.STEP_DONE, {**fields, "outcome": Result.DONE.value}


def _uuid(what: str, number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {number}")


def _hex(number: int) -> str:
    return _uuid("digest", number).hex
