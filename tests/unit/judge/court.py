# SPDX-License-Identifier: Apache-2.0
"""The real judge, called on drafts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.results import view
from tests.unit import drafts
from tests.unit.brute_force import World
from tests.unit.drafts import Draft


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A host as the scheduler hands it over."""

    uuid: str
    host: str


def judge_of(world: World) -> Judge:
    """Return a judge that remembers nothing yet."""
    return Judge(Bearings(world.management_domain, world.boot_max_age_s))


def snapshot_of(
    world: World, previous: view.Snapshot | None = None
) -> view.Snapshot:
    """Return what is known in a world."""
    return view.merge(
        previous or view.empty(world.catalogue),
        world.policy,
        world.document,
        world.own_state,
        world.break_glass,
    )


def case_of(world: World) -> Case:
    """Return a brand-new judge's case of a world's request."""
    return judge_of(world).case(world.request, snapshot_of(world), world.room)


def candidates(draft: Draft) -> list[Candidate]:
    """Return all hosts of a draft, and an unknown one."""
    return [Candidate(*pair) for pair in draft.candidates()]


def decide(draft: Draft, host: str = "h1", now: float | None = None):
    """Return the decision about one host of a draft."""
    at = draft.now if now is None else now
    return case_of(drafts.build(draft)).decision(drafts.uuid(host), host, at)


def admitted(draft: Draft) -> set[Candidate]:
    """Return the hosts of a draft that are admitted."""
    case = case_of(drafts.build(draft))
    return set(case.admitted(candidates(draft), draft.now))


def codes(refusals: Iterable | Decision) -> set[str]:
    """Return the codes of refusals."""
    if isinstance(refusals, Decision):
        refusals = refusals.refusals
    return {refusal.code.value for refusal in refusals}
