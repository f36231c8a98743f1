# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud as tests and bench use it."""

from __future__ import annotations

import dataclasses
import itertools
import re
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Self

from tests.simulated import keystone
from tests.simulated.faults import Break
from tests.simulated.faults import Fault
from tests.simulated.gate import Gate
from tests.simulated.records import Host
from tests.simulated.records import Server
from tests.simulated.records import identifier
from tests.simulated.serving import Listener
from tests.simulated.world import World

TENANT_PROJECT = keystone.USERS["tenant"][1]
DAY_S = 86_400


class SimulatedCloud:
    """Nova, Placement and Keystone; serves from ``start`` to ``stop``.

    :ivar calls: how often each call was made; see ``faults.call_name``
    :ivar made: names of all calls, in their order
    :ivar world: hosts, servers and all else; change it under ``world.lock``
    """

    def __init__(
        self,
        hosts: int = 0,
        servers: int = 0,
        *,
        latency_s: float = 0.0,
        settle_s: float = 0.0,
        cells: int = 1,
        clock: Callable[[], float] = time.time,
        extra_specs: Callable[[int], Mapping[str, str]] | None = None,
        project: Callable[[int], str] | None = None,
        max_microversion: str = "2.104",
    ) -> None:
        """Fill a cloud that nobody can reach yet.

        :param servers: spread evenly over the hosts, a day old and more
        :param latency_s: before each answer
        :param settle_s: how long hosts take for what they are asked; 0: it is
            done before the request is answered
        :param clock: of everything in it
        :param extra_specs: what the n-th server's flavor asks for
        :param project: of the n-th server
        """
        self.world = World(clock, settle_s)
        self._gate = Gate(self.world)
        self.calls, self.made = self._gate.calls, self._gate.made
        self.nova, self.keystone = self._gate.nova, self._gate.keystone
        self.nova.newest = max_microversion
        self._latency_s = latency_s
        self._listener: Listener | None = None
        self._numbers = itertools.count()
        self._extra_specs = extra_specs or (lambda number: {})
        self._project = project or (lambda number: TENANT_PROJECT)
        for number in range(hosts):
            self.add_host(
                f"host-{number:05}", cell=f"cell-{1 + number % cells}"
            )
        names = list(self.world.hosts) or [""]
        for number in range(servers):
            self.boot(names[number % len(names)], age_s=DAY_S + number)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        self._listener = Listener(self._gate.answer, self._latency_s)
        self.keystone.endpoints = self.endpoints
        return self

    def stop(self) -> None:
        self._gate.stopping.set()
        if self._listener is not None:
            self._listener.stop()

    @property
    def url(self) -> str:
        assert self._listener is not None, "it does not serve"
        return self._listener.url

    @property
    def endpoints(self) -> dict[str, str]:
        """URL of each service, by its type."""
        return {
            "identity": f"{self.url}/identity",
            "compute": f"{self.url}/compute/v2.1",
            "placement": f"{self.url}/placement",
        }

    def credentials(self, user: str = keystone.ADMIN) -> dict[str, str]:
        """Return what keystoneauth's ``v3.Password`` takes."""
        return {
            "auth_url": f"{self.url}/identity/v3",
            "username": user,
            "password": user,
            "project_name": user,
            "user_domain_id": "default",
            "project_domain_id": "default",
        }

    def environment(self, user: str = keystone.ADMIN) -> dict[str, str]:
        """Return the OS_* variables by which OpenStack's clients work."""
        return {
            "OS_AUTH_TYPE": "password",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_REGION_NAME": "RegionOne",
            **{
                f"OS_{name.upper()}": text
                for name, text in self.credentials(user).items()
            },
        }

    # Faults.

    def fail(
        self,
        method: str,
        pattern: str,
        *,
        status: int = 0,
        times: int | None = 1,
        after: int = 0,
        done: bool = False,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        delay_s: float = 0.0,
        how: Break | None = None,
    ) -> None:
        """Have calls fail whose name has ``pattern`` in it.

        :param method: HTTP's; ``.*`` for any
        :param status: answered in place of what would be
        :param after: how many such calls go well before
        :param times: how many fail; None: all
        :param done: do what was asked for all the same
        :param headers: such as ``{"Retry-After": "7"}``
        :param body: answered in place of what would be
        :param delay_s: before it is answered: a time-out
        :param how: break the connection
        """
        self._gate.faults.add(
            Fault(
                re.compile(f"^{method} .*{pattern}"),
                after,
                times,
                done or (not status and how is not Break.SILENT),
                status,
                headers or {},
                body,
                delay_s,
                how,
            )
        )

    def heal(self) -> None:
        """Let nothing fail any more."""
        self._gate.faults.clear()

    def cell_down(self, cell: str) -> None:
        self.world.cells_down.add(cell)

    def cell_up(self, cell: str) -> None:
        self.world.cells_down.discard(cell)

    # Changes that no API makes, or that others make.

    def add_host(self, name: str, **fields: Any) -> Host:
        with self.world.lock:
            return self.world.add_host(name, **fields)

    def boot(self, host: str, *, age_s: float = 0.0, **fields: Any) -> Server:
        """Have one server more.

        :param age_s: how long ago it was built
        """
        number = next(self._numbers)
        at = float(int(self.world.clock() - age_s))
        made = Server(
            identifier("server", number),
            self._project(number),
            host,
            at,
            at,
            self._extra_specs(number),
            {},
            {},
        )
        if fields:
            made = dataclasses.replace(made, **fields)
        with self.world.lock:
            return self.world.add_server(made)

    def server(self, number: int) -> Server:
        """Return the n-th server that was ever booted."""
        return self.world.servers[identifier("server", number)]

    def change(self, uuid: str, **fields: Any) -> None:
        """Change fields of a server, such as ``host``, ``vm_state``."""
        with self.world.lock:
            self.world.change(self.world.servers[uuid], **fields)

    def misstate(self, uuid: str, host: str) -> None:
        """Have a compute say that a server is on another host."""
        with self.world.lock:
            server = self.world.servers[uuid]
            self.world.allocated[uuid] = self.world.allocated_to(uuid)
            self.world.change(server, host=host)

    def change_some(self, numbers: Iterable[int], **fields: Any) -> None:
        """Change fields of the servers with these numbers."""
        for number in numbers:
            self.change(identifier("server", number), **fields)

    def give_trait(self, trait: str, providers: Iterable[str]) -> None:
        """Give hosts a trait, by the UUIDs of their providers."""
        with self.world.lock:
            self.world.traits.add(trait)
            for uuid in providers:
                self.world.by_provider[uuid].traits.add(trait)

    def forget_calls(self) -> None:
        """Count calls from nothing again."""
        with self.world.lock:
            self.calls.clear()
            self.made.clear()

    def delete(self, uuid: str) -> None:
        """Delete a server as its owner does."""
        with self.world.lock:
            self.nova.remove(self.world.servers[uuid])

    def purge(self, uuid: str) -> None:
        """Have a server vanish without a trace."""
        with self.world.lock:
            self.world.purge(uuid)
