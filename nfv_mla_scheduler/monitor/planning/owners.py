# SPDX-License-Identifier: Apache-2.0
"""Whose locks are, and what was asked of whom, by Nova's record.

Touches Nova through the port.  ``marking/locks.py`` reads what it says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.marking.locks import SKEW_S
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.locks import acted
from nfv_mla_scheduler.monitor.marking.locks import whose
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Reader

DEEDS_WAIT_S = 30.0
# A finding that is back within as long was never over.
BREAK_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class _Spell:
    """A time in which a server has a finding without a break.

    :ivar seen: when it began for us
    :ivar after: what was done before was for another finding
    :ivar last: when it was found last
    """

    seen: Instant
    after: Instant
    last: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """What was done to a server.

    :ivar server: as it was when that was read; None: read it again
    """

    server: Server | None
    deeds: tuple[Deed, ...]


class Owners:
    """Tells whose locks are; reads a server's deeds when it has changed."""

    def __init__(self, cloud: Reader, pool: ThreadPoolExecutor) -> None:
        self._cloud = cloud
        self._pool = pool
        self._known: dict[str, _Known] = {}
        self._spells: dict[str, _Spell] = {}
        self._started = False
        self._user = ""

    def look(
        self,
        picture: Picture,
        marks: Marks,
        found: Iterable[str],
        acts: Iterable[str],
        now: Instant,
    ) -> None:
        """Read what was done to servers with a finding or a mark.

        :param found: UUIDs of those with a finding
        :param acts: of those of them whose finding is acted upon
        """
        servers, found = picture.servers, set(found)
        self._follow(found, now)
        wanted = {
            uuid: servers[uuid]
            for uuid in {*found, *marks.servers}
            if uuid in servers and servers[uuid].locked
        }
        for uuid in set(acts) & servers.keys():
            # Nothing was done for a finding that has only come up.
            if self._spells[uuid].seen != now or not self._is_new(uuid):
                wanted[uuid] = servers[uuid]
        self._user = self._who()
        self._read(wanted)

    def locks(
        self, picture: Picture, marks: Marks, found: Iterable[str]
    ) -> Mapping[str, Lock]:
        """Return the locks of servers with a finding or a mark."""
        servers = picture.servers
        return {
            uuid: whose(
                servers[uuid], marks, self.known(servers[uuid]), self._user
            )
            for uuid in {*found, *marks.servers}
            if uuid in servers and servers[uuid].locked
        }

    def acted(
        self, picture: Picture, acts: Iterable[str]
    ) -> Mapping[str, Acted]:
        """Return what we asked of servers whose finding is acted upon.

        What was read before still holds where it cannot be read now.
        """
        result = {}
        for uuid in acts:
            server = picture.servers.get(uuid)
            spell = self._spells.get(uuid)
            if server is None or spell is None:
                continue
            known = self._known.get(uuid)
            deeds = known.deeds if known is not None and self._user else None
            if known is None and self._is_new(uuid) and not server.locked:
                deeds = ()
            result[uuid] = acted(
                server, deeds, self._user, spell.seen, spell.after
            )
        return result

    def known(self, server: Server) -> tuple[Deed, ...] | None:
        """Return what was done to a server; None: not known as it is now."""
        known = self._known.get(server.uuid)
        if known is None or known.server != server or not self._user:
            return None
        return known.deeds

    def forget(self, uuids: Collection[str]) -> None:
        """Have these read anew: something is being done to them.

        A host may show a server as if it were not.
        """
        for uuid in uuids:
            known = self._known.get(uuid)
            if known is not None:
                self._known[uuid] = _Known(None, known.deeds)

    def _who(self) -> str:
        """Return who we are; empty when Keystone does not say now."""
        try:
            return self._cloud.user_id
        except CloudFailed:
            return ""

    def _is_new(self, uuid: str) -> bool:
        """Whether it came up while we looked."""
        return self._spells[uuid].after != NEVER

    def _follow(self, found: Collection[str], now: Instant) -> None:
        """Keep account of since when each has a finding."""
        after = now - SKEW_S if self._started else NEVER
        self._started = True
        spells = {
            uuid: spell
            for uuid, spell in self._spells.items()
            if uuid in found or 0 <= now - spell.last < BREAK_S
        }
        for uuid in found:
            spell = spells.get(uuid) or _Spell(now, after, now)
            spells[uuid] = dataclasses.replace(spell, last=now)
        self._spells = spells

    def _read(self, wanted: Mapping[str, Server]) -> None:
        """Read what has changed; what cannot be read is tried again."""
        self._known = {
            uuid: known
            for uuid, known in self._known.items()
            if uuid in wanted or uuid in self._spells
        }
        asked = {
            self._pool.submit(self._cloud.deeds, uuid): server
            for uuid, server in wanted.items()
            if uuid not in self._known or self._known[uuid].server != server
        }
        if not asked:
            return
        done, late = wait(asked, DEEDS_WAIT_S)
        for future in late:
            future.cancel()
        for future in done:
            server = asked[future]
            try:
                self._known[server.uuid] = _Known(server, future.result())
            except CloudFailed:
                continue
