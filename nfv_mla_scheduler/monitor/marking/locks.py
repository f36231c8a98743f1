# SPDX-License-Identifier: Apache-2.0
"""Which servers and compute services bear our mark, and whose a lock is.

And what of the answer to a finding only Nova's record still tells.

Pure.  Nova says that a server is locked and why, never by whom; its record of
what was done to a server (os-instance-actions) does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.marking.marks import PREFIX
from nfv_mla_scheduler.monitor.marking.marks import Forged
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.marks import read
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.steps import Step

# Nova's clocks and ours may differ by this much without being wrong.
SKEW_S = 30.0
# What is asked again after a longer pause begins anew.
APART_S = 600.0
_ENDS = ("unlock", "start")
# How often somebody else is believed to have ended what we did, from a day
# before it was found on: a host can have Nova record whatever it likes.
ENDS_MAX = 3
_OF_LATE_S = 86400.0
# By Nova's words (nova.compute.instance_actions).
_STEPS = {
    "stop": Step.STOP,
    "live-migration": Step.LIVE_MIGRATE,
    "migrate": Step.COLD_MIGRATE,
    "evacuate": Step.EVACUATE,
}


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

    A lock is ours if we put it there last, and its mark is one that we wrote
    since nobody else did: owners keep marks that we once gave, and hosts write
    whatever they like.  Where the record says of no lock, a foreign one
    counts as an administrator's: to replace that would lose it for good.

    :param deeds: oldest first; None: not known
    """
    if not server.locked:
        return Lock.NONE
    mark = marks.servers.get(server.uuid)
    last = _last_lock(deeds)
    by_us = last is not None and last.user_id == our_user
    if mark is not None:
        if deeds is None:
            return Lock.UNPROVEN
        return Lock.OURS if _was_ours(mark, deeds, our_user) else Lock.FORGED
    if by_us or server.locked_reason.startswith(PREFIX):
        return Lock.FORGED
    owned = last is not None and last.project_id == server.project_id
    return Lock.OWNER if owned else Lock.ADMINISTRATOR


def _was_ours(mark: Mark, deeds: tuple[Deed, ...], our_user: str) -> bool:
    """Whether a mark was written with one of our locks that stand now."""
    for deed in reversed(deeds):
        if deed.action == "unlock":
            return False
        if deed.action == "lock":
            if deed.user_id != our_user:
                return False
            if abs(deed.at - mark.at) <= SKEW_S:
                return True
    return False


def _last_lock(deeds: tuple[Deed, ...] | None) -> Deed | None:
    """Return the deed that put the present lock there, if it is known."""
    for deed in reversed(deeds or ()):
        if deed.action == "lock":
            return deed
        if deed.action == "unlock":
            return None
    return None


def overwritten(
    uuid: str, lock: Lock, marks: Marks, sealed: bool
) -> Tampered | None:
    """Return that a lock of ours is not as we left it; None: nothing new.

    That a text has our prefix and not our MAC is in ``Marks.forged``.
    """
    told = any(f.what == "server" and f.name == uuid for f in marks.forged)
    if lock is not Lock.FORGED or told:
        return None
    detail = "our lock, and another text in place of its mark"
    if uuid in marks.servers:
        detail = "a mark of ours, and not of the last lock"
    return Tampered("server", uuid, detail, sealed)


def ended_too_often(uuid: str, run: Acted, sealed: bool) -> Tampered | None:
    """Return that what we did is undone time after time; None: it is not.

    By Nova's record, which a host can write in anybody's name.
    """
    if run.ended <= ENDS_MAX:
        return None
    detail = "unlocked or started by others time after time, by Nova's record"
    return Tampered("server", uuid, detail, sealed)


def acted(
    server: Server,
    deeds: tuple[Deed, ...] | None,
    our_user: str,
    seen: Instant,
    after: Instant = NEVER,
) -> Acted:
    """Return what we asked of a server since we last let it go.

    An administrator who unlocks or starts it ends that too, some times.  What
    members of its own project do does not: they may be in league with its
    host.

    :param deeds: oldest first; None: not known
    :param seen: since when it has a finding
    :param after: deeds before that were for another finding
    """
    if deeds is None:
        return Acted(seen=seen)
    run = Acted(True, seen=seen)
    last: Instant = NEVER
    ended = 0
    for deed in deeds:
        if deed.at < after:
            continue
        if deed.user_id != our_user:
            if _ends(deed, server, run):
                ended += deed.at >= seen - _OF_LATE_S
                if ended <= ENDS_MAX:
                    run = Acted(True, seen=seen)
        elif deed.action == "unlock":
            run = Acted(True, seen=seen)
        elif deed.action == "lock" or deed.action in _STEPS:
            run = _with(run, deed, last)
            last = deed.at
    return dataclasses.replace(run, ended=ended)


def _ends(deed: Deed, server: Server, run: Acted) -> bool:
    """Whether somebody else's deed ends what we did before it."""
    return (
        deed.action in _ENDS
        and deed.project_id not in ("", server.project_id)
        and run.first is not None
        and deed.at >= run.first - SKEW_S
    )


def _with(run: Acted, deed: Deed, last: Instant) -> Acted:
    """Return a run with one deed more.

    :param last: when the deed before it was done
    """
    first = deed.at if run.first is None else run.first
    step = _STEPS.get(deed.action)
    if step is None:
        return dataclasses.replace(run, first=first)
    again = run.step is step and deed.at - last < APART_S
    return dataclasses.replace(
        run,
        first=first,
        step=step,
        begun=run.begun if again else deed.at,
        moved=deed.at if step.moves else run.moved,
    )
