# SPDX-License-Identifier: Apache-2.0
"""How the collector stands, as values that JSON can hold.  Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.collector.standing import Standing
from nfv_mla_scheduler.collector.values import NOTHING
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy


@dataclasses.dataclass(frozen=True, slots=True)
class Published:
    """How publishing stands.

    :ivar issued_at: of the newest document; None: there is none yet
    :ivar sha256: of that document, hexadecimal
    :ivar results: how many are in it
    :ivar error: why the newest document is not where it should be; empty: it
        is
    :ivar failing_since: since when there is such an error
    """

    issued_at: Instant | None = None
    sha256: str = ""
    results: int = 0
    error: str = ""
    failing_since: Instant | None = None


def status(
    collector: str,
    now: Instant,
    started_at: Instant,
    policy: Policy | None,
    published: Published,
    standings: Mapping[str, Standing],
    said: Mapping[str, Said],
) -> dict[str, Any]:
    """Return what there is to say, all of it made of plain JSON values."""
    document = None
    if published.issued_at is not None:
        document = {
            "issued_at": published.issued_at,
            "sha256": published.sha256,
            "results": published.results,
        }
    return {
        "collector": collector,
        "now": now,
        "started_at": started_at,
        "policy": None
        if policy is None
        else {"version": policy.version, "expires_at": policy.expires_at},
        "document": document,
        "publish_error": published.error,
        "publish_failing_since": published.failing_since,
        "authorities": {
            name: _authority(standing, said.get(name, NOTHING), now)
            for name, standing in sorted(standings.items())
        },
    }


def _authority(standing: Standing, said: Said, now: Instant) -> dict[str, Any]:
    """Return one authority's part; only attesters of hosts are counted."""
    task = standing.task
    attesters = task.inquiry.attesters if task else ()
    held = [f for a in attesters if (f := said.freshness.get(a)) is not None]
    oldest = now - task.max_age_s if task else now
    return {
        "state": standing.state.value,
        "since": standing.since,
        "last_success_at": standing.last_success_at,
        "code": standing.code,
        "reason": standing.reason,
        "cadence_s": task.cadence_s if task else None,
        "max_age_s": task.max_age_s if task else None,
        "attesters": len(attesters),
        "results": len(held),
        "fresh": sum(f.at > oldest and f.until > now for f in held),
        "problems": standing.problems,
        "notes": standing.notes,
        "skew_s": standing.skew_s,
        "last_poll_s": standing.last_poll_s,
        "polls": standing.polls,
        "failures": standing.failures,
    }
