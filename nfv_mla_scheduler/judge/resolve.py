# SPDX-License-Identifier: Apache-2.0
"""Work out what a demand means for hosts of one shape, all but the times.

Pure.  The outcome is symbolic: for every term, which claims would carry it
as long as they live, or why none does.  ``ruling.py`` puts the times in.

The worse claim counts (5.0.4): a claim that contradicts what is needed blocks
it however well others speak, and however old it is, since silence must never
help.  Only support has to be fresh.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.judge.closures import pools_permissive_until
from nfv_mla_scheduler.judge.hearing import Hearing
from nfv_mla_scheduler.judge.support import ALWAYS
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.judge.support import refusal_of
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.view import Snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class ResolvedNeed:
    """A need, with what carries each term of each of its groups.

    :ivar refusal: why no group can be tried at all
    :ivar waived_until: by the signed policy
    :ivar permissive_until: by profile, project, or all pools of the host
    """

    need: Need
    groups: tuple[tuple[Support, ...], ...]
    refusal: Refusal | None
    waived_until: Instant
    permissive_until: Instant


def resolve(
    demand: Demand, shape: Shape, snapshot: Snapshot
) -> tuple[ResolvedNeed, ...]:
    """Return every need of ``demand``, resolved for hosts of ``shape``.

    :param snapshot: with a policy, the one that ``demand`` was bound to
    """
    resolver = _Resolver(demand, shape, snapshot)
    return tuple(resolver.need(need) for need in demand.needs)


def resolve_preferred(
    demand: Demand, shape: Shape, snapshot: Snapshot
) -> float:
    """Return the share of the preferred needs that a shape could meet."""
    if not demand.preferred:
        return 1.0
    resolver = _Resolver(demand, shape, snapshot)
    met = [
        any(all(s.atoms for s in group) for group in resolver.need(n).groups)
        for n in demand.preferred
    ]
    return sum(met) / len(met)


class _Resolver:
    """Resolves the needs of one demand for one shape."""

    def __init__(
        self, demand: Demand, shape: Shape, snapshot: Snapshot
    ) -> None:
        assert snapshot.policy is not None
        self._policy = snapshot.policy
        self._catalogue = snapshot.catalogue
        self._own_state = snapshot.own_state
        self._demand = demand
        self._shape = shape
        self._hearing = Hearing(self._policy, self._catalogue, shape)
        self._permissive = max(
            demand.permissive_until,
            pools_permissive_until(snapshot.policy, shape.pools),
        )

    def need(self, need: Need) -> ResolvedNeed:
        groups = need.groups
        refusal = None
        if need.pools is not None:
            groups = self._pool_groups(need)
        if not groups:
            code = (
                RefusalCode.NO_CLAIM
                if need.pools is None
                else RefusalCode.NOT_IN_POOL
            )
            refusal = Refusal(code, need.requirement, need.clause)
        return ResolvedNeed(
            need,
            tuple(
                tuple(self._support(term, need) for term in group)
                for group in groups
            ),
            refusal,
            need.waived_until,
            max(need.permissive_until, self._permissive),
        )

    def _pool_groups(self, need: Need) -> tuple[tuple[Term, ...], ...]:
        """A listed host is a member while it proves its class (7.2.2.0)."""
        groups = []
        for choice in need.pools or ():
            if choice.pool not in self._shape.pools:
                continue
            terms = list(self._membership(self._policy.pools[choice.pool]))
            own = self._demand.requirement.application.conceals
            terms += [
                Term(Subject.HOST, "concealed-resource-usage", key=resource)
                for resource in choice.conceal
                if resource not in own
            ]
            groups.append(tuple(terms))
        return tuple(groups)

    def _membership(self, pool: Pool) -> tuple[Term, ...]:
        rules = self._catalogue.classes[pool.host_class]
        return (*rules.terms, *pool.prove)

    def _support(self, term: Term, need: Need) -> Support:
        if term.subject is Subject.HOST:
            return self._hearing.host(term, need)
        if term.subject is Subject.SITE:
            return self._hearing.site(term, need)
        if term.subject is Subject.APPLICATION:
            return self._application(term, need)
        return self._self(term, need)

    def _application(self, term: Term, need: Need) -> Support:
        has = self._demand.requirement.application.has(term.name, term.key)
        if has:
            return Support(term, (ALWAYS,))
        code = (
            RefusalCode.NOT_JUDGED
            if has is None
            else RefusalCode.APPLICATION_LACKS
        )
        return self._refused(term, need, code)

    def _self(self, term: Term, need: Need) -> Support:
        if term.name == "policy-in-force":
            expiry = Atom(ANY_DATE, Grade.DECLARED, self._policy.expires_at)
            return Support(term, (expiry,))
        if term.name in ("authority-fresh", "independent-authority"):
            return self._hearing.attested_by(
                term, need, term.name == "independent-authority"
            )
        if term.name == "pinned-tpm":
            holds: bool | None = self._shape.pinned
        else:
            holds = self._own_state.get(term.name)
        if holds:
            return Support(term, (ALWAYS,))
        code = (
            RefusalCode.NOT_JUDGED if holds is None else RefusalCode.SELF_UNMET
        )
        return self._refused(term, need, code)

    def _refused(self, term: Term, need: Need, code: RefusalCode) -> Support:
        return Support(term, (), refusal_of(term, need, code))
