# SPDX-License-Identifier: Apache-2.0
"""Weigh all that a host does not meet, and name what it comes to.

Pure.  Of a need that can be met in several ways the way counts that speaks
least against the host: as long as one of them is closed by an outage alone,
the need is unmet by nothing but that outage.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Sequence

from nfv_mla_scheduler.judge.unmet import Unmet
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.judging.evidence import Carrier
from nfv_mla_scheduler.monitor.judging.evidence import Evidence
from nfv_mla_scheduler.monitor.judging.evidence import Sorting
from nfv_mla_scheduler.standard.values import Catalogue

_WORST_FIRST = tuple(Axis)
_URGENCY = {kind: rank for rank, kind in enumerate(Kind)}
_BY_RULES = (Carrier.IDENTITY, Carrier.RULE)


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """What this process remembers of a server, or member, and its host.

    :ivar admitted: it was admitted there before
    :ivar other_rules: the policy was another one then
    """

    admitted: bool = False
    other_rules: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Weighed:
    """One rule or need that is not met.

    :ivar evidence: the strongest that closes the way that counts
    :ivar words: all words of authorities in that way
    :ivar refusals: all that is missing of it
    """

    evidence: Evidence
    words: tuple[Evidence, ...]
    refusals: tuple[Refusal, ...]
    permissive: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Charge:
    """What all that is not met comes to; see ``findings.Finding``.

    :ivar fences: whether it is the host that has become bad, not the server
        that does not belong there
    """

    kind: Kind
    axis: Axis
    refusals: tuple[Refusal, ...]
    authorities: frozenset[str]
    evicts: bool
    permissive: bool
    by_rules: bool
    fences: bool
    by_identity: bool = False

    @property
    def pending(self) -> bool:
        """Whether nothing speaks against the host, and nothing for it."""
        return self.kind in (Kind.WITHHELD, Kind.OUTAGE) and not self.fences


def weigh(
    unmet: Iterable[Unmet], uuid: str, sorting: Sorting
) -> tuple[Weighed, ...]:
    """Return what carries each of the things that a host does not meet.

    :param uuid: of its compute node
    """
    return tuple(_weighed(each, uuid, sorting) for each in unmet)


def _weighed(unmet: Unmet, uuid: str, sorting: Sorting) -> Weighed:
    ways = [
        tuple(sorting.evidence(missing, uuid) for missing in way)
        for way in unmet.ways
    ]
    way = min(ways, key=lambda each: max(e.strength for e in each))
    return Weighed(
        max(way, key=lambda each: each.strength),
        tuple(each for each in way if each.carrier is Carrier.WORD),
        tuple(each.refusal for each in way),
        unmet.permissive,
    )


def mistaken(weighed: Iterable[Weighed]) -> bool:
    """Whether who a host is, is not known: it may be one that is bound."""
    return any(each.evidence.carrier is Carrier.IDENTITY for each in weighed)


def words_of(weighed: Iterable[Weighed]) -> tuple[Weighed, ...]:
    """Return what of it authorities say.

    That is all that counts of a host that another one may be: neither where
    that should be, nor that it is silent, is to be said of both.
    """
    return tuple(w for w in weighed if w.evidence.carrier is Carrier.WORD)


def charge(
    weighed: Iterable[Weighed],
    past: Past,
    catalogue: Catalogue,
    listed: bool = False,
) -> Charge | None:
    """Return what it comes to; None: to nothing.

    What does not evict gives no name to what does: a server is never halted
    for the word of an authority that may not evict.

    :param listed: the host itself is judged, as a member of a pool
    """
    counting = [
        each
        for each in weighed
        if each.evidence.carrier is not Carrier.NOTHING
    ]
    enforced = [each for each in counting if not each.permissive]
    among = enforced or counting
    if not among:
        return None
    evicting = [each for each in among if each.evidence.evicts]
    kinds = [kind_of(w.evidence, past, catalogue) for w in evicting or among]
    kind = min(kinds, key=_URGENCY.__getitem__)
    deciding = [
        each.evidence
        for each, its in zip(evicting or among, kinds, strict=True)
        if its is kind
    ]
    by_rules = all(each.carrier in _BY_RULES for each in deciding)
    return Charge(
        kind,
        _axis(kind, among, catalogue),
        _refusals(deciding, among),
        frozenset().union(*(each.authorities for each in deciding)),
        bool(evicting),
        not enforced,
        by_rules,
        any(_fences(each, past, listed) for each in among),
        by_rules
        and any(each.carrier is Carrier.IDENTITY for each in deciding),
    )


def kind_of(evidence: Evidence, past: Past, catalogue: Catalogue) -> Kind:
    """Return what a piece of evidence alone comes to."""
    changed = past.admitted and past.other_rules
    if evidence.carrier is Carrier.WORD:
        static = past.admitted and _is_static(evidence, catalogue)
        # by their status claims fail under any policy
        if static or (changed and not evidence.by_status):
            return Kind.CHANGED
        return Kind.FAILED
    if evidence.carrier is Carrier.IDENTITY:
        return Kind.CHANGED
    if evidence.carrier is Carrier.RULE:
        return Kind.CHANGED if changed else Kind.MISPLACED
    if evidence.carrier is Carrier.SILENCE:
        never = evidence.unheard and evidence.overdue and not past.admitted
        return Kind.MISPLACED if never else Kind.WITHHELD
    return Kind.OUTAGE


def _is_static(evidence: Evidence, catalogue: Catalogue) -> bool:
    """Whether what fails should not change in operation (Table 10)."""
    return any(
        catalogue.capabilities[name].static is True
        for name in evidence.capabilities
        if name in catalogue.capabilities
    )


def _fences(weighed: Weighed, past: Past, listed: bool) -> bool:
    """Whether the host is bad, whatever servers are on it.

    That it is somewhere else than one server needs, or was never claimed to
    be what that needs, is no fault of a host: somebody may have forced the
    server there.  It is one if the server was admitted there before, and of a
    listed member of a pool.  Who goes by what is bound to another is bad.
    """
    evidence = weighed.evidence
    if evidence.carrier is Carrier.IDENTITY:
        return True
    if evidence.carrier is Carrier.SILENCE:
        return evidence.overdue and (past.admitted or not evidence.unheard)
    if evidence.carrier is not Carrier.WORD:
        return False
    if any(word.by_status for word in weighed.words):
        return True
    if past.other_rules:
        return False
    return listed or past.admitted or any(map(_contradicts, weighed.words))


def _contradicts(word: Evidence) -> bool:
    """Whether a word contradicts what is needed, but for where that is."""
    return (
        word.refusal.code is RefusalCode.VALUE_MISMATCH
        and "location" not in word.capabilities
    )


def _axis(
    kind: Kind, weighed: Sequence[Weighed], catalogue: Catalogue
) -> Axis:
    """Return the worst axis of all words; without any, what is cautious.

    Of a host that is not known to be itself nothing can be trusted.
    """
    if mistaken(weighed):
        return Axis.INTEGRITY
    failing = {
        name
        for each in weighed
        for word in each.words
        for name in word.capabilities
    }
    for axis in _WORST_FIRST:
        if failing.intersection(
            catalogue.axes_of_failure[axis.value].capabilities
        ):
            return axis
    return Axis.CONFIDENTIALITY if kind is Kind.WITHHELD else Axis.PLACE


def _refusals(
    deciding: Sequence[Evidence], weighed: Iterable[Weighed]
) -> tuple[Refusal, ...]:
    """Return all refusals, those that decide first."""
    found = [each.refusal for each in deciding]
    found += [refusal for each in weighed for refusal in each.refusals]
    return tuple(dict.fromkeys(found))
