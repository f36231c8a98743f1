# SPDX-License-Identifier: Apache-2.0
"""Which hosts sensitive servers have left, and have to be clean for others.

Pure.  A server is sensitive if a profile of its needs secure clean-up
(5.2.8), and stays so: its memory and disks go where it goes.  What counts is
every host that may hold something of it, not only the one that it is on: both
ends of a move under way, and the source of one that is not confirmed.  It
leaves a host when it is none of these any more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.judging.census import node_of
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState

DEPARTURES_MAX = 16_384
#: In place of a project's id: a departure after which nobody is let in.
NOBODY = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Stay:
    """Where a sensitive server is, or may have left something.

    :ivar profiles: all that it ever had which need secure clean-up, by name
    :ivar nodes: UUIDs of compute nodes
    :ivar seen: whether this process has seen it; otherwise it only read so
    """

    project_id: str
    profiles: frozenset[str]
    nodes: frozenset[str]
    seen: bool = dataclasses.field(default=True, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Departure:
    """A host that sensitive servers of a project have left.

    :ivar node: UUID of its compute node
    :ivar since: when the last of them left
    """

    node: str
    project_id: str
    profiles: frozenset[str]
    since: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Book:
    """All that is known of sensitive servers, kept from look to look.

    :ivar stays: server's UUID -> where it is
    :ivar moves: UUID of each of their moves -> how it stood
    :ivar departures: after which a host is not known to be clean yet
    """

    stays: Mapping[str, Stay] = dataclasses.field(default_factory=dict)
    moves: Mapping[str, str] = dataclasses.field(default_factory=dict)
    departures: tuple[Departure, ...] = ()


def followed(
    book: Book,
    picture: Picture,
    bound: Mapping[str, str],
    sensitive: Mapping[str, frozenset[str]],
    now: Instant,
) -> Book:
    """Return what is known once a picture has been looked at.

    :param bound: Nova's host name -> UUID of the node that is bound to it,
        for hosts of which Nova does not tell
    :param sensitive: server's UUID -> those of its profiles that need secure
        clean-up
    """
    look = _Look(book, picture, bound, now)
    for uuid in sensitive.keys() | book.stays.keys():
        server = picture.servers.get(uuid)
        if server is not None:
            look.at(server, sensitive.get(uuid, frozenset()))
        else:
            look.for_missing(uuid, book.stays.get(uuid))
    return Book(look.stays, look.moves, _together(look.departures))


class _Look:
    """One look at all sensitive servers that there are, or were."""

    def __init__(
        self,
        book: Book,
        picture: Picture,
        bound: Mapping[str, str],
        now: Instant,
    ) -> None:
        self._book = book
        self._picture = picture
        self._bound = bound
        self._now = now
        self.stays: dict[str, Stay] = {}
        self.moves: dict[str, str] = {}
        self.departures = list(book.departures)

    def at(self, server: Server, profiles: frozenset[str]) -> None:
        """Look at a server that there is."""
        before = self._book.stays.get(server.uuid)
        was: frozenset[str] = frozenset()
        if before is not None:
            was, profiles = before.nodes, profiles | before.profiles
        moves = self._picture.migrations.get(server.uuid, ())
        nodes = frozenset(self._nodes(server, moves, was)) - {""}
        stay = Stay(server.project_id, profiles, nodes)
        # unchanged ones stay the very same object
        self.stays[server.uuid] = (
            before if before == stay and before.seen else stay
        )
        left = dict.fromkeys(was - nodes, self._now)
        left |= self._moved(moves, was, nodes)
        for node, since in left.items():
            self._leave(node, stay, since)

    def for_missing(self, uuid: str, before: Stay | None) -> None:
        """Look for a server that is not in the picture.

        One that this process never saw may be in a cell that does not answer,
        or have a record that cannot be read.
        """
        if before is None:
            return
        hidden = self._picture.partial or uuid in self._picture.unread_servers
        if hidden and not before.seen:
            self.stays[uuid] = before
            return
        for node in before.nodes:
            self._leave(node, before, self._now)

    def _nodes(
        self,
        server: Server,
        moves: Iterable[Migration],
        was: frozenset[str],
    ) -> Iterator[str]:
        """Yield where there may be something of a server."""
        yield self._node_of(server)
        resized = server.vm_state is VmState.RESIZED
        for move in moves:
            if move.course is Course.UNDER_WAY:
                yield self._node(move.dest)
                yield self._source(move, was)
            elif resized and move.status in _KEEPING:
                yield self._source(move, was)

    def _moved(
        self,
        moves: Iterable[Migration],
        was: frozenset[str],
        nodes: frozenset[str],
    ) -> Mapping[str, Instant]:
        """Return the hosts that were left by moves, and when.

        Each change of a move counts once.  Nova tells its time in whole
        seconds.
        """
        left: dict[str, Instant] = {}
        for move in moves:
            self.moves[move.uuid] = move.status
            known = self._book.moves.get(move.uuid) == move.status
            if known or move.course is Course.UNDER_WAY:
                continue
            arrived = move.course is Course.ARRIVED
            node = (
                self._source(move, was) if arrived else self._node(move.dest)
            )
            if node and node not in nodes:
                since = min(self._now, move.updated + 1.0)
                left[node] = max(since, left.get(node, since))
        return left

    def _source(self, move: Migration, was: frozenset[str]) -> str:
        """Return where a move comes from; empty: it held nothing of it then.

        Before it was resized it may have been a server like any other.
        """
        node = self._node(move.source)
        return node if move.kind != "resize" or node in was else ""

    def _node_of(self, server: Server) -> str:
        if not server.host:
            return ""
        node = node_of(server, self._picture.nodes)
        if node is not None and node.uuid:
            return node.uuid
        return self._bound.get(server.host, "")

    def _node(self, host: str) -> str:
        node = self._picture.nodes.get(host)
        if node is not None and node.uuid:
            return node.uuid
        return self._bound.get(host, "")

    def _leave(self, node: str, stay: Stay, since: Instant) -> None:
        left = Departure(node, stay.project_id, stay.profiles, since)
        self.departures.append(left)


# Those of a move that has arrived in which its source still keeps the disk.
_KEEPING = ("finished", "confirming")


def _together(departures: Iterable[Departure]) -> tuple[Departure, ...]:
    """Return one departure for each host, project and set of profiles."""
    latest: dict[tuple[str, str, frozenset[str]], Departure] = {}
    for each in departures:
        key = each.node, each.project_id, each.profiles
        known = latest.get(key)
        if known is None or known.since < each.since:
            latest[key] = each
    found = tuple(latest.values())
    return found if len(found) <= DEPARTURES_MAX else _one_each(found)


def _one_each(departures: Iterable[Departure]) -> tuple[Departure, ...]:
    """Return one departure a host, after which it is open to nobody."""
    found: dict[str, Departure] = {}
    for each in departures:
        known = found.get(each.node, each)
        found[each.node] = Departure(
            each.node,
            NOBODY,
            known.profiles | each.profiles,
            max(known.since, each.since),
        )
    return tuple(found.values())
