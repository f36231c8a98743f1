# SPDX-License-Identifier: Apache-2.0
"""What is spent of the guard's budgets.

Pure.  What was done is counted from marks and migrations, which outlive us: a
process that is killed again and again has no more to spend than one that
lives.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.reached import KINDS
from nfv_mla_scheduler.monitor.plans import Usage
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step

WINDOW_S = 60.0
# A mark from a clock that ran ahead of ours counts as new, but not for good.
AHEAD_MAX_S = 3600.0
# Nova's clocks and ours may differ by this much without being wrong.
SKEW_S = 30.0

_DISTURBING = frozenset(Code) - {Code.FENCE, Code.DIRTY, Code.LOCK}
_ELSEWHERE = (Step.EVACUATE, Step.REBUILD_ELSEWHERE)
# A host that swallows what it is asked for must not keep all others from
# being evicted: what is given up with an alarm is at rest.
_AT_REST = (State.REPORTED, State.CONFIRMED, State.NOT_HALTED)


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """By what it is told that something is over.

    :ivar user_id: who we are, to tell our moves where there is no mark
    :ivar deadlines_s: step -> by when its effect has to show; of each that
        disturbs
    :ivar hosts_off: Nova's names of hosts known, out of band, to be off
    :ivar asked: server's UUID -> when its last step was asked, by Nova's
        record; of those without a mark
    """

    now: Instant
    user_id: str
    deadlines_s: Mapping[Step, float]
    hosts_off: frozenset[str] = frozenset()
    asked: Mapping[str, Instant] = dataclasses.field(default_factory=dict)


def disturbing(mark: Mark | None) -> bool:
    """Whether a mark says that its server is being, or was, evicted."""
    return mark is not None and mark.code in _DISTURBING


def used(
    picture: Picture,
    marks: Mapping[str, Mark],
    nexts: Mapping[str, Next],
    kept: Set[str],
    terms: Terms,
) -> Usage:
    """Return what is spent of the guard's budgets.

    Whoever can write Nova's records can have moves in our name wherever it
    likes: only what our mark says counts, and where an administrator's lock
    keeps us from writing one, moves of servers that have a finding.

    :param marks: server's UUID -> its mark, verified
    :param nexts: server's UUID -> what is next, for those with a finding
    :param kept: UUIDs of servers under an administrator's lock
    """
    recent: set[str] = set()
    going: dict[str, tuple[str, str]] = {}
    ours = marks.keys() | (nexts.keys() & kept)
    for uuid in sorted(ours & picture.servers.keys()):
        server, mark = picture.servers[uuid], marks.get(uuid)
        move = newest(picture.migrations.get(uuid, ()), terms.user_id)
        if mark is not None and not disturbing(mark):
            continue
        key = _once(server, mark)
        asked = terms.asked.get(uuid)
        if _recent(mark, move, asked, terms.now):
            recent.add(key)
        over = _over(server, mark, move, terms)
        if _goes_on(server, mark, move, nexts.get(uuid), over):
            place = (_source(server, move), server.project_id)
            going.setdefault(key, place)
    return Usage(
        last_minute=len(recent),
        at_once=len(going),
        hosts=collections.Counter(host for host, _ in going.values()),
        projects=collections.Counter(name for _, name in going.values()),
    )


def newest(moves: Collection[Migration], user_id: str) -> Migration | None:
    """Return the newest move that we asked for; None: there is none."""
    ours = [m for m in moves if user_id and m.user_id == user_id]
    return max(ours, key=lambda m: (m.created, m.number), default=None)


def _once(server: Server, mark: Mark | None) -> str:
    """Return by what an eviction is counted: a power-off once for a host."""
    if mark is not None and mark.code is Code.POWER_OFF:
        return f"host {server.host}"
    return server.uuid


def _recent(
    mark: Mark | None,
    move: Migration | None,
    asked: Instant | None,
    now: Instant,
) -> bool:
    if mark is not None:
        return now - WINDOW_S < mark.at < now + AHEAD_MAX_S
    if asked is not None and -SKEW_S <= now - asked < WINDOW_S:
        return True
    return move is not None and -SKEW_S <= now - move.created < WINDOW_S


def _over(
    server: Server, mark: Mark | None, move: Migration | None, terms: Terms
) -> bool:
    """Whether what was asked last has had its time, whatever Nova shows.

    A host may keep for ever what it was asked for in a state that cannot be
    ended, and nobody else may have to wait for that.
    """
    now, limits_s = terms.now, terms.deadlines_s
    if mark is not None:
        step = next((s for s in Step if s.value == mark.code.value), None)
        off = server.host in terms.hosts_off and step not in _ELSEWHERE
        return off or step is None or now >= mark.at + limits_s[step]
    if server.host in terms.hosts_off:
        return True
    if move is not None and move.course is Course.UNDER_WAY:
        longest_s = max(
            (limits_s[s] for s, kinds in KINDS.items() if move.kind in kinds),
            default=0.0,
        )
        return not -SKEW_S <= now - move.created < longest_s
    asked = terms.asked.get(server.uuid, server.updated)
    return not -SKEW_S <= now - asked < limits_s[Step.STOP]


def _goes_on(
    server: Server,
    mark: Mark | None,
    move: Migration | None,
    follows: Next | None,
    over: bool,
) -> bool:
    if follows is not None and follows.state in _AT_REST:
        return False
    if over:
        # It counts again if it takes another step now, with its own time.
        return (
            follows is not None
            and not follows.begins
            and bool(follows.asks and follows.code)
        )
    if move is not None and move.course is Course.UNDER_WAY:
        return True
    if follows is None:
        busy = server.task or server.vm_state is VmState.RESIZED
        return mark is not None and bool(busy)
    if follows.begins and follows.asks:
        return False  # a candidate, and counted as that
    if follows.state is State.ASKED:
        return True
    return mark is not None and bool(follows.asks)


def _source(server: Server, move: Migration | None) -> str:
    """Return the host that a server leaves: it may have arrived elsewhere."""
    leaves = move is not None and (
        move.course is Course.UNDER_WAY or server.vm_state is VmState.RESIZED
    )
    return move.source if move is not None and leaves else server.host
