# SPDX-License-Identifier: Apache-2.0
"""Whether a term holds, worked out the slow way.

A part of the brute-force judge (``brute_force.py``); rule numbers are those
of the reference page.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.values import Authority

RANKS = {Grade.DECLARED: 0, Grade.BOOT: 1, Grade.RUN_TIME: 2}
UNJUDGED = (
    "monitor-alive",
    "ledger-writable",
    "receipts-served",
)


@dataclasses.dataclass(frozen=True)
class Ages:
    """What a need says of the claims that may carry it."""

    source_s: float = FOREVER
    profile_s: float = FOREVER
    boot_s: float = FOREVER
    accept_declared: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Voice:
    """One claim about a host, or one fact that the policy declares."""

    claim: Claim
    authority: Authority | None = None
    until: Instant = NEVER
    word_ends: Instant = NEVER
    at: Instant = NEVER
    boot_seen: str | None = None
    boot: str | None = None
    boot_attested_at: Instant = NEVER
    doubted: bool = False


class Host:
    """Everything known about one bound host, at one moment."""

    def __init__(self, world: Any, binding: Any, now: Instant) -> None:
        self.world = world
        self.binding = binding
        self.now = now
        self.listed = [
            pool
            for pool in world.policy.pools.values()
            if binding.host in pool.members
        ]

    def claims_by(self, authority: Authority) -> list[Voice]:
        """Return what one authority claims here and is allowed to."""
        document = self.world.document
        attester = self.binding.attesters.get(authority.name)
        if document is None or attester is None:
            return []
        result = document.results.get(authority.name, {}).get(attester)
        if result is None:
            return []
        allowed = [
            claim
            for name, claim in result.claims.items()
            if name in authority.vouches
        ]
        seen = document.freshness.get(authority.name, {}).get(attester)
        doubted = result.faulty or any(
            claim.status is Status.CONTRAINDICATED for claim in allowed
        )
        return [
            Voice(
                claim,
                authority,
                at=seen.at if seen else NEVER,
                word_ends=seen.until if seen else NEVER,
                boot_seen=seen.boot if seen else None,
                boot=result.boot,
                boot_attested_at=result.boot_attested_at,
                doubted=doubted,
            )
            for claim in allowed
        ]

    def voices(self, term: Term) -> list[Voice]:
        """Return all voices about the term's capability."""
        policy = self.world.policy
        if term.subject is Subject.SITE:
            found = [Voice(f.claim, until=f.until) for f in policy.site]
        else:
            found = [
                Voice(f.claim, until=f.until) for f in self.binding.declared
            ]
            for authority in policy.authorities.values():
                found.extend(self.claims_by(authority))
        return [v for v in found if v.claim.capability == term.name]

    def fits(self, term: Term, claim: Claim) -> bool:
        """Whether the values of a claim are as the term wants them."""
        if term.name == "location":
            return self._location_fits(term, claim)
        values = values_of(term, claim)
        return not (
            (term.any_of and not term.any_of & values)
            or not term.all_of <= values
            or term.none_of & values
        )

    def _location_fits(self, term: Term, claim: Claim) -> bool:
        keys = list(claim.values) if term.key is None else [term.key]
        lies: set[str] = set()
        for key in keys:
            for region in claim.values[key]:
                around = self.around(key, region)
                lies |= around
                for other in term.none_of:
                    if other in around or region in self.around(key, other):
                        return False
        if term.any_of and not term.any_of & lies:
            return False
        return term.all_of <= lies

    def around(self, key: str, region: str) -> set[str]:
        """Return a region and all that it lies in."""
        regions = self.world.policy.regions.get(Axis(key))
        found = {region}
        while regions is not None and regions.inside.get(region) is not None:
            region = regions.inside[region]
            found.add(region)
        return found

    def contradicts(self, voice: Voice, term: Term) -> bool:
        """Rule 1."""
        if voice.claim.status is Status.CONTRAINDICATED:
            return True
        if voice.claim.status is Status.NONE or not speaks(voice, term):
            return False
        if voice.claim.status is Status.WARNING:
            return True
        return not self.fits(term, voice.claim)

    def carries(self, voice: Voice, term: Term, ages: Ages) -> bool:
        """Rules 4 to 8."""
        name = voice.authority.name if voice.authority else None
        if term.authority is not None and term.authority != name:
            return False
        return (
            voice.claim.status is Status.AFFIRMING
            and speaks(voice, term)
            and not voice.doubted
            and self.grade_suffices(voice.claim, term, ages)
            and self.now < self.lives_until(voice, ages)
        )

    def grade_suffices(self, claim: Claim, term: Term, ages: Ages) -> bool:
        """Rule 5."""
        capability = self.world.catalogue.capabilities[term.name]
        if term.grade is not None:
            least = term.grade
        elif term.subject is Subject.SITE:
            least = Grade.DECLARED
        else:
            least = capability.min_grade
        if term.name in ages.accept_declared:
            least = Grade.DECLARED
        if claim.grade is Grade.BOOT and least is Grade.RUN_TIME:
            return capability.static is True
        return RANKS[claim.grade] >= RANKS[least]

    def lives_until(self, voice: Voice, ages: Ages) -> Instant:
        """Rules 6 to 8."""
        if voice.authority is None:
            return voice.until
        return min(self._lives_by_age(voice, ages), voice.word_ends)

    def _lives_by_age(self, voice: Voice, ages: Ages) -> Instant:
        assert voice.authority is not None
        if voice.claim.grade is not Grade.BOOT:
            return voice.at + min(
                voice.authority.max_age_s, ages.profile_s, ages.source_s
            )
        longest = self.world.boot_max_age_s
        if voice.boot is None:
            return voice.boot_attested_at + min(longest, ages.boot_s)
        if voice.boot != voice.boot_seen:
            return NEVER
        return min(voice.at + longest, voice.boot_attested_at + ages.boot_s)

    def holds(self, term: Term, ages: Ages) -> bool:
        """Whether a term holds, whatever it is about."""
        if term.subject is Subject.APPLICATION:
            return self._application_has(term)
        if term.subject is Subject.SELF:
            return self._we_are(term.name, ages)
        voices = self.voices(term)
        if any(self.contradicts(voice, term) for voice in voices):
            return False
        if term.silence_counts:
            return True
        return any(self.carries(voice, term, ages) for voice in voices)

    def _application_has(self, term: Term) -> bool:
        application = self.world.application
        if application is None:
            return True
        if term.name == "conceals":
            wanted = application.conceals
            return term.key in wanted if term.key else bool(wanted)
        return term.name in application.terms

    def _we_are(self, name: str, ages: Ages) -> bool:
        policy = self.world.policy
        if name == "policy-in-force":
            return self.now < policy.expires_at
        if name == "pinned-tpm":
            return self.attested_by(self._comparing(), ages) > 0
        if name == "authority-fresh":
            return self.attested_by(list(policy.authorities), ages) > 0
        if name == "independent-authority":
            outside = [
                a.name
                for a in policy.authorities.values()
                if a.trust_domain != policy.operator
            ]
            return self.attested_by(outside, ages) > 0
        assert name in UNJUDGED
        return self.world.own_state.get(name) is True

    def _comparing(self) -> list[str]:
        """Return the authorities that found the host to have a pinned key."""
        document = self.world.document
        return [
            authority
            for authority, attester in self.binding.attesters.items()
            if document is not None
            and attester in document.results.get(authority, {})
            and document.results[authority][attester].key
            in self.binding.pinned_keys
        ]

    def attested_by(self, authorities: list[str], ages: Ages) -> int:
        """Return how many of these authorities carry ``attestation``."""
        return sum(
            self.holds(Term(Subject.HOST, "attestation", authority=name), ages)
            for name in authorities
        )


def speaks(voice: Voice, term: Term) -> bool:
    """Whether a claim speaks of a term: with its key, if it has one."""
    return term.key is None or term.key in voice.claim.values


def values_of(term: Term, claim: Claim) -> set[str]:
    """Return the values that count: of the key, or of all keys."""
    return {
        value
        for key, values in claim.values.items()
        for value in values
        if term.key is None or term.key == key
    }
