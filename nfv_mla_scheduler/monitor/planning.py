# SPDX-License-Identifier: Apache-2.0
"""Gather all that a plan depends on, and have it planned.

Touches Nova through the port, to learn whose locks are, and the operator's
power commands, to learn which hosts are off.  ``plan.py`` is pure.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.monitor.cycle import Bounds
from nfv_mla_scheduler.monitor.cycle import Room
from nfv_mla_scheduler.monitor.cycle import Ruling
from nfv_mla_scheduler.monitor.cycle import sealed_projects
from nfv_mla_scheduler.monitor.destinations import Destinations
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.holds import Holds
from nfv_mla_scheduler.monitor.locks import Marks
from nfv_mla_scheduler.monitor.locks import overwritten
from nfv_mla_scheduler.monitor.marks import Code
from nfv_mla_scheduler.monitor.owners import Owners
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.plan import plan
from nfv_mla_scheduler.monitor.plan_servers import SKEW_S
from nfv_mla_scheduler.monitor.plan_servers import acted_upon
from nfv_mla_scheduler.monitor.plan_situation import Arming
from nfv_mla_scheduler.monitor.plan_situation import Situation
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.standing import Lock
from nfv_mla_scheduler.monitor.steps import Plan
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.view import Snapshot

# A host that was off may be switched on again: older answers do not count.
OFF_FRESH_S = 15.0
OFF_WAIT_S = 2.0
# Nova shows as many of a server's deeds at most, the newest ones.
DEEDS_MAX = 1000

_AFTER_OFF = (Code.POWER_OFF, Code.EVACUATE, Code.REBUILD_ELSEWHERE)

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Means:
    """What a monitor may do, and by when it has to show.

    :ivar power: None: no host can be switched off
    """

    act: Arming
    traits: bool
    deadlines_s: Mapping[Step, float]
    power: Power | None = None


class Planning:
    """Plans by what is known; a ``cycle.Planner``.

    :param judge: the one that judged, so that what it worked out is kept
    :param workers: how many requests are made at a time
    """

    def __init__(
        self, cloud: Reader, judge: Judge, means: Means, workers: int
    ) -> None:
        self._cloud = cloud
        self._judge = judge
        self._means = means
        self._pool = ThreadPoolExecutor(workers, "nfv-mla reading")
        self._owners = Owners(cloud, self._pool)
        # Commands that hang must not keep Nova from being asked.
        self._power_pool = ThreadPoolExecutor(workers, "nfv-mla power")
        self._off = _OffWatch(means.power, self._power_pool)

    def plan(
        self,
        picture: Picture,
        snapshot: Snapshot,
        ruling: Ruling,
        holds: Holds,
        bounds: Bounds,
        room: Room,
    ) -> Plan:
        """Return a plan; does nothing."""
        policy, marks = snapshot.policy, ruling.detail
        if policy is None:
            # nothing says what is to be done about whom
            return Plan()
        assert isinstance(marks, Marks)
        verdict = ruling.verdict
        means = self._means
        found, owners = verdict.servers.keys(), self._owners
        acts = [u for u, f in verdict.servers.items() if acted_upon(f)]
        owners.look(picture, marks, found, acts, bounds.now)
        locks = owners.locks(picture, marks, found)
        closed = {h.host for h in verdict.hosts.values() if h.fences}
        places = Destinations(
            picture,
            snapshot,
            self._judge,
            bounds.now,
            room,
            closed,
            ruling.dirty,
        )
        planned = plan(
            Situation(
                now=bounds.now,
                policy=policy,
                catalogue=snapshot.catalogue,
                picture=picture,
                verdict=verdict,
                marks=marks,
                locks=locks,
                somewhere=_somewhere(picture, verdict, places),
                evidence=_evidence(snapshot, marks, picture),
                holds=holds,
                deadlines_s=means.deadlines_s,
                user_id=self._user_id(),
                act=means.act,
                traits=means.traits,
                jumped=bounds.clock_jumped,
                starting=picture.full_at == NEVER,
                stale=bounds.stale,
                hosts_off=self._hosts_off(picture, marks, bounds.monotonic),
                can_power_off=means.power is not None,
                revertible=_revertible(picture, verdict, places),
                unbuilt=unbuilt(picture, marks, owners.known),
                acted=owners.acted(picture, acts),
            )
        )
        owners.forget({step.server for step in planned.steps})
        return dataclasses.replace(
            planned, tampered=_tampered(picture, policy, marks, locks)
        )

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._power_pool.shutdown(wait=False, cancel_futures=True)

    def _user_id(self) -> str:
        """Return who we are; empty when Keystone does not say now."""
        try:
            return self._cloud.user_id
        except CloudFailed:
            return ""

    def _hosts_off(
        self, picture: Picture, marks: Marks, monotonic: float
    ) -> frozenset[str]:
        """Return which of the hosts that we had switched off are off."""
        named = {
            picture.servers[uuid].host
            for uuid, mark in marks.servers.items()
            if mark.code in _AFTER_OFF and uuid in picture.servers
        }
        return self._off.off(
            {
                host: picture.nodes[host].uuid
                for host in named
                if host in picture.nodes
            },
            monotonic,
        )


def _evicted(picture: Picture, verdict: Verdict) -> list[Server]:
    return [
        picture.servers[uuid]
        for uuid, finding in sorted(verdict.servers.items())
        if finding.evicts and uuid in picture.servers
    ]


def _each(
    servers: Iterable[Server], tell: Callable[[Server], bool]
) -> Mapping[str, bool]:
    """Return what is told of each server; nothing where that fails.

    One that cannot be judged must not keep all others from being evicted, or
    a host from being fenced.
    """
    found = {}
    failed: list[Exception] = []
    for server in servers:
        try:
            found[server.uuid] = tell(server)
        except Exception as exc:
            LOG.debug("nfv-mla no place for a server", exc_info=True)
            failed.append(exc)
    if failed:
        LOG.warning(
            "nfv-mla places: not told for %d, who are not moved: %s",
            len(failed),
            bounded(f"{type(failed[0]).__name__}: {failed[0]}", 120),
        )
    return found


def _tampered(
    picture: Picture,
    policy: Policy,
    marks: Marks,
    locks: Mapping[str, Lock],
) -> tuple[Tampered, ...]:
    """Return locks of ours that somebody has written to."""
    sealed = sealed_projects(policy)
    found = (
        overwritten(
            uuid, lock, marks, picture.servers[uuid].project_id in sealed
        )
        for uuid, lock in sorted(locks.items())
    )
    return tuple(each for each in found if each is not None)


def _somewhere(
    picture: Picture, verdict: Verdict, places: Destinations
) -> Mapping[str, bool]:
    return _each(_evicted(picture, verdict), places.somewhere)


def _revertible(
    picture: Picture, verdict: Verdict, places: Destinations
) -> frozenset[str]:
    """Return the servers that a revert would bring where they may be."""

    def told(server: Server) -> bool:
        moves = picture.migrations.get(server.uuid, ())
        if server.vm_state is not VmState.RESIZED or not moves:
            return False
        last = max(moves, key=lambda m: (m.created, m.number))
        return last.dest == server.host and places.takes_back(
            server, last.source
        )

    found = _each(_evicted(picture, verdict), told)
    return frozenset(uuid for uuid, it in found.items() if it)


def unbuilt(
    picture: Picture,
    marks: Marks,
    deeds_of: Callable[[Server], tuple[Deed, ...] | None],
) -> Mapping[str, bool]:
    """Return which servers were evacuated to be rebuilt, and are not yet.

    By what Nova recorded of each: a request to rebuild leaves no other trace
    that lasts.  Absent is of whom that cannot be told.
    """
    found = {}
    for uuid, mark in marks.servers.items():
        server = picture.servers.get(uuid)
        if server is None or not mark.to_rebuild:
            continue
        told = _is_unbuilt(
            server,
            mark.since - SKEW_S,
            deeds_of(server),
            picture.migrations.get(uuid, ()),
        )
        if told is not None:
            found[uuid] = told
    return found


def _is_unbuilt(
    server: Server,
    since: Instant,
    deeds: tuple[Deed, ...] | None,
    moves: tuple[Migration, ...],
) -> bool | None:
    """Return whether a server was evacuated and not rebuilt; None: unknown.

    Its owner can have so many deeds recorded that those before are not shown.
    """
    if deeds is None:
        return None
    evacuated = max(
        (d.at for d in deeds if d.action == "evacuate" and d.at >= since),
        default=None,
    )
    if evacuated is None:
        unseen = len(deeds) >= DEEDS_MAX or any(
            m.kind == "evacuation" and m.created >= since for m in moves
        )
        return None if unseen else False
    # One that failed has a message, and leaves the server in error.
    return server.vm_state is VmState.ERROR or not any(
        d.action == "rebuild" and d.at >= evacuated and not d.message
        for d in deeds
    )


def _evidence(
    snapshot: Snapshot, marks: Marks, picture: Picture
) -> Mapping[str, Instant]:
    """Return how new the results about each fenced host are: the oldest.

    None for one that is still said to be bad: once it is empty, nothing may
    ask of it what it fails, and it is not to be released for that.
    """
    found = {}
    for name in marks.nodes:
        host = picture.nodes[name].host
        record = snapshot.records.get(snapshot.uuids.get(host, ""))
        results = record.results if record else ()
        times = [
            fresh.at
            for result in results
            if (fresh := snapshot.freshness_of(result)) is not None
        ]
        if times and not any(_is_bad(each, snapshot) for each in results):
            found[host] = min(times)
    return found


def _is_bad(result: Result, snapshot: Snapshot) -> bool:
    """Whether an authority contraindicates what it may vouch for."""
    policy = snapshot.policy
    authority = policy.authorities.get(result.authority) if policy else None
    return authority is not None and any(
        claim.status is Status.CONTRAINDICATED and name in authority.vouches
        for name, claim in result.claims.items()
    )


@dataclasses.dataclass(slots=True)
class _Asked:
    """One question whether a host is off, and when it was asked."""

    future: Future[bool | None]
    at: float


class _OffWatch:
    """Asks whether hosts are off; no cycle waits long for an answer."""

    def __init__(self, power: Power | None, pool: ThreadPoolExecutor) -> None:
        self._power = power
        self._pool = pool
        self._asked: dict[str, _Asked] = {}

    def off(
        self, hosts: Mapping[str, str], monotonic: float
    ) -> frozenset[str]:
        """Return those that are off.

        :param hosts: Nova's name -> UUID of the compute node
        """
        if self._power is None or not hosts:
            self._asked = {}
            return frozenset()
        for host, uuid in hosts.items():
            asked = self._asked.get(host)
            if asked is None or self._useless(asked, monotonic):
                self._asked[host] = _Asked(
                    self._pool.submit(self._power.is_off, host, uuid),
                    monotonic,
                )
        questions = {h: self._asked[h] for h in hosts}
        wait([q.future for q in questions.values()], OFF_WAIT_S)
        found = {
            host
            for host, asked in questions.items()
            if asked.future.done() and asked.future.result() is True
        }
        self._asked = {
            h: q for h, q in questions.items() if not q.future.done()
        }
        return frozenset(found)

    def _useless(self, asked: _Asked, monotonic: float) -> bool:
        """Whether an answer has come that is too old to count."""
        old = monotonic - asked.at > OFF_FRESH_S
        return asked.future.done() and old
