# SPDX-License-Identifier: Apache-2.0
"""What the collector says of itself: its status, read.  Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant

BYTES_MAX = 4 * 2**20
STATES = ("starting", "fresh", "late", "failing")


class NoStatus(NfvMlaError):
    """It is no status of a collector."""

    code = "no-status"


@dataclasses.dataclass(frozen=True, slots=True)
class AuthorityStatus:
    """How an authority stands with the collector.

    :ivar state: starting, fresh, late or failing
    :ivar since: since when
    :ivar skew_s: how far its clock is ahead of the collector's
    """

    state: str
    since: Instant | None
    code: str
    reason: str
    attesters: int
    results: int
    fresh: int
    problems: int
    skew_s: float | None
    last_poll_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class CollectorStatus:
    """What a collector said at one moment.

    :ivar now: by its own clock
    :ivar publish_error: empty: it publishes
    """

    collector: str
    now: Instant
    publish_error: str
    authorities: Mapping[str, AuthorityStatus]


def read_status(data: bytes) -> CollectorStatus:
    """Return the status in ``data``.

    :raises NoStatus: and nothing else, whatever the bytes are
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise NoStatus("is not JSON") from None
    members = _members(found, "the status")
    return CollectorStatus(
        bounded(members.get("collector", "")),
        _number(members.get("now"), "now"),
        bounded(members.get("publish_error") or "", 160),
        {
            bounded(name): _authority(entry, bounded(name))
            for name, entry in _members(
                members.get("authorities"), "authorities"
            ).items()
        },
    )


def _authority(entry: object, name: str) -> AuthorityStatus:
    members = _members(entry, name)
    state = members.get("state")
    if state not in STATES:
        raise NoStatus(f"{name} has no known state ({bounded(state)!r})")
    return AuthorityStatus(
        state=state,
        since=_number_or_none(members.get("since"), f"{name}.since"),
        code=bounded(members.get("code") or ""),
        reason=bounded(members.get("reason") or "", 160),
        attesters=_count(members.get("attesters"), f"{name}.attesters"),
        results=_count(members.get("results"), f"{name}.results"),
        fresh=_count(members.get("fresh"), f"{name}.fresh"),
        problems=_count(members.get("problems"), f"{name}.problems"),
        skew_s=_number_or_none(members.get("skew_s"), f"{name}.skew_s"),
        last_poll_s=_number(
            members.get("last_poll_s", 0), f"{name}.last_poll_s"
        ),
    )


def _members(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NoStatus(f"{what}: is not an object")
    return value


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoStatus(f"{what}: is not a number")
    return float(value)


def _number_or_none(value: object, what: str) -> float | None:
    return None if value is None else _number(value, what)


def _count(value: object, what: str) -> int:
    """Return how many; a list or an object counts its members."""
    if isinstance(value, list | dict):
        return len(value)
    return int(_number(value if value is not None else 0, what))
