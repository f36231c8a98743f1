# SPDX-License-Identifier: Apache-2.0
"""Which servers and compute services bear our mark, and whose a lock is.

Pure.  Nova says that a server is locked and why, never by whom; its record of
what was done to a server (os-instance-actions) does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.marks import PREFIX
from nfv_mla_scheduler.monitor.marks import Forged
from nfv_mla_scheduler.monitor.marks import Mark
from nfv_mla_scheduler.monitor.marks import read
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.standing import Lock


@dataclasses.dataclass(frozen=True, slots=True)
class Marks:
    """Everything in a picture that begins as our marks do.

    :ivar servers: server's UUID -> its mark
    :ivar nodes: key in ``Picture.nodes`` -> the mark of its service
    :ivar forged: those that are none of ours; of which domain their servers
        are is not known here
    """

    servers: Mapping[str, Mark]
    nodes: Mapping[str, Mark]
    forged: tuple[Tampered, ...] = ()


def read_marks(picture: Picture, keys: tuple[bytes, ...]) -> Marks:
    """Return the marks in a picture.

    Only what is locked or disabled can bear one: Nova drops the reason with
    the lock.
    """
    servers: dict[str, Mark] = {}
    nodes: dict[str, Mark] = {}
    forged: list[Tampered] = []
    for uuid, server in picture.servers.items():
        if server.locked and server.locked_reason.startswith(PREFIX):
            try:
                mark = read(server.locked_reason, uuid, keys)
            except Forged as wrong:
                forged.append(Tampered("server", uuid, str(wrong)))
            else:
                if mark is not None:
                    servers[uuid] = mark
    told = set()
    for name, node in picture.nodes.items():
        if not node.enabled and node.reason.startswith(PREFIX):
            try:
                mark = read(node.reason, node.service, keys)
            except Forged as wrong:
                if node.service not in told:
                    told.add(node.service)
                    forged.append(Tampered("host", node.host, str(wrong)))
            else:
                if mark is not None:
                    nodes[name] = mark
    return Marks(servers, nodes, tuple(forged))


def whose(
    server: Server,
    marks: Marks,
    deeds: tuple[Deed, ...] | None,
    our_user: str,
) -> Lock:
    """Return whose lock a server has.

    Nova takes a lock by anybody in the server's own project for its owner's,
    whatever their roles, and lets its members undo it (compute.api.API.lock,
    is_expected_locked_by).  It records lock and unlock with the user and
    project that asked, save a lock on top of a lock by the owner, which does
    nothing.

    Where the record is not known, or says of no lock, a foreign lock counts
    as an administrator's: to replace that would lose it for good, while an
    owner who poses gains one cycle in which a start can be undone again.

    :param deeds: oldest first; None: not known
    """
    if not server.locked:
        return Lock.NONE
    last = _last_lock(deeds)
    by_owner = last is not None and (
        last.project_id == server.project_id and last.user_id != our_user
    )
    if server.uuid in marks.servers:
        # An owner may lock with a mark that we once gave, and unlock at will.
        return Lock.FORGED if by_owner else Lock.OURS
    if server.locked_reason.startswith(PREFIX):
        return Lock.FORGED
    return Lock.OWNER if by_owner else Lock.ADMINISTRATOR


def _last_lock(deeds: tuple[Deed, ...] | None) -> Deed | None:
    """Return the deed that put the present lock there, if it is known."""
    for deed in reversed(deeds or ()):
        if deed.action == "lock":
            return deed
        if deed.action == "unlock":
            return None
    return None
