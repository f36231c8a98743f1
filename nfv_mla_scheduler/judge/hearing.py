# SPDX-License-Identifier: Apache-2.0
"""Hear everybody who speaks of a capability, and find what carries a term.

Pure.  Voices are the claims of the authorities to which the policy gives the
capability, and the facts that the policy itself declares.  The worse counts;
see ``support.py``.
"""

from __future__ import annotations

import math

from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.judge.support import Fault
from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.judge.support import Tally
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.records import Voice
from nfv_mla_scheduler.standard.values import Capability
from nfv_mla_scheduler.standard.values import Catalogue


class Hearing:
    """Hears all voices about hosts of one shape, or about the site.

    :param doubted: voice by voice, whether :func:`is_doubted`
    """

    def __init__(
        self,
        policy: Policy,
        catalogue: Catalogue,
        shape: Shape,
        doubted: tuple[bool, ...],
    ) -> None:
        self._policy = policy
        self._catalogue = catalogue
        self._shape = shape
        self._doubted = doubted

    def attested_by(self, term: Term, need: Need) -> Support:
        """Some authority attests the host, of those that a term is about."""
        attestation = Term(
            Subject.HOST, "attestation", grade=self._accepted(need)
        )
        support = self.host(attestation, need)
        atoms = tuple(
            atom
            for atom in support.atoms
            if atom.voice != ANY_DATE and self._is_meant(term, atom.voice)
        )
        if atoms:
            return Support(term, atoms)
        return Support(term, (), Fault(RefusalCode.AUTHORITY_SILENT))

    def _accepted(self, need: Need) -> Grade | None:
        """A profile may accept that attestation is merely declared."""
        profile = self._policy.profiles.get(need.profile or "")
        if profile and "attestation" in profile.accept_declared:
            return Grade.DECLARED
        return None

    def _is_meant(self, term: Term, voice: int) -> bool:
        said = self._shape.voices[voice]
        if term.name == "pinned-tpm":
            return said.pinned
        if term.name == "independent-authority":
            authority = self._policy.authorities[said.authority]
            return authority.trust_domain != self._policy.operator
        return True

    def host(self, term: Term, need: Need) -> Support:
        """Return what carries a term about the host."""
        capability = self._catalogue.capabilities[term.name]
        least = self._catalogue.least_grade(term)
        tally = Tally(term)
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
                at_boot = claim.grade is Grade.BOOT
                tally.carry(Atom(index, at_boot, limit))
        for fact in self._shape.declared:
            if fact.claim.capability == term.name:
                self._declared(fact.claim, fact.until, term, least, tally)
        return tally.support()

    def against(self, term: Term) -> frozenset[str]:
        """Return who contradicts a term about the host, however old.

        :returns: authorities; ``""`` stands for the policy itself
        """
        said = [
            (voice.authority, voice.claims.get(term.name))
            for voice in self._shape.voices
            if term.name in self._policy.authorities[voice.authority].vouches
        ]
        said += [("", fact.claim) for fact in self._shape.declared]
        return frozenset(
            name
            for name, claim in said
            if claim is not None
            and claim.capability == term.name
            and self._fault(claim, term) is not None
        )

    def site(self, term: Term, need: Need) -> Support:
        """Return what carries a term about the fabric."""
        least = self._catalogue.least_grade(term)
        tally = Tally(term)
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
            tally.carry(Atom(ANY_DATE, False, until))

    def _fault(self, claim: Claim, term: Term) -> RefusalCode | None:
        """Return how a claim contradicts a term, if it does."""
        if claim.status is Status.CONTRAINDICATED:
            return RefusalCode.CONTRAINDICATED
        if claim.status is Status.NONE or not _speaks_of(claim, term):
            return None
        if claim.status is Status.WARNING:
            return RefusalCode.WARNING
        values = _values(claim, term.key)
        if term.name == "location":
            return self._misplaced(claim, term)
        if term.none_of & values or not term.all_of <= values:
            return RefusalCode.VALUE_MISMATCH
        if term.any_of and not term.any_of & values:
            return RefusalCode.VALUE_MISMATCH
        return None

    def _misplaced(self, claim: Claim, term: Term) -> RefusalCode | None:
        """Regions lie in one another, so that they are not just compared."""
        inside = not term.any_of
        for axis in [term.key] if term.key else claim.values:
            tree = self._policy.regions.get(Axis(axis), Regions({}))
            for region in claim.values.get(axis, ()):
                if tree.touches(region, term.none_of):
                    return RefusalCode.VALUE_MISMATCH
                inside = inside or tree.lies_in(region, term.any_of)
        return None if inside else RefusalCode.VALUE_MISMATCH


def is_doubted(voice: Voice, policy: Policy) -> bool:
    """Whether nothing that an authority claims of a host carries anything.

    A contraindicated claim taints all of this authority's (5.0.4).  So does a
    fault, for which part of what it said may be missing.
    """
    if voice.faulty:
        return True
    vouches = policy.authorities[voice.authority].vouches
    return any(
        claim.status is Status.CONTRAINDICATED and name in vouches
        for name, claim in voice.claims.items()
    )


def _counts(claim: Claim, term: Term, authority: str) -> bool:
    """Whether a claim that does not contradict a term speaks for it."""
    return (
        claim.status is Status.AFFIRMING
        and _speaks_of(claim, term)
        and term.authority in (None, authority)
    )


def _speaks_of(claim: Claim, term: Term) -> bool:
    if claim.capability == "location":
        # an axis without a region says nothing
        axes = [term.key] if term.key else claim.values
        return any(claim.values.get(axis) for axis in axes)
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
