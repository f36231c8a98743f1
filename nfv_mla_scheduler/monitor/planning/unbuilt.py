# SPDX-License-Identifier: Apache-2.0
"""Servers that were evacuated to be rebuilt, and are not yet.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.record import Record
from nfv_mla_scheduler.monitor.planning.spent import SKEW_S


def unbuilt(
    picture: Picture,
    marks: Marks,
    record_of: Callable[[Server], Record | None],
) -> Mapping[str, bool]:
    """Return which servers were evacuated to be rebuilt, and are not yet.

    By what Nova recorded of each: a request to rebuild leaves no other trace
    that lasts.  Absent is of whom that cannot be told.
    """
    found = {}
    for uuid, mark in marks.servers.items():
        server = picture.servers.get(uuid)
        if server is None or not mark.to_rebuild:
            continue
        told = _is_unbuilt(
            server,
            mark.since - SKEW_S,
            record_of(server),
            picture.migrations.get(uuid, ()),
        )
        if told is not None:
            found[uuid] = told
    return found


def _is_unbuilt(
    server: Server,
    since: Instant,
    record: Record | None,
    moves: tuple[Migration, ...],
) -> bool | None:
    """Return whether a server was evacuated and not rebuilt; None: unknown.

    Its owner can have so many deeds recorded that those before are not shown.
    """
    if record is None:
        return None
    deeds = record.deeds
    evacuated = max(
        (d.at for d in deeds if d.action == "evacuate" and d.at >= since),
        default=None,
    )
    if evacuated is None:
        unseen = record.begins > since or any(
            m.kind == "evacuation" and m.created >= since for m in moves
        )
        return None if unseen else False
    # One that failed has a message, and leaves the server in error.
    return server.vm_state is VmState.ERROR or not any(
        d.action == "rebuild" and d.at >= evacuated and not d.message
        for d in deeds
    )
