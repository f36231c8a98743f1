# SPDX-License-Identifier: Apache-2.0
"""Copies of a server's state that its rules forbid (6.10).

Pure but for what was read.  Nova makes snapshots, backups, rescues and crash
dumps of locked servers, too, and asks no filter: they can only be noticed, by
what ``os-instance-actions`` tells of a server.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Copied
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.policy.requirement import copy_rule
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.standard.values import Profile

# Each is a request, one after the other, before anything is done.
READS_MAX = 6
# Clocks of those who write deeds and of those who read them may differ.
_SLACK_S = 300.0

# What Nova calls it (nova.compute.instance_actions) -> what profiles do.
_COPIES: Mapping[str, str] = {
    "createImage": "snapshot",
    "createBackup": "backup",
    "rescue": "rescue",
    "trigger_crash_dump": "crash-dump",
    "shelve": "snapshot",
}


@dataclasses.dataclass(frozen=True, slots=True)
class CopyLimits:
    """What may be copied of a server, and by whom.

    :ivar rule: the strictest that was asked for; None: none was
    :ivar refused: kinds of copies that a profile refuses
    """

    rule: CopyRule | None = None
    refused: frozenset[str] = frozenset()

    @property
    def limits(self) -> bool:
        """Whether anything is forbidden to anybody."""
        return bool(self.refused) or self.rule in (
            CopyRule.DENY,
            CopyRule.SAME_PROJECT,
        )

    def forbids(self, kind: str, by_project: str, project: str) -> bool:
        """Whether a project may not make a copy of another one's server."""
        if kind in self.refused or self.rule is CopyRule.DENY:
            return True
        return self.rule is CopyRule.SAME_PROJECT and by_project != project


def copy_limits(
    asks: Iterable[Ask], profiles: Iterable[Profile]
) -> CopyLimits:
    """Return what all who ask for something forbid together.

    :param asks: those that ask for nothing else among them
    """
    refused = {
        kind
        for profile in profiles
        for kind, what in profile.conduct.get("copying", {}).items()
        if what == "refuse"
    }
    return CopyLimits(copy_rule(asks), frozenset(refused))


def copied(
    server: Server,
    limits: CopyLimits,
    deeds: Iterable[Deed],
    since: Instant,
    sealed: bool = False,
) -> tuple[Copied, ...]:
    """Return the copies of a server that its rules forbid, oldest first.

    A copy that failed counts as well: nobody can tell how far it came.

    :param since: of deeds before, nothing is said
    """
    return tuple(
        Copied(
            server.uuid,
            server.project_id,
            deed.action,
            deed.at,
            bounded(deed.request_id),
            bounded(deed.project_id),
            sealed,
        )
        for deed in deeds
        if deed.at >= since
        and (kind := _kind(deed, server)) is not None
        and limits.forbids(kind, deed.project_id, server.project_id)
    )


def _kind(deed: Deed, server: Server) -> str | None:
    """Return which kind of copy a deed makes; None: it makes none."""
    if deed.action == "shelve" and server.ask.from_volume:
        return None
    return _COPIES.get(deed.action)


class Copies:
    """Which servers' deeds are worth reading, and what was read of them.

    :param since: what was done before is not reported: when this process
        began, or until when an earlier one had read
    """

    def __init__(self, since: Instant) -> None:
        self._since = since
        # by the clock of whoever touched it, hence once more
        self._untouched = since - 2 * _SLACK_S
        self._turn = 0
        self._read: dict[str, tuple[int, Server | None]] = {}
        self._told: dict[str, frozenset[tuple[str, str]]] = {}

    @property
    def back_to(self) -> Instant:
        """What was done before is never reported."""
        return self._since - _SLACK_S

    def due(
        self,
        servers: Mapping[str, Server],
        limited: Iterable[str],
        most: int = READS_MAX,
    ) -> tuple[str, ...]:
        """Return the servers to read now: limited ones that have changed.

        Nova touches a server whenever it copies it: one that was last touched
        well before anything is reported is not read at all.  Those that were
        read least recently come first, so that each has its turn.

        :param limited: UUIDs of all servers the copying of which is limited
        """
        wanted = [uuid for uuid in limited if uuid in servers]
        self._forget(frozenset(wanted))
        waiting = []
        for uuid in wanted:
            turn, seen = self._read.get(uuid, (0, None))
            quiet = servers[uuid].updated < self._untouched
            if seen is None and quiet:
                self._read[uuid] = (0, servers[uuid])
            elif seen is not servers[uuid] and seen != servers[uuid]:
                waiting.append((turn, uuid))
        return tuple(uuid for _, uuid in sorted(waiting)[:most])

    def failed(self, server: Server) -> None:
        """Take note that a server's deeds cannot be read; others are next."""
        self._turn += 1
        _, seen = self._read.get(server.uuid, (0, None))
        self._read[server.uuid] = (self._turn, seen)

    def read(
        self,
        server: Server,
        limits: CopyLimits,
        deeds: Iterable[Deed],
        sealed: bool = False,
    ) -> tuple[Copied, ...]:
        """Take in a server's deeds; return what has not been told before.

        :param server: as it was before its deeds were asked for
        """
        self._turn += 1
        self._read[server.uuid] = (self._turn, server)
        found = copied(server, limits, deeds, self.back_to, sealed)
        told = self._told.get(server.uuid, frozenset())
        new = tuple(c for c in found if (c.action, c.request_id) not in told)
        if new:
            names = {(c.action, c.request_id) for c in new}
            self._told[server.uuid] = told | names
        return new

    def _forget(self, wanted: frozenset[str]) -> None:
        for known in (self._read, self._told):
            for uuid in list(known):
                if uuid not in wanted:
                    del known[uuid]
