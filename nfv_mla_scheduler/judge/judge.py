# SPDX-License-Identifier: Apache-2.0
"""The judge that filter, explain and monitor all call.

It reads what a request asks for, remembers what was decided, and answers for
lists of candidates or for single hosts, with every reason.  No clock, no
network, no configuration: snapshots, settings and the time come from outside.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.closures import closed_hosts
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.judge.dirty import NONE
from nfv_mla_scheduler.judge.dirty import DirtyHosts
from nfv_mla_scheduler.judge.dirty import owner_of
from nfv_mla_scheduler.judge.elsewhere import Elsewhere
from nfv_mla_scheduler.judge.elsewhere import Surroundings
from nfv_mla_scheduler.judge.follow import Followers
from nfv_mla_scheduler.judge.follow import Room
from nfv_mla_scheduler.judge.grounds import Asks
from nfv_mla_scheduler.judge.grounds import AsksNothing
from nfv_mla_scheduler.judge.grounds import Ground
from nfv_mla_scheduler.judge.grounds import Refused
from nfv_mla_scheduler.judge.recent import Recent
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.application import read_application
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.keys import is_ours
from nfv_mla_scheduler.policy.requirement import Requirement
from nfv_mla_scheduler.policy.requirement import meet
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.results.view import Snapshot

NO_POLICY = Refusal(
    RefusalCode.NO_POLICY,
    "policy",
    "5.3.2",
    detail="no signed policy has been accepted yet",
)

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to place, in Nova's own plain words.

    :ivar extra_specs: of the flavor, all of them
    :ivar image: image properties by the names that the API shows
    :ivar hints: scheduler hints, each a list of strings
    :ivar source: the host that a moving server is on; None: not known
    :ivar server: UUID; empty when there is none yet
    """

    project_id: str
    extra_specs: Mapping[str, str]
    image: Mapping[str, Any]
    hints: Mapping[str, Any]
    source: str | None = None
    server: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Memory:
    """What was worked out under one epoch; a new epoch begins a new one."""

    epoch: int
    requirements: Recent[bytes, Requirement | Malformed]
    decisions: Recent[Requirement, Decisions | Malformed]
    followers: Followers
    closed: Recent[str, Closed]
    ranks: Recent[str, Mapping[str, float]]


class Judge:
    """Opens a case for each request; thread-safe."""

    def __init__(
        self,
        bearings: Bearings,
        refuse_all_without_policy: bool = False,
        remembered: int = 256,
    ) -> None:
        self._bearings = bearings
        self._refuse_all = refuse_all_without_policy
        self._remembered = remembered
        self._memory = self._new_memory(-1)

    def case(
        self,
        request: Request,
        snapshot: Snapshot,
        room: Room | None = None,
        dirty: DirtyHosts = NONE,
    ) -> Case:
        """Return the case of ``request`` as things stand in ``snapshot``.

        :param room: tells which hosts have room for a following function;
            None: not known, so that whoever must be followed is refused
        :param dirty: hosts that only some may come to (5.2.8)
        """
        malformed: Malformed | None = None
        ground: Ground
        try:
            ground = self._ground(request, snapshot, room or _no_room)
        except Malformed as exc:
            malformed, ground = exc, Refused(malformed_refusals(exc))
        return Case(
            ground,
            snapshot,
            request.project_id,
            request.server,
            malformed,
            _unclean(request, snapshot, dirty) if dirty else frozenset(),
            request.source,
        )

    def _ground(
        self, request: Request, snapshot: Snapshot, room: Room
    ) -> Ground:
        memory = self._of_epoch(snapshot)
        requirement = self._requirement(request, snapshot, memory)
        if snapshot.policy is None:
            refused = requirement.demands or self._refuse_all
            return Refused((NO_POLICY,) if refused else ())
        if not requirement.demands:
            closed = self._closed(request.project_id, snapshot, memory)
            return AsksNothing(closed, bool(snapshot.policy.permissive.pools))
        decisions = self._decisions(requirement, snapshot, memory)
        around = Surroundings(memory.followers, room, request.source)
        elsewhere = Elsewhere(decisions.demand, snapshot, around)
        return Asks(decisions, elsewhere, snapshot)

    def ranks(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Return how privileged hosts are: host name -> above 0, up to 1.

        A host in no pool is not in it.
        """
        memory = self._of_epoch(snapshot)
        known = memory.ranks.get("")
        if known is None:
            known = memory.ranks.put("", _ranks(snapshot))
        return known

    def _of_epoch(self, snapshot: Snapshot) -> _Memory:
        memory = self._memory
        if memory.epoch != snapshot.epoch:
            memory = self._memory = self._new_memory(snapshot.epoch)
        return memory

    def _new_memory(self, epoch: int) -> _Memory:
        return _Memory(
            epoch,
            Recent(self._remembered),
            Recent(self._remembered),
            Followers(self._bearings),
            Recent(self._remembered),
            Recent(1),
        )

    def _closed(
        self, project_id: str, snapshot: Snapshot, memory: _Memory
    ) -> Closed:
        """Return the hosts that are closed to a project's servers.

        Projects of one trust domain share it, and so do those of none.
        """
        policy = snapshot.policy
        if policy is None:
            return {}
        project = policy.projects.get(project_id)
        key = (project.trust_domain if project else None) or ""
        known = memory.closed.get(key)
        if known is None:
            known = memory.closed.put(
                key,
                closed_hosts(
                    policy,
                    snapshot.catalogue,
                    project_id,
                    self._bearings.management_domain,
                ),
            )
        return known

    def _requirement(
        self, request: Request, snapshot: Snapshot, memory: _Memory
    ) -> Requirement:
        key = _content(request)
        known = memory.requirements.get(key)
        if known is None:
            try:
                known = read_requirement(request, snapshot)
            except Malformed as exc:
                # a new one: what was raised holds on to the whole request
                known = Malformed(exc.problems)
            known = memory.requirements.put(key, known)
        return _unless_malformed(known)

    def _decisions(
        self, requirement: Requirement, snapshot: Snapshot, memory: _Memory
    ) -> Decisions:
        known = memory.decisions.get(requirement)
        if known is None:
            policy = snapshot.policy
            assert policy is not None
            try:
                demand = bind(requirement, policy, snapshot.catalogue)
                closed = self._closed(requirement.project_id, snapshot, memory)
                known = Decisions(demand, self._bearings, closed)
            except Malformed as exc:
                # a new one: what was raised holds on to the whole request
                known = Malformed(exc.problems)
            known = memory.decisions.put(requirement, known)
        return _unless_malformed(known)


def _unless_malformed(known: T | Malformed) -> T:
    """Return what was remembered, or raise it anew, without its past."""
    if isinstance(known, Malformed):
        raise Malformed(known.problems)
    return known


def malformed_refusals(malformed: Malformed) -> tuple[Refusal, ...]:
    """Return why no host is right for a request that cannot be read."""
    return tuple(
        Refusal(
            RefusalCode.MALFORMED,
            problem.path,
            "5.3.2",
            detail=f"{problem.message}: {problem.value!r}",
        )
        for problem in malformed.problems
    )


def _unclean(
    request: Request, snapshot: Snapshot, dirty: DirtyHosts
) -> frozenset[str]:
    """Return the hosts that are dirty for a request, by UUID and by name.

    Either one is enough: no host gets clean by going under another name.
    """
    records = snapshot.records
    nodes = dirty.closed_to(owner_of(request.project_id, snapshot.policy))
    return nodes | {records[node].host for node in nodes if node in records}


def _ranks(snapshot: Snapshot) -> Mapping[str, float]:
    policy = snapshot.policy
    if policy is None:
        return {}
    classes = snapshot.catalogue.classes
    highest = max(rules.rank for rules in classes.values())
    ranks: dict[str, float] = {}
    for pool in policy.pools.values():
        rank = classes[pool.host_class].rank / highest
        for member in pool.members:
            ranks[member] = max(rank, ranks.get(member, 0.0))
    return ranks


def read_requirement(request: Request, snapshot: Snapshot) -> Requirement:
    """Return what a request needs: the meet of floor, flavor and hints.

    :raises Malformed: naming everything in flavor and hints that is wrong
    """
    catalogue = snapshot.catalogue
    asks = []
    problems: list[Problem] = []
    for source, values in (
        (Source.FLAVOR, request.extra_specs),
        (Source.HINT, request.hints),
    ):
        try:
            asks.append(read_ask(source, values, catalogue))
        except Malformed as malformed:
            problems.extend(malformed.problems)
    if problems:
        raise Malformed(tuple(problems))
    policy = snapshot.policy
    project = policy.projects.get(request.project_id) if policy else None
    if project is not None and project.floor is not None:
        asks.append(project.floor)
    application = read_application(request.extra_specs, request.image)
    return meet(asks, application, request.project_id)


def _content(request: Request) -> bytes:
    """Return what two requests that need the same have in common."""
    ours = {k: v for k, v in request.hints.items() if is_ours(k)}
    content = (
        request.project_id,
        sorted(request.extra_specs.items()),
        sorted((k, repr(v)) for k, v in request.image.items()),
        sorted((k, repr(v)) for k, v in ours.items()),
    )
    # a digest, since whoever writes hints may write 70 KB of them
    return hashlib.sha256(repr(content).encode()).digest()


def _no_room(_: Mapping[str, int]) -> frozenset[str] | None:
    return None
