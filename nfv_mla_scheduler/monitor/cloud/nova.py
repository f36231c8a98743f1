# SPDX-License-Identifier: Apache-2.0
"""Nova by its API, as far as the monitor needs it.

What Nova 34 does, by its code, and what follows from it:

* Servers are listed by UUID.  It never changes, so that no server moves from
  one page to another while we walk through them; it has an index of its own;
  and it is all that Nova needs to find a marker again in each of several
  cells.  A server that is created meanwhile may be missing; ``changes-since``
  shows it next time.
* Without ``soft_deleted`` a full listing leaves out servers that are deleted
  softly.  They are still on their hosts, and ``restore`` powers them on.
* Nova says that a cell is down only in a listing without limit, marker, sort
  key and any filter but ``all_tenants``, hence never in ours: it skips the
  cell (or fails, with ``[api] list_records_by_skipping_down_cells = False``).
  It says so in ``os-services``, always; a full listing asks that in the end.
* ``updated`` of a server that was never updated is the time of the request.
* ``changes-since`` of migrations leaves out those that were never updated:
  those of a host that swallowed the request.  They are among the newest.
* From 2.88 on, ``os-hypervisors/detail`` may ask each compute how long it has
  been up, and wait for it.  Hence an older microversion there.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cloud import paging
from nfv_mla_scheduler.monitor.cloud.asks import Asks
from nfv_mla_scheduler.monitor.cloud.channel import Channel
from nfv_mla_scheduler.monitor.cloud.channel import Speaks
from nfv_mla_scheduler.monitor.cloud.deeds import deeds_of
from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.fields import each
from nfv_mla_scheduler.monitor.cloud.fields import items
from nfv_mla_scheduler.monitor.cloud.parsing import CellDown
from nfv_mla_scheduler.monitor.cloud.parsing import Repeated
from nfv_mla_scheduler.monitor.cloud.parsing import read_server
from nfv_mla_scheduler.monitor.cloud.parsing import read_servers
from nfv_mla_scheduler.monitor.cloud.parsing_deeds import read_migration
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import Hypervisor
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import Service
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import Services
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import nodes_of
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import read_hypervisor
from nfv_mla_scheduler.monitor.cloud.parsing_hosts import with_services
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Page
from nfv_mla_scheduler.monitor.unread import Faults
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.results.garbage import uncollected

# Scheduler hints of servers are shown from 2.100 on, image properties from
# 2.98, who asked for a migration from 2.80.
SPEAKS = Speaks("compute", "Nova", (2, 100), (2, 104))
HYPERVISORS_VERSION = "2.87"
HOSTS_NAMED_MAX = 3

# What an action is sent with when the caller says nothing.
_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "os-migrateLive": {"host": None, "block_migration": "auto"},
    "evacuate": {},
    "os-resetState": {"state": "error"},
}


class Nova:
    """The part of ``port.Cloud`` that is Nova.

    :param limit: how many things to list on a page
    """

    def __init__(self, channel: Channel, limit: int = paging.LIMIT) -> None:
        self._channel = channel
        self._limit = limit
        self._asks = Asks()
        self._repeated = Repeated()
        self._known_services = Services()
        # Which services were last joined with which nodes.
        self._joined: tuple[list[Service], Mapping[str, Node]] = ([], {})
        # Of each listing, what could not be read when last asked for.
        self._unread: dict[str, tuple[str, ...]] = {}

    # What only looks.

    def servers(self, since: Instant | None) -> Iterator[Page]:
        """See ``port.Reader``."""
        query: dict[str, str | int] = {"all_tenants": 1, "sort_key": "uuid"}
        query["sort_dir"] = "asc"
        if since is None:
            query["soft_deleted"] = 1
            self._asks.turn()
            changes = None
        else:
            query["changes-since"] = _moment(since)
            self._repeated.turn()
            changes = self._repeated
        pages = self._pages("/servers/detail", query, "servers")
        marker = "first"
        while marker:
            # What a page was parsed into is gone before garbage is collected.
            with uncollected():
                listed, marker = next(pages)
                found = read_servers(listed, self._asks, changes)
                listed.clear()
            missing = [found.missing] if found.missing else []
            if not marker and since is None:
                missing += _down(self._services())
            yield Page(
                found.servers,
                found.deleted,
                tuple(missing),
                marker,
                found.unread,
            )

    def server(self, uuid: str) -> Server | None:
        """See ``port.Reader``."""
        try:
            answer = self._channel.get(f"/servers/{_in_path(uuid)}")
        except CloudFailed as exc:
            if exc.reason is CloudCode.GONE:
                return None
            raise
        try:
            found = read_server(answer.get("server"), self._asks)
        except CellDown:
            message = "Nova: the cell of a server does not answer"
            raise CloudFailed(CloudCode.UNAVAILABLE, message) from None
        except Unreadable as exc:
            raise paging.bad_answer("/servers", exc) from exc
        return found if isinstance(found, Server) else None

    def nodes(self) -> Mapping[str, Node]:
        """See ``port.Reader``; ``service`` is empty while a cell is down."""
        services = self._services()
        path = "/os-hypervisors/detail"
        found: list[Hypervisor] = []
        faults = Faults("compute nodes")
        for listed, _ in self._pages(
            path, {}, "hypervisors", version=HYPERVISORS_VERSION
        ):
            found += each(listed, read_hypervisor, faults)
        self._unread[path] = faults.said()
        _need(found, faults, path)
        return nodes_of(services, found)

    def services(self, known: Mapping[str, Node]) -> Mapping[str, Node]:
        """See ``port.Reader``; ``service`` is empty while a cell is down."""
        services = self._services()
        of_these, nodes = self._joined
        if services is not of_these or known is not nodes:
            nodes = with_services(known, services)
            self._joined = services, nodes
        return nodes

    @property
    def unread(self) -> tuple[str, ...]:
        """See ``port.Reader``."""
        return tuple(text for said in self._unread.values() for text in said)

    def migrations(self, since: Instant) -> tuple[Migration, ...]:
        """See ``port.Reader``."""
        found: dict[str, Migration] = {}
        faults = Faults("migrations")
        # The newest, until they are older: also those never updated.
        for moves in self._migrations({}, faults):
            found.update((move.uuid, move) for move in moves)
            if any(move.created < since for move in moves):
                break
        if since != NEVER:
            changes = {"changes-since": _moment(since)}
            for moves in self._migrations(changes, Faults("")):
                found.update((move.uuid, move) for move in moves)
        self._unread["/os-migrations"] = faults.said()
        changed = (move for move in found.values() if move.updated >= since)
        return tuple(sorted(changed, key=lambda m: (m.created, m.number)))

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        """See ``port.Reader``."""
        return deeds_of(self._channel, uuid, back_to, self._limit)

    # What changes something.

    def disable(self, service: str, reason: str) -> None:
        """See ``port.Writer``."""
        body = {"status": "disabled", "disabled_reason": reason}
        self._update(service, body)

    def enable(self, service: str) -> None:
        """See ``port.Writer``."""
        self._update(service, {"status": "enabled"})

    def force_down(self, service: str, down: bool, reason: str = "") -> None:
        """See ``port.Writer``.

        To disable a service that Nova takes to be up has Nova wait for its
        host for up to ``long_rpc_timeout``, half an hour by default.  One
        that the same request says is down it does not wait for.

        Nova refuses to lift it until the host has dealt with what was
        evacuated from it: its service has to be started for that.
        """
        body: dict[str, object] = {"forced_down": down}
        if reason:
            body |= {"status": "disabled", "disabled_reason": reason}
        self._update(service, body)

    def lock(self, server: str, reason: str) -> None:
        """See ``port.Writer``."""
        self.act(server, "lock", {"locked_reason": reason})

    def unlock(self, server: str) -> None:
        """See ``port.Writer``."""
        self.act(server, "unlock")

    def act(self, server: str, action: str, argument: object = None) -> None:
        """See ``port.Writer``; ``rebuild`` needs an ``imageRef``."""
        if argument is None:
            argument = _ARGUMENTS.get(action)
        path = f"/servers/{_in_path(server)}/action"
        self._channel.send("POST", path, {action: argument})

    def abort(self, server: str, migration: int) -> None:
        """See ``port.Writer``."""
        path = f"/servers/{_in_path(server)}/migrations/{migration:d}"
        self._channel.send("DELETE", path)

    def _update(self, service: str, body: Mapping[str, object]) -> None:
        path = f"/os-services/{_in_path(service)}"
        self._channel.send("PUT", path, body)

    def _services(self) -> list[Service]:
        path = "/os-services"
        answer = self._channel.get(path, {"binary": "nova-compute"})
        try:
            listed = items(answer, "services")
        except Unreadable as exc:
            raise paging.bad_answer(path, exc) from exc
        faults = Faults("compute services")
        services = self._known_services.read(listed, faults)
        self._unread[path] = faults.said()
        _need(services, faults, path)
        return services

    def _migrations(
        self, query: paging.Query, faults: Faults
    ) -> Iterator[list[Migration]]:
        for listed, _ in self._pages(
            "/os-migrations", query, "migrations", key="uuid"
        ):
            yield each(listed, read_migration, faults)

    def _pages(
        self,
        path: str,
        query: paging.Query,
        name: str,
        *,
        key: str = "id",
        version: str = "",
    ) -> Iterator[tuple[list[Any], str]]:
        return paging.pages(
            self._channel, path, query, name, key, self._limit, version
        )


def _need(found: Collection[object], faults: Faults, path: str) -> None:
    """Insist that something can be read: else it is no host's doing."""
    if not found:
        for text in faults.said():
            raise CloudFailed(CloudCode.BAD_ANSWER, f"{path}: {text}")


def _down(services: list[Service]) -> tuple[str, ...]:
    """Return what to say of hosts whose cell does not answer."""
    hosts = [service.host for service in services if not service.uuid]
    if not hosts:
        return ()
    named = ", ".join(bounded(h) for h in sorted(hosts)[:HOSTS_NAMED_MAX])
    more = " and others" if len(hosts) > HOSTS_NAMED_MAX else ""
    return (f"cells do not answer: {len(hosts)} hosts, {named}{more}",)


def _moment(at: Instant) -> str:
    return write_instant(max(0.0, at))


def _in_path(text: str) -> str:
    return quote(text, safe="")
