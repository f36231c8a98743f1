# SPDX-License-Identifier: Apache-2.0
"""The simulated compute API: services, compute nodes, migrations."""

from __future__ import annotations

from typing import Any

from tests.simulated import shapes
from tests.simulated.answers import Answer
from tests.simulated.answers import Request
from tests.simulated.answers import nova_error
from tests.simulated.answers import say
from tests.simulated.queries import instant
from tests.simulated.queries import limit_of
from tests.simulated.queries import next_link
from tests.simulated.records import Host
from tests.simulated.world import World

_OF_SERVICES = {"status", "disabled_reason", "forced_down"}


class Hosts:
    """Answers what is asked of all but servers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def services(self, request: Request) -> Answer:
        if request.query.get("binary", "nova-compute") != "nova-compute":
            return say(200, {"services": []})
        host = request.query.get("host")
        down = self._world.cells_down
        shown = [
            shapes.service(one, one.cell in down)
            for one in self._world.hosts.values()
            if host in (None, one.name)
        ]
        return say(200, {"services": shown})

    def update(self, uuid: str, request: Request) -> Answer:
        host = self._world.by_service.get(uuid)
        if host is None or host.cell in self._world.cells_down:
            return nova_error(404, f"Service {uuid} could not be found.")
        body = request.body if isinstance(request.body, dict) else {}
        if not body or set(body) - {
            "status",
            "disabled_reason",
            "forced_down",
        }:
            return nova_error(400, "No updates were requested.")
        if "disabled_reason" in body and body.get("status") != "disabled":
            return nova_error(
                400, "Specifying disabled_reason requires status disabled"
            )
        if "forced_down" in body:
            host.forced_down = bool(body["forced_down"])
        if body.get("status") == "disabled":
            host.enabled = False
            host.reason = body.get("disabled_reason", host.reason)
        elif body.get("status") == "enabled":
            host.enabled, host.reason = True, None
        if host.up:
            _mirror(host)
        return say(200, {"service": shapes.service(host, False)})

    def hypervisors(self, request: Request) -> Answer:
        """Page by the UUIDs' order, as Nova does by ids."""
        hosts = [
            host
            for host in self._world.hosts.values()
            if host.node and host.cell not in self._world.cells_down
        ]
        marker = request.query.get("marker")
        if marker:
            names = [host.uuid for host in hosts]
            if marker not in names:
                return nova_error(400, f"marker [{marker}] not found")
            hosts = hosts[names.index(marker) + 1 :]
        limit = limit_of(request)
        servers = request.query.get("with_servers", "").lower() == "true"
        shown = [shapes.hypervisor(host, servers) for host in hosts[:limit]]
        answer: dict[str, Any] = {"hypervisors": shown}
        if len(shown) == limit:
            at = "os-hypervisors/detail"
            answer["hypervisors_links"] = next_link(
                request, at, shown[-1]["id"]
            )
        return say(200, answer)

    def migrations(self, request: Request) -> Answer:
        since = instant(request.query.get("changes-since"))
        moves = [
            move
            for move in reversed(self._world.moves)
            if since is None
            or (move.updated is not None and move.updated >= since)
        ]
        marker = request.query.get("marker")
        if marker:
            uuids = [move.uuid for move in self._world.moves][::-1]
            if marker not in uuids:
                return nova_error(400, f"Marker {marker} could not be found.")
            after = set(uuids[uuids.index(marker) + 1 :])
            moves = [move for move in moves if move.uuid in after]
        limit = limit_of(request)
        shown = [shapes.migration(move) for move in moves[:limit]]
        answer: dict[str, Any] = {"migrations": shown}
        if shown and len(shown) == limit:
            answer["migrations_links"] = next_link(
                request, "os-migrations", shown[-1]["uuid"]
            )
        return say(200, answer)


def _mirror(host: Host) -> None:
    """Have the compute write its trait, as libvirt's does."""
    name = "COMPUTE_STATUS_DISABLED"
    if (name in host.traits) == host.enabled:
        (host.traits.discard if host.enabled else host.traits.add)(name)
        host.generation += 1
