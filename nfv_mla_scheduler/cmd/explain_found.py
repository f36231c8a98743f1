# SPDX-License-Identifier: Apache-2.0
"""What was found out about one request: as asked, as judged, host by host.

Values, and how they are made from a case; pure.  ``explain_text.py`` and
``explain_json.py`` print them.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.judge.judge import read_requirement
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.requirement import Requirement
from nfv_mla_scheduler.results.view import Snapshot

# Stands for all hosts where none is known by name.
ANY_HOST = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A host as the judge takes it.

    :ivar uuid: of its compute node, by the policy; empty: not known
    """

    host: str
    uuid: str


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Hosts about which the same is decided.

    :ivar decision: about the first of them
    :ivar ends: when the first and the last of these decisions lapses
    """

    decision: Decision
    hosts: tuple[str, ...]
    ends: tuple[Instant, Instant]


@dataclasses.dataclass(frozen=True, slots=True)
class Shared:
    """Refusals that the very same hosts have in common."""

    refusals: tuple[Refusal, ...]
    hosts: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, as it is understood.

    :ivar requirement: None: it cannot be read
    :ivar demand: what that means under the policy; None: there is no policy,
        or it names what the policy does not know
    :ivar problems: what is malformed
    """

    request: Request
    requirement: Requirement | None
    demand: Demand | None
    problems: tuple[Problem, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Everything there is to print.

    :ivar news: what is to be said of the files that were read, good and bad
    :ivar full: hosts that are taken to have no room for what has to follow
    :ivar decisions: by host, in the order of their names
    :ivar named: whether somebody asked for these very hosts
    """

    asked: Asked
    snapshot: Snapshot
    management_domain: str
    news: tuple[News, ...]
    full: tuple[str, ...]
    decisions: tuple[Decision, ...]
    named: bool
    at: Instant

    @property
    def admitted(self) -> int:
        """How many hosts admit the server."""
        return sum(decision.admitted for decision in self.decisions)

    @property
    def fallen(self) -> collections.Counter[str]:
        """How many hosts fall to which refusal."""
        counts: collections.Counter[str] = collections.Counter()
        for decision in self.decisions:
            counts.update(
                {refusal.code.value for refusal in decision.refusals}
            )
        return counts


def candidates(
    snapshot: Snapshot, names: Iterable[str]
) -> tuple[Candidate, ...]:
    """Return the hosts to look at, by name.

    :param names: none: all that the policy binds, or one that stands for any
        where there is no policy
    """
    chosen = sorted(set(names)) or sorted(snapshot.uuids)
    if not chosen and snapshot.policy is None:
        chosen = [ANY_HOST]
    return tuple(
        Candidate(name, snapshot.uuids.get(name, "")) for name in chosen
    )


def asked(request: Request, snapshot: Snapshot) -> Asked:
    """Return how ``request`` is understood."""
    requirement, demand = None, None
    try:
        requirement = read_requirement(request, snapshot)
        if snapshot.policy is not None:
            demand = bind(requirement, snapshot.policy, snapshot.catalogue)
    except Malformed as exc:
        return Asked(request, requirement, None, exc.problems)
    return Asked(request, requirement, demand, ())


def decide(
    case: Case, hosts: Iterable[Candidate], now: Instant
) -> tuple[Decision, ...]:
    """Return the decision about each host."""
    return tuple(case.decision(one.uuid, one.host, now) for one in hosts)


def grouped(decisions: Iterable[Decision]) -> tuple[Group, ...]:
    """Return what is decided, once for all hosts that have it in common.

    Those that admit come first, and larger groups before smaller ones.
    """
    groups: dict[tuple[tuple[Refusal, ...], ...], list[Decision]] = {}
    for decision in decisions:
        key = (decision.refusals, decision.would_refuse, decision.waived)
        groups.setdefault(key, []).append(decision)
    found = [
        Group(
            some[0],
            tuple(decision.host for decision in some),
            (
                min(decision.until for decision in some),
                max(decision.until for decision in some),
            ),
        )
        for some in groups.values()
    ]
    return tuple(
        sorted(
            found,
            key=lambda g: (not g.decision.admitted, -len(g.hosts), g.hosts),
        )
    )


def shared_reasons(decisions: Iterable[Decision]) -> tuple[Shared, ...]:
    """Return every refusal once, with the hosts that have it.

    Those of many hosts come first.
    """
    by_refusal: dict[Refusal, list[str]] = {}
    for group in grouped(decisions):
        # two needs that are not met may be the same refusal
        for refusal in dict.fromkeys(group.decision.refusals):
            by_refusal.setdefault(refusal, []).extend(group.hosts)
    by_hosts: dict[tuple[str, ...], list[Refusal]] = {}
    for refusal, hosts in by_refusal.items():
        by_hosts.setdefault(tuple(sorted(hosts)), []).append(refusal)
    found = [
        Shared(tuple(refusals), hosts) for hosts, refusals in by_hosts.items()
    ]
    return tuple(sorted(found, key=lambda s: (-len(s.hosts), s.hosts)))
