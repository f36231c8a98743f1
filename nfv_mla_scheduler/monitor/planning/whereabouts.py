# SPDX-License-Identifier: Apache-2.0
"""Whether servers that are about to be released are where Nova says.

Asks Placement through the port, and remembers where each was found last.  A
host that has been broken into can write into Nova that its servers are on a
host that complies: they would be started where they are.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait

from nfv_mla_scheduler.monitor.judging.census import node_of
from nfv_mla_scheduler.monitor.marking.locks import SKEW_S
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader

# Of whom Placement is asked in a cycle, and how long that may take.
ASKED_MAX = 16
WAIT_S = 10.0
# Until one is released that is elsewhere without a record of how it got there:
# Nova may have lost that, or we may not have looked for so long.
UNTOLD_S = 3600.0


class Whereabouts:
    """Tells which servers are where Nova says, as far as that can be told."""

    def __init__(self, cloud: Reader, pool: ThreadPoolExecutor) -> None:
        self._cloud = cloud
        self._pool = pool
        self._was: dict[str, str] = {}
        self._strange: dict[str, tuple[str, float]] = {}
        self._turn: dict[str, None] = {}

    def follow(
        self,
        picture: Picture,
        found: Collection[str],
        marks: Mapping[str, Mark],
        monotonic: float,
    ) -> None:
        """Take note where those with a finding or a mark are.

        :param found: UUIDs of those with a finding
        """
        was, strange = {}, {}
        for uuid in (*found, *(u for u in marks if u not in found)):
            server = picture.servers.get(uuid)
            if server is None:
                continue
            host = server.host
            before = self._was.get(uuid, host)
            since = marks[uuid].since if uuid in marks else None
            moves = picture.migrations.get(uuid, ())
            if uuid in found or before == host or _told(host, moves, since):
                was[uuid] = host
                continue
            known = self._strange.get(uuid)
            if known is None or known[0] != host:
                known = (host, monotonic)
            if monotonic - known[1] >= UNTOLD_S:
                was[uuid] = host
            else:
                was[uuid], strange[uuid] = before, known
        self._was, self._strange = was, strange

    def there(
        self, picture: Picture, wanted: Collection[str]
    ) -> frozenset[str]:
        """Return who of these is where Nova says, by Placement as well.

        Whoever cannot be told of now is not.

        :param wanted: UUIDs of those that are to be released
        """
        turn = [u for u in self._turn if u in wanted]
        turn = [*(u for u in wanted if u not in self._turn), *turn]
        first = [u for u in turn if u not in self._strange][:ASKED_MAX]
        # Those that were asked about come last the next time.
        self._turn = dict.fromkeys(u for u in turn if u not in first)
        self._turn |= dict.fromkeys(first)
        asked = {
            self._pool.submit(self._agrees, picture.servers[u], picture): u
            for u in first
        }
        done, late = wait(asked, WAIT_S)
        for future in late:
            future.cancel()
        return frozenset(asked[f] for f in done if f.result())

    def _agrees(self, server: Server, picture: Picture) -> bool:
        """Whether Placement has something for a server where Nova has it."""
        if not server.host:
            return True  # it is nowhere
        node = node_of(server, picture.nodes)
        if node is None or not node.uuid:
            return False
        try:
            allocated = self._cloud.allocation(server.uuid)
            if node.uuid in allocated:
                return True
            # All of it may be on providers below the compute node.
            return bool(allocated) and not allocated.isdisjoint(
                self._cloud.tree(node.uuid)
            )
        except CloudFailed:
            return False


def _told(
    host: str, moves: tuple[Migration, ...], since: float | None
) -> bool:
    """Whether Nova has a record of a move to a host since a mark was made."""
    return any(
        (since is None or move.created >= since - SKEW_S)
        and (
            (move.course is Course.ARRIVED and move.dest == host)
            or (move.status == "reverted" and move.source == host)
        )
        for move in moves
    )
