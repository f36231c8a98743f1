# SPDX-License-Identifier: Apache-2.0
"""Situations for the tests of the planner: made by hand, or drawn.

What is next for a server is drawn as well, in place of ``progress.py``: the
planner has to keep its promises whatever that says.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from random import Random
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.holding.holds import Word
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.marking.standing import Standing
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Guard
from nfv_mla_scheduler.standard import catalogue
from tests.unit.monitor import clouds
from tests.unit.monitor.clouds import NOW

SETTLED = Holds(settled={"d1": NOW - 1})
PAUSED = dataclasses.replace(SETTLED, paused=Word(NOW + 60, "why", "ada", NOW))
DEADLINES_S = dict.fromkeys(Step, 300.0)
ASKS = {
    Step.LOCK: Ask.LOCK,
    Step.LIVE_MIGRATE: Ask.LIVE_MIGRATE,
    Step.COLD_MIGRATE: Ask.MIGRATE,
    Step.STOP: Ask.STOP,
    Step.POWER_OFF: Ask.POWER_OFF,
    Step.EVACUATE: Ask.EVACUATE,
}

T = TypeVar("T")

load = functools.cache(catalogue.load)


class Everybody:
    """All servers, whoever they are."""

    def __contains__(self, uuid: object) -> bool:
        """Whether it is one: it is."""
        return True


def situation(**changed: Any) -> Situation:
    """Return a situation in which everything may be done, and nothing is."""
    it = Situation(
        now=NOW,
        policy=clouds.policy(),
        catalogue=load(),
        picture=clouds.picture(),
        verdict=clouds.verdict(),
        marks=Marks({}, {}),
        locks={},
        somewhere={},
        evidence={},
        holds=SETTLED,
        deadlines_s=DEADLINES_S,
        user_id=clouds.US,
        act=Arming.ALL,
        can_power_off=True,
        there=Everybody(),
    )
    return dataclasses.replace(it, **changed)


def begin(step: Step = Step.STOP, **changed: Any) -> Next:
    """Return that an eviction would begin with ``step``."""
    it = Next(
        step,
        State.LOCKED,
        (ASKS[step],),
        begins=step.disturbs,
        code=step.value,
        until=NOW + 300,
    )
    return dataclasses.replace(it, **changed)


def planned(it: Situation, nexts: Mapping[str, Next] | Next) -> Plan:
    """Return the plan where this is next for the servers."""

    def advance(
        standing: Standing,
        steps: tuple[Step, ...],
        now: Instant,
        deadlines_s: Mapping[Step, float],
    ) -> Next:
        if isinstance(nexts, Next):
            return nexts
        return nexts[standing.server.uuid]

    return plan(it, advance)


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A situation, and what is next for each of its servers."""

    situation: Situation
    nexts: Mapping[str, Next]

    def plan(self, **changed: Any) -> Plan:
        """Return the plan, with something changed in the situation."""
        it = dataclasses.replace(self.situation, **changed)
        return planned(it, self.nexts)


def draw(seed: int, many: int, open_: bool = False) -> Drawn:
    """Draw a situation.

    :param open_: nothing but the guard and the brakes keeps anybody
    """
    random = Random(seed)
    hosts = [f"h{n}" for n in range(1, random.randint(1, 6) + 1)]
    servers, findings, marks, nexts = [], [], {}, {}
    complies, asking, moves = set(), set(), []
    for number in range(random.randint(many // 4, many)):
        server = clouds.server(
            number,
            random.choice(hosts),
            project_id=random.choice(("p1", "p2", "p3")),
            vm_state=random.choice((VmState.ACTIVE, VmState.STOPPED)),
            task=random.choice(("", "", "", "powering-off")),
            locked=random.random() < 0.8,
        )
        servers.append(server)
        uuid = server.uuid
        if random.random() < 0.8:
            asking.add(uuid)
        if random.random() < 0.5:
            marks[uuid] = clouds.mark(
                random.choice((*list(Code)[2:], Code.LOCK, Code.LOCK)),
                random.choice((5, 90, 900, 900)),
            )
        if random.random() < 0.2:
            moves.append(clouds.move(server))
        if random.random() < 0.7:
            rules = random.random() < 0.3
            changed: dict[str, Any] = {
                "evicts": random.random() < 0.9,
                "permissive": not open_ and random.random() < 0.2,
                "authorities": frozenset(
                    random.sample(("keylime", "other"), random.randint(1, 2))
                ),
            }
            if rules:
                changed.pop("authorities")
                changed["kind"] = random.choice((Kind.MISPLACED, Kind.CHANGED))
                changed["by_identity"] = changed["kind"] is Kind.CHANGED and (
                    random.random() < 0.5
                )
                findings.append(clouds.ruled(server, **changed))
            else:
                kind = random.choice(list(Kind)[:5])
                findings.append(clouds.finding(server, kind, **changed))
            nexts[uuid] = _next(random, marks.get(uuid))
        elif uuid in asking:
            complies.add(uuid)
    return Drawn(
        situation(
            policy=clouds.policy(
                random.choice((8, 40, 80)),
                _guard(random),
                other=2,
                expires_at=NOW + (open_ or random.random() < 0.9),
            ),
            picture=clouds.picture(
                servers,
                [_node(random, host) for host in hosts],
                moves,
                missing=() if open_ else random.choice(((), (), ("cell",))),
            ),
            verdict=clouds.verdict(
                findings,
                _host_findings(random, hosts),
                complies=frozenset(complies),
                asking=frozenset(asking),
            ),
            marks=Marks(marks, {}),
            somewhere={s.uuid: random.random() < 0.7 for s in servers},
            holds=SETTLED if open_ else _holds(random),
            act=Arming.ALL if open_ else _often(random, Arming.ALL, *Arming),
            jumped=not open_ and random.random() < 0.1,
            starting=not open_ and random.random() < 0.1,
            stale=not open_ and random.random() < 0.1,
            can_power_off=True,
            residents=_some(random, servers, 0.1),
            before=_some(random, servers, 0.5),
            ages_s=dict.fromkeys(_some(random, servers, 0.1), 30.0),
            there=Everybody() if open_ or seed % 5 else frozenset(),
        ),
        nexts,
    )


def _often(random: Random, usual: T, *others: T) -> T:
    return usual if random.random() < 0.7 else random.choice(others)


def _some(
    random: Random, servers: list[Server], share: float
) -> frozenset[str]:
    return frozenset(s.uuid for s in servers if random.random() < share)


def _host_findings(random: Random, hosts: list[str]) -> list[HostFinding]:
    if random.random() < 0.1:  # none is the one that is bound
        nobody = frozenset[str]()
        return [
            clouds.host_finding(h, Kind.CHANGED, authorities=nobody)
            for h in hosts
        ]
    return [
        clouds.host_finding(h, random.choice(list(Kind)[:5]))
        for h in hosts
        if random.random() < 0.25
    ]


def _node(random: Random, host: str) -> Any:
    if random.random() < 0.7:
        return clouds.node(host)
    reason = random.choice(("broken fan", "nfv-mla/1 forged"))
    return clouds.node(host, enabled=False, reason=reason)


def _guard(random: Random) -> Guard:
    one = functools.partial(random.randint, 1)
    return Guard(one(6), one(5), one(4), one(4), random.choice((5, 20, 60)))


def _holds(random: Random) -> Holds:
    return _often(
        random,
        SETTLED,
        PAUSED,
        Holds(),
        Holds(fault="is damaged"),
        Holds(braked={"d1": NOW}),
        dataclasses.replace(SETTLED, suspects={"keylime": NOW - 60}),
        dataclasses.replace(SETTLED, suspects={BINDINGS: NOW - 60}),
        dataclasses.replace(SETTLED, authorities={"keylime": _WORD}),
        dataclasses.replace(Holds(), servers={clouds.uuid(1): _WORD}),
    )


_WORD = Word(NOW + 60, "why", "ada", NOW)


def _next(random: Random, mark: Mark | None) -> Next:
    # a halt may be late
    step = random.choice((*ASKS, Step.STOP, Step.STOP))
    state = random.choice(list(State))
    if random.random() < 0.3:
        why = random.choice((None, Why.BUSY, Why.NO_STEP_LEFT))
        return Next(step, state, why=why)
    free = mark is not None and mark.code not in (Code.LOCK,)
    begins = step.disturbs and (not free or random.random() < 0.3)
    return begin(step, state=state, begins=begins)
