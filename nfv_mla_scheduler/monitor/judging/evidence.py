# SPDX-License-Identifier: Apache-2.0
"""Sort refusals by what carries them: a word, a rule, silence, an outage.

Pure.  A refusal is enough not to place a server, and not enough to evict one:
that needs an authority that says so, a rule of policy or request, a host that
goes by a name or a compute node that is another one's, or a host that keeps
silent while its authority speaks of others (5.3.2).

What contradicts counts however old it is (ADR 4).  That something is missing
is the word of those who would have to say it, and only once all of them have
spoken: one of them who is silent may be the one who would.
"""

from __future__ import annotations

import dataclasses
import enum

from nfv_mla_scheduler.judge.ruling import expiry
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.unmet import Missing
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.monitor.judging.silence import Listening
from nfv_mla_scheduler.monitor.judging.silence import Silence
from nfv_mla_scheduler.monitor.judging.silence import Watch
from nfv_mla_scheduler.monitor.judging.speakers import About
from nfv_mla_scheduler.results.view import Snapshot


class Carrier(enum.Enum):
    """What carries a refusal, strongest first."""

    # an authority says so of this host
    WORD = "word"
    # host name and compute node are not bound to each other, and one of them
    # is bound: who the host is, is not known
    IDENTITY = "identity"
    # policy or request say so, whatever anybody attests
    RULE = "rule"
    # nothing fresh about this host, from an authority that is for others
    SILENCE = "silence"
    # nothing fresh about anybody, or nothing that can be used
    OUTAGE = "outage"
    # our own trouble
    OURSELVES = "ourselves"
    # it forbids to come here, and not to be here
    NOTHING = "nothing"


_ORDER = {carrier: rank for rank, carrier in enumerate(Carrier)}

_BY_CODE = {
    RefusalCode.MALFORMED: Carrier.RULE,
    RefusalCode.HOST_UNBOUND: Carrier.RULE,
    RefusalCode.BINDING_MISMATCH: Carrier.IDENTITY,
    RefusalCode.POOL_EXCLUSIVE: Carrier.RULE,
    RefusalCode.NOT_IN_POOL: Carrier.RULE,
    RefusalCode.APPLICATION_LACKS: Carrier.RULE,
    RefusalCode.NO_POLICY: Carrier.OURSELVES,
    RefusalCode.POLICY_EXPIRED: Carrier.OURSELVES,
    RefusalCode.UNAVAILABLE: Carrier.OURSELVES,
    RefusalCode.NOT_JUDGED: Carrier.OURSELVES,
    RefusalCode.SELF_UNMET: Carrier.OURSELVES,
    RefusalCode.NOTHING_FOLLOWS: Carrier.OURSELVES,
    # nobody can tell who placed a server, or where it came from
    RefusalCode.MANAGEMENT_DOMAIN: Carrier.NOTHING,
    RefusalCode.MOVE_NOT_ALLOWED: Carrier.NOTHING,
    RefusalCode.NOT_CLEAN: Carrier.NOTHING,
}
# Those that a claim speaks for by its status, whatever is asked of a host.
_STATUSES = frozenset(
    {
        RefusalCode.CONTRAINDICATED,
        RefusalCode.WARNING,
        RefusalCode.DOUBTED,
    }
)
_AGAINST = (Status.WARNING, Status.CONTRAINDICATED)


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """One refusal, and what carries it.

    :ivar authorities: who say so, or are silent
    :ivar capabilities: what fails by their word
    :ivar evicts: whether it is enough to evict a server
    :ivar unheard: it is the silence of somebody who never spoke of the host
    """

    carrier: Carrier
    refusal: Refusal
    authorities: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    evicts: bool = False
    overdue: bool = False
    unheard: bool = False

    @property
    def by_status(self) -> bool:
        """Whether the host is said to be bad, whatever is asked of it."""
        return self.carrier is Carrier.WORD and self.refusal.code in _STATUSES

    @property
    def strength(self) -> tuple[bool, int]:
        """By which of several is the stronger one."""
        return self.evicts, -_ORDER[self.carrier]


class Sorting:
    """Sorts what hosts do not meet, by one snapshot at one moment.

    :param watch: knows how long each silence has lasted
    """

    def __init__(
        self,
        snapshot: Snapshot,
        boot_max_age_s: float,
        watch: Watch,
        now: Instant,
    ) -> None:
        self._snapshot = snapshot
        self._boot_max_age_s = boot_max_age_s
        self._watch = watch
        self._now = now
        self._listening = Listening(snapshot, now)
        self._after_s = snapshot.catalogue.axes_of_failure["withheld"].after_s

    def evidence(self, missing: Missing, uuid: str) -> Evidence:
        """Return what carries one refusal of a host.

        :param uuid: of its compute node
        """
        code = missing.refusal.code
        carrier = _BY_CODE.get(code)
        if code is RefusalCode.HOST_UNBOUND and uuid in self._snapshot.records:
            carrier = Carrier.IDENTITY
        if carrier is not None:
            return _of(carrier, missing.refusal)
        policy = self._snapshot.policy
        record = self._snapshot.records.get(uuid)
        support = missing.support
        if policy is None or record is None or support is None:
            return _of(Carrier.RULE, missing.refusal)
        if support.term.subject is Subject.SITE:
            return _of_site(missing.refusal)
        return self._of_term(About(policy, record, support, missing.refusal))

    def _of_term(self, about: About) -> Evidence:
        """A term that only claims about the host could carry."""
        spoken = about.against(self._snapshot)
        if about.refusal.code is RefusalCode.VALUE_MISMATCH:
            # the worse counts however old; but to evict, it has to be so now
            fresh = frozenset(a for a in spoken if self._fresh(a, about))
            if fresh:
                return self._word(about, fresh)
            if "" in spoken or not spoken:
                return _of(Carrier.RULE, about.refusal)
            return self._silent(about, sorted(spoken))
        if spoken - {""}:
            return self._word(about, spoken - {""})
        return self._of_absence(about)

    def _of_absence(self, about: About) -> Evidence:
        """Nobody contradicts the term, and nobody carries it."""
        if any(atom.voice == ANY_DATE for atom in about.support.atoms):
            # a declared fact has ended: whoever signs policies has to act
            return _of(Carrier.OUTAGE, about.refusal)
        relevant = about.relevant
        if not relevant:
            return _of(Carrier.RULE, about.refusal)
        silent = [a for a in relevant if not self._has_spoken(a, about)]
        if silent:
            return self._silent(about, silent)
        return self._word(about, frozenset(relevant))

    def _has_spoken(self, authority: str, about: About) -> bool:
        """Whether an authority has said that it does not carry the term."""
        voice = about.voice(authority)
        if voice is None:
            return False
        if about.contraindicated(voice):
            return True
        claim = voice.claims.get(about.capability)
        if claim is not None and claim.status in _AGAINST:
            return True
        if voice.faulty or about.atom(authority) is not None:
            return False
        return self._fresh(authority, about)

    def _silent(self, about: About, silent: list[str]) -> Evidence:
        """Nobody who could carry the term says anything that counts now."""
        names = frozenset(silent)
        found = [self._silence(name, about) for name in silent]
        silences = [silence for silence in found if silence is not None]
        if len(silences) < len(found):
            return _of(Carrier.OUTAGE, about.refusal, names)
        waited = [self._overdue(each, about) for each in silences]
        overdue = all(waited)
        return Evidence(
            Carrier.SILENCE,
            about.refusal,
            names,
            evicts=overdue and about.may_evict(names),
            overdue=overdue,
            unheard=all(not silence.heard for silence in silences),
        )

    def _silence(self, authority: str, about: About) -> Silence | None:
        """Return an authority's silence about a host, if it is the host's.

        None: it is an outage.  So it is where the authority does speak of the
        host, and what it says cannot be used: it is faulty, or a boot-time
        claim has become too old.  Where it speaks of another boot, and not of
        what was booted, it is the host that keeps silent.
        """
        ends = until = self._listening.until(authority, about.record)
        limit_s: float = about.policy.authorities[authority].max_age_s
        atom = about.atom(authority)
        if atom is not None:
            ends = expiry(
                atom, about.record, self._snapshot, self._boot_max_age_s
            )
        if atom is not None and not atom.boot:
            limit_s = atom.limit
        elif until > self._now and (atom is None or ends > NEVER):
            return None
        heard = about.voice(authority) is not None and until > NEVER
        uuid = about.record.binding.node_uuid
        return self._listening.silence(authority, uuid, ends, limit_s, heard)

    def _overdue(self, silence: Silence, about: About) -> bool:
        cadence_s = about.policy.authorities[silence.authority].cadence_s
        return self._watch.overdue(silence, self._after_s, cadence_s)

    def _word(self, about: About, names: frozenset[str]) -> Evidence:
        return Evidence(
            Carrier.WORD,
            about.refusal,
            names,
            about.failing(names),
            evicts=about.may_evict(names),
        )

    def _fresh(self, authority: str, about: About) -> bool:
        if not authority:
            return False
        return self._listening.until(authority, about.record) > self._now


def _of(
    carrier: Carrier,
    refusal: Refusal,
    authorities: frozenset[str] = frozenset(),
) -> Evidence:
    """Return evidence that needs no weighing."""
    evicts = carrier in (Carrier.IDENTITY, Carrier.RULE)
    return Evidence(carrier, refusal, authorities, evicts=evicts)


def _of_site(refusal: Refusal) -> Evidence:
    """The fabric is what the policy declares, and has not ended."""
    ended = refusal.code is RefusalCode.STALE
    return _of(Carrier.OUTAGE if ended else Carrier.RULE, refusal)
