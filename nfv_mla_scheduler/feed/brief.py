# SPDX-License-Identifier: Apache-2.0
"""A policy in brief: what counts of it while nobody can judge.

Pure.  It is kept beside the policy, without a signature, for
``scheduler/fallback.py``, which reads it with the standard library alone: to
whom the hosts of a pool are closed (7.2), which projects have a floor, and
whose servers nobody is told about (5.0.3).
"""

from __future__ import annotations

import json
from typing import Any

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Management

FORMAT = "nfv-mla-brief/1"


def brief(policy: Policy, catalogue: Catalogue) -> bytes:
    """Return ``policy`` in brief, as JSON; equal policies, equal bytes.

    Pools that are open to everybody are left out, and so are projects that
    have neither floor nor trust domain.
    """
    pools: dict[str, Any] = {}
    hosts: dict[str, list[str]] = {}
    for name, pool in sorted(policy.pools.items()):
        until = policy.permissive.pools.get(name, NEVER)
        terms = _terms(pool, catalogue, until)
        if terms["exclusive_to"] is None and terms["managed_by"] is None:
            continue
        pools[name] = terms
        for member in pool.members:
            hosts.setdefault(member, []).append(name)
    found = {
        "format": FORMAT,
        "version": policy.version,
        "pools": pools,
        "hosts": hosts,
        "trust_domains": {
            project.project_id: project.trust_domain
            for project in policy.projects.values()
            if project.trust_domain is not None
        },
        "sealed": sorted(
            name
            for name, key in policy.trust_domains.items()
            if key is not None
        ),
        "floors": sorted(
            project.project_id
            for project in policy.projects.values()
            if project.floor is not None
        ),
    }
    text = json.dumps(found, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def _terms(pool: Pool, catalogue: Catalogue, until: Instant) -> dict[str, Any]:
    """Return to whom a pool is open, and until when to all; null: no limit,
    and no such date.
    """
    management = catalogue.classes[pool.host_class].management
    shared = management is Management.SHARED
    exclusive = pool.exclusive_to
    return {
        "exclusive_to": None if exclusive is None else sorted(exclusive),
        "managed_by": None if shared else sorted(pool.management_domains),
        "permissive_until": None if until == NEVER else until,
    }
