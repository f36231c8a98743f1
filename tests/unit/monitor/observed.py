# SPDX-License-Identifier: Apache-2.0
"""A cloud in memory to look at, as faithful as the port asks."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Page

NOW = 1_800_000_000.0
ASK = Ask({}, {}, {}, {})


def a_server(uuid: str, updated: Instant = NOW, host: str = "h1") -> Server:
    state, power = VmState.ACTIVE, Power.RUNNING
    return Server(
        *(uuid, "p", host, host, state, "", power, False, ""),
        *(updated, "i", ASK),
    )


def a_node(host: str, uuid: str | None = None, service: str = "s") -> Node:
    found = f"u-{host}" if uuid is None else uuid
    return Node(host, found, host, service, True, "", True, False)


def a_move(
    number: int,
    updated: Instant = NOW,
    course: Course = Course.UNDER_WAY,
    server: str = "a",
) -> Migration:
    return Migration(
        *(f"m{number}", number, server, "h1", "h2", "live-migration", "x"),
        *(course, "u", "p", updated, updated),
    )


class Remembered:
    """A ``port.Reader`` in memory, as faithful as Nova.

    :ivar page: how many servers there are on a page
    :ivar down: cells that do not answer; a host's cell is its first letter
    :ivar failing: names of methods that fail; of ``servers`` after how many
        pages
    :ivar spoilt: servers that cannot be read, and what is wrong with each
    :ivar unread: what could not be read of hosts and moves
    """

    user_id = "us"

    def __init__(self, now: Instant = NOW) -> None:
        self.now = now
        self.page = 2
        self.there: dict[str, Server] = {}
        self.gone: dict[str, Instant] = {}
        self.hosts: dict[str, Node] = {"h1": a_node("h1")}
        self.moves: list[Migration] = []
        self.traits: dict[str, frozenset[str]] = {}
        self.down: set[str] = set()
        self.failing: dict[str, int] = {}
        self.unread: tuple[str, ...] = ()
        self.spoilt: dict[str, str] = {}
        self.calls: collections.Counter[str] = collections.Counter()
        self.asked: list[Instant | None] = []

    def put(self, *servers: Server) -> None:
        self.there.update({server.uuid: server for server in servers})

    def delete(self, uuid: str, at: Instant) -> None:
        del self.there[uuid]
        self.gone[uuid] = at

    def servers(self, since: Instant | None) -> Iterator[Page]:
        self.asked.append(since)
        marker = ""
        for index in range(1_000):
            self.calls["servers"] += 1
            if self.failing.get("servers", 1_000) <= index:
                raise CloudFailed(CloudCode.UNAVAILABLE, "half a page")
            listed = [
                server
                for uuid, server in sorted(self.there.items())
                if uuid > marker
                and server.host[:1] not in self.down
                and (since is None or server.updated >= since)
            ][: self.page]
            marker = listed[-1].uuid if listed else ""
            gone = [
                uuid
                for uuid, at in self.gone.items()
                if since is not None and at >= since and not marker
            ]
            missing: tuple[str, ...] = ()
            if not marker and since is None:
                missing += tuple(f"cell {cell}" for cell in self.down)
            unread = {
                s.uuid: self.spoilt[s.uuid]
                for s in listed
                if s.uuid in self.spoilt
            }
            found = tuple(s for s in listed if s.uuid not in unread)
            yield Page(found, tuple(gone), missing, marker, unread)
            if not marker:
                return

    def server(self, uuid: str) -> Server | None:
        self._call("server")
        self._call(f"server {uuid}")
        found = self.there.get(uuid)
        if uuid in self.spoilt:
            raise CloudFailed(CloudCode.BAD_ANSWER, "it cannot be read")
        if found is not None and found.host[:1] in self.down:
            raise CloudFailed(CloudCode.UNAVAILABLE, "its cell is down")
        return found

    def nodes(self) -> Mapping[str, Node]:
        self._call("nodes")
        return {
            name: dataclasses.replace(node, uuid="", service="")
            if name[:1] in self.down
            else node
            for name, node in self.hosts.items()
        }

    def services(self, known: Mapping[str, Node]) -> Mapping[str, Node]:
        self._call("services")
        found = {}
        for name, node in self.hosts.items():
            service = "" if name[:1] in self.down else node.service
            uuid = known[name].uuid if name in known else ""
            found[name] = dataclasses.replace(node, uuid=uuid, service=service)
        return found

    def migrations(self, since: Instant) -> tuple[Migration, ...]:
        self._call("migrations")
        return tuple(m for m in self.moves if m.updated >= since)

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        return ()

    def trait_names(self, prefix: str) -> frozenset[str]:
        self._call("trait_names")
        return frozenset(n for n in self.traits if n.startswith(prefix))

    def providers(self, trait: str) -> frozenset[str]:
        self._call(f"providers {trait}")
        self._call("providers")
        return self.traits[trait]

    def room(self, amounts: Mapping[str, int]) -> frozenset[str]:
        return frozenset()

    def allocation(self, server: str) -> frozenset[str]:
        return frozenset()

    def tree(self, provider: str) -> frozenset[str]:
        return frozenset({provider})

    def _call(self, name: str) -> None:
        self.calls[name] += 1
        if name in self.failing:
            raise CloudFailed(CloudCode.BUSY, "not now")
