# SPDX-License-Identifier: Apache-2.0
"""Which of the servers that are to be evicted have somewhere to go.

Asks the judge, and Placement for room, through what it is given.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.judging.destinations import Destinations
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState

LOG = logging.getLogger(__name__)


def somewhere(
    picture: Picture, verdict: Verdict, places: Destinations
) -> Mapping[str, bool]:
    """Return which of the servers another host would take."""
    return _each(_evicted(picture, verdict), places.somewhere)


def revertible(
    picture: Picture, verdict: Verdict, places: Destinations
) -> frozenset[str]:
    """Return the servers that a revert would bring where they may be."""

    def told(server: Server) -> bool:
        moves = picture.migrations.get(server.uuid, ())
        if server.vm_state is not VmState.RESIZED or not moves:
            return False
        last = max(moves, key=lambda m: (m.created, m.number))
        return last.dest == server.host and places.takes_back(
            server, last.source
        )

    found = _each(_evicted(picture, verdict), told)
    return frozenset(uuid for uuid, it in found.items() if it)


def _evicted(picture: Picture, verdict: Verdict) -> list[Server]:
    return [
        picture.servers[uuid]
        for uuid, finding in sorted(verdict.servers.items())
        if finding.evicts and uuid in picture.servers
    ]


def _each(
    servers: Iterable[Server], tell: Callable[[Server], bool]
) -> Mapping[str, bool]:
    """Return what is told of each server; nothing where that fails.

    One that cannot be judged must not keep all others from being evicted, or
    a host from being fenced.
    """
    found = {}
    failed: list[Exception] = []
    for server in servers:
        try:
            found[server.uuid] = tell(server)
        except Exception as exc:
            LOG.debug("nfv-mla no place for a server", exc_info=True)
            failed.append(exc)
    if failed:
        LOG.warning(
            "nfv-mla monitor: no place can be told for %d of the servers, "
            "who are not moved: %s",
            len(failed),
            bounded(f"{type(failed[0]).__name__}: {failed[0]}", 120),
        )
    return found
