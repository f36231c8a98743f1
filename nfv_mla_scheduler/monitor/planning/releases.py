# SPDX-License-Identifier: Apache-2.0
"""Which servers with our mark are to be let go, and what comes before that.

Pure.  A server is let go when it complies, or asks for nothing any more, or
is only permissively found by now; and when everything that could say otherwise
is in sight, and it is known to be where Nova says.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.situation import closed_to_servers
from nfv_mla_scheduler.monitor.planning.situation import our_marks
from nfv_mla_scheduler.monitor.planning.spent import disturbing
from nfv_mla_scheduler.monitor.planning.spent import newest
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Release
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why

LEAST_AGE_S = 60.0

# Those of a live migration's in which Nova lets it be aborted (2.65).
_ABORTABLE = ("queued", "preparing", "running")


@dataclasses.dataclass(frozen=True, slots=True)
class ReleasesPlan:
    """What is to be released, or ended before that; see ``plans.Plan``."""

    releases: tuple[Release, ...]
    steps: tuple[Planned, ...]
    held: tuple[Held, ...]


def plan_releases(it: Situation) -> ReleasesPlan:
    """Return what to release now, and what of it is held."""
    releases: list[Release] = []
    steps: list[Planned] = []
    held: list[Held] = []
    marks = our_marks(it)
    for uuid in sorted(marks.keys() & it.picture.servers.keys()):
        server = it.picture.servers[uuid]
        found = it.verdict.servers.get(uuid)
        if not server.locked or (found is not None and not found.permissive):
            continue
        complies = found is None and uuid in it.verdict.complies
        if found is None and not complies and uuid in it.verdict.asking:
            continue
        unproven = it.locks.get(uuid) is Lock.UNPROVEN
        answer = (
            _why(it)
            or (Why.NOT_YET if unproven else None)
            or _release(it, server, marks[uuid], complies)
        )
        if isinstance(answer, Release) and uuid not in it.there:
            answer = Why.ASTRAY
        if isinstance(answer, Release):
            releases.append(answer)
        elif isinstance(answer, Planned):
            steps.append(answer)
        else:
            # a release takes back the lock, whatever else was done
            held.append(Held(uuid, server.host, Step.LOCK, answer))
    return ReleasesPlan(tuple(releases), tuple(steps), tuple(held))


def to_release(it: Situation) -> tuple[str, ...]:
    """Return the UUIDs of those that are released if they are there."""
    every = dataclasses.replace(it, there=it.picture.servers.keys())
    return tuple(each.server for each in plan_releases(every).releases)


def _why(it: Situation) -> Why | None:
    """Return the first reason why nobody is released; None: there is none.

    The order: arming, pause, policy expired, picture too old, just started,
    the clock jumped, the picture is partial.
    """
    partial = Why.PARTIAL if it.incomplete else None
    return closed_to_servers(it) or it.unsettled or partial


def _release(
    it: Situation, server: Server, mark: Mark, complies: bool
) -> Release | Planned | Why:
    move = newest(it.picture.migrations.get(server.uuid, ()), it.user_id)
    if move is not None and move.course is Course.UNDER_WAY:
        return _abort(it, server, move) if complies else Why.BUSY
    moves = it.picture.migrations.get(server.uuid, ())
    if server.task or any(m.course is Course.UNDER_WAY for m in moves):
        return Why.BUSY
    if _to_confirm(server, mark, move):
        return _end(it, server, Step.COLD_MIGRATE, Ask.CONFIRM)
    if mark.to_rebuild:
        unbuilt = it.unbuilt.get(server.uuid)
        if unbuilt is None:
            return Why.BUSY
        if unbuilt:
            # Its old disk may have come along from shared storage.
            return _end(it, server, Step.REBUILD_ELSEWHERE, Ask.REBUILD)
    # A mark from a clock ahead of ours must not keep a server for ever.
    if abs(it.now - mark.at) < LEAST_AGE_S:
        return Why.NOT_YET
    asks: tuple[Ask, ...] = (Ask.UNLOCK,)
    if _to_start(server, mark):
        # Unlocked first, a kill in between would leave it stopped for good.
        asks = (Ask.START, Ask.UNLOCK)
    return Release(server.uuid, server.host, asks)


def _abort(it: Situation, server: Server, move: Migration) -> Planned | Why:
    """Cancel a move that is not due any more, if Nova would do so."""
    if move.kind == "live-migration" and move.status in _ABORTABLE:
        return _end(it, server, Step.LIVE_MIGRATE, Ask.ABORT, move.number)
    return Why.BUSY


def _end(
    it: Situation, server: Server, step: Step, ask: Ask, migration: int = 0
) -> Planned:
    return Planned(
        server=server.uuid,
        host=server.host,
        step=step,
        asks=(ask,),
        code="",
        until=it.now + it.deadlines_s.get(step, 0.0),
        kind="complies",
        migration=migration,
    )


def _to_confirm(server: Server, mark: Mark, move: Migration | None) -> bool:
    """Whether a cold migration of ours has arrived; its owner's wait."""
    return (
        server.vm_state is VmState.RESIZED
        and mark.code is Code.COLD_MIGRATE
        and move is not None
        and move.kind == "migration"
    )


def _to_start(server: Server, mark: Mark) -> bool:
    return (
        server.vm_state is VmState.STOPPED
        and mark.was == VmState.ACTIVE.value
        and disturbing(mark)
    )
