# SPDX-License-Identifier: Apache-2.0
"""Compute services and compute nodes as Nova lists them -> ``Node``.  Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.fields import identifier
from nfv_mla_scheduler.monitor.cloud.fields import mapping
from nfv_mla_scheduler.monitor.cloud.fields import optional
from nfv_mla_scheduler.monitor.cloud.fields import truth
from nfv_mla_scheduler.monitor.cloud.fields import word
from nfv_mla_scheduler.monitor.picture import Node

_STATUS = {"enabled": True, "disabled": False}
_STATE = {"up": True, "down": False}


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """A nova-compute service.

    :ivar uuid: empty: the cell that it is in does not answer
    """

    host: str
    uuid: str
    enabled: bool
    reason: str
    up: bool
    forced_down: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Hypervisor:
    """A compute node: its UUID, its name, Nova's name of its host."""

    uuid: str
    name: str
    host: str


_FIELDS = (
    "host",
    "id",
    "status",
    "disabled_reason",
    "state",
    "forced_down",
)


def read_service(raw: object) -> Service:
    """Return one service.

    Of a cell that is down, Nova lists host and status ``UNKNOWN`` only (from
    microversion 2.69).

    :raises Unreadable: naming what is wrong
    """
    raw = mapping(raw, "service")
    host = word(raw, "host")
    status = raw.get("status")
    if status == "UNKNOWN" and "id" not in raw:
        return Service(host, "", True, "", False, False)
    return Service(
        host,
        identifier(raw, "id"),
        _one_of(raw, "status", _STATUS),
        optional(raw, "disabled_reason"),
        _one_of(raw, "state", _STATE),
        truth(raw, "forced_down"),
    )


class Services:
    """Reads services; one that is as it was is not read again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[object, ...], Service]] = {}

    def read(self, listed: Iterable[object]) -> list[Service]:
        """Return all of them.

        :raises Unreadable: naming what is wrong
        """
        before, known = self._known, {}
        for raw in listed:
            told = _told(raw) if type(raw) is dict else ()
            name = told[0] if told else None
            seen = before.get(name) if type(name) is str else None
            if seen is None or seen[0] != told:
                service = read_service(raw)
                seen = told, service
            known[seen[1].host] = seen
        self._known = known
        return [service for _, service in known.values()]


def _told(raw: Mapping[str, Any]) -> tuple[object, ...]:
    """Return all that is read of a service; what is left out is None."""
    return tuple(map(raw.get, _FIELDS))


def read_hypervisor(raw: object) -> Hypervisor:
    """Return one compute node.

    :raises Unreadable: naming what is wrong
    """
    raw = mapping(raw, "hypervisor")
    service = mapping(raw.get("service"), "hypervisor.service")
    return Hypervisor(
        identifier(raw, "id"),
        word(raw, "hypervisor_hostname"),
        word(service, "host"),
    )


def nodes_of(
    services: Iterable[Service], hypervisors: Iterable[Hypervisor]
) -> dict[str, Node]:
    """Return all compute hosts, by the names that ``Picture.nodes`` has.

    The first of several compute nodes is the one whose name is.
    """
    by_host: dict[str, list[Hypervisor]] = {}
    for hypervisor in hypervisors:
        by_host.setdefault(hypervisor.host, []).append(hypervisor)
    nodes: dict[str, Node] = {}
    for service in services:
        found = sorted(by_host.get(service.host, ()), key=lambda h: h.name)
        for index, hypervisor in enumerate(found):
            key = f"{service.host}/{hypervisor.name}"
            nodes[key if index else service.host] = _node(
                service, hypervisor.uuid, hypervisor.name
            )
        if not found:
            nodes[service.host] = _node(service, "", "")
    return nodes


def with_services(
    known: Mapping[str, Node], services: Iterable[Service]
) -> dict[str, Node]:
    """Return ``known`` with its services as they are now.

    What has not changed stays the same object.
    """
    now = {service.host: service for service in services}
    nodes: dict[str, Node] = {}
    for key, node in known.items():
        service = now.get(node.host)
        if service is not None:
            same = _is_as(node, service)
            nodes[key] = node if same else _node(service, node.uuid, node.name)
    for host, service in now.items():
        if host not in nodes:
            nodes[host] = _node(service, "", "")
    return nodes


def _is_as(node: Node, service: Service) -> bool:
    return (
        node.service == service.uuid
        and node.enabled is service.enabled
        and node.up is service.up
        and node.reason == service.reason
        and node.forced_down is service.forced_down
        and node.host == service.host
    )


def _node(service: Service, uuid: str, name: str) -> Node:
    return Node(
        service.host,
        uuid,
        name,
        service.uuid,
        service.enabled,
        service.reason,
        service.up,
        service.forced_down,
    )


def _one_of(
    raw: Mapping[str, Any], name: str, words: Mapping[str, bool]
) -> bool:
    found = words.get(optional(raw, name))
    if found is None:
        raise Unreadable(name, " or ".join(words), raw.get(name))
    return found
