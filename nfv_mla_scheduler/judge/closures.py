# SPDX-License-Identifier: Apache-2.0
"""Rules by which a host is closed to a server, whatever anybody claims.

Pure.  Exclusive pools and management domains (7.2): they hold for servers
that ask for nothing, too.  They protect the pool, so that only the pool's own
permissive mode sets them aside; that of a visitor's project does not.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import ClassRules
from nfv_mla_scheduler.standard.values import Management


@dataclasses.dataclass(frozen=True, slots=True)
class Closure:
    """A rule by which a host is closed to a server, whatever is claimed."""

    refusal: Refusal
    permissive_until: Instant


Closed = Mapping[str, tuple[Closure, ...]]
"""Nova's host name, or the UUID of the compute node, -> the rules that close
it to servers of one project.  Either one is enough: a host does not leave its
pool by going under another name."""


def closing(closed: Closed, uuid: str, host: str) -> tuple[Closure, ...]:
    """Return the rules that close a host that Nova offers."""
    return closed.get(host) or closed.get(uuid, ())


def shut(closed: Closed, uuid: str, host: str, now: Instant) -> bool:
    """Whether a host is closed now, not only in permissive mode."""
    return any(c.permissive_until <= now for c in closing(closed, uuid, host))


def closures(
    policy: Policy,
    catalogue: Catalogue,
    pools: tuple[str, ...],
    trust_domain: str | None,
    management_domain: str,
) -> tuple[Closure, ...]:
    """Return the rules that close hosts of ``pools`` to a server.

    Being listed is enough: a host that fails to prove its class is still
    nobody else's (7.2.2.0).

    :param trust_domain: of the server's project
    :param management_domain: of the scheduler that wants to place it
    """
    found = []
    for name in pools:
        pool = policy.pools[name]
        rules = catalogue.classes[pool.host_class]
        until = policy.permissive.pools.get(name, NEVER)
        for code, detail in _closed(
            pool, rules, trust_domain, management_domain
        ):
            refusal = Refusal(
                code, "pool", rules.clause, detail=detail, requirement="pool"
            )
            found.append(Closure(refusal, until))
    return tuple(found)


def _closed(
    pool: Pool,
    rules: ClassRules,
    trust_domain: str | None,
    management_domain: str,
) -> list[tuple[RefusalCode, str]]:
    found = []
    exclusive = pool.exclusive_to
    if exclusive is not None and trust_domain not in exclusive:
        detail = f"pool {pool.name} belongs to another trust domain"
        found.append((RefusalCode.POOL_EXCLUSIVE, detail))
    if (
        rules.management is not Management.SHARED
        and management_domain not in pool.management_domains
    ):
        detail = f"pool {pool.name} is managed elsewhere"
        found.append((RefusalCode.MANAGEMENT_DOMAIN, detail))
    return found


def pools_permissive_until(policy: Policy, pools: tuple[str, ...]) -> Instant:
    """Return until when all the pools of a host are permissive."""
    dates = (policy.permissive.pools.get(name, NEVER) for name in pools)
    return min(dates, default=NEVER)


def closed_hosts(
    policy: Policy,
    catalogue: Catalogue,
    project_id: str,
    management_domain: str,
) -> Closed:
    """Return the hosts that are closed to a project's servers, and why.

    :returns: other hosts are open to servers that ask for nothing
    """
    project = policy.projects.get(project_id)
    trust_domain = project.trust_domain if project else None
    pools_of: dict[str, list[str]] = {}
    for pool in policy.pools.values():
        for member in pool.members:
            pools_of.setdefault(member, []).append(pool.name)
    rules_of = functools.cache(
        lambda pools: closures(
            policy, catalogue, pools, trust_domain, management_domain
        )
    )
    closed = {}
    for host, pools in pools_of.items():
        found = rules_of(tuple(sorted(pools)))
        if found:
            closed[host] = found
            binding = policy.hosts.get(host)
            if binding is not None:
                closed[binding.node_uuid] = found
    return closed
