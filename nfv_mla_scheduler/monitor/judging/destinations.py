# SPDX-License-Identifier: Apache-2.0
"""Whether there is another host for a server, and it has room.

Pure but for its memory, which lasts for one look at a cloud.  What Placement
and Nova demand besides (aggregates, zones, devices) is for the scheduler: a
move may fail all the same, and a playbook goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set

from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.dirty import NONE
from nfv_mla_scheduler.judge.dirty import DirtyHosts
from nfv_mla_scheduler.judge.follow import Room
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.results.view import Snapshot

# As many hosts are judged at a time: most servers find one among the first.
_AT_A_TIME = 64


class Destinations:
    """Finds out whether servers have somewhere to go.

    :param room: amounts -> UUIDs of providers with as much left; None, and
        None for some amounts: not known.  Then no move is promised, since a
        server that is stopped for one that cannot come is worse off; to halt
        what has to be halted needs no destination
    :param closed: Nova's names of hosts that are fenced or down, or soon to be
    :param dirty: hosts that only some may come to (5.2.8)
    """

    def __init__(
        self,
        picture: Picture,
        snapshot: Snapshot,
        judge: Judge,
        now: Instant,
        room: Room | None,
        closed: Set[str] = frozenset(),
        dirty: DirtyHosts = NONE,
    ) -> None:
        self._snapshot = snapshot
        self._judge = judge
        self._now = now
        self._room = room
        self._dirty = dirty
        self._roomy: dict[object, tuple[Node, ...]] = {}
        self._open = [
            node
            for node in picture.nodes.values()
            if node.uuid
            and node.enabled
            and node.up
            and not node.forced_down
            and node.host not in closed
        ]

    def somewhere(self, server: Server) -> bool:
        """Whether another host would take a server, and has room for it.

        By the rules of where it is: its host's class says how far it may move
        (7.2).
        """
        roomy = self._with_room(server)
        if not roomy:
            return False
        case = self._case(server, self._dirty)
        return any(
            case.admitted(
                [node for node in some if node.host != server.host], self._now
            )
            for some in _in_parts(roomy)
        )

    def takes_back(self, server: Server, host: str) -> bool:
        """Whether a server may go back to a host that still has its disk.

        It needs no room there: Nova keeps it for as long as a resize or cold
        migration is not confirmed.
        """
        there = [node for node in self._open if node.host == host]
        return bool(self._case(server).admitted(there, self._now))

    def _case(self, server: Server, dirty: DirtyHosts = NONE) -> Case:
        ask = server.ask
        request = Request(
            server.project_id,
            ask.extra_specs,
            ask.image,
            ask.hints,
            server.host or None,
            server.uuid,
        )
        return self._judge.case(request, self._snapshot, self._room, dirty)

    def _with_room(self, server: Server) -> tuple[Node, ...]:
        """Return the open hosts that have room for a server."""
        amounts = server.ask.amounts
        key = tuple(sorted(amounts.items()))
        known = self._roomy.get(key)
        if known is None:
            found = self._room(amounts) if self._room is not None else None
            uuids = found or frozenset()
            known = tuple(node for node in self._open if node.uuid in uuids)
            self._roomy[key] = known
        return known


def _in_parts(nodes: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    for first in range(0, len(nodes), _AT_A_TIME):
        yield nodes[first : first + _AT_A_TIME]
