# SPDX-License-Identifier: Apache-2.0
"""How each request of a step is put to Nova, and when it may be put.

Speaks through the port only.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor import marks
from nfv_mla_scheduler.monitor.attempt import Attempt
from nfv_mla_scheduler.monitor.attempt import Unmet
from nfv_mla_scheduler.monitor.locks import Marks
from nfv_mla_scheduler.monitor.locks import whose
from nfv_mla_scheduler.monitor.marks import Code
from nfv_mla_scheduler.monitor.marks import Mark
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.standing import Lock
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Planned

# Looks at a server after a prelude, and the pauses before them, in seconds.
PAUSES_S = (0.25, 0.5, 1.0, 1.25, 2.0)
# A request that leads out of a state -> the state.  What follows it is
# refused until Nova shows that the server has left.
PRELUDES = {
    Ask.UNPAUSE: VmState.PAUSED,
    Ask.RESUME: VmState.SUSPENDED,
    Ask.UNRESCUE: VmState.RESCUED,
    Ask.CONFIRM: VmState.RESIZED,
    Ask.REVERT: VmState.RESIZED,
    Ask.RESTORE: VmState.SOFT_DELETED,
}
_NO_MARKS = Marks({}, {})
_PLAIN = (
    *PRELUDES,
    Ask.MIGRATE,
    Ask.STOP,
    Ask.START,
    Ask.PAUSE,
)


def mark_of(text: str, bearer: str, keys: tuple[bytes, ...]) -> Mark | None:
    """Return our mark in a text; None: there is none that we wrote."""
    try:
        return marks.read(text, bearer, keys)
    except marks.Forged:
        return None


def next_mark(
    code: Code, old: Mark | None, was: str, now: Instant, new_id: str
) -> Mark:
    """Return the mark that follows upon another one, or begins anew.

    Whoever goes on keeps the number by which people speak of it, since when
    it lasts, and how things were before.
    """
    at = float(int(now))
    if old is None:
        return Mark(code, new_id, at, at, was)
    return Mark(code, old.id, max(at, old.since), old.since, old.was)


def check(
    planned: Planned,
    fresh: Server,
    seen: Server | None,
    keys: tuple[bytes, ...],
    cloud: Cloud,
) -> None:
    """See to it that a server still is as its step was planned for.

    :raises Unmet: saying what is not
    """
    check_place(fresh, seen, planned.host)
    assert seen is not None
    # A lock is right in any state: who changes the state all the time must
    # not escape it by that.
    if any(ask is not Ask.LOCK for ask in planned.asks):
        check_state(fresh, seen)
    if (fresh.locked, fresh.locked_reason) == (
        seen.locked,
        seen.locked_reason,
    ):
        return
    ours = (
        mark_of(one.locked_reason, one.uuid, keys) for one in (fresh, seen)
    )
    if not planned.code or any(ours):
        raise Unmet("its lock is not what it was")
    lock = whose(fresh, _NO_MARKS, cloud.deeds(fresh.uuid), cloud.user_id)
    if lock not in (Lock.NONE, Lock.OWNER):
        raise Unmet("somebody has locked it meanwhile")


def check_place(fresh: Server, seen: Server | None, host: str) -> None:
    """:raises Unmet: when a server is not where it was."""
    if seen is None:
        raise Unmet("it was not in sight when this was planned")
    if not fresh.host or fresh.host != host:
        raise Unmet("it is on another host meanwhile")


def check_state(fresh: Server, seen: Server) -> None:
    """:raises Unmet: when a server's state is not what it was."""
    if (fresh.vm_state, fresh.task) != (seen.vm_state, seen.task):
        raise Unmet(
            f"its state is {fresh.vm_state.value} {bounded(fresh.task, 32)}"
            f" and was {seen.vm_state.value} {bounded(seen.task, 32)}"
        )


def put(
    ask: Ask, planned: Planned, server: Server, cloud: Cloud
) -> Callable[[], None]:
    """Return the request to Nova that ``ask`` means for a server.

    :raises Unmet: when there is none
    """
    uuid = server.uuid
    if ask is Ask.UNLOCK:
        return lambda: cloud.unlock(uuid)
    if ask is Ask.ABORT:
        return lambda: cloud.abort(uuid, planned.migration)
    if ask in _PLAIN:
        return lambda: cloud.act(uuid, ask.value)
    if ask is Ask.REBUILD and not server.image_id:
        raise Unmet("it has no image to be rebuilt from")
    # What cannot be told any more is an error until a stop says otherwise.
    state = "active" if server.vm_state is VmState.ACTIVE else "error"
    arguments: dict[Ask, dict[str, object]] = {
        Ask.LIVE_MIGRATE: {"host": None, "block_migration": "auto"},
        Ask.RESET_STATE: {"state": state},
        Ask.EVACUATE: {},
        Ask.REBUILD: {"imageRef": server.image_id},
    }
    if ask not in arguments:
        raise Unmet(f"{ask.value} is no request about a server")
    return lambda: cloud.act(uuid, ask.value, arguments[ask])


def shown(
    ask: Ask,
    attempt: Attempt,
    uuid: str,
    cloud: Cloud,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether Nova shows, within 5 s, what a prelude leads to."""
    for pause_s in PAUSES_S:
        server = attempt.look(cloud, uuid)
        if server.vm_state is not PRELUDES[ask] and not server.task:
            return True
        pause(pause_s)
    server = attempt.look(cloud, uuid)
    return server.vm_state is not PRELUDES[ask] and not server.task
