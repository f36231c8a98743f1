# SPDX-License-Identifier: Apache-2.0
"""Gather all that a plan depends on, and have it planned.

Touches Nova through the port, to learn whose locks are, and the operator's
power commands, to learn which hosts are off.  ``plan.py`` is pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.judging.destinations import Destinations
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.locks import ended_too_often
from nfv_mla_scheduler.monitor.marking.locks import overwritten
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.planning.dues import acted_upon
from nfv_mla_scheduler.monitor.planning.heard import evidence
from nfv_mla_scheduler.monitor.planning.off import OffWatch
from nfv_mla_scheduler.monitor.planning.owners import Owners
from nfv_mla_scheduler.monitor.planning.places import revertible
from nfv_mla_scheduler.monitor.planning.places import somewhere
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.recall import Recall
from nfv_mla_scheduler.monitor.planning.releases import to_release
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.unbuilt import unbuilt
from nfv_mla_scheduler.monitor.planning.whereabouts import Whereabouts
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.ruling import Bounds
from nfv_mla_scheduler.monitor.ruling import Room
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.sealed import sealed_projects
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.view import Snapshot

_AFTER_OFF = (Code.POWER_OFF, Code.EVACUATE, Code.REBUILD_ELSEWHERE)


@dataclasses.dataclass(frozen=True, slots=True)
class Means:
    """What a monitor may do, and by when it has to show.

    :ivar power: None: no host can be switched off
    :ivar acts: whether anything that is planned is then done
    """

    act: Arming
    traits: bool
    deadlines_s: Mapping[Step, float]
    power: Power | None = None
    acts: bool = True


class Planning:
    """Plans by what is known; an ``interfaces.Planner``.

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
        self._whereabouts = Whereabouts(cloud, self._pool)
        # Commands that hang must not keep Nova from being asked.
        self._power_pool = ThreadPoolExecutor(workers, "nfv-mla power")
        self._recall = Recall()
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
        now, monotonic = bounds.now, bounds.monotonic
        owners.look(picture, marks, found, acts, now, monotonic)
        self._whereabouts.follow(picture, found, marks.servers, monotonic)
        done = owners.acted(picture, acts)
        recall = self._recall
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
        it = Situation(
            now=now,
            policy=policy,
            catalogue=snapshot.catalogue,
            picture=picture,
            verdict=verdict,
            marks=marks,
            locks=locks,
            somewhere=somewhere(picture, verdict, places),
            evidence=evidence(snapshot, marks, picture),
            holds=holds,
            deadlines_s=means.deadlines_s,
            user_id=self._user_id(),
            act=means.act,
            traits=means.traits,
            jumped=bounds.clock_jumped,
            starting=picture.full_at == NEVER,
            stale=bounds.stale,
            hosts_off=self._hosts_off(picture, marks, acts, monotonic),
            can_power_off=means.power is not None,
            revertible=revertible(picture, verdict, places),
            unbuilt=unbuilt(picture, marks, owners.known),
            acted=done,
            residents=recall.residents(picture, verdict),
            before=recall.before(
                policy.digest,
                holds.braked.get(policy.digest),
                verdict,
                marks.servers,
                now,
            ),
            ages_s=recall.ages_s(marks.servers, done, now, monotonic),
        )
        there = self._whereabouts.there(picture, to_release(it))
        planned = plan(dataclasses.replace(it, there=there))
        self._take(planned, monotonic)
        return dataclasses.replace(
            planned, tampered=_tampered(picture, policy, marks, locks, done)
        )

    def _take(self, planned: Plan, monotonic: float) -> None:
        """Take note of what is about to be done."""
        self._owners.forget({step.server for step in planned.steps})
        if not self._means.acts:
            return
        self._owners.planned(planned)
        self._off.asked(
            {s.host for s in planned.steps if Ask.POWER_OFF in s.asks},
            monotonic,
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
        self,
        picture: Picture,
        marks: Marks,
        acts: Iterable[str],
        monotonic: float,
    ) -> frozenset[str]:
        """Return which of the hosts that we had switched off are off.

        Not all of them have a server that we could mark.
        """
        found = {picture.servers[u].host for u in acts if u in picture.servers}
        named = (found & self._off.remembered(monotonic)) | {
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


def _tampered(
    picture: Picture,
    policy: Policy,
    marks: Marks,
    locks: Mapping[str, Lock],
    done: Mapping[str, Acted],
) -> tuple[Tampered, ...]:
    """Return locks of ours that somebody has written to, or ends again."""
    projects = sealed_projects(policy)
    found: dict[str, Tampered] = {}
    told = {f.name for f in marks.forged if f.what == "server"}
    for uuid in sorted((locks.keys() | done.keys()) - told):
        sealed = picture.servers[uuid].project_id in projects
        lock = locks.get(uuid, Lock.NONE)
        one = overwritten(uuid, lock, marks, sealed) or ended_too_often(
            uuid, done.get(uuid, Acted()), sealed
        )
        if one is not None:
            found[uuid] = one
    return tuple(found.values())
