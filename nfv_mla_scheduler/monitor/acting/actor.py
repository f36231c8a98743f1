# SPDX-License-Identifier: Apache-2.0
"""Carry out a plan: the one place from which the monitor changes anything.

Speaks to Nova and Placement through the port, to the operator's power
commands, and to the audit port.  It decides nothing: it looks whether things
are still as they were when the plan was made, writes the mark, and asks.

It may be killed between any two requests; the next look at Nova alone has to
show what was done.  Each order below that matters for that says why.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import secrets
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.acting import aside
from nfv_mla_scheduler.monitor.acting import tasks
from nfv_mla_scheduler.monitor.acting.attempt import Patience
from nfv_mla_scheduler.monitor.acting.crew import BACKING_OFF
from nfv_mla_scheduler.monitor.acting.crew import Crew
from nfv_mla_scheduler.monitor.acting.crew import Once
from nfv_mla_scheduler.monitor.acting.crew import Task
from nfv_mla_scheduler.monitor.acting.errands import Errands
from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.acting.fencing import Fencer
from nfv_mla_scheduler.monitor.acting.hand import Cycle
from nfv_mla_scheduler.monitor.acting.hand import Hand
from nfv_mla_scheduler.monitor.acting.scribe import Intents
from nfv_mla_scheduler.monitor.acting.scribe import Scribe
from nfv_mla_scheduler.monitor.acting.traits import Traits
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.port import Cloud
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.steps import Ask

LOG = logging.getLogger(__name__)

WORKERS = 8
# Whoever runs one cycle alone waits so long for blocks of sealed domains.
DRAIN_S = 60.0


class Actor:
    """Carries out plans, one after the other.

    :param keys: of marks; the first makes them
    :param power: None: no host can be switched off
    :param origin: this process, as readers of the records know it
    :param patience_s: how long a cycle waits for requests about services
    :param seal_interval_s: how often a block is written for a sealed domain
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
        seal_interval_s: float = 5.0,
    ) -> None:
        self._cloud = cloud
        self._keys = keys
        self._intents = Intents(audit, seal_interval_s, monotonic)
        self._origin = origin
        self._pause = pause
        self._monotonic = monotonic
        self._new_id = new_id
        self._crew = Crew(workers)
        self._aside = aside.Aside(patience_s)
        # how long a cycle takes is not to tell whether there are any
        self._quiet = aside.Aside(0.0, keeps=True)
        self._evasions = Evasions()
        self._starts: dict[str, int] = {}
        self._errands = Errands(power or Power((), ()))
        self._hand = Hand(cloud, keys, self._errands, pause, new_id)
        self._traits = Traits(cloud)
        self._tired: set[str] = set()
        self._held: frozenset[str] = frozenset()
        self._closed = False

    def carry_out(
        self,
        plan: Plan,
        picture: Picture,
        now: Instant,
        sealed: Mapping[str, str] | None = None,
    ) -> tuple[Outcome, ...]:
        """Return what became of each part of ``plan``; nothing is raised.

        Of servers of a sealed domain it is what became of those parts of this
        or an earlier plan that have ended since the last time.

        :param picture: by which the plan was made
        :param sealed: server -> the trust domain that alone may read of it
        """
        cycle = self._cycle(picture, now, sealed or {})
        nova, power, placement = Patience(), Patience(), Patience()
        told, apart = _apart(plan, sealed if self._intents.kept else None)
        locks = [p for p in told.steps if _only(Ask.LOCK, p)]
        offs = [p for p in told.steps if _only(Ask.POWER_OFF, p)]
        steps = [p for p in told.steps if p not in locks and p not in offs]
        # Hosts first: what is not fenced takes more servers meanwhile.  Locks
        # next: they are quick, and an owner undoes whatever is not locked.
        # Traits last: they make placement fast, and keep nobody out.
        fences = tasks.fences(plan.fences, cycle, nova)
        outcomes = [*self._aside.run(fences, nova)]
        hand = self._hand
        self._held = frozenset(held.subject for held in plan.held)
        ended = self._quiet.ended()
        self._begin_apart(apart, cycle, {each.subject for each in ended})
        releases = tasks.releases(hand, told.releases, cycle, nova)
        traits = self._traits.tasks(plan.traits, cycle, placement)
        for name, found, patience in (
            ("locks", tasks.steps(hand, locks, cycle, nova), nova),
            ("power-offs", tasks.steps(hand, offs, cycle, power), power),
            ("steps", tasks.steps(hand, steps, cycle, nova), nova),
            ("releases", releases, nova),
            ("traits", traits, placement),
        ):
            outcomes.extend(self._run(name, found, patience))
        outcomes.extend(ended)
        self._evasions.note(outcomes)
        return tuple(outcomes)

    def _begin_apart(self, plan: Plan, cycle: Cycle, ended: set[str]) -> None:
        """Begin what is to be done about servers of sealed domains.

        Each waits for the next block of its domain, all of them at once.

        :param ended: those about which something was done since the last
            plan: it may not be in the picture that this one was made by
        """
        patience = Patience()
        first = sorted(plan.steps, key=lambda p: not _only(Ask.LOCK, p))
        hand = self._hand
        begun = [
            *tasks.steps(hand, first, cycle, patience),
            *tasks.releases(hand, plan.releases, cycle, patience),
        ]
        begun = [task for task in begun if task.key not in ended]
        for task in begun:
            task.attempt.withdrawn = functools.partial(self._is_held, task.key)
        self._quiet.run(begun, patience)

    def _is_held(self, server: str) -> bool:
        """Whether the newest plan holds what is due, or there is none."""
        return self._closed or server in self._held

    def _run(
        self, name: str, found: Iterator[Task], patience: Patience
    ) -> tuple[Outcome, ...]:
        """Do one class, beginning with whom it did not come to last time."""
        start = self._starts.pop(name, 0)
        done = self._crew.run(found, patience, start)
        if not done:
            return ()
        left = [n for n, o in enumerate(done) if o.text == BACKING_OFF]
        if left:
            self._starts[name] = next((n for n in left if n >= start), left[0])
        self._tell(name, patience, bool(left))
        return done

    def drain(self) -> None:
        """Wait for what was begun about servers of sealed domains."""
        self._quiet.drain(DRAIN_S)

    def close(self) -> None:
        """Let the threads end; what waits for a block is not asked for."""
        self._closed = True
        self._crew.close()
        self._errands.close()

    def _cycle(
        self, picture: Picture, now: Instant, sealed: Mapping[str, str]
    ) -> Cycle:
        began = self._monotonic()
        scribe = Scribe(
            self._intents,
            self._origin,
            lambda: now + self._monotonic() - began,
            self._monotonic,
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


def _only(ask: Ask, planned: Planned) -> bool:
    """Whether nothing but locks is asked for, and this."""
    found = set(planned.asks) - {Ask.LOCK}
    return found <= {ask} and (ask is Ask.LOCK or bool(found))


def _apart(plan: Plan, sealed: Mapping[str, str] | None) -> tuple[Plan, Plan]:
    """Return what is done about all others, and about sealed servers."""
    if not sealed:
        return plan, Plan()
    hidden = Plan(
        steps=tuple(p for p in plan.steps if p.server in sealed),
        releases=tuple(r for r in plan.releases if r.server in sealed),
    )
    told = dataclasses.replace(
        plan,
        steps=tuple(p for p in plan.steps if p.server not in sealed),
        releases=tuple(r for r in plan.releases if r.server not in sealed),
    )
    return told, hidden
