# SPDX-License-Identifier: Apache-2.0
"""Carry out a plan: the one place from which the monitor changes anything.

Speaks to Nova and Placement through the port, to the operator's power
commands, and to the audit port.  It decides nothing: it looks whether things
are still as they were when the plan was made, writes the mark, and asks.

It may be killed between any two requests; the next look at Nova alone has to
show what was done.  Each order below that matters for that says why.
"""

from __future__ import annotations

import functools
import logging
import secrets
import time
from collections.abc import Callable
from collections.abc import Iterator

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.acting import aside
from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Patience
from nfv_mla_scheduler.monitor.acting.attempt import Scribe
from nfv_mla_scheduler.monitor.acting.crew import BACKING_OFF
from nfv_mla_scheduler.monitor.acting.crew import Crew
from nfv_mla_scheduler.monitor.acting.crew import Once
from nfv_mla_scheduler.monitor.acting.crew import Task
from nfv_mla_scheduler.monitor.acting.errands import Errands
from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.acting.fencing import Fencer
from nfv_mla_scheduler.monitor.acting.hand import Cycle
from nfv_mla_scheduler.monitor.acting.hand import Hand
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
NAMED_MAX = 3


class Actor:
    """Carries out plans, one after the other.

    :param keys: of marks; the first makes them
    :param power: None: no host can be switched off
    :param origin: this process, as readers of the records know it
    :param patience_s: how long a cycle waits for requests about services
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
        patience_s: float = aside.PATIENCE_S,
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
        self._aside = aside.Aside(patience_s)
        self._evasions = Evasions()
        self._starts: dict[str, int] = {}
        self._errands = Errands(power or Power((), ()))
        self._hand = Hand(cloud, keys, self._errands, pause, new_id)
        self._created: set[str] = set()
        self._tired: set[str] = set()

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
        nova, power, placement = Patience(), Patience(), Patience()
        locks = [p for p in plan.steps if _only(Ask.LOCK, p)]
        offs = [p for p in plan.steps if _only(Ask.POWER_OFF, p)]
        steps = [p for p in plan.steps if p not in locks and p not in offs]
        # Hosts first: what is not fenced takes more servers meanwhile.  Locks
        # next: they are quick, and an owner undoes whatever is not locked.
        # Traits last: they make placement fast, and keep nobody out.
        fences = self._fences(plan.fences, cycle, nova)
        outcomes = [*self._aside.run(fences, nova)]
        for name, tasks, patience in (
            ("locks", self._steps(locks, cycle, nova), nova),
            ("power-offs", self._steps(offs, cycle, power), power),
            ("steps", self._steps(steps, cycle, nova), nova),
            ("releases", self._releases(plan.releases, cycle, nova), nova),
            ("traits", self._traits(plan.traits, cycle, placement), placement),
        ):
            outcomes.extend(self._run(name, tasks, patience))
        self._evasions.note(outcomes)
        return tuple(outcomes)

    def _run(
        self, name: str, tasks: Iterator[Task], patience: Patience
    ) -> tuple[Outcome, ...]:
        """Do one class, beginning with whom it did not come to last time."""
        start = self._starts.pop(name, 0)
        done = self._crew.run(tasks, patience, start)
        if not done:
            return ()
        left = [n for n, o in enumerate(done) if o.text == BACKING_OFF]
        if left:
            self._starts[name] = next((n for n in left if n >= start), left[0])
        self._tell(name, patience, bool(left))
        return done

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
        fencer = Fencer(
            self._cloud,
            self._keys,
            picture,
            now,
            self._new_id,
            self._aside.busy,
        )
        return Cycle(
            picture, now, sealed, scribe, fencer, Once(), self._evasions
        )

    def _tell(self, name: str, patience: Patience, tired: bool) -> None:
        """Say that we back off, and that it is over; once each."""
        if tired and name not in self._tired:
            LOG.warning(
                "nfv-mla monitor: too many requests in a row came to nothing, "
                "the rest of the %s waits: %s",
                name if patience.lost else f"{name} of some hosts",
                patience.reason,
            )
        elif not tired and name in self._tired:
            LOG.info("nfv-mla monitor: %s are asked for again", name)
        if tired:
            self._tired.add(name)
        else:
            self._tired.discard(name)

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
                insist = cycle.evasions.evades(fence.host)
                cycle.fencer.carry_out(fence, attempt, insist)
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
        providers: dict[str, list[TraitEdit]] = {}
        for edit in edits:
            providers.setdefault(edit.provider, []).append(edit)
        for provider, its in providers.items():
            add = frozenset(edit.trait for edit in its if edit.add)
            remove = frozenset(edit.trait for edit in its if not edit.add)
            told = {
                "provider": provider,
                "add": _few(add),
                "remove": _few(remove),
            }
            attempt = Attempt(cycle.scribe, patience, provider, "", None, told)

            def do(
                attempt: Attempt,
                provider: str = provider,
                add: frozenset[str] = add,
                remove: frozenset[str] = remove,
            ) -> Outcome:
                attempt.make(
                    None, lambda: self._edit(provider, add, remove, cycle)
                )
                return attempt.outcome(Result.DONE, _few(add | remove))

            yield Task(provider, attempt, do)

    def _edit(
        self,
        provider: str,
        add: frozenset[str],
        remove: frozenset[str],
        cycle: Cycle,
    ) -> None:
        for trait in sorted(add - self._created):
            cycle.once.do(
                trait, functools.partial(self._cloud.create_trait, trait)
            )
            self._created.add(trait)
        try:
            self._cloud.edit_traits(provider, add, remove)
        except CloudFailed as exc:
            if exc.reason in (CloudCode.GONE, CloudCode.REFUSED):
                # somebody may have deleted one of them: make them again
                self._created -= add
            raise


def _few(names: frozenset[str]) -> str:
    """Return some names, bounded: whoever writes traits chooses how many."""
    few = [bounded(name, 80) for name in sorted(names)[:NAMED_MAX]]
    more = len(names) - len(few)
    return ", ".join([*few, f"and {more} more"] if more else few)


def _only(ask: Ask, planned: Planned) -> bool:
    """Whether nothing but locks is asked for, and this."""
    found = set(planned.asks) - {Ask.LOCK}
    return found <= {ask} and (ask is Ask.LOCK or bool(found))


def _told(server: str, cycle: Cycle) -> dict[str, str]:
    """Return what records may say of a server: of a sealed one, nothing."""
    return {} if server in cycle.sealed else {"server": server}
