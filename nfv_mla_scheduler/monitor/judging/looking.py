# SPDX-License-Identifier: Apache-2.0
"""One look at all servers that have to be judged, each where it is now.

Pure but for the memory.  Servers that ask the same are judged in one case, by
the quick answer first; what it refuses is explained and weighed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.follow import Room
from nfv_mla_scheduler.judge.grounds import AsksNothing
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.judging.census import Census
from nfv_mla_scheduler.monitor.judging.census import Watched
from nfv_mla_scheduler.monitor.judging.evidence import Sorting
from nfv_mla_scheduler.monitor.judging.host_findings import add
from nfv_mla_scheduler.monitor.judging.host_findings import host_finding
from nfv_mla_scheduler.monitor.judging.hosts import Membership
from nfv_mla_scheduler.monitor.judging.weighing import Charge
from nfv_mla_scheduler.monitor.judging.weighing import Past
from nfv_mla_scheduler.monitor.judging.weighing import Weighed
from nfv_mla_scheduler.monitor.judging.weighing import charge
from nfv_mla_scheduler.monitor.judging.weighing import mistaken
from nfv_mla_scheduler.monitor.judging.weighing import weigh
from nfv_mla_scheduler.monitor.judging.weighing import words_of
from nfv_mla_scheduler.results.view import Snapshot

_NO_NODE = Refusal(
    RefusalCode.UNAVAILABLE,
    "binding",
    "5.0.3",
    detail="Nova does not say which compute node the host is",
)
_NOT_JUDGED = Refusal(
    RefusalCode.UNAVAILABLE,
    "policy",
    "5.3.2",
    detail="judging this server failed unexpectedly",
)


class Memory:
    """What is known of servers from look to look, and who judges them.

    Where a server was admitted, and by which policy, is never what decides
    whether it may stay.
    """

    def __init__(self, judge: Judge, census: Census) -> None:
        self._judge = judge
        self._census = census
        self._admitted: dict[str, tuple[str, str]] = {}

    def past(self, watched: Watched, digest: str) -> Past:
        """Return what is remembered of a server where it is."""
        uuid = watched.server.uuid
        known = self._admitted.get(uuid) or self._census.opened.get(uuid)
        if known is None or known[0] != watched.host:
            return Past()
        return Past(True, known[1] != digest)

    def remember(self, watched: Watched, digest: str) -> None:
        """Keep in mind that a server was admitted where it is."""
        uuid = watched.server.uuid
        if self._admitted.get(uuid) != (watched.host, digest):
            self._admitted[uuid] = watched.host, digest

    def case(
        self, watched: Watched, snapshot: Snapshot, room: Room | None
    ) -> Case:
        """Return the case of a server, as of all that ask the same.

        Only break-glass waivers tell them apart.
        """
        server = watched.server
        uuid = server.uuid if snapshot.break_glass else ""
        if not watched.stance.demands:
            closed = self._census.closed_to(server.project_id, snapshot)
            ground = AsksNothing(closed)
            return Case(ground, snapshot, server.project_id, uuid)
        ask = server.ask
        request = Request(
            server.project_id,
            ask.extra_specs,
            ask.image,
            ask.hints,
            server=uuid,
        )
        return self._judge.case(request, snapshot, room)

    def forget(self) -> None:
        """Forget servers that need not be judged any more."""
        watched = self._census.watched
        if len(self._admitted) > len(watched):
            for uuid in self._admitted.keys() - watched.keys():
                del self._admitted[uuid]


class Look:
    """One look at all servers that have to be judged."""

    def __init__(
        self,
        memory: Memory,
        snapshot: Snapshot,
        sorting: Sorting,
        now: Instant,
        room: Room | None,
        pools: Membership,
    ) -> None:
        self._memory = memory
        self._snapshot = snapshot
        self._sorting = sorting
        self._now = now
        self._room = room
        self._pools = pools
        self._digest = snapshot.policy.digest if snapshot.policy else ""
        self.findings: dict[str, Finding] = {}
        self.complies: set[str] = set()

    def at_all(self, servers: Iterable[Watched]) -> None:
        """Judge servers, those that ask the same in one case."""
        groups: dict[object, list[Watched]] = {}
        alone = bool(self._snapshot.break_glass)
        for watched in servers:
            if watched.host and (watched.stance.demands or watched.closed):
                server = watched.server
                key = server.uuid if alone else id(server.ask)
                asking = watched.stance.demands
                groups.setdefault((server.project_id, key, asking), []).append(
                    watched
                )
        for group in groups.values():
            try:
                self._at_group(group)
            except Exception:
                for watched in group:
                    self._at_one(watched)

    def _at_one(self, watched: Watched) -> None:
        """Judge one server, which may be the one that something is up with."""
        try:
            self._at_group([watched])
        except Exception:
            uuid = watched.server.uuid
            self.complies.discard(uuid)
            trouble = _outage(_NOT_JUDGED)
            self.findings[uuid] = _finding(watched, trouble, sealed=True)

    def _at_group(self, group: list[Watched]) -> None:
        memory, now = self._memory, self._now
        case = memory.case(group[0], self._snapshot, self._room)
        placed = [self._placed(watched) for watched in group]
        admitted = {id(each) for each in case.admitted(placed, now)}
        lenient = case.may_be_softened
        known: dict[tuple[str, str, Past], Charge | None] = {}
        for was, watched in zip(group, placed, strict=True):
            charged = None
            if id(watched) not in admitted or (
                lenient
                and any(s.would_refuse for s in case.softened([watched], now))
            ):
                past = memory.past(watched, self._digest)
                key = watched.host, watched.uuid, past
                if key not in known:
                    known[key] = self._charge(case, watched, past)
                charged = known[key]
            if id(watched) in admitted:
                memory.remember(watched, self._digest)
                if not was.uuid and watched.stance.demands:
                    charged = _outage(_NO_NODE)
            self._note(watched, charged, case.sealed_for is not None)

    def _placed(self, watched: Watched) -> Watched:
        """Return a server on the compute node that its host should be.

        Where Nova does not tell, what authorities say of the bound one still
        counts: nobody escapes by hiding it.
        """
        if watched.uuid:
            return watched
        bound = self._snapshot.uuids.get(watched.host, "")
        return dataclasses.replace(watched, uuid=bound)

    def _charge(
        self, case: Case, watched: Watched, past: Past
    ) -> Charge | None:
        unmet = case.unmet(watched.uuid, watched.host, self._now)
        weighed = weigh(unmet, watched.uuid, self._sorting)
        if mistaken(weighed):
            weighed += self._of_bound(case, watched)
        return charge(weighed, past, self._snapshot.catalogue)

    def _of_bound(self, case: Case, watched: Watched) -> tuple[Weighed, ...]:
        """Return what is said of the hosts that this one may be.

        That its name is bound to, and that its compute node is bound to: a
        host does not get rid of what it is by changing either.
        """
        found: tuple[Weighed, ...] = ()
        names = self._snapshot.uuids.get(watched.host, ""), watched.uuid
        for uuid in dict.fromkeys(names):
            record = self._snapshot.records.get(uuid)
            if record is not None:
                unmet = case.unmet(uuid, record.host, self._now)
                found += words_of(weigh(unmet, uuid, self._sorting))
        return found

    def _note(
        self, watched: Watched, charged: Charge | None, sealed: bool
    ) -> None:
        uuid = watched.server.uuid
        if charged is None or charged.permissive:
            if watched.stance.demands:
                self.complies.add(uuid)
            if charged is None:
                return
        self.findings[uuid] = _finding(watched, charged, sealed)
        if charged.fences:
            found = host_finding(watched.host, watched.uuid, charged, sealed)
            add(self._pools.hosts, found)
        elif charged.pending and not charged.permissive:
            self._pools.unproven.add(watched.host)


def _outage(refusal: Refusal) -> Charge:
    """Return what our own trouble comes to."""
    return Charge(
        Kind.OUTAGE,
        Axis.PLACE,
        (refusal,),
        frozenset(),
        evicts=False,
        permissive=False,
        by_rules=False,
        fences=False,
    )


def _finding(watched: Watched, charged: Charge, sealed: bool) -> Finding:
    return Finding(
        charged.kind,
        watched.server.uuid,
        watched.host,
        watched.server.project_id,
        charged.axis,
        charged.refusals,
        watched.stance.conduct,
        charged.authorities,
        charged.evicts,
        charged.permissive,
        charged.by_rules,
        sealed,
        charged.by_identity,
    )
