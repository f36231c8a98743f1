# SPDX-License-Identifier: Apache-2.0
"""Where servers with requirements are, as observed, and what has changed.

Pure.  A look costs as much as there are servers that ask for something,
however many others there are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server

# Why nobody follows a server any more: Nova has none, it is on no host, or it
# asks for nothing.
GONE = "gone"
ON_NO_HOST = "on-no-host"
ASKS_NOTHING = "asks-nothing"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a server is.

    :ivar domain: the sealed trust domain that alone may read of it, or None
    """

    host: str
    project: str
    domain: str | None = None


Places = Mapping[str, Place]


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """One change of where a server is.

    :ivar place: where it is now; of one that is gone, where it was
    :ivar before: where it was, if it has moved
    :ivar code: why it is gone
    """

    kind: EventKind
    server: str
    place: Place
    before: str = ""
    code: str = ""

    @property
    def fields(self) -> dict[str, JSON]:
        """What there is to say of it."""
        told: dict[str, JSON] = {
            "server": self.server,
            "project": bounded(self.place.project),
        }
        host = bounded(self.place.host)
        if self.kind is EventKind.MOVED:
            return {**told, "from": bounded(self.before), "to": host}
        told["host"] = host
        return {**told, "code": self.code} if self.code else told


def compare(
    known: Places,
    servers: Mapping[str, Server] | None,
    picture: Picture,
    asking: Set[str],
    sealed: Mapping[str, str],
    due: Set[str] = frozenset(),
) -> list[Seen]:
    """Return what has changed, by the order of servers.

    One that asks for something from now on, and was there before, stands
    where it stood; so does all that comes into sight before everything was.

    :param known: where those were that ask for something
    :param servers: all that there were; None: not everything was seen yet
    :param asking: UUIDs of those that ask for something
    :param sealed: server -> the trust domain that alone may read of it
    :param due: UUIDs of those that were new, which is not recorded yet
    """
    found = []
    for uuid in asking:
        server = picture.servers.get(uuid)
        if server is None or not server.host:
            continue
        place = Place(server.host, server.project_id, sealed.get(uuid))
        was = known.get(uuid)
        if was is None or was.domain != place.domain:
            there = None if servers is None else servers.get(uuid)
            new = servers is not None and (
                uuid in due or there is None or there.host != server.host
            )
            kind = EventKind.PLACED if new else EventKind.STANDING
            found.append(Seen(kind, uuid, place))
        elif was.host != place.host:
            found.append(Seen(EventKind.MOVED, uuid, place, was.host))
    for uuid, was in known.items():
        server = picture.servers.get(uuid)
        if server is None:
            code = GONE
        elif not server.host:
            code = ON_NO_HOST
        elif uuid not in asking:
            code = ASKS_NOTHING
        else:
            continue
        found.append(Seen(EventKind.GONE, uuid, was, code=code))
    return sorted(found, key=lambda seen: seen.server)


def apply(known: Places, seen: Iterable[Seen]) -> dict[str, Place]:
    """Return where servers are after some changes."""
    now = dict(known)
    for each in seen:
        if each.kind is EventKind.GONE:
            now.pop(each.server, None)
        else:
            now[each.server] = each.place
    return now


def together(
    standing: Iterable[Seen], most: int, room: int
) -> Iterable[tuple[Seen, ...]]:
    """Yield those that stand somewhere, as many as one entry holds.

    :param most: so many servers at most
    :param room: so many bytes at most, as JSON
    """
    some: list[Seen] = []
    left = room
    host = None
    for seen in sorted(standing, key=lambda s: (s.place.host, s.server)):
        size = _SERVER_BYTES
        if seen.place.host != host:
            size += _HOST_BYTES + len(bounded(seen.place.host))
        if some and (len(some) >= most or size > left):
            yield tuple(some)
            some, left = [], room
            size = _SERVER_BYTES + _HOST_BYTES + len(bounded(seen.place.host))
        host = seen.place.host
        left -= size
        some.append(seen)
    if some:
        yield tuple(some)


_SERVER_BYTES = 40
_HOST_BYTES = 32


def standing_fields(standing: Iterable[Seen]) -> dict[str, JSON]:
    """Return what there is to say of servers that stand somewhere."""
    hosts: dict[str, list[str]] = {}
    for seen in standing:
        hosts.setdefault(bounded(seen.place.host), []).append(seen.server)
    return {
        "hosts": [
            {"host": host, "servers": servers}
            for host, servers in hosts.items()
        ]
    }
