# SPDX-License-Identifier: Apache-2.0
"""Whose locks are, and what was asked of whom, by Nova's record.

Touches Nova through the port.  ``marking/locks.py`` reads what it says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent.futures import Future
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
from nfv_mla_scheduler.monitor.planning.record import Record
from nfv_mla_scheduler.monitor.planning.record import record_of
from nfv_mla_scheduler.monitor.planning.spells import Spells
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Reader

# Nothing is done about any host before: what comes later is taken later.
DEEDS_WAIT_S = 3.0
_LOCKING = ("lock", "unlock")


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """What was done to a server.

    :ivar server: as it was when that was read; None: read it again
    :ivar upto: what was done later has not been read
    """

    server: Server | None
    record: Record
    upto: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    """A request for what was done to a server, as it was then.

    :ivar again: it has to be read anew, whatever is answered
    """

    server: Server
    back_to: Instant
    future: Future[tuple[Deed, ...]]
    again: bool = False


class Owners:
    """Tells whose locks are; reads a server's deeds when it has changed."""

    def __init__(self, cloud: Reader, pool: ThreadPoolExecutor) -> None:
        self._cloud = cloud
        self._pool = pool
        self._known: dict[str, _Known] = {}
        self._spells = Spells()
        self._user = ""
        self._asked: dict[str, _Asked] = {}

    def look(
        self,
        picture: Picture,
        marks: Marks,
        found: Iterable[str],
        acts: Iterable[str],
        now: Instant,
        monotonic: float,
    ) -> None:
        """Read what was done to servers with a finding or a mark.

        :param found: UUIDs of those with a finding
        :param acts: of those of them whose finding is acted upon
        """
        servers, found = picture.servers, set(found)
        self._spells.follow(found, now, monotonic)
        wanted = {
            uuid: servers[uuid]
            for uuid in {*found, *marks.servers}
            if uuid in servers and servers[uuid].locked
        }
        for uuid in set(acts) & servers.keys():
            if not self._spells.has_just_come_up(uuid):
                wanted[uuid] = servers[uuid]
        self._user = self._who()
        self._read(wanted, now)

    def locks(
        self, picture: Picture, marks: Marks, found: Iterable[str]
    ) -> Mapping[str, Lock]:
        """Return the locks of servers with a finding or a mark."""
        servers = picture.servers
        return {
            uuid: whose(
                servers[uuid], marks, self._locking(servers[uuid]), self._user
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
            deeds = None
            if known is not None and self._user:
                deeds = known.record.deeds
            if known is None and spell.new and not server.locked:
                deeds = ()
            seen = self._spells.seen(uuid)
            run = acted(server, deeds, self._user, seen, spell.after)
            result[uuid] = self._spells.told(uuid, server.host, run)
        return result

    def known(self, server: Server) -> Record | None:
        """Return what was done to a server; None: not known as it is now."""
        known = self._known.get(server.uuid)
        if known is None or known.server != server or not self._user:
            return None
        return known.record

    def _locking(self, server: Server) -> tuple[Deed, ...] | None:
        """Return what tells whose its lock is; None: it is not known.

        Nor is it where its owner has had so much recorded since then that it
        is out of sight.
        """
        record = self.known(server)
        if record is None or not (
            record.begins == NEVER
            or any(deed.action in _LOCKING for deed in record.deeds)
        ):
            return None
        return record.deeds

    def planned(self, plan: Plan) -> None:
        """Take note of what is about to be done."""
        self._spells.tried(plan.steps)
        self._spells.let_go(each.server for each in plan.releases)

    def forget(self, uuids: Collection[str]) -> None:
        """Have these read anew: something is being done to them.

        A host may show a server as if it were not.
        """
        for uuid in uuids:
            known = self._known.get(uuid)
            if known is not None:
                self._known[uuid] = dataclasses.replace(known, server=None)
            asked = self._asked.get(uuid)
            if asked is not None:
                self._asked[uuid] = dataclasses.replace(asked, again=True)

    def _who(self) -> str:
        """Return who we are; empty when Keystone does not say now."""
        try:
            return self._cloud.user_id
        except CloudFailed:
            return ""

    def _read(self, wanted: Mapping[str, Server], now: Instant) -> None:
        """Read what has changed; what cannot be read is tried again."""
        self._known = {
            uuid: known
            for uuid, known in self._known.items()
            if uuid in wanted or uuid in self._spells
        }
        self._collect(now)
        asked = []
        for uuid, server in wanted.items():
            known = self._known.get(uuid)
            if uuid in self._asked or (known and known.server == server):
                continue
            back_to = self._from(uuid)
            try:
                future = self._pool.submit(self._cloud.deeds, uuid, back_to)
            except RuntimeError:
                break  # no thread can be started: the next cycle asks again
            self._asked[uuid] = _Asked(server, back_to, future)
            asked.append(future)
        if not asked:
            return
        _, late = wait(asked, DEEDS_WAIT_S)
        for future in late:
            future.cancel()
        self._collect(now)

    def _collect(self, now: Instant) -> None:
        """Take what has been read; what has not comes in another cycle."""
        for uuid, asked in list(self._asked.items()):
            if not asked.future.done():
                continue
            del self._asked[uuid]
            if asked.future.cancelled():
                continue
            try:
                deeds = asked.future.result()
            except CloudFailed:
                continue
            self._take(asked, deeds, now)

    def _from(self, uuid: str) -> Instant:
        """Return since when deeds are to be read: what is known is kept."""
        known = self._known.get(uuid)
        return NEVER if known is None else known.upto - SKEW_S

    def _take(
        self, asked: _Asked, deeds: tuple[Deed, ...], now: Instant
    ) -> None:
        server, back_to = asked.server, asked.back_to
        uuid = server.uuid
        known = self._known.get(uuid)
        # A host can write deeds of any time.
        upto = min(now, max((deed.at for deed in deeds), default=back_to))
        record = record_of(deeds, back_to, known.record if known else None)
        as_it_was = None if asked.again else server
        self._known[uuid] = _Known(as_it_was, record, upto)
