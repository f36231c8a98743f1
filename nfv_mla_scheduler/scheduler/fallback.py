# SPDX-License-Identifier: Apache-2.0
"""Whom a fault of ours must not hurt: servers that ask for nothing.

Used when the judge fails on a request.  It looks at nothing but the policy's
pools and floors, which a fault elsewhere leaves as they are.
"""

from __future__ import annotations

from typing import Any

from nfv_mla_scheduler.judge.closures import closed_hosts
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.scheduler.adapters import Plain


def open_hosts(
    candidates: list[Any],
    plain: Plain,
    snapshot: Snapshot,
    management_domain: str,
    refuse_all_without_policy: bool,
    now: Instant,
) -> list[Any]:
    """Return the hosts on which nobody else has a claim.

    None at all for a server that asks, itself or by its project's floor.
    """
    if plain.asks:
        return []
    policy = snapshot.policy
    if policy is None:
        return [] if refuse_all_without_policy else candidates
    project = policy.projects.get(plain.project_id)
    if project is not None and project.floor is not None:
        return []
    closed = closed_hosts(
        policy, snapshot.catalogue, plain.project_id, management_domain
    )
    shut = {
        host
        for host, found in closed.items()
        if any(closure.permissive_until <= now for closure in found)
    }
    return [c for c in candidates if c.host not in shut]
