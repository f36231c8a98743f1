# SPDX-License-Identifier: Apache-2.0
"""Who could speak of one term about one host, and what they said.

Pure, and without any time: whether a word is fresh is for ``evidence.py``.
"""

from __future__ import annotations

from nfv_mla_scheduler.judge.hearing import Hearing
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.records import Voice
from nfv_mla_scheduler.results.view import Snapshot

_INDEPENDENT = "independent-authority"
_PINNED = "pinned-tpm"


class About:
    """One term, and those who could speak of it about one host."""

    def __init__(
        self,
        policy: Policy,
        record: HostRecord,
        support: Support,
        refusal: Refusal,
    ) -> None:
        self.policy = policy
        self.record = record
        self.support = support
        self.refusal = refusal
        attested = support.term.subject is Subject.SELF
        self.capability = "attestation" if attested else support.term.name

    @property
    def relevant(self) -> list[str]:
        """The authorities that might carry the term, by what is signed."""
        term = self.support.term
        operator = self.policy.operator
        return sorted(
            name
            for name in self.record.binding.attesters
            if self.capability in self.policy.authorities[name].vouches
            and term.authority in (None, name)
            and not (
                term.name == _INDEPENDENT
                and self.policy.authorities[name].trust_domain == operator
            )
            and not (term.name == _PINNED and not self._compares(name))
        )

    def _compares(self, authority: str) -> bool:
        """Whether a key attests the host there that the policy pins."""
        voice = self.voice(authority)
        return voice is not None and voice.pinned

    def against(self, snapshot: Snapshot) -> frozenset[str]:
        """Return who contradicts the term; ``""``: the policy itself.

        Whether anybody attests the host rests on its attestation: who
        contradicts that is who says so, and not those who do attest it.
        """
        term = self.support.term
        if term.subject is Subject.SELF:
            term = Term(Subject.HOST, self.capability)
        if term.subject is not Subject.HOST:
            return frozenset()
        shape = self.record.shape
        hearing = Hearing(self.policy, snapshot.catalogue, shape, ())
        return hearing.against(term)

    def voice(self, authority: str) -> Voice | None:
        """Return what an authority claims of the host, however old."""
        for voice in self.record.shape.voices:
            if voice.authority == authority:
                return voice
        return None

    def atom(self, authority: str) -> Atom | None:
        """Return the claim of an authority that would carry the term."""
        voices = self.record.shape.voices
        for atom in self.support.atoms:
            if (
                atom.voice != ANY_DATE
                and voices[atom.voice].authority == authority
            ):
                return atom
        return None

    def contraindicated(self, voice: Voice) -> frozenset[str]:
        """Return what a voice contraindicates, of what it may vouch for."""
        vouches = self.policy.authorities[voice.authority].vouches
        return frozenset(
            name
            for name, claim in voice.claims.items()
            if claim.status is Status.CONTRAINDICATED and name in vouches
        )

    def failing(self, names: frozenset[str]) -> frozenset[str]:
        """Return what fails by the word of some authorities.

        Where the term is only doubted, what taints it; else that as well
        (5.0.4): who cannot trust a host's boot must not carry its memory away.
        """
        voices = [v for v in map(self.voice, names) if v is not None]
        tainted = frozenset[str]().union(
            *(self.contraindicated(voice) for voice in voices)
        )
        if tainted and self.refusal.code is RefusalCode.DOUBTED:
            return tainted
        return tainted | {self.capability}

    def may_evict(self, names: frozenset[str]) -> bool:
        """Whether the policy lets any of some authorities evict."""
        return any(self.policy.authorities[n].may_evict for n in names)
