# SPDX-License-Identifier: Apache-2.0
"""Nova and Placement as one ``port.Cloud``."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cloud import answers
from nfv_mla_scheduler.monitor.cloud.nova import Nova
from nfv_mla_scheduler.monitor.cloud.placement import Placement
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.port import Page


class NovaAndPlacement:
    """A ``port.Cloud``: hands each request to whom it concerns.

    May be used by several threads.
    """

    def __init__(
        self, nova: Nova, placement: Placement, user_id: Callable[[], str]
    ) -> None:
        self._nova = nova
        self._placement = placement
        self._user_id = user_id

    def servers(self, since: Instant | None) -> Iterator[Page]:
        """See ``port``."""
        return self._nova.servers(since)

    def server(self, uuid: str) -> Server | None:
        """See ``port``."""
        return self._nova.server(uuid)

    def nodes(self) -> Mapping[str, Node]:
        """See ``port``."""
        return self._nova.nodes()

    def services(self, known: Mapping[str, Node]) -> Mapping[str, Node]:
        """See ``port``."""
        return self._nova.services(known)

    @property
    def unread(self) -> tuple[str, ...]:
        """See ``port``."""
        return self._nova.unread

    def migrations(self, since: Instant) -> tuple[Migration, ...]:
        """See ``port``."""
        return self._nova.migrations(since)

    def deeds(self, uuid: str, back_to: Instant = NEVER) -> tuple[Deed, ...]:
        """See ``port``."""
        return self._nova.deeds(uuid, back_to)

    def trait_names(self, prefix: str) -> frozenset[str]:
        """See ``port``."""
        return self._placement.trait_names(prefix)

    def providers(self, trait: str) -> frozenset[str]:
        """See ``port``."""
        return self._placement.providers(trait)

    def room(self, amounts: Mapping[str, int]) -> frozenset[str]:
        """See ``port``."""
        return self._placement.room(amounts)

    def allocation(self, server: str) -> frozenset[str]:
        """See ``port``."""
        return self._placement.allocation(server)

    def tree(self, provider: str) -> frozenset[str]:
        """See ``port``."""
        return self._placement.tree(provider)

    def disable(self, service: str, reason: str) -> None:
        """See ``port``."""
        self._nova.disable(service, reason)

    def enable(self, service: str) -> None:
        """See ``port``."""
        self._nova.enable(service)

    def force_down(self, service: str, down: bool, reason: str = "") -> None:
        """See ``port``."""
        self._nova.force_down(service, down, reason)

    def lock(self, server: str, reason: str) -> None:
        """See ``port``."""
        self._nova.lock(server, reason)

    def unlock(self, server: str) -> None:
        """See ``port``."""
        self._nova.unlock(server)

    def act(self, server: str, action: str, argument: object = None) -> None:
        """See ``port``."""
        self._nova.act(server, action, argument)

    def abort(self, server: str, migration: int) -> None:
        """See ``port``."""
        self._nova.abort(server, migration)

    def create_trait(self, trait: str) -> None:
        """See ``port``."""
        self._placement.create_trait(trait)

    def edit_traits(
        self,
        provider: str,
        add: Set[str] = frozenset(),
        remove: Set[str] = frozenset(),
    ) -> None:
        """See ``port``."""
        self._placement.edit_traits(provider, add, remove)

    @property
    def user_id(self) -> str:
        """See ``port.Reader``."""
        try:
            return self._user_id()
        except Exception as exc:
            what = "Keystone: who we are"
            raise answers.interrupted(what, exc, False) from exc
