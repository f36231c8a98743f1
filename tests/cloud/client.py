# SPDX-License-Identifier: Apache-2.0
"""A plain client of a cloud's compute API, for tests and demo.

Servers and flavors are named by their ids; what the API answers is handed on
as it is.
"""

from __future__ import annotations

import typing as ty

from tests.cloud import access
from tests.cloud import description

Json = access.Json
ApiError = access.ApiError
TimedOut = access.TimedOut

#: States of a server that pass by themselves.
_PASSING = frozenset(
    {
        "BUILD",
        "RESIZE",
        "MIGRATING",
        "REBUILD",
        "REBOOT",
        "HARD_REBOOT",
        "REVERT_RESIZE",
    }
)


class Client(access.Access):
    """One user's view of the cloud."""

    # Flavors and servers.

    def create_flavor(
        self,
        name: str,
        extra_specs: ty.Mapping[str, str] | None = None,
        *,
        vcpus: int = 1,
        memory_mb: int = 512,
        disk_gb: int = 1,
        microversion: str | None = None,
    ) -> str:
        """Create a flavor and return its id.

        :param microversion: of the request that sets the extra specs
        """
        flavor_id: str = self.request(
            "POST",
            "/flavors",
            {
                "flavor": {
                    "name": name,
                    "vcpus": vcpus,
                    "ram": memory_mb,
                    "disk": disk_gb,
                }
            },
        )["flavor"]["id"]
        if extra_specs:
            self.request(
                "POST",
                f"/flavors/{flavor_id}/os-extra_specs",
                {"extra_specs": dict(extra_specs)},
                microversion=microversion,
            )
        return flavor_id

    def create_server(
        self,
        name: str,
        flavor: str,
        *,
        image: description.Image = description.PLAIN_IMAGE,
        host: str | None = None,
        zone: str | None = None,
        hints: ty.Mapping[str, ty.Any] | None = None,
        count: int = 1,
        wait: bool = True,
        microversion: str | None = None,
    ) -> str:
        """Create a server and return its id.

        :param zone: ``ZONE:HOST`` forces a host past the scheduler
        :param count: of servers; the id is that of the first
        :param wait: until it is built or in error, whichever it is
        """
        server: Json = {
            "name": name,
            "flavorRef": flavor,
            "imageRef": image.id,
            "networks": "none",
            "min_count": count,
            "max_count": count,
        }
        if host is not None:
            server["host"] = host
        if zone is not None:
            server["availability_zone"] = zone
        body: Json = {"server": server}
        if hints:
            body["os:scheduler_hints"] = dict(hints)
        server_id: str = self.request(
            "POST",
            "/servers",
            body,
            microversion=microversion,
        )["server"]["id"]
        if wait:
            self.settled(server_id)
        return server_id

    def server(self, server_id: str, microversion: str | None = None) -> Json:
        return ty.cast(
            Json,
            self.request(
                "GET", f"/servers/{server_id}", microversion=microversion
            )["server"],
        )

    def servers(self, *, all_projects: bool = False) -> list[Json]:
        query = "?all_tenants=1" if all_projects else ""
        return ty.cast(
            list[Json],
            self.request("GET", f"/servers/detail{query}")["servers"],
        )

    def host_of(self, server_id: str) -> str | None:
        """Return the host as the API says it, None where it says none.

        Only an administrator is told.
        """
        host: str | None = self.server(server_id).get("OS-EXT-SRV-ATTR:host")
        return host

    def status_of(self, server_id: str) -> str:
        return ty.cast(str, self.server(server_id)["status"])

    def fault_of(self, server_id: str) -> Json | None:
        """Return the fault as this user may read it.

        It has ``code`` and ``message``; for an administrator ``details``.
        """
        return ty.cast("Json | None", self.server(server_id).get("fault"))

    def delete(self, server_id: str) -> None:
        """Delete a server and wait until it is gone."""
        self.request("DELETE", f"/servers/{server_id}")
        self.wait_until(
            lambda: self._is_gone(server_id), f"server {server_id} is not gone"
        )

    # What an operation on a server returns is the server once it rests.

    def act(
        self,
        server_id: str,
        action: str,
        arguments: ty.Any = None,
        *,
        microversion: str | None = None,
        wait: bool = True,
    ) -> Json:
        """Send an action; by default wait until the server rests again."""
        self.request(
            "POST",
            f"/servers/{server_id}/action",
            {action: arguments},
            microversion=microversion,
        )
        return self.settled(server_id) if wait else self.server(server_id)

    def live_migrate(
        self,
        server_id: str,
        host: str | None = None,
        *,
        force: bool | None = None,
        microversion: str | None = None,
    ) -> Json:
        """Live-migrate a server.

        :param force: only in microversions 2.30 to 2.67
        """
        arguments: Json = {"host": host, "block_migration": "auto"}
        if _is_older(microversion, (2, 25)):
            arguments.update(block_migration=False, disk_over_commit=False)
        if force is not None:
            arguments["force"] = force
        return self.act(
            server_id, "os-migrateLive", arguments, microversion=microversion
        )

    def migrate(self, server_id: str, host: str | None = None) -> Json:
        return self.act(
            server_id, "migrate", None if host is None else {"host": host}
        )

    def resize(self, server_id: str, flavor: str) -> Json:
        return self.act(server_id, "resize", {"flavorRef": flavor})

    def confirm_resize(self, server_id: str) -> Json:
        return self.act(server_id, "confirmResize")

    def revert_resize(self, server_id: str) -> Json:
        return self.act(server_id, "revertResize")

    def evacuate(
        self,
        server_id: str,
        host: str | None = None,
        *,
        force: bool | None = None,
        microversion: str | None = None,
    ) -> Json:
        """Evacuate a server from a host that is down.

        :param force: only in microversions 2.29 to 2.67
        """
        arguments: Json = {}
        if host is not None:
            arguments["host"] = host
        if force is not None:
            arguments["force"] = force
        if _is_older(microversion, (2, 14)):
            arguments["onSharedStorage"] = False
        return self.act(
            server_id, "evacuate", arguments, microversion=microversion
        )

    def rebuild(
        self,
        server_id: str,
        image: description.Image = description.PLAIN_IMAGE,
    ) -> Json:
        return self.act(server_id, "rebuild", {"imageRef": image.id})

    def shelve(self, server_id: str) -> Json:
        return self.act(server_id, "shelve")

    def unshelve(
        self,
        server_id: str,
        *,
        host: str | None = None,
        zone: str | None = None,
    ) -> Json:
        wanted = {
            key: value
            for key, value in (("host", host), ("availability_zone", zone))
            if value is not None
        }
        return self.act(server_id, "unshelve", wanted or None)

    def stop(self, server_id: str) -> Json:
        return self.act(server_id, "os-stop")

    def start(self, server_id: str) -> Json:
        return self.act(server_id, "os-start")

    # Hosts, for an administrator.

    def service_of(self, host: str) -> Json:
        """Return the compute service of a host."""
        return ty.cast(
            Json,
            self.request(
                "GET",
                f"/os-services?binary=nova-compute&host={host}",
            )["services"][0],
        )

    def update_service(self, host: str, **changes: ty.Any) -> Json:
        """Change ``status``, ``disabled_reason``, ``forced_down``."""
        service_id = self.service_of(host)["id"]
        return ty.cast(
            Json,
            self.request("PUT", f"/os-services/{service_id}", changes)[
                "service"
            ],
        )

    def hypervisors(self) -> list[Json]:
        return ty.cast(
            list[Json],
            self.request("GET", "/os-hypervisors/detail")["hypervisors"],
        )

    def migrations(self, server_id: str) -> list[Json]:
        """Return the migrations of a server, newest first."""
        return ty.cast(
            list[Json],
            self.request(
                "GET",
                f"/os-migrations?instance_uuid={server_id}",
            )["migrations"],
        )

    # Waiting.

    def settled(self, server_id: str) -> Json:
        """Return the server as soon as nothing is being done to it."""
        found: Json = {}

        def rests() -> bool:
            found.update(self.server(server_id))
            return (
                found["OS-EXT-STS:task_state"] is None
                and found["status"] not in _PASSING
            )

        self.wait_until(rests, f"server {server_id} does not come to rest")
        return found

    def wait_for_status(self, server_id: str, status: str) -> Json:
        """Wait until a server has this status."""
        self.wait_until(
            lambda: self.status_of(server_id) == status,
            f"server {server_id} does not become {status}",
        )
        return self.server(server_id)

    def _is_gone(self, server_id: str) -> bool:
        try:
            self.server(server_id)
        except ApiError as error:
            if error.status != 404:
                raise
            return True
        return False


def _is_older(microversion: str | None, than: tuple[int, int]) -> bool:
    if microversion is None or microversion == "latest":
        return False
    major, _, minor = microversion.partition(".")
    return (int(major), int(minor)) < than
