# SPDX-License-Identifier: Apache-2.0
"""Carry out a plan: the one place from which the monitor changes anything.

Speaks to Nova and Placement through the port, to the operator's power
commands, and to the audit port.  It decides nothing: it looks whether things
are still as they were when the plan was made, writes the mark, and asks.

It may be killed between any two requests; the next look at Nova alone has to
show what was done.  Each order below that matters for that says why.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from collections.abc import Iterator

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.attempt import Attempt
from nfv_mla_scheduler.monitor.attempt import Patience
from nfv_mla_scheduler.monitor.attempt import Scribe
from nfv_mla_scheduler.monitor.crew import Crew
from nfv_mla_scheduler.monitor.crew import Once
from nfv_mla_scheduler.monitor.crew import Task
from nfv_mla_scheduler.monitor.errands import Errands
from nfv_mla_scheduler.monitor.fencing import Fencer
from nfv_mla_scheduler.monitor.hand import Cycle
from nfv_mla_scheduler.monitor.hand import Hand
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Fence
from nfv_mla_scheduler.monitor.steps import Plan
from nfv_mla_scheduler.monitor.steps import Planned
from nfv_mla_scheduler.monitor.steps import Release
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import TraitEdit

LOG = logging.getLogger(__name__)

WORKERS = 8


class Actor:
    """Carries out plans, one after the other.

    :param keys: of marks; the first makes them
    :param power: None: no host can be switched off
    :param origin: this process, as readers of the records know it
    """

    def __init__(
        self,
        cloud: Cloud,
        keys: tuple[bytes, ...],
        audit: AuditPort,
        *,
        power: Power | None = None,
        workers: int = WORKERS,
        origin: str = "",
        pause: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self._cloud = cloud
        self._keys = keys
        self._audit = audit
        self._origin = origin
        self._pause = pause
        self._monotonic = monotonic
        self._new_id = new_id
        self._crew = Crew(workers)
        self._errands = Errands(power or Power((), ()))
        self._hand = Hand(cloud, keys, self._errands, pause, new_id)
        self._created: set[str] = set()
        self._tired: dict[str, bool] = {}

    def carry_out(
        self,
        plan: Plan,
        picture: Picture,
        now: Instant,
        sealed: frozenset[str] = frozenset(),
    ) -> tuple[Outcome, ...]:
        """Return what became of each part of ``plan``; nothing is raised.

        :param picture: by which the plan was made
        :param sealed: UUIDs of servers that records must not name
        """
        cycle = self._cycle(picture, now, sealed)
        nova, placement = Patience(), Patience()
        locks = [p for p in plan.steps if _only_locks(p)]
        steps = [p for p in plan.steps if not _only_locks(p)]
        # Hosts first: what is not fenced takes more servers meanwhile.  Locks
        # next: they are quick, and an owner undoes whatever is not locked.
        # Traits last: they make placement fast, and keep nobody out.
        outcomes: list[Outcome] = []
        for name, tasks, patience in (
            ("fences", self._fences(plan.fences, cycle, nova), nova),
            ("locks", self._steps(locks, cycle, nova), nova),
            ("steps", self._steps(steps, cycle, nova), nova),
            ("releases", self._releases(plan.releases, cycle, nova), nova),
            ("traits", self._traits(plan.traits, cycle, placement), placement),
        ):
            done = self._crew.run(tasks, patience)
            if done:
                self._tell(name, patience)
            outcomes.extend(done)
        return tuple(outcomes)

    def close(self) -> None:
        """Let the threads end."""
        self._crew.close()
        self._errands.close()

    def _cycle(
        self, picture: Picture, now: Instant, sealed: frozenset[str]
    ) -> Cycle:
        began = self._monotonic()
        scribe = Scribe(
            self._audit,
            self._origin,
            lambda: now + self._monotonic() - began,
        )
        fencer = Fencer(self._cloud, self._keys, picture, now, self._new_id)
        return Cycle(picture, now, sealed, scribe, fencer, Once())

    def _tell(self, name: str, patience: Patience) -> None:
        """Say that we back off, and that it is over; once each."""
        if patience.lost and not self._tired.get(name):
            LOG.warning(
                "nfv-mla monitor: too many requests in a row came to nothing, "
                "the rest of the %s waits: %s",
                name,
                patience.reason,
            )
        elif not patience.lost and self._tired.get(name):
            LOG.info("nfv-mla monitor: %s are asked for again", name)
        self._tired[name] = patience.lost

    def _fences(
        self, fences: tuple[Fence, ...], cycle: Cycle, patience: Patience
    ) -> Iterator[Task]:
        for fence in fences:
            told = {"host": fence.host}
            attempt = Attempt(
                cycle.scribe,
                patience,
                fence.host,
                fence.host,
                Step.FENCE,
                told,
            )

            def do(attempt: Attempt, fence: Fence = fence) -> Outcome:
                cycle.fencer.carry_out(fence, attempt)
                return attempt.outcome(Result.DONE)

            yield Task(fence.service, attempt, do)

    def _steps(
        self, steps: list[Planned], cycle: Cycle, patience: Patience
    ) -> Iterator[Task]:
        for planned in steps:
            if not (planned.asks or planned.code):
                continue
            attempt = Attempt(
                cycle.scribe,
                patience,
                planned.server,
                planned.host,
                planned.step,
                _told(planned.server, cycle),
            )

            def do(attempt: Attempt, planned: Planned = planned) -> Outcome:
                return self._hand.step(planned, attempt, cycle)

            yield Task(planned.server, attempt, do)

    def _releases(
        self, releases: tuple[Release, ...], cycle: Cycle, patience: Patience
    ) -> Iterator[Task]:
        for release in releases:
            attempt = Attempt(
                cycle.scribe,
                patience,
                release.server,
                release.host,
                None,
                _told(release.server, cycle),
            )

            def do(attempt: Attempt, release: Release = release) -> Outcome:
                return self._hand.release(release, attempt, cycle)

            yield Task(release.server, attempt, do)

    def _traits(
        self, edits: tuple[TraitEdit, ...], cycle: Cycle, patience: Patience
    ) -> Iterator[Task]:
        for edit in edits:
            told = {
                "provider": edit.provider,
                "trait": edit.trait,
                "edit": "add" if edit.add else "remove",
            }
            attempt = Attempt(
                cycle.scribe, patience, edit.provider, "", None, told
            )

            def do(attempt: Attempt, edit: TraitEdit = edit) -> Outcome:
                attempt.make(None, lambda: self._edit(edit, cycle))
                return attempt.outcome(Result.DONE, edit.trait)

            # by provider: two at once would only make each other try again
            yield Task(edit.provider, attempt, do)

    def _edit(self, edit: TraitEdit, cycle: Cycle) -> None:
        if not edit.add:
            self._cloud.remove_trait(edit.provider, edit.trait)
            return
        if edit.trait not in self._created:
            cycle.once.do(
                edit.trait, lambda: self._cloud.create_trait(edit.trait)
            )
            self._created.add(edit.trait)
        try:
            self._cloud.add_trait(edit.provider, edit.trait)
        except CloudFailed as exc:
            if exc.reason in (CloudCode.GONE, CloudCode.REFUSED):
                # somebody may have deleted the trait: make it again
                self._created.discard(edit.trait)
            raise


def _only_locks(planned: Planned) -> bool:
    return all(ask is Ask.LOCK for ask in planned.asks)


def _told(server: str, cycle: Cycle) -> dict[str, str]:
    """Return what records may say of a server: of a sealed one, nothing."""
    return {} if server in cycle.sealed else {"server": server}
