# SPDX-License-Identifier: Apache-2.0
"""Gather all that a plan depends on, and have it planned.

Touches Nova through the port, to learn whose locks are, and the operator's
power commands, to learn which hosts are off.  ``plan.py`` is pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait

from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle import Bounds
from nfv_mla_scheduler.monitor.cycle import Room
from nfv_mla_scheduler.monitor.cycle import Ruling
from nfv_mla_scheduler.monitor.destinations import Destinations
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.holds import Holds
from nfv_mla_scheduler.monitor.locks import Marks
from nfv_mla_scheduler.monitor.locks import whose
from nfv_mla_scheduler.monitor.marks import Code
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.plan import plan
from nfv_mla_scheduler.monitor.plan_servers import SKEW_S
from nfv_mla_scheduler.monitor.plan_situation import Arming
from nfv_mla_scheduler.monitor.plan_situation import Situation
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.standing import Lock
from nfv_mla_scheduler.monitor.steps import Plan
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.results.view import Snapshot

# A host that was off may be switched on again: older answers do not count.
OFF_FRESH_S = 15.0
OFF_WAIT_S = 2.0
DEEDS_WAIT_S = 30.0

_AFTER_OFF = (Code.POWER_OFF, Code.EVACUATE, Code.REBUILD_ELSEWHERE)


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
        self._owners = _Owners(cloud, self._pool)
        self._off = _OffWatch(means.power, self._pool)

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
        locks = self._owners.locks(picture, marks, verdict.servers.keys())
        closed = {h.host for h in verdict.hosts.values() if h.fences}
        places = Destinations(
            picture, snapshot, self._judge, bounds.now, room, closed
        )
        return plan(
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
                unbuilt=unbuilt(picture, marks, self._owners.known),
            )
        )

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

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


def _somewhere(
    picture: Picture, verdict: Verdict, places: Destinations
) -> Mapping[str, bool]:
    return {
        server.uuid: places.somewhere(server)
        for server in _evicted(picture, verdict)
    }


def _revertible(
    picture: Picture, verdict: Verdict, places: Destinations
) -> frozenset[str]:
    """Return the servers that a revert would bring where they may be."""
    found = set()
    for server in _evicted(picture, verdict):
        moves = picture.migrations.get(server.uuid, ())
        if server.vm_state is not VmState.RESIZED or not moves:
            continue
        last = max(moves, key=lambda m: (m.created, m.number))
        if last.dest == server.host and places.takes_back(server, last.source):
            found.add(server.uuid)
    return frozenset(found)


def unbuilt(
    picture: Picture,
    marks: Marks,
    deeds_of: Callable[[Server], tuple[Deed, ...] | None],
) -> Mapping[str, bool]:
    """Return which servers were evacuated to be rebuilt, and are not yet.

    By what Nova recorded of each: a request to rebuild leaves no other trace
    that lasts.
    """
    found = {}
    for uuid, mark in marks.servers.items():
        server = picture.servers.get(uuid)
        if server is None or mark.code is not Code.REBUILD_ELSEWHERE:
            continue
        deeds = deeds_of(server)
        if deeds is None:
            continue
        since = mark.since - SKEW_S
        last = {d.action: d.at for d in deeds if d.at >= since}
        found[uuid] = (
            "evacuate" in last
            and last.get("rebuild", NEVER) < last["evacuate"]
        )
    return found


def _evidence(
    snapshot: Snapshot, marks: Marks, picture: Picture
) -> Mapping[str, Instant]:
    """Return how new the results about each fenced host are: the oldest."""
    found = {}
    for name in marks.nodes:
        host = picture.nodes[name].host
        record = snapshot.records.get(snapshot.uuids.get(host, ""))
        times = [
            fresh.at
            for result in (record.results if record else ())
            if (fresh := snapshot.freshness_of(result)) is not None
        ]
        if times:
            found[host] = min(times)
    return found


class _Owners:
    """Tells whose locks are; reads a server's deeds when it has changed."""

    def __init__(self, cloud: Reader, pool: ThreadPoolExecutor) -> None:
        self._cloud = cloud
        self._pool = pool
        self._known: dict[str, tuple[Server, tuple[Deed, ...]]] = {}

    def locks(
        self, picture: Picture, marks: Marks, found: Iterable[str]
    ) -> Mapping[str, Lock]:
        """Return the locks of servers with a finding or a mark."""
        servers = picture.servers
        locked = {
            uuid: servers[uuid]
            for uuid in {*found, *marks.servers}
            if uuid in servers and servers[uuid].locked
        }
        if not locked:
            self._known = {}
            return {}
        self._read(locked)
        our_user = self._cloud.user_id
        return {
            uuid: whose(server, marks, self.known(server), our_user)
            for uuid, server in locked.items()
        }

    def known(self, server: Server) -> tuple[Deed, ...] | None:
        """Return what was done to a locked server, as last read."""
        known = self._known.get(server.uuid)
        return known[1] if known is not None else None

    def _read(self, locked: Mapping[str, Server]) -> None:
        """Read what has changed; what cannot be read is tried again."""
        self._known = {
            uuid: known
            for uuid, known in self._known.items()
            if locked.get(uuid) == known[0]
        }
        asked = {
            self._pool.submit(self._cloud.deeds, uuid): server
            for uuid, server in locked.items()
            if uuid not in self._known
        }
        done, late = wait(asked, DEEDS_WAIT_S)
        for future in late:
            future.cancel()
        for future in done:
            server = asked[future]
            try:
                self._known[server.uuid] = (server, future.result())
            except CloudFailed:
                continue


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
