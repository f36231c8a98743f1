# SPDX-License-Identifier: Apache-2.0
"""Work out what a demand means for hosts of one shape, all but the times.

Pure.  The outcome is symbolic: for every term, which claims would carry it
as long as they live, or why none does.  ``judge.py`` puts the times in.

The worse claim counts (5.0.4): a claim that contradicts what is needed blocks
it however well others speak, and however old it is, since silence must never
help.  Only support has to be fresh.
"""

from __future__ import annotations

import dataclasses
import math

from nfv_mla_scheduler.judge.closures import pools_permissive_until
from nfv_mla_scheduler.judge.support import ALWAYS
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.judge.support import Tally
from nfv_mla_scheduler.judge.support import refusal_of
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.results.view import Shape
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.results.view import Voice
from nfv_mla_scheduler.standard.values import Capability


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
        self._doubted = tuple(self._is_doubted(v) for v in shape.voices)
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
            return self._host(term, need)
        if term.subject is Subject.SITE:
            return self._site(term, need)
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
            expiry = Atom(
                ANY_DATE, Grade.DECLARED, self._policy.expires_at
            )
            return Support(term, (expiry,))
        if term.name in ("authority-fresh", "independent-authority"):
            return self._attested_by(
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

    def _attested_by(
        self, term: Term, need: Need, independent: bool
    ) -> Support:
        """Some authority attests the host; perhaps one that is not ours."""
        attestation = Term(Subject.HOST, "attestation")
        support = self._host(attestation, need)
        atoms = tuple(
            atom
            for atom in support.atoms
            if atom.voice != ANY_DATE
            and not (independent and self._is_ours(atom.voice))
        )
        if atoms:
            return Support(term, atoms)
        return self._refused(term, need, RefusalCode.AUTHORITY_SILENT)

    def _is_ours(self, voice: int) -> bool:
        name = self._shape.voices[voice].authority
        operator = self._policy.operator
        return self._policy.authorities[name].trust_domain == operator

    def _is_doubted(self, voice: Voice) -> bool:
        """A contraindicated claim taints all of this authority's (5.0.4)."""
        vouches = self._policy.authorities[voice.authority].vouches
        return any(
            claim.status is Status.CONTRAINDICATED and name in vouches
            for name, claim in voice.claims.items()
        )

    def _host(self, term: Term, need: Need) -> Support:
        capability = self._catalogue.capabilities[term.name]
        least = self._catalogue.least_grade(term)
        tally = Tally(term, need)
        for index, voice in enumerate(self._shape.voices):
            authority = self._policy.authorities[voice.authority]
            claim = voice.claims.get(term.name)
            if claim is None or term.name not in authority.vouches:
                continue
            code = self._fault(claim, term)
            if code is not None:
                tally.block(code, voice.authority)
            elif not _counts(claim, term, voice.authority):
                continue
            elif self._doubted[index]:
                tally.weak(RefusalCode.DOUBTED, voice.authority)
            elif not _suffices(claim, capability, least):
                tally.weak(RefusalCode.GRADE_TOO_WEAK, voice.authority)
            else:
                limit = _limit(claim, need, authority.max_age_s)
                tally.carry(Atom(index, claim.grade, limit))
        for fact in self._shape.declared:
            if fact.claim.capability == term.name:
                self._declared(fact.claim, fact.until, term, least, tally)
        return tally.support()

    def _site(self, term: Term, need: Need) -> Support:
        least = self._catalogue.least_grade(term)
        tally = Tally(term, need)
        for fact in self._policy.site:
            if fact.claim.capability == term.name:
                self._declared(fact.claim, fact.until, term, least, tally)
        return tally.support()

    def _declared(
        self,
        claim: Claim,
        until: Instant,
        term: Term,
        least: Grade,
        tally: Tally,
    ) -> None:
        code = self._fault(claim, term)
        if code is not None:
            tally.block(code, "")
        elif term.authority is not None or not _speaks_of(claim, term):
            return
        elif least is not Grade.DECLARED:
            tally.weak(RefusalCode.GRADE_TOO_WEAK, "")
        else:
            tally.carry(Atom(ANY_DATE, Grade.DECLARED, until))

    def _fault(self, claim: Claim, term: Term) -> RefusalCode | None:
        """Return how a claim contradicts a term, if it does."""
        if claim.status is Status.CONTRAINDICATED:
            return RefusalCode.CONTRAINDICATED
        if claim.status is Status.NONE or not _speaks_of(claim, term):
            return None
        if claim.status is Status.WARNING:
            return RefusalCode.WARNING
        values = _values(claim, term.key)
        if term.name == "location" and term.key is not None:
            return self._misplaced(values, term)
        if term.none_of & values or not term.all_of <= values:
            return RefusalCode.VALUE_MISMATCH
        if term.any_of and not term.any_of & values:
            return RefusalCode.VALUE_MISMATCH
        return None

    def _misplaced(
        self, regions: frozenset[str], term: Term
    ) -> RefusalCode | None:
        tree = self._policy.regions[Axis(term.key)]
        inside = not term.any_of or any(
            tree.lies_in(region, term.any_of) for region in regions
        )
        outside = not any(
            tree.touches(region, term.none_of) for region in regions
        )
        return None if inside and outside else RefusalCode.VALUE_MISMATCH

    def _refused(self, term: Term, need: Need, code: RefusalCode) -> Support:
        return Support(term, (), refusal_of(term, need, code))


def _counts(claim: Claim, term: Term, authority: str) -> bool:
    """Whether a claim that does not contradict a term speaks for it."""
    return (
        claim.status is Status.AFFIRMING
        and _speaks_of(claim, term)
        and term.authority in (None, authority)
    )


def _speaks_of(claim: Claim, term: Term) -> bool:
    return term.key is None or term.key in claim.values


def _values(claim: Claim, key: str | None) -> frozenset[str]:
    if key is not None:
        return claim.values.get(key, frozenset())
    return frozenset().union(*claim.values.values())


def _suffices(claim: Claim, capability: Capability, least: Grade) -> bool:
    """Whether a claim's grade is enough (Table 10).

    A static capability does not change while the host runs, so that one
    attested at boot meets a run-time requirement; a dynamic one never does.
    """
    if claim.grade.rank >= least.rank:
        return True
    return (
        least is Grade.RUN_TIME
        and claim.grade is Grade.BOOT
        and capability.static is True
    )


def _limit(claim: Claim, need: Need, authority_max_age_s: int) -> float:
    if claim.grade is Grade.BOOT:
        return float(need.boot_max_age_s or math.inf)
    return float(min(authority_max_age_s, need.max_age_s or math.inf))
