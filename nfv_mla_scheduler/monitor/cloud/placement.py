# SPDX-License-Identifier: Apache-2.0
"""Placement by its API, as far as the monitor needs it.

Traits, room, and what is allocated to a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set
from urllib.parse import quote

from nfv_mla_scheduler.monitor.cloud import paging
from nfv_mla_scheduler.monitor.cloud.channel import Channel
from nfv_mla_scheduler.monitor.cloud.channel import Speaks
from nfv_mla_scheduler.monitor.cloud.fields import WORD_MAX
from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.fields import identifier
from nfv_mla_scheduler.monitor.cloud.fields import items
from nfv_mla_scheduler.monitor.cloud.fields import mapping
from nfv_mla_scheduler.monitor.cloud.fields import number
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed

# The first in which a trait of providers can be forbidden; no later one
# changes what is used here.
SPEAKS = Speaks("placement", "Placement", (1, 22), (1, 22))
CONFLICTS_MAX = 5

Traits = frozenset[str]


class Placement:
    """The part of ``port.Cloud`` that is Placement."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def trait_names(self, prefix: str) -> Traits:
        """See ``port.Reader``."""
        query = {"name": f"startswith:{prefix}", "associated": "true"}
        return _traits(self._channel.get("/traits", query), "/traits")

    def providers(self, trait: str) -> frozenset[str]:
        """See ``port.Reader``."""
        return self._providers({"required": trait})

    def room(self, amounts: Mapping[str, int]) -> frozenset[str]:
        """See ``port.Reader``.

        Of a provider that has everything itself.  Where disks are those of a
        shared storage, no compute node has ``DISK_GB``.
        """
        query = {"required": "!COMPUTE_STATUS_DISABLED"}
        if amounts:
            query["resources"] = ",".join(
                f"{name}:{amount}" for name, amount in sorted(amounts.items())
            )
        return self._providers(query)

    def allocation(self, server: str) -> frozenset[str]:
        """See ``port.Reader``."""
        path = "/allocations"
        answer = self._channel.get(f"{path}/{_in_path(server)}")
        try:
            found = mapping(answer.get("allocations"), "allocations")
            for name in found:
                if not 0 < len(name) <= WORD_MAX:
                    raise Unreadable("allocations", "object by UUID", name)
        except Unreadable as exc:
            raise paging.bad_answer(path, exc) from exc
        return frozenset(found)

    def tree(self, provider: str) -> frozenset[str]:
        """See ``port.Reader``."""
        return self._providers({"in_tree": provider})

    def create_trait(self, trait: str) -> None:
        """See ``port.Writer``."""
        self._channel.send("PUT", f"/traits/{_in_path(trait)}")

    def edit_traits(
        self,
        provider: str,
        add: Set[str] = frozenset(),
        remove: Set[str] = frozenset(),
    ) -> None:
        """See ``port.Writer``; nothing is sent when nothing changes.

        Anybody's change to the provider raises its generation, its inventory
        among them: the compute reports that every minute.
        """
        path = f"/resource_providers/{_in_path(provider)}/traits"
        for attempt in range(CONFLICTS_MAX + 1):
            answer = self._channel.get(path)
            has = _traits(answer, path)
            wanted = (has | add) - remove
            if wanted == has:
                return
            body = {
                "resource_provider_generation": _generation(answer, path),
                "traits": sorted(wanted),
            }
            try:
                self._channel.send("PUT", path, body)
            except CloudFailed as exc:
                if exc.reason is not CloudCode.CONFLICT:
                    raise
                if attempt == CONFLICTS_MAX:
                    raise
            else:
                return

    def _providers(self, query: Mapping[str, str]) -> frozenset[str]:
        path = "/resource_providers"
        answer = self._channel.get(path, query)
        try:
            return frozenset(
                identifier(mapping(raw, "provider"), "uuid")
                for raw in items(answer, "resource_providers")
            )
        except Unreadable as exc:
            raise paging.bad_answer(path, exc) from exc


def _traits(answer: Mapping[str, object], path: str) -> Traits:
    try:
        listed = items(answer, "traits")
        for name in listed:
            if type(name) is not str or not 0 < len(name) <= 255:
                raise Unreadable("traits", "list of names", name)
    except Unreadable as exc:
        raise paging.bad_answer(path, exc) from exc
    return frozenset(listed)


def _generation(answer: Mapping[str, object], path: str) -> int:
    try:
        return number(answer, "resource_provider_generation")
    except Unreadable as exc:
        raise paging.bad_answer(path, exc) from exc


def _in_path(text: str) -> str:
    return quote(text, safe="")
