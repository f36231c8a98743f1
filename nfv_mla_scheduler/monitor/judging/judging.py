# SPDX-License-Identifier: Apache-2.0
"""Judge a cloud as it is: every server where it is now, and every pool.

Pure but for its memory: no network, and both clocks are arguments.  The judge
is the one that the filter asks.  What one server raises concerns that server.
"""

from __future__ import annotations

from collections.abc import Mapping

from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.follow import Room
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.judging.census import Census
from nfv_mla_scheduler.monitor.judging.copies import CopyLimits
from nfv_mla_scheduler.monitor.judging.evidence import Sorting
from nfv_mla_scheduler.monitor.judging.host_findings import absent
from nfv_mla_scheduler.monitor.judging.host_findings import strangers
from nfv_mla_scheduler.monitor.judging.hosts import Pools
from nfv_mla_scheduler.monitor.judging.looking import Look
from nfv_mla_scheduler.monitor.judging.looking import Memory
from nfv_mla_scheduler.monitor.judging.silence import Watch
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.results.view import Snapshot


class Judging:
    """Judges pictures of one cloud, one after the other.

    :param remembered: how many different requirements are kept at hand
    :ivar judge: the one that it asks, for whoever needs to ask the same
    """

    def __init__(self, bearings: Bearings, remembered: int = 4096) -> None:
        self.judge = Judge(bearings, remembered=remembered)
        self._bearings = bearings
        self._census = Census(bearings.management_domain)
        self._pools = Pools(bearings)
        self._watch = Watch()
        self._memory = Memory(self.judge, self._census)

    @property
    def limited(self) -> Mapping[str, CopyLimits]:
        """What may be copied of each server where that is limited."""
        return {
            uuid: watched.stance.copies
            for uuid, watched in self._census.watched.items()
            if watched.stance.copies.limits
        }

    @property
    def sensitive(self) -> Mapping[str, frozenset[str]]:
        """Of each server that needs clean-up after it: whose profiles do."""
        return {
            uuid: watched.stance.sensitive
            for uuid, watched in self._census.watched.items()
            if watched.stance.sensitive
        }

    def verdict(
        self,
        picture: Picture,
        snapshot: Snapshot,
        now: Instant,
        monotonic: float,
        room: Room | None,
    ) -> Verdict:
        """Return all that is found in a picture.

        :param room: tells which hosts have room for a following function
        """
        self._census.look(picture, snapshot)
        self._watch.look(monotonic)
        age_s = self._bearings.boot_max_age_s
        sorting = Sorting(snapshot, age_s, self._watch, now)
        pools = self._pools.look(picture, snapshot, sorting, now)
        look = Look(self._memory, snapshot, sorting, now, room, pools)
        look.at_all(self._census.watched.values())
        self._watch.settle()
        self._memory.forget()
        policy = snapshot.policy
        return Verdict(
            look.findings,
            pools.hosts,
            {trait: frozenset(uuids) for trait, uuids in pools.traits.items()},
            frozenset(pools.kept),
            strangers(picture.nodes, snapshot.uuids) if policy else (),
            absent(picture, snapshot.uuids),
            frozenset(look.complies),
            frozenset(
                uuid
                for uuid, watched in self._census.watched.items()
                if watched.stance.demands or watched.closed
            ),
            unproven=frozenset(pools.unproven - pools.hosts.keys()),
        )
