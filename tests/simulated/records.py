# SPDX-License-Identifier: Apache-2.0
"""Hosts, servers, moves and deeds of a simulated cloud."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Mapping
from typing import Any

_NAMESPACE = uuid.UUID("5f4a3a54-8c0e-4b8e-9d3e-0a1f6a3d7c11")


def identifier(kind: str, name: object) -> str:
    """Return the UUID that something of this kind and name has."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


def second(at: float) -> str:
    """Return a time as Nova shows a server's."""
    return f"{_utc(at):%Y-%m-%dT%H:%M:%SZ}"


def micro(at: float) -> str:
    """Return a time as Nova shows those of all else."""
    return f"{_utc(at):%Y-%m-%dT%H:%M:%S.%f}"


def _utc(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, datetime.UTC)


@dataclasses.dataclass(slots=True)
class Host:
    """A compute host with its service, compute node and provider.

    :ivar swallows: actions that it takes and never does
    :ivar node: whether its compute node is known yet
    :ivar below: UUIDs of providers below its own
    """

    name: str
    uuid: str
    service: str
    cell: str = "cell-1"
    enabled: bool = True
    reason: str | None = None
    up: bool = True
    forced_down: bool = False
    node: bool = True
    vcpus: int = 64
    memory_mb: int = 262_144
    disk_gb: int = 4_000
    used: dict[str, int] = dataclasses.field(default_factory=dict)
    traits: set[str] = dataclasses.field(default_factory=set)
    generation: int = 1
    swallows: set[str] = dataclasses.field(default_factory=set)
    servers: set[str] = dataclasses.field(default_factory=set)
    below: set[str] = dataclasses.field(default_factory=set)

    @property
    def alive(self) -> bool:
        return self.up and not self.forced_down

    @property
    def left(self) -> dict[str, int]:
        """What is left of each resource class."""
        total = {
            "VCPU": self.vcpus,
            "MEMORY_MB": self.memory_mb,
            "DISK_GB": self.disk_gb,
        }
        return {k: n - self.used.get(k, 0) for k, n in total.items()}


@dataclasses.dataclass(slots=True)
class Server:
    """A server.

    :ivar encoded: as JSON, until something of it changes
    """

    uuid: str
    project_id: str
    host: str
    created: float
    updated: float
    extra_specs: Mapping[str, str]
    image: Mapping[str, str] | None
    hints: Mapping[str, Any]
    cell: str = "cell-1"
    vcpus: int = 1
    memory_mb: int = 512
    disk_gb: int = 1
    vm_state: str = "active"
    task_state: str | None = None
    power_state: int = 1
    locked: bool = False
    locked_reason: str | None = None
    locked_by: str = ""
    before: str = "active"
    encoded: bytes = b""

    @property
    def deleted(self) -> bool:
        return self.vm_state == "deleted"

    @property
    def amounts(self) -> dict[str, int]:
        return {
            "VCPU": self.vcpus,
            "MEMORY_MB": self.memory_mb,
            "DISK_GB": self.disk_gb,
        }


@dataclasses.dataclass(slots=True)
class Move:
    """A migration.

    :ivar updated: None: never, since it was begun
    """

    number: int
    uuid: str
    server: str
    source: str
    dest: str | None
    kind: str
    status: str
    user_id: str
    project_id: str
    created: float
    updated: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Deed:
    """An entry of the instance actions."""

    action: str
    request_id: str
    user_id: str
    project_id: str
    at: float
    message: str | None = None
