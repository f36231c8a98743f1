# SPDX-License-Identifier: Apache-2.0
"""The simulated compute API: listings, one server, services, actions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.simulated import shapes
from tests.simulated.actions import Actions
from tests.simulated.answers import Answer
from tests.simulated.answers import Request
from tests.simulated.answers import nova_error
from tests.simulated.answers import say
from tests.simulated.nova_hosts import Hosts
from tests.simulated.queries import instant
from tests.simulated.queries import limit_of
from tests.simulated.queries import next_link
from tests.simulated.records import Server
from tests.simulated.world import World

_GONE = {"deleted", "soft-delete"}


class Nova:
    """Answers what is asked of the compute API.

    :ivar newest: the greatest microversion that it has
    """

    def __init__(self, world: World) -> None:
        self.newest = "2.104"
        self._world = world
        self._actions = Actions(world)
        self._hosts = Hosts(world)

    def answer(self, request: Request) -> Answer:
        asked = request.headers.get("openstack-api-version", "")
        version = asked.removeprefix("compute ").strip() or "2.1"
        if version != "latest" and _number(version) > _number(self.newest):
            return nova_error(
                406,
                f"Version {version} is not supported by the API. Minimum is "
                f"2.1 and maximum is {self.newest}.",
            )
        answer = self._route(request)
        if version == "latest":
            version = self.newest
        header = ("OpenStack-API-Version", f"compute {version}")
        return Answer(answer.status, answer.body, (*answer.headers, header))

    def versions(self, base: str) -> Answer:
        """Return what is answered without a token."""
        version = {
            "id": "v2.1",
            "status": "CURRENT",
            "version": self.newest,
            "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{base}/"}],
        }
        return say(200, {"version": version})

    def _route(self, request: Request) -> Answer:
        match [request.method, *request.parts]:
            case ["GET", "servers", "detail"]:
                return self._list(request)
            case ["GET", "servers", uuid]:
                return self._show(uuid, request)
            case ["DELETE", "servers", uuid]:
                return self._delete(uuid, request)
            case ["POST", "servers", uuid, "action"]:
                return self._act(uuid, request)
            case ["GET", "servers", uuid, "os-instance-actions"]:
                return self._deeds(uuid, request)
            case ["DELETE", "servers", uuid, "migrations", number]:
                server = self._find(uuid, request)
                if isinstance(server, Answer):
                    return server
                return self._actions.abort(server, int(number))
        if not request.admin:
            return nova_error(403, "Policy doesn't allow it to be performed.")
        match [request.method, *request.parts]:
            case ["GET", "os-services"]:
                return self._hosts.services(request)
            case ["PUT", "os-services", uuid]:
                return self._hosts.update(uuid, request)
            case ["GET", "os-hypervisors", "detail"]:
                return self._hosts.hypervisors(request)
            case ["GET", "os-migrations"]:
                return self._hosts.migrations(request)
        return nova_error(404, "The resource could not be found.")

    def _list(self, request: Request) -> Answer:
        query = request.query
        since = instant(query.get("changes-since"))
        limit = limit_of(request)
        marker = query.get("marker", "")
        if marker and marker not in self._world.servers:
            return nova_error(400, f"marker [{marker}] not found")
        gone = {"deleted"} if "soft_deleted" in query else _GONE
        chosen: list[Server] = []
        for server in self._listed(request, marker):
            if server.cell in self._world.cells_down:
                continue
            if since is None and server.vm_state in gone:
                continue
            if since is not None and server.updated < since:
                continue
            chosen.append(server)
            if len(chosen) == limit:
                break
        shown = [shapes.encoded(server, request.base) for server in chosen]
        if not set(query) - {"all_tenants"}:
            # Nova adds them only where there is neither page nor filter.
            room = limit - len(chosen)
            down = [
                server
                for server in self._world.ordered()
                if server.cell in self._world.cells_down
            ]
            shown = [
                json.dumps(shapes.minimal(server, request.base)).encode()
                for server in down[:room]
                if not server.deleted
            ] + shown
        body = b'{"servers": [' + b", ".join(shown) + b"]"
        if chosen and len(shown) == limit:
            links = next_link(request, "servers/detail", chosen[-1].uuid)
            body += b', "servers_links": ' + json.dumps(links).encode()
        return Answer(200, body + b"}")

    def _listed(self, request: Request, marker: str) -> Iterable[Server]:
        """Return the servers among which to look, in their order."""
        by_uuid = request.query.get("sort_key") == "uuid"
        servers = (
            self._world.after(marker, by_uuid)
            if marker
            else self._world.ordered(by_uuid)
        )
        if not request.admin or "all_tenants" not in request.query:
            project = request.user[1]
            return [s for s in servers if s.project_id == project]
        host = request.query.get("host")
        if host:
            return [s for s in servers if s.host == host]
        return servers

    def _find(self, uuid: str, request: Request) -> Server | Answer:
        server = self._world.servers.get(uuid)
        if (
            server is None
            or server.deleted
            or not (request.admin or server.project_id == request.user[1])
        ):
            return nova_error(404, f"Instance {uuid} could not be found.")
        if server.cell in self._world.cells_down:
            return nova_error(500, "Unexpected API Error.")
        return server

    def _show(self, uuid: str, request: Request) -> Answer:
        server = self._world.servers.get(uuid)
        if (
            server is not None
            and request.admin
            and server.cell in self._world.cells_down
        ):
            shown = shapes.minimal(server, request.base)
            whole = shapes.full(server, request.base)
            for key in ("image", "flavor"):
                shown[key] = whole[key]
            shown["OS-EXT-STS:power_state"] = 0
            return say(200, {"server": shown})
        found = self._find(uuid, request)
        if isinstance(found, Answer):
            return found
        one = shapes.encoded(found, request.base)
        return Answer(200, b'{"server": ' + one + b"}")

    def _delete(self, uuid: str, request: Request) -> Answer:
        server = self._find(uuid, request)
        if isinstance(server, Answer):
            return server
        if server.locked and not request.admin:
            return nova_error(409, f"Instance {uuid} is locked")
        self.remove(server)
        return Answer(204)

    def remove(self, server: Server) -> None:
        """Delete a server; ``changes-since`` still shows it."""
        host = server.host
        self._world.place(server, "")
        self._world.change(
            server, vm_state="deleted", task_state=None, power_state=0
        )
        server.host = host

    def _act(self, uuid: str, request: Request) -> Answer:
        server = self._find(uuid, request)
        if isinstance(server, Answer):
            return server
        return self._actions.act(server, request)

    def _deeds(self, uuid: str, request: Request) -> Answer:
        if uuid not in self._world.servers:
            return nova_error(404, f"Instance {uuid} could not be found.")
        deeds = self._world.deeds.get(uuid, [])[::-1]
        marker, limit = request.query.get("marker", ""), limit_of(request)
        if marker:
            ids = [one.request_id for one in deeds]
            if marker not in ids:
                return nova_error(400, f"marker [{marker}] not found")
            deeds = deeds[ids.index(marker) + 1 :]
        found: dict[str, Any] = {
            "instanceActions": [
                shapes.deed(one, uuid) for one in deeds[:limit]
            ]
        }
        if len(deeds) >= limit:
            path = f"servers/{uuid}/os-instance-actions"
            last = deeds[limit - 1].request_id
            found["links"] = next_link(request, path, last)
        return say(200, found)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
