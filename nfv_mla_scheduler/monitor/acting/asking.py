# SPDX-License-Identifier: Apache-2.0
"""How each request of a step is put to Nova, and when it may be put.

Speaks through the port only.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Unmet
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.locks import whose
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.port import DEEDS_MAX
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.states import possible
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

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
_LOCKING = ("lock", "unlock")
# What is as right in one state as in another; what Nova cannot do as things
# are, it refuses.
_IN_ANY_STATE = frozenset({Ask.POWER_OFF, Ask.ABORT})
# What may be asked for a stop that was planned for another state.
_STOPS = frozenset(
    {Ask.STOP, Ask.UNPAUSE, Ask.RESUME, Ask.UNRESCUE, Ask.RESET_STATE}
)
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
    it lasts, how things were before, and that it is to be rebuilt.
    """
    at = float(int(now))
    if old is None:
        return Mark(code, new_id, at, at, was)
    return Mark(
        code,
        old.id,
        at,
        min(old.since, at),
        old.was,
        rebuild=old.to_rebuild,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Leave:
    """What may be done of a step, as its server is now.

    :ivar text: to lock it with before anything else; None: its lock stays
    :ivar mark: the id of the mark that these requests belong to
    :ivar asks: requests in their order, without locks
    :ivar unmet: why there are none of them; empty: there are, or need not be
    :ivar forced: whether its lock is none that is to be replaced, but for its
        changing time after time
    """

    text: str | None
    mark: str
    asks: tuple[Ask, ...]
    unmet: str = ""
    forced: bool = False


def leave(
    planned: Planned,
    fresh: Server,
    seen: Server | None,
    keys: tuple[bytes, ...],
    cloud: Cloud,
    write: Callable[[Code, Mark | None], tuple[str, str]],
    insist: bool = False,
) -> Leave:
    """Return what may be done of a step now.

    Whoever changes a server between look and request is not to escape by
    that.  A lock is right in any state.  So is a stop, which is asked as the
    state of now allows; that it was due is marked even where it cannot be.
    For the power-off of a host nothing of a server matters, not even that it
    is there: who asks for it asks for all of them.  Nobody's lock keeps it,
    or a halt that is late, from being done: it is only not marked.

    :param write: makes a mark: its text and its id
    :param insist: the server has changed time after time
    :raises Unmet: saying what is not as it was
    """
    asks: tuple[Ask, ...] = planned.asks
    asks = tuple(ask for ask in asks if ask is not Ask.LOCK)
    old = mark_of(seen.locked_reason, seen.uuid, keys) if seen else None
    number = old.id if old else ""
    off = asks == (Ask.POWER_OFF,)
    if off and (seen is None or fresh.host != planned.host):
        return Leave(None, number, asks)
    check_place(fresh, seen, planned.host)
    assert seen is not None
    unmet = ""
    if planned.step is Step.STOP and asks and not _alike(fresh, seen):
        asks, unmet = _stop_of_now(fresh)
    elif not _IN_ANY_STATE.issuperset(asks):
        check_state(fresh, seen)
    locks = bool(planned.code) or Ask.LOCK in planned.asks
    try:
        forced = _check_lock(fresh, seen, keys, cloud, locks, insist)
    except (CloudFailed, Unmet):
        if not planned.regardless:
            raise
        return Leave(None, number, asks, unmet)
    if locks:
        text, number = write(Code(planned.code or Code.LOCK.value), old)
        return Leave(text, number, asks, unmet, forced)
    # Ours is put back as it was: its time counts.
    lost = _lock(fresh) != _lock(seen) and old is not None
    text_again = seen.locked_reason if lost else None
    return Leave(text_again, number, asks, unmet, forced)


def _check_lock(
    fresh: Server,
    seen: Server,
    keys: tuple[bytes, ...],
    cloud: Cloud,
    locks: bool,
    insist: bool,
) -> bool:
    """Return whether a server's lock is only replaced since we insist.

    :raises Unmet: when it is one to be kept
    """
    if _lock(fresh) == _lock(seen):
        return False
    deeds = cloud.deeds(fresh.uuid)
    found = mark_of(fresh.locked_reason, fresh.uuid, keys)
    has = Marks({fresh.uuid: found} if found else {}, {})
    acts = [deed.action for deed in deeds if deed.action in _LOCKING]
    hidden = len(deeds) >= DEEDS_MAX and not acts
    lock = whose(fresh, has, None if hidden else deeds, cloud.user_id)
    if lock is Lock.ADMINISTRATOR and not (
        # Of a lock that a host made up, Nova knows nothing.
        insist and (not acts or acts[-1] == "unlock")
    ):
        raise Unmet("somebody has locked it meanwhile")
    ours = mark_of(seen.locked_reason, seen.uuid, keys) is not None
    # By another monitor, or by a person; a member cannot.
    gone = lock is Lock.OURS or (ours and lock is not Lock.FORGED)
    changed = gone or not (locks or ours)
    if changed and not insist:
        raise Unmet("its lock is not what it was")
    return changed or lock is Lock.ADMINISTRATOR


def _lock(server: Server) -> tuple[bool, str]:
    return server.locked, server.locked_reason


def _alike(fresh: Server, seen: Server) -> bool:
    return (fresh.vm_state, fresh.task) == (seen.vm_state, seen.task)


def _stop_of_now(fresh: Server) -> tuple[tuple[Ask, ...], str]:
    """Return how to stop a server as it is now, or why it cannot be."""
    found = possible(Step.STOP, fresh)
    if not _STOPS.issuperset(found.asks) or not found.asks:
        task = bounded(fresh.task, 32)
        return (), f"it cannot be stopped in {fresh.vm_state.value} {task}"
    alone = found.asks == (Ask.STOP,)
    return found.asks if alone else (*found.asks, Ask.STOP), ""


def check_place(fresh: Server, seen: Server | None, host: str) -> None:
    """:raises Unmet: when a server is not where it was."""
    if seen is None:
        raise Unmet("it was not in sight when this was planned")
    if not fresh.host or fresh.host != host:
        raise Unmet("it is on another host meanwhile")


def check_state(fresh: Server, seen: Server) -> None:
    """:raises Unmet: when a server's state is not what it was."""
    if not _alike(fresh, seen):
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
    patient: bool = True,
) -> bool:
    """Whether Nova shows, within 5 s, what a prelude leads to.

    :param patient: False: look once
    """
    for pause_s in PAUSES_S if patient else ():
        server = attempt.look(cloud, uuid)
        if server.vm_state is not PRELUDES[ask] and not server.task:
            return True
        pause(pause_s)
    server = attempt.look(cloud, uuid)
    return server.vm_state is not PRELUDES[ask] and not server.task
