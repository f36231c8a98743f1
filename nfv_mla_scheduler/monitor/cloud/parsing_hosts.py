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
from nfv_mla_scheduler.monitor.cloud.fields import readable_id
from nfv_mla_scheduler.monitor.cloud.fields import truth
from nfv_mla_scheduler.monitor.cloud.fields import word
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.unread import Faults

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
    """A compute node: its UUID and name, and what Nova says of its host.

    :ivar service: UUID of its service; empty: not said
    """

    uuid: str
    name: str
    host: str
    service: str


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
        # By all that is read of each, as it was told.
        self._known: dict[tuple[object, ...], Service] = {}
        self._read: list[Service] = []

    def read(self, listed: Iterable[object], faults: Faults) -> list[Service]:
        """Return all of them; the same list as before if none has changed.

        A host whose service cannot be read any more keeps the one that it
        had: it is not to vanish by what it writes of itself.

        :param faults: counts those that cannot be read
        """
        known: dict[tuple[object, ...], Service] = {}
        spoilt: list[object] = []
        fresh = False
        for raw in listed:
            told = tuple(map(raw.get, _FIELDS)) if type(raw) is dict else ()
            service = self._as_before(told)
            if service is None:
                try:
                    service = read_service(raw)
                except Unreadable as exc:
                    faults.add(exc.fault)
                    spoilt.append(raw)
                    continue
                fresh = True
                told = told if _hashable(told) else (len(known),)
            known[told] = service
        if fresh or spoilt or len(known) != len(self._known):
            known |= self._kept(known, spoilt)
            by_name = {(s.host, s.uuid): s for s in known.values()}
            self._read = list(by_name.values())
            self._known = known
        return self._read

    def _as_before(self, told: tuple[object, ...]) -> Service | None:
        """Return a service of which the same was told before, if any."""
        try:
            return self._known.get(told)
        except TypeError:  # a list or object where a word should be
            return None

    def _kept(
        self,
        known: Mapping[tuple[object, ...], Service],
        spoilt: Iterable[object],
    ) -> dict[tuple[object, ...], Service]:
        """Return what is still to be believed of those that are spoilt."""
        hosts = {_host_of(raw) for raw in spoilt}
        hosts -= {service.host for service in known.values()}
        return {t: s for t, s in self._known.items() if s.host in hosts}


def _hashable(told: tuple[object, ...]) -> bool:
    try:
        hash(told)
    except TypeError:
        return False
    return True


def _host_of(raw: object) -> str:
    """Return the host of a service, as far as it can be read."""
    host = raw.get("host") if type(raw) is dict else None
    return host if type(host) is str else ""


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
        readable_id(service),
    )


def nodes_of(
    services: Iterable[Service], hypervisors: Iterable[Hypervisor]
) -> dict[str, Node]:
    """Return all compute hosts, by the names that ``Picture.nodes`` has.

    The first of several compute nodes is the one whose name is.  Services of
    several cells may have one host name: each has its own nodes.
    """
    services = list(services)
    by_service: dict[str, list[Hypervisor]] = {}
    by_host: dict[str, list[Hypervisor]] = {}
    uuids = {service.uuid for service in services if service.uuid}
    for hypervisor in hypervisors:
        if hypervisor.service in uuids:
            by_service.setdefault(hypervisor.service, []).append(hypervisor)
        else:
            by_host.setdefault(hypervisor.host, []).append(hypervisor)
    nodes: dict[str, Node] = {}
    bare = []
    for service in services:
        found = by_service.get(service.uuid, [])
        found += by_host.pop(service.host, [])
        for hypervisor in sorted(found, key=lambda h: h.name):
            node = _node(service, hypervisor.uuid, hypervisor.name)
            _add(nodes, node, hypervisor.name)
        if not found:
            bare.append(service)
    for service in bare:
        _add(nodes, _node(service, "", ""), service.uuid)
    return nodes


def _add(nodes: dict[str, Node], node: Node, name: str) -> None:
    """Add a node, by the name of its host as long as that is free."""
    for key in (node.host, f"{node.host}/{name}", f"{node.host}/{node.uuid}"):
        if key not in nodes:
            nodes[key] = node
            return


def with_services(
    known: Mapping[str, Node], services: Iterable[Service]
) -> dict[str, Node]:
    """Return ``known`` with its services as they are now.

    What has not changed stays the same object.
    """
    now = {(service.host, service.uuid): service for service in services}
    had = {(node.host, node.service) for node in known.values()}
    # Host -> services that it had not; the first stands for one that is gone.
    new: dict[str, list[Service]] = {}
    for name, service in now.items():
        if name not in had:
            new.setdefault(service.host, []).append(service)
    taken = set()
    nodes: dict[str, Node] = {}
    for key, node in known.items():
        found = now.get((node.host, node.service))
        if found is None and node.host in new:
            found = new[node.host][0]
            taken.add(found.uuid)
        if found is not None:
            same = _is_as(node, found)
            nodes[key] = node if same else _node(found, node.uuid, node.name)
    for host, others in new.items():
        for service in others:
            if service.uuid not in taken or host not in nodes:
                _add(nodes, _node(service, "", ""), service.uuid)
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
