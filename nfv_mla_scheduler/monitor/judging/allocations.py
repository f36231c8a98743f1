# SPDX-License-Identifier: Apache-2.0
"""Servers whose host and allocation in Placement disagree.

Touches Nova and Placement through the port; no clock of its own.  Whoever can
write Nova's records can say that a server is on another host.  What Placement
has allocated to it stays where it was scheduled to.  Either may be the lie:
people are told, and nothing is done.

Placement has no listing of allocations by server, and one by host would be a
call for each.  So a server is looked at when it is new or on another host
than before, and all of them in turn, a few a look.

While Nova moves a server it moves the allocation first, under a task
(nova.conductor.tasks), and an evacuated one has both until its old host is
back.  Hence nothing is looked at that moves or has a task, one allocation on
the host is enough, and what disagrees counts when it is seen twice.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.judging.census import node_of
from nfv_mla_scheduler.monitor.observing.pace import Pace
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader

LOG = logging.getLogger(__name__)

# In turn, or again; each is a request, before anything is done.
A_LOOK = 2
# New ones, and those on another host.
CHANGED_A_LOOK = 6
# Until what disagrees is looked at once more, and then again and again.
APART_S = 60.0
AGAIN_S = 600.0
_RETRY_MAX_S = 600.0

NOTHING = "nothing is allocated to it"
_NAMED_MAX = 64
_NOT_PLACED = (VmState.DELETED, VmState.SHELVED_OFFLOADED)


@dataclasses.dataclass(frozen=True, slots=True)
class _Doubt:
    """A server whose host and allocation disagree.

    :ivar due: when it is looked at again
    :ivar counts: whether it was seen twice
    """

    detail: str
    due: float
    counts: bool = False


class Allocations:
    """Looks for servers whose host and allocation disagree, a few a look."""

    def __init__(self, cloud: Reader) -> None:
        self._cloud = cloud
        self._pace = Pace(_RETRY_MAX_S)
        self._well = True
        # Server -> its host, those first whose turn is next.
        self._turn: dict[str, str] = {}
        self._changed: dict[str, None] = {}
        self._doubts: dict[str, _Doubt] = {}
        self._begun = False
        self._any = False

    def look(
        self, picture: Picture, asking: Set[str], monotonic: float
    ) -> Mapping[str, str]:
        """Look once; return what is wrong, by server.

        What was found holds until it is known to be otherwise.

        :param asking: UUIDs of servers that have to be judged
        """
        self._take(picture.servers, asking)
        if self._pace.due(monotonic):
            try:
                for uuid in self._due(picture, monotonic):
                    self._turn[uuid] = self._turn.pop(uuid)
                    self._check(picture.servers[uuid], picture, monotonic)
                    self._changed.pop(uuid, None)
            except CloudFailed as exc:
                self._failed(uuid, exc, monotonic)
            else:
                self._well = True
                self._pace.hurry()
        return {u: d.detail for u, d in self._doubts.items() if d.counts}

    def _failed(self, uuid: str, exc: CloudFailed, monotonic: float) -> None:
        """Take note that nothing could be read; others are next."""
        self._pace.failed(monotonic)
        if uuid in self._changed:
            del self._changed[uuid]
            self._changed[uuid] = None
        if uuid in self._doubts:
            self._doubts[uuid] = dataclasses.replace(
                self._doubts[uuid], due=monotonic + AGAIN_S
            )
        if self._well:
            LOG.warning(
                "nfv-mla allocations: cannot be read, and are not compared "
                "until they can: %s (%s)",
                bounded(str(exc), 160),
                exc.code,
            )
        self._well = False

    def _take(self, servers: Mapping[str, Server], asking: Set[str]) -> None:
        """Take note who there is, and who is new or on another host."""
        turn, there, moved = self._turn, 0, []
        for uuid in asking:
            server = servers.get(uuid)
            if server is None or not server.host:
                continue
            there += 1
            if turn.get(uuid) != server.host:
                moved.append(uuid)
        for uuid in sorted(moved):
            turn[uuid] = servers[uuid].host
            # At first all are new: their turn comes.
            if self._begun:
                self._changed[uuid] = None
        self._begun = self._begun or bool(turn)
        if len(turn) == there:
            return
        for uuid in list(turn):
            on = servers[uuid].host if uuid in servers else ""
            if not on or uuid not in asking:
                del turn[uuid]
                self._changed.pop(uuid, None)
                self._doubts.pop(uuid, None)

    def _due(self, picture: Picture, monotonic: float) -> list[str]:
        """Return whom to look at now, each once."""
        doubts = sorted(
            (uuid for uuid, d in self._doubts.items() if d.due <= monotonic),
            key=lambda uuid: self._doubts[uuid].due,
        )
        # One place at least is for those whose turn it is.
        found = dict.fromkeys(_first(A_LOOK - 1, doubts, picture))
        left = (u for u in self._turn if u not in self._doubts)
        found |= dict.fromkeys(_first(A_LOOK - len(found), left, picture))
        others = (u for u in self._changed if u not in found)
        return [*found, *_first(CHANGED_A_LOOK, others, picture)]

    def _check(
        self, server: Server, picture: Picture, monotonic: float
    ) -> None:
        uuid = server.uuid
        node = node_of(server, picture.nodes)
        if node is None or not node.uuid:
            return  # nothing to compare with
        detail = self._wrong(server, node, picture.nodes)
        if not detail:
            self._doubts.pop(uuid, None)
            return
        doubt = self._doubts.get(uuid)
        if doubt is None:
            self._doubts[uuid] = _Doubt(detail, monotonic + APART_S)
        elif doubt.counts:
            self._doubts[uuid] = _Doubt(detail, monotonic + AGAIN_S, True)
        elif doubt.due <= monotonic:
            # It may have begun to move since the picture was taken.
            now = self._cloud.server(uuid)
            if now is not None and now.host == server.host and not now.task:
                self._doubts[uuid] = _Doubt(detail, monotonic + AGAIN_S, True)
            else:
                del self._doubts[uuid]

    def _wrong(
        self, server: Server, node: Node, nodes: Mapping[str, Node]
    ) -> str:
        """Return in which way both disagree; empty: they do not."""
        allocated = self._cloud.allocation(server.uuid)
        if not allocated:
            return NOTHING if self._any else ""
        self._any = True
        if node.uuid in allocated:
            return ""
        # All of it may be on providers below the compute node.
        if not allocated.isdisjoint(self._cloud.tree(node.uuid)):
            return ""
        named = {n.uuid: n.host for n in nodes.values() if n.uuid in allocated}
        elsewhere = sorted(named.get(uuid, uuid) for uuid in allocated)[0]
        return (
            f"Nova has it on {bounded(server.host, _NAMED_MAX)}, Placement "
            f"on {bounded(elsewhere, _NAMED_MAX)}"
        )


def _first(most: int, uuids: Iterable[str], picture: Picture) -> Iterator[str]:
    """Yield the first few that can be looked at now."""
    for uuid in uuids:
        if most <= 0:
            return
        if _rests(picture.servers[uuid], picture):
            most -= 1
            yield uuid


def _rests(server: Server, picture: Picture) -> bool:
    """Whether nothing is under way by which an allocation would change."""
    return (
        bool(server.host)
        and not server.task
        and server.vm_state not in _NOT_PLACED
        and all(
            move.course is not Course.UNDER_WAY
            for move in picture.migrations.get(server.uuid, ())
        )
    )
