# SPDX-License-Identifier: Apache-2.0
"""All that there is in a simulated cloud, in memory.

Not for several threads at once: whoever serves it holds ``lock``.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable
from typing import Any

from tests.simulated.records import Deed
from tests.simulated.records import Host
from tests.simulated.records import Move
from tests.simulated.records import Server
from tests.simulated.records import identifier


class World:
    """All that there is."""

    def __init__(
        self, clock: Callable[[], float], settle_s: float = 0.0
    ) -> None:
        """Have nothing yet.

        :param settle_s: how long hosts take for what they are asked
        """
        self.clock = clock
        self.settle_s = settle_s
        self.lock = threading.RLock()
        self.hosts: dict[str, Host] = {}
        self.servers: dict[str, Server] = {}
        self.moves: list[Move] = []
        self.deeds: dict[str, list[Deed]] = {}
        # of those whose allocation is not where they are or go to
        self.allocated: dict[str, set[str]] = {}
        self.traits: set[str] = {"COMPUTE_NODE", "COMPUTE_STATUS_DISABLED"}
        self.cells_down: set[str] = set()
        self.by_service: dict[str, Host] = {}
        self.by_provider: dict[str, Host] = {}
        self._order: list[Server] | None = None
        self._by_uuid: list[Server] = []
        self._effects: list[tuple[float, Callable[[], None]]] = []
        self._turn = 0

    def add_host(self, name: str, **fields: Any) -> Host:
        host = Host(
            name, identifier("node", name), identifier("service", name)
        )
        for key, value in fields.items():
            setattr(host, key, value)
        self.hosts[name] = host
        self.by_service[host.service] = host
        self.by_provider[host.uuid] = host
        return host

    def remove_host(self, name: str) -> None:
        host = self.hosts.pop(name)
        del self.by_service[host.service]
        del self.by_provider[host.uuid]

    def add_server(self, server: Server) -> Server:
        host, server.host = server.host, ""
        self.servers[server.uuid] = server
        self._order = None
        self.place(server, host)
        return server

    def purge(self, server: str) -> None:
        """Remove a server as if it had never been."""
        self.place(self.servers[server], "")
        del self.servers[server]
        self._order = None

    def place(self, server: Server, host: str) -> None:
        """Have a server on another host; empty: on none."""
        for name, sign in ((server.host, -1), (host, 1)):
            there = self.hosts.get(name)
            if there is None:
                continue
            (there.servers.add if sign > 0 else there.servers.discard)(
                server.uuid
            )
            for kind, amount in server.amounts.items():
                used = there.used.get(kind, 0)
                there.used[kind] = used + sign * amount
        server.host = host
        if host in self.hosts:
            server.cell = self.hosts[host].cell
        server.encoded = b""

    def allocated_to(self, server: str) -> set[str]:
        """Return the UUIDs of providers that have something for a server.

        While it moves Nova has it on the destination, under its own name; an
        evacuated one has both until its old host is back.
        """
        if server in self.allocated:
            return self.allocated[server]
        known = self.servers.get(server)
        if known is None or known.deleted:
            return set()
        hosts = {known.host}
        for move in self.moves:
            if move.server != server:
                continue
            if move.status in ("preparing", "accepted") and move.dest:
                hosts = {move.dest}
            if move.kind == "evacuation" and move.status != "error":
                hosts.add(move.source)
        return {self.hosts[name].uuid for name in hosts & self.hosts.keys()}

    def change(self, server: Server, **fields: Any) -> None:
        """Change fields of a server, as its writer's clock has it now."""
        if "host" in fields:
            self.place(server, fields.pop("host"))
        fields.setdefault("updated", float(int(self.clock())))
        for key, value in fields.items():
            setattr(server, key, value)
        server.encoded = b""

    def ordered(self, by_uuid: bool = False) -> list[Server]:
        """Return all servers: the youngest first, or by UUID."""
        if self._order is None:
            self._order = sorted(
                self.servers.values(), key=lambda s: (-s.created, s.uuid)
            )
            self._by_uuid = sorted(self._order, key=_uuid)
        return self._by_uuid if by_uuid else self._order

    def after(self, marker: str, by_uuid: bool) -> list[Server]:
        """Return all servers that come after one in their order."""
        servers = self.ordered(by_uuid)
        if by_uuid:
            return servers[bisect.bisect_right(servers, marker, key=_uuid) :]
        return servers[servers.index(self.servers[marker]) + 1 :]

    def later(self, effect: Callable[[], None]) -> None:
        """Have something happen when hosts have settled."""
        if self.settle_s <= 0:
            effect()
        else:
            self._effects.append((self.clock() + self.settle_s, effect))

    def settle(self) -> None:
        """Let happen what is due."""
        now = self.clock()
        due = [effect for at, effect in self._effects if at <= now]
        self._effects = [one for one in self._effects if one[0] > now]
        for effect in due:
            effect()

    def destination(self, server: Server, wanted: str | None) -> Host | None:
        """Return a host that would take a server; None: no valid host."""
        names = [wanted] if wanted else list(self.hosts)
        for index in range(len(names)):
            host = self.hosts.get(names[(self._turn + index) % len(names)])
            if (
                host is not None
                and host.name != server.host
                and host.enabled
                and host.alive
                and host.cell not in self.cells_down
                and all(host.left[k] >= n for k, n in server.amounts.items())
            ):
                self._turn += index + 1
                return host
        return None

    def move(
        self,
        server: Server,
        kind: str,
        dest: str | None,
        status: str,
        user: tuple[str, str],
    ) -> Move:
        """Begin a move."""
        now = self.clock()
        number = len(self.moves) + 1
        made = Move(
            number,
            identifier("move", number),
            server.uuid,
            server.host,
            dest,
            kind,
            status,
            *user,
            now,
        )
        self.moves.append(made)
        return made

    def moved(self, move: Move, status: str) -> None:
        move.status = status
        move.updated = self.clock()

    def did(
        self,
        server: Server,
        action: str,
        user: tuple[str, str],
        request_id: str,
    ) -> None:
        deed = Deed(action, request_id, *user, self.clock())
        self.deeds.setdefault(server.uuid, []).append(deed)


def _uuid(server: Server) -> str:
    return server.uuid
