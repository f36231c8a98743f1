# SPDX-License-Identifier: Apache-2.0
"""The simulated Placement: traits with generations, providers, room.

And what is allocated to servers, which follows from where they are and move.
"""

from __future__ import annotations

from typing import Any

from tests.simulated.answers import Answer
from tests.simulated.answers import Request
from tests.simulated.answers import placement_error
from tests.simulated.answers import say
from tests.simulated.records import Host
from tests.simulated.world import World


class Placement:
    """Answers what is asked of Placement."""

    newest = "1.39"

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, request: Request) -> Answer:
        asked = request.headers.get("openstack-api-version", "")
        version = asked.removeprefix("placement ").strip() or "1.0"
        if version == "latest":
            version = self.newest
        answer = self._route(request)
        header = ("openstack-api-version", f"placement {version}")
        return Answer(answer.status, answer.body, (*answer.headers, header))

    def versions(self) -> Answer:
        """Return what is answered without a token."""
        version = {
            "id": "v1.0",
            "max_version": self.newest,
            "min_version": "1.0",
            "status": "CURRENT",
            "links": [{"rel": "self", "href": ""}],
        }
        return say(200, {"versions": [version]})

    def _route(self, request: Request) -> Answer:
        if not request.admin:
            return placement_error(403, "Access was denied.")
        match [request.method, *request.parts]:
            case ["GET", "traits"]:
                return self._names(request)
            case [method, "traits", name]:
                return self._trait(method, name)
            case ["GET", "resource_providers"]:
                return self._providers(request)
            case ["GET", "allocations", server]:
                return self._allocations(server)
            case ["GET", "allocation_candidates"]:
                return self._candidates(request)
            case [method, "resource_providers", uuid, "traits"]:
                host = self._world.by_provider.get(uuid)
                if host is None:
                    detail = f"No resource provider with uuid {uuid} found"
                    return placement_error(404, detail)
                if method == "GET":
                    return say(200, _traits(host))
                if method == "PUT":
                    return self._write(host, request.body)
        return placement_error(404, "The resource could not be found.")

    def _names(self, request: Request) -> Answer:
        names = set(self._world.traits)
        if request.query.get("associated", "").lower() in ("true", "1"):
            names = set().union(*(h.traits for h in self._hosts()))
        how, _, what = request.query.get("name", "").partition(":")
        if how == "startswith":
            names = {name for name in names if name.startswith(what)}
        elif how == "in":
            names &= set(what.split(","))
        return say(200, {"traits": sorted(names)})

    def _trait(self, method: str, name: str) -> Answer:
        known = name in self._world.traits
        if method == "PUT":
            if not name.startswith("CUSTOM_"):
                return placement_error(400, f"The trait is invalid: {name}")
            self._world.traits.add(name)
            return Answer(204 if known else 201)
        if not known:
            return placement_error(404, f"No such trait(s): {name}.")
        if method == "GET":
            return Answer(204)
        if method != "DELETE":
            return placement_error(405, "The method is not allowed.")
        if any(name in host.traits for host in self._hosts()):
            detail = f"The trait {name} is in use by a resource provider."
            return placement_error(409, detail)
        self._world.traits.discard(name)
        return Answer(204)

    def _write(self, host: Host, body: Any) -> Answer:
        generation = body["resource_provider_generation"]
        if generation != host.generation:
            return placement_error(
                409,
                "Resource provider's generation already changed. Please "
                "update the generation and try again.",
                "placement.concurrent_update",
            )
        unknown = set(body["traits"]) - self._world.traits
        if unknown:
            detail = f"No such trait {', '.join(sorted(unknown))}"
            return placement_error(400, detail)
        host.traits = set(body["traits"])
        host.generation += 1
        return say(200, _traits(host))

    def _matching(self, request: Request) -> list[Host] | Answer:
        wanted = [t for t in request.query.get("required", "").split(",") if t]
        named = {trait.removeprefix("!") for trait in wanted}
        unknown = named - self._world.traits
        if unknown:
            return placement_error(
                400,
                'Invalid trait(s) in "required" parameter: No such '
                f"trait(s): {', '.join(sorted(unknown))}.",
            )
        has = {trait for trait in wanted if not trait.startswith("!")}
        has_not = named - has
        amounts = {
            kind: int(amount)
            for kind, _, amount in (
                one.partition(":")
                for one in request.query.get("resources", "").split(",")
                if one
            )
        }
        return [
            host
            for host in self._hosts()
            if has <= host.traits
            and not has_not & host.traits
            and (not amounts or _fits(host, amounts))
        ]

    def _allocations(self, server: str) -> Answer:
        found: dict[str, Any] = {
            uuid: {"generation": 1, "resources": {"VCPU": 1}}
            for uuid in self._world.allocated_to(server)
        }
        if not found:
            return say(200, {"allocations": {}})
        owner = self._world.servers.get(server)
        said = {"allocations": found, "user_id": "", "project_id": ""}
        if owner is not None:
            said["project_id"] = owner.project_id
        return say(200, said)

    def _tree(self, uuid: str) -> Answer:
        """Return the providers of the tree that one is in."""
        hosts = [h for h in self._hosts() if uuid in (h.uuid, *h.below)]
        shown = [
            _provider(host, provider)
            for host in hosts
            for provider in (host.uuid, *sorted(host.below))
        ]
        return say(200, {"resource_providers": shown})

    def _providers(self, request: Request) -> Answer:
        if "in_tree" in request.query:
            return self._tree(request.query["in_tree"])
        hosts = self._matching(request)
        if isinstance(hosts, Answer):
            return hosts
        shown = [_provider(host, host.uuid) for host in hosts]
        return say(200, {"resource_providers": shown})

    def _candidates(self, request: Request) -> Answer:
        hosts = self._matching(request)
        if isinstance(hosts, Answer):
            return hosts
        hosts = hosts[: int(request.query.get("limit", len(hosts)))]
        requests = [
            {
                "allocations": {host.uuid: {"resources": {}}},
                "mappings": {"": [host.uuid]},
            }
            for host in hosts
        ]
        summaries: dict[str, Any] = {
            host.uuid: {
                "resources": {},
                "traits": sorted(host.traits),
                "parent_provider_uuid": None,
                "root_provider_uuid": host.uuid,
            }
            for host in hosts
        }
        return say(
            200,
            {
                "allocation_requests": requests,
                "provider_summaries": summaries,
            },
        )

    def _hosts(self) -> list[Host]:
        return [host for host in self._world.hosts.values() if host.node]


def _provider(host: Host, uuid: str) -> dict[str, Any]:
    """Return a host's provider, or one below it."""
    is_root = uuid == host.uuid
    return {
        "uuid": uuid,
        "name": host.name if is_root else f"{host.name}_{uuid}",
        "generation": host.generation,
        "links": [],
        "parent_provider_uuid": None if is_root else host.uuid,
        "root_provider_uuid": host.uuid,
    }


def _traits(host: Host) -> dict[str, object]:
    return {
        "traits": sorted(host.traits),
        "resource_provider_generation": host.generation,
    }


def _fits(host: Host, amounts: dict[str, int]) -> bool:
    left = host.left
    return all(left.get(kind, 0) >= n for kind, n in amounts.items())
