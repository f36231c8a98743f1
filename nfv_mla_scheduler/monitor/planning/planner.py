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
from concurrent.futures import ThreadPoolExecutor

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.judging.destinations import Destinations
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.locks import overwritten
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.heard import evidence
from nfv_mla_scheduler.monitor.planning.off import OffWatch
from nfv_mla_scheduler.monitor.planning.owners import Owners
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.servers import acted_upon
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.unbuilt import unbuilt
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.ruling import Bounds
from nfv_mla_scheduler.monitor.ruling import Room
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.sealed import sealed_projects
from nfv_mla_scheduler.monitor.steps import Plan
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.view import Snapshot

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
        self._off = OffWatch(means.power, self._power_pool)

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
                evidence=evidence(snapshot, marks, picture),
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
