# SPDX-License-Identifier: Apache-2.0
"""Take one step about one server, or let it go again.

Speaks through the port, and to the operator's power commands.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.acting import asking
from nfv_mla_scheduler.monitor.acting.asking import Leave
from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Unmet
from nfv_mla_scheduler.monitor.acting.crew import Once
from nfv_mla_scheduler.monitor.acting.errands import Errands
from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.acting.fencing import Fencer
from nfv_mla_scheduler.monitor.acting.scribe import Scribe
from nfv_mla_scheduler.monitor.marking import marks
from nfv_mla_scheduler.monitor.marking.locks import SKEW_S
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Release
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

# Servers that are waited for in a cycle, all together.
WAITS_MAX = 16
# By Nova's words (nova.compute.instance_actions): after them it runs.
_RUNS = ("start", "reboot")


@dataclasses.dataclass(frozen=True, slots=True)
class Cycle:
    """What the parts of one plan share.

    :ivar sealed: server -> the trust domain that alone may read of it
    """

    picture: Picture
    now: Instant
    sealed: Mapping[str, str]
    scribe: Scribe
    fencer: Fencer
    once: Once
    evasions: Evasions


class Waits:
    """For which host's server a cycle may wait; for any thread.

    For one server of a host in a cycle, for so many in all, and for none of a
    host that has let us wait in vain: what a host swallows does not hold up
    the others.  What is not waited for, the next cycle sees.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cycle: object = None
        self._waited: set[str] = set()
        self._vain: set[str] = set()

    def may(self, host: str, cycle: object) -> bool:
        """Whether to wait for a host's server now."""
        with self._lock:
            if cycle is not self._cycle:
                self._cycle = cycle
                self._waited = set()
            if (
                host in self._vain | self._waited
                or len(self._waited) >= WAITS_MAX
            ):
                return False
            self._waited.add(host)
            # Until it shows something.
            self._vain.add(host)
            return True

    def was_shown(self, host: str) -> None:
        """Take note that a host does what it is asked for."""
        with self._lock:
            self._vain.discard(host)


class Hand:
    """Does what concerns one server; for any thread."""

    def __init__(
        self,
        cloud: Cloud,
        keys: tuple[bytes, ...],
        errands: Errands,
        pause: Callable[[float], None],
        new_id: Callable[[], str],
    ) -> None:
        self._cloud = cloud
        self._keys = keys
        self._errands = errands
        self._pause = pause
        self._new_id = new_id
        self._waits = Waits()

    def step(
        self, planned: Planned, attempt: Attempt, cycle: Cycle
    ) -> Outcome:
        """Take one step.

        The mark comes first.  Killed after it, Nova shows a step that was to
        be taken and no trace of it: it is asked for again, and counted once.
        The other way round it would show a stopped server that nobody may
        start again, or a move that no budget knows of.
        """
        cloud = self._cloud
        seen = cycle.picture.servers.get(planned.server)
        # One that Nova cannot show must not shield its host, nor itself.
        known = seen if planned.regardless else None
        server = attempt.look(cloud, planned.server, known)

        def write(code: Code, old: Mark | None) -> tuple[str, str]:
            was = server.vm_state.value
            mark = asking.next_mark(
                code, old, was, cycle.scribe.now(), self._new_id()
            )
            return marks.write(mark, server.uuid, self._keys[0]), mark.id

        insist = attempt.insists = cycle.evasions.evades(planned.server)
        may = asking.leave(
            planned, server, seen, self._keys, cloud, write, insist
        )
        attempt.mark, attempt.forced = may.mark, may.forced
        if may.text is not None:
            self._lock(planned, may, attempt)
        if may.unmet:
            raise Unmet(may.unmet)
        return self._ask(planned, server, may.asks, attempt, cycle)

    def _lock(self, planned: Planned, may: Leave, attempt: Attempt) -> None:
        """Lock a server with our mark, in place of any lock that it has."""
        uuid, text = planned.server, may.text or ""
        try:
            attempt.make(Ask.LOCK, lambda: self._cloud.lock(uuid, text))
        except CloudFailed:
            if not (planned.regardless and may.asks):
                raise

    def _ask(
        self,
        planned: Planned,
        server: Server,
        asks: tuple[Ask, ...],
        attempt: Attempt,
        cycle: Cycle,
    ) -> Outcome:
        cloud = self._cloud
        for number, ask in enumerate(asks):
            if ask is Ask.POWER_OFF:
                node = cycle.picture.nodes.get(planned.host)
                uuid = node.uuid if node else ""
                return self._errands.power_off(
                    planned.host, uuid, attempt, cycle.scribe
                )
            if ask in (Ask.FORCE_DOWN, Ask.LIFT_DOWN):
                down = ask is Ask.FORCE_DOWN
                self._force(planned.host, down, attempt, cycle)
                continue
            attempt.make(ask, asking.put(ask, planned, server, cloud))
            leads = ask in asking.PRELUDES and number + 1 < len(asks)
            if leads and not self._shown(ask, planned, attempt, cycle):
                return attempt.outcome(Result.UNSURE, "not shown yet")
        return attempt.outcome(Result.DONE)

    def _shown(
        self, ask: Ask, planned: Planned, attempt: Attempt, cycle: Cycle
    ) -> bool:
        """Whether Nova shows the effect of a prelude, here and now."""
        shown = asking.shown(
            ask,
            attempt,
            planned.server,
            self._cloud,
            self._pause,
            self._waits.may(planned.host, cycle.scribe),
        )
        if shown:
            self._waits.was_shown(planned.host)
        return shown

    def _force(
        self, host: str, down: bool, attempt: Attempt, cycle: Cycle
    ) -> None:
        """Force a service down once, however many servers ask for it."""
        made = Attempt(
            cycle.scribe,
            attempt.patience,
            host,
            host,
            Step.EVACUATE,
            {"host": host},
        )
        attempt.next(Ask.FORCE_DOWN if down else Ask.LIFT_DOWN)
        cycle.once.do(
            (host, down), lambda: cycle.fencer.force(host, down, made)
        )

    def release(
        self, release: Release, attempt: Attempt, cycle: Cycle
    ) -> Outcome:
        """Let a server go: start it, and unlock it once Nova shows it runs.

        Start before unlock, whatever order the plan has.  The mark is all
        that says that it was running before: unlocked first and then killed,
        it would stay stopped for ever, and its owner, who can act as soon as
        it is unlocked, might race us.  While it is locked nobody of its
        project comes between.  Killed after the start, the next look shows a
        server that runs, complies and has our mark: what is left is to unlock
        it.  A host that swallows the start keeps the mark, so that the next
        look asks again.

        The mark says how things were before.  Who has stopped it since then,
        an administrator or its owner as we locked it, wants it stopped: only
        Nova's record tells.
        """
        cloud = self._cloud
        server = attempt.look(cloud, release.server)
        seen = cycle.picture.servers.get(release.server)
        asking.check_place(server, seen, release.host)
        assert seen is not None
        asking.check_state(server, seen)
        mark = asking.mark_of(server.locked_reason, server.uuid, self._keys)
        # An administrator who has locked it meanwhile wants it locked.
        if mark is None or server.locked_reason != seen.locked_reason:
            raise Unmet("its lock is not the one that was to be released")
        attempt.mark = mark.id
        if (
            Ask.START in release.asks
            and server.vm_state is VmState.STOPPED
            and not _stopped_by_another(
                cloud.deeds(server.uuid), mark.since, cloud.user_id
            )
        ):
            attempt.make(
                Ask.START, lambda: cloud.act(server.uuid, Ask.START.value)
            )
            server = attempt.look(cloud, release.server)
            if server.vm_state is not VmState.ACTIVE or server.task:
                text = "it is unlocked once Nova shows that it runs"
                return attempt.outcome(Result.DONE, text)
        if Ask.UNLOCK in release.asks:
            attempt.make(Ask.UNLOCK, lambda: cloud.unlock(server.uuid))
        return attempt.outcome(Result.DONE)


def _stopped_by_another(
    deeds: tuple[Deed, ...], since: Instant, our_user: str
) -> bool:
    """Whether what stopped a server is somebody else's request.

    Nova's own, for a guest that its host has lost, is nobody's.

    :param deeds: oldest first
    :param since: from when on it was to be stopped by us
    """
    for deed in reversed(deeds):
        if deed.at < since - SKEW_S or deed.action in _RUNS:
            return False
        # One that failed has a message.
        if deed.action == "stop" and not deed.message:
            return deed.user_id not in ("", our_user)
    return False
