# SPDX-License-Identifier: Apache-2.0
"""Work out what a need means for hosts of one shape, all but the times.

Pure.  The outcome is symbolic: for every term, which claims would carry it
as long as they live, or why none does.  ``ruling.py`` puts the times in.

The worse claim counts (5.0.4): a claim that contradicts what is needed blocks
it however well others speak, and however old it is, since silence must never
help.  Only support has to be fresh.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.judge.hearing import Hearing
from nfv_mla_scheduler.judge.support import ALWAYS
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.judge.support import Fault
from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import PoolChoice
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.standard.values import Catalogue

# Our own terms that rest on what authorities claim.
_ATTESTED = ("authority-fresh", "independent-authority", "pinned-tpm")


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """By what is judged: all that stays the same for an epoch.

    :ivar own_state: see ``Snapshot``
    """

    policy: Policy
    catalogue: Catalogue
    own_state: Mapping[str, bool | None]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
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

    @property
    def outcome(self) -> tuple[object, ...]:
        """All by which it may differ from what the need means elsewhere."""
        return (
            tuple(
                [tuple([(s.atoms, s.fault) for s in g]) for g in self.groups]
            ),
            self.refusal,
            self.permissive_until,
        )

    @property
    def carried(self) -> bool:
        """Whether some group would do, if only its claims lived."""
        return any(all(s.atoms for s in group) for group in self.groups)


class Resolver:
    """Resolves the needs of one demand for hosts of one shape.

    :param permissive_until: by project, or all pools of the hosts
    """

    def __init__(
        self,
        demand: Demand,
        shape: Shape,
        rules: Rules,
        hearing: Hearing,
        permissive_until: Instant,
    ) -> None:
        self._rules = rules
        self._application = demand.requirement.application
        self._shape = shape
        self._hearing = hearing
        self._permissive_until = permissive_until

    def resolve(self, need: Need) -> ResolvedNeed:
        """Return what carries each term of ``need``."""
        groups = need.groups
        if need.pools is not None:
            groups = tuple(
                self._membership(choice)
                for choice in need.pools
                if choice.pool in self._shape.pools
            )
        refusal = None
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
                tuple([self._support(term, need) for term in group])
                for group in groups
            ),
            refusal,
            need.waived_until,
            max(need.permissive_until, self._permissive_until),
        )

    def _membership(self, choice: PoolChoice) -> tuple[Term, ...]:
        """A listed host is a member while it proves its class (7.2.2.0)."""
        own = self._application.conceals
        return (
            *class_terms(choice, self._rules),
            *(
                Term(Subject.HOST, "concealed-resource-usage", key=resource)
                for resource in choice.conceal
                if resource not in own
            ),
        )

    def _support(self, term: Term, need: Need) -> Support:
        if term.subject is Subject.HOST:
            return self._hearing.host(term, need)
        if term.subject is Subject.SITE:
            return self._hearing.site(term, need)
        if term.subject is Subject.APPLICATION:
            return self._of_application(term)
        return self._of_ourselves(term, need)

    def _of_application(self, term: Term) -> Support:
        has = self._application.has(term.name, term.key)
        if has:
            return Support(term, (ALWAYS,))
        code = (
            RefusalCode.NOT_JUDGED
            if has is None
            else RefusalCode.APPLICATION_LACKS
        )
        return Support(term, (), Fault(code))

    def _of_ourselves(self, term: Term, need: Need) -> Support:
        if term.name == "policy-in-force":
            expiry = Atom(ANY_DATE, False, self._rules.policy.expires_at)
            return Support(term, (expiry,))
        holds = self._rules.own_state.get(term.name)
        if term.name == "pinned-tpm":
            # None: nobody has compared the host's key with the pinned one
            compared = any(voice.pinned for voice in self._shape.voices)
            holds = (compared or None) if self._shape.pinned else False
        if term.name in _ATTESTED and (holds or term.name != "pinned-tpm"):
            return self._hearing.attested_by(term, need)
        if holds:
            return Support(term, (ALWAYS,))
        code = (
            RefusalCode.NOT_JUDGED if holds is None else RefusalCode.SELF_UNMET
        )
        return Support(term, (), Fault(code))


def class_terms(choice: PoolChoice, rules: Rules) -> tuple[Term, ...]:
    """Return what members of a pool prove: its class, and what it adds."""
    pool = rules.policy.pools[choice.pool]
    return (*rules.catalogue.classes[pool.host_class].terms, *pool.prove)


def capabilities_of(need: Need, rules: Rules) -> frozenset[str]:
    """Return the capabilities whose claims bear on a need."""
    return frozenset(_named(need, rules))


def _named(need: Need, rules: Rules) -> Iterator[str]:
    terms = [term for group in need.groups for term in group]
    for choice in need.pools or ():
        terms += class_terms(choice, rules)
        if choice.conceal:
            yield "concealed-resource-usage"
    for term in terms:
        if term.subject is Subject.HOST:
            yield term.name
        elif term.name in _ATTESTED:
            yield "attestation"
