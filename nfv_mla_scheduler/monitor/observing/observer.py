# SPDX-License-Identifier: Apache-2.0
"""Look at a cloud: everything at first, then what has changed.

Reads through the port; no clock of its own.  What is missing is said, and
what was known of it stays; nothing that is merely out of sight is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.observing.moves import MoveWatch
from nfv_mla_scheduler.monitor.observing.nodes import NodeWatch
from nfv_mla_scheduler.monitor.observing.servers import ServerWatch
from nfv_mla_scheduler.monitor.observing.traits import TraitWatch
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import Reader
from nfv_mla_scheduler.monitor.unread import Faults
from nfv_mla_scheduler.policy.traits import PREFIX

FULL_EVERY_S = 3600.0
OVERLAP_S = 300.0
RETURNED = "a cell that came back, until all is listed"


class Observer:
    """Keeps a picture of a cloud.  Not for several threads at once."""

    def __init__(
        self,
        cloud: Reader,
        *,
        full_every_s: float = FULL_EVERY_S,
        overlap_s: float = OVERLAP_S,
        traits_a_look: int = 4,
        pages_a_look: int = 3,
        checks_a_look: int = 2,
    ) -> None:
        """Look at nothing yet.

        :param full_every_s: how often everything is listed, in seconds of
            the monotonic clock
        :param overlap_s: by how much the clocks of writers may differ
        :param traits_a_look: of how many traits the providers are read
        :param pages_a_look: over how many pages of a look the listing of
            everything is spread, but for the first
        :param checks_a_look: how many servers that such a listing did not
            show are asked for
        """
        self._servers = ServerWatch(
            cloud,
            full_every_s=full_every_s,
            overlap_s=overlap_s,
            pages_a_look=pages_a_look,
            checks_a_look=checks_a_look,
        )
        self._nodes = NodeWatch(cloud, full_every_s=full_every_s)
        self._moves = MoveWatch(
            cloud, full_every_s=full_every_s, overlap_s=overlap_s
        )
        self._traits = TraitWatch(cloud, PREFIX, traits_a_look)
        self._at: Instant = NEVER
        self._missing: tuple[str, ...] = ("everything",)
        self._cloud = cloud
        self._unread: tuple[str, ...] = ()
        self._picture: Picture | None = None

    @property
    def picture(self) -> Picture:
        """The cloud as it was last seen; before the first look, nothing."""
        if self._picture is None:
            self._picture = Picture(
                at=self._at,
                servers=self._servers.servers,
                nodes=self._nodes.nodes,
                migrations=self._moves.moves,
                traits=self._traits.traits,
                missing=self._missing,
                full_at=self._servers.full_at,
                unread=self._unread,
                unread_servers=frozenset(self._servers.unread) - {""},
            )
        return self._picture

    def look(self, now: Instant, monotonic: float) -> Picture:
        """Look once.

        A part that fails stays as it was and is ``missing``; raises nothing
        of the port's.
        """
        missing = self._nodes.look(monotonic)
        if self._nodes.returned:
            # What changed in it meanwhile may be older than the cursor.
            self._servers.relist(RETURNED)
            self._moves.reread()
        busy = self._nodes.read_all
        missing += self._servers.look(now, monotonic, busy)
        missing += self._moves.look(now, monotonic, self._servers.servers)
        missing += self._traits.look(busy)
        self._at = now
        self._missing = tuple(dict.fromkeys(missing))
        servers = Faults("servers", self._servers.unread.values())
        self._unread = (*self._cloud.unread, *servers.said())
        self._picture = None
        return self.picture

    def refresh_server(self, uuid: str) -> Server | None:
        """Read one server anew into the picture; None: it is gone.

        :raises CloudFailed: the picture stays as it was
        """
        server = self._servers.refresh(uuid)
        self._picture = None
        return server

    def touched_traits(self, names: Iterable[str]) -> None:
        """Have the providers of these read at the next look."""
        self._traits.touch(names)
