# SPDX-License-Identifier: Apache-2.0
"""Which servers move, or have moved of late.

Reads through the port; no clock of its own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.observing.cursor import Cursor
from nfv_mla_scheduler.monitor.observing.pace import Pace
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader

KEEP_S = 3600.0
# How far back what is under way is looked for: a day is a long move.
BACK_S = 86400.0


@dataclasses.dataclass(slots=True)
class _Known:
    move: Migration
    changed: float


class MoveWatch:
    """The moves of a cloud's servers, kept up to date look by look.

    :ivar moves: server's UUID -> its moves, oldest first
    """

    def __init__(
        self, cloud: Reader, *, full_every_s: float, overlap_s: float
    ) -> None:
        self.moves: Mapping[str, tuple[Migration, ...]] = {}
        self._cloud = cloud
        self._cursor = Cursor(overlap_s)
        self._pace = Pace(full_every_s)
        self._known: dict[str, _Known] = {}

    def look(
        self, now: Instant, monotonic: float, servers: Container[str]
    ) -> list[str]:
        """Look once; return what is missing, in a few words each.

        :param servers: UUIDs of those that there are
        """
        missing: list[str] = []
        full = self._pace.due(monotonic)
        since = None if full else self._cursor.since(now)
        try:
            moves = self._cloud.migrations(
                now - BACK_S if since is None else since
            )
        except CloudFailed as exc:
            missing.append(f"migrations ({exc.brief})")
        else:
            self._take(moves, now, monotonic)
            if full:
                self._lay_ghosts(moves, now)
                self._pace.succeeded(monotonic)
        self._forget(now, monotonic, servers)
        self._show()
        return missing

    def reread(self) -> None:
        """Read all of the last day at the next look."""
        self._pace.hurry()

    def _take(
        self, moves: Iterable[Migration], now: Instant, monotonic: float
    ) -> None:
        greatest = NEVER
        for move in moves:
            greatest = max(greatest, move.updated)
            known = self._known.get(move.uuid)
            if known is None:
                old = move.updated < now - KEEP_S
                changed = -math.inf if old else monotonic
                self._known[move.uuid] = _Known(move, changed)
            elif known.move != move:
                self._known[move.uuid] = _Known(move, monotonic)
        self._cursor.advance(greatest, now, monotonic)

    def _lay_ghosts(self, moves: Iterable[Migration], now: Instant) -> None:
        """Forget what was under way and is not there any more."""
        there = {move.uuid for move in moves}
        for uuid, known in list(self._known.items()):
            if (
                known.move.course is Course.UNDER_WAY
                and known.move.updated >= now - BACK_S
                and uuid not in there
            ):
                del self._known[uuid]

    def _forget(
        self, now: Instant, monotonic: float, servers: Container[str]
    ) -> None:
        """Forget what is over.

        By both clocks: what the guard counts must outlive a clock that jumps.
        """
        over = [
            uuid
            for uuid, known in self._known.items()
            if known.changed <= monotonic - KEEP_S
            and known.move.updated < now - KEEP_S
            and not (
                known.move.course is Course.UNDER_WAY
                and known.move.server in servers
            )
        ]
        for uuid in over:
            del self._known[uuid]

    def _show(self) -> None:
        of: dict[str, list[Migration]] = {}
        for known in self._known.values():
            of.setdefault(known.move.server, []).append(known.move)
        self.moves = {
            server: tuple(sorted(moves, key=_age))
            for server, moves in of.items()
        }


def _age(move: Migration) -> tuple[Instant, int, str]:
    return (move.created, move.number, move.uuid)
