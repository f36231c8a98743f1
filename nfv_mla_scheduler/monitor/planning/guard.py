# SPDX-License-Identifier: Apache-2.0
"""How many servers may be evicted at once, and which of them come first.

Pure.  ``spent.py`` says how many are being evicted already.  Only what
*begins* an eviction needs room.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.monitor.plans import Usage
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Guard


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A server whose eviction could begin now.

    :ivar urgency: smaller is more urgent
    :ivar late: whether it is a halt that is due by its profile (5.3.2)
    """

    server: str
    host: str
    project_id: str
    urgency: int = 0
    late: bool = False


def admit(
    candidates: Iterable[Candidate], guard: Guard, usage: Usage
) -> Mapping[str, Why | None]:
    """Return, by server, why its eviction may not begin now; None: it may.

    The order of the candidates does not depend on the guard, and whoever is
    before another stays so whether it is let through or not.  A stricter
    guard hence never lets anybody through whom a laxer one would keep; the
    price is that a budget is not always used up in one cycle.

    A halt that is late needs no room, and leaves less of it to the others.
    """
    some = tuple(candidates)
    late = {it.server: it for it in some if it.late}
    usage = _with(usage, late.values())
    hosts: collections.Counter[str] = collections.Counter()
    projects: collections.Counter[str] = collections.Counter()
    answers: dict[str, Why | None] = dict.fromkeys(late)
    others = (it for it in some if it.server not in late)
    for rank, it in enumerate(ordered(others, usage)):
        in_host = usage.hosts.get(it.host, 0) + hosts[it.host]
        in_project = (
            usage.projects.get(it.project_id, 0) + projects[it.project_id]
        )
        answers[it.server] = _first(
            (Why.PER_MINUTE, usage.last_minute + rank,
             guard.evictions_per_minute),
            (Why.AT_ONCE, usage.at_once + rank, guard.evictions_at_once),
            (Why.PER_HOST, in_host, guard.per_host),
            (Why.PER_PROJECT, in_project, guard.per_project),
        )  # fmt: skip
        hosts[it.host] += 1
        projects[it.project_id] += 1
    return answers


def _with(usage: Usage, begun: Collection[Candidate]) -> Usage:
    """Return what is spent once these have begun."""
    hosts = collections.Counter(usage.hosts)
    projects = collections.Counter(usage.projects)
    hosts.update(it.host for it in begun)
    projects.update(it.project_id for it in begun)
    return Usage(
        usage.last_minute + len(begun),
        usage.at_once + len(begun),
        hosts,
        projects,
    )


def _first(*budgets: tuple[Why, int, int]) -> Why | None:
    return next(
        (why for why, before, limit in budgets if before >= limit), None
    )


def ordered(
    candidates: Iterable[Candidate], usage: Usage
) -> tuple[Candidate, ...]:
    """Return the candidates in turn: round robin over hosts and projects.

    By how many are before them in their host, those in progress included,
    then by how many are in their project, then by urgency, then by UUID.
    """
    one_each: dict[str, Candidate] = {}
    by_urgency = sorted(
        candidates, key=lambda c: (c.urgency, c.server, c.host, c.project_id)
    )
    for it in by_urgency:
        one_each.setdefault(it.server, it)
    hosts = collections.Counter(usage.hosts)
    projects = collections.Counter(usage.projects)
    keyed = []
    for it in one_each.values():
        turn = (hosts[it.host], projects[it.project_id], it.urgency)
        keyed.append((turn, it.server, it))
        hosts[it.host] += 1
        projects[it.project_id] += 1
    return tuple(it for *_, it in sorted(keyed, key=lambda k: k[:2]))
