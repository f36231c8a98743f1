# SPDX-License-Identifier: Apache-2.0
"""Decide whether what we know of a host meets what a server needs.

Pure: no clock, no network, no configuration.  GR NFV-SEC 009, clause 5.3.2.

A decision is a moment: the one until which every need is carried by claims
that still live.  Of several claims that carry a term the one that lives
longest counts, of several groups that meet a need likewise; of the terms of a
group, and of all needs, the one that lapses first.  A host is admitted for as
long as that moment lies ahead.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.judge.closures import Closure
from nfv_mla_scheduler.judge.resolve import ResolvedNeed
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.judge.support import refusal_of
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.view import HostRecord
from nfv_mla_scheduler.results.view import Snapshot

_Disjunction = tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Choice:
    """A need that can be met in several ways, or is excused for a time."""

    groups: tuple[tuple[_Disjunction, ...], ...]
    excused_until: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Ruling:
    """What a demand means for a shape, ready to have the times put in.

    :ivar atoms: the claims on which anything depends
    :ivar all_of: disjunctions of atoms, all of which have to be carried
    :ivar choices: needs that are met by any of several groups
    :ivar bound: the instant beyond which no decision holds
    :ivar preferred: share of what is merely preferred that hosts of the
        shape have, for weighing
    """

    needs: tuple[ResolvedNeed, ...]
    closures: tuple[Closure, ...]
    atoms: tuple[Atom, ...]
    all_of: tuple[_Disjunction, ...]
    choices: tuple[_Choice, ...]
    bound: Instant
    preferred: float

    @property
    def excuses(self) -> bool:
        """Whether a waiver or permissive mode may play a part."""
        return any(choice.excused_until > NEVER for choice in self.choices)

    @property
    def dates(self) -> tuple[Instant, ...]:
        """The ends of policy, waivers and permissive modes."""
        ends = [self.bound]
        for need in self.needs:
            ends += (need.waived_until, need.permissive_until)
        ends += (closure.permissive_until for closure in self.closures)
        return tuple(dict.fromkeys(ends))

    @property
    def hopeless(self) -> bool:
        """Whether no fresher claim could ever make it an admission."""
        return any(
            not choice.groups and choice.excused_until == NEVER
            for choice in self.choices
        )


def rule(
    needs: tuple[ResolvedNeed, ...],
    closures: tuple[Closure, ...],
    bound: Instant,
    preferred: float = 1.0,
) -> Ruling:
    """Prepare resolved needs for being judged again and again.

    :param bound: when the policy expires
    :param preferred: see :class:`Ruling`
    """
    index: dict[Atom, int] = {}
    all_of: dict[_Disjunction, None] = {}
    choices: dict[_Choice, None] = {}
    for closure in closures:
        choices[_Choice((), closure.permissive_until)] = None
    for need in needs:
        groups = tuple(
            tuple(_numbered(s.atoms, index) for s in group)
            for group in need.groups
            if all(s.atoms for s in group)
        )
        excused = max(need.waived_until, need.permissive_until)
        if len(groups) == 1 and excused == NEVER:
            all_of.update(dict.fromkeys(groups[0]))
        else:
            choices[_Choice(groups, excused)] = None
    return Ruling(
        needs,
        closures,
        tuple(index),
        tuple(all_of),
        tuple(choices),
        bound,
        preferred,
    )


def _numbered(atoms: tuple[Atom, ...], index: dict[Atom, int]) -> _Disjunction:
    return tuple(sorted(index.setdefault(a, len(index)) for a in atoms))


def until(
    ruling: Ruling,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
    excused: bool = True,
) -> Instant:
    """Return the moment until which the host is admitted; past: it is not.

    :param excused: whether waivers and permissive mode count
    """
    lives = [
        _expiry(atom, record, snapshot, boot_max_age_s)
        for atom in ruling.atoms
    ]
    lapse = ruling.bound
    for carried in ruling.all_of:
        if len(carried) == 1:
            latest = lives[carried[0]]
        else:
            latest = max([lives[i] for i in carried])
        if latest < lapse:
            lapse = latest
    for choice in ruling.choices:
        lapse = min(lapse, _best(choice, lives, excused))
    return lapse


def situation(
    ruling: Ruling,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
    now: Instant,
) -> tuple[int, ...]:
    """Return all of a host's times that its decision depends on.

    Hosts of one shape in the same situation have the same refusals.
    """
    lives = [
        _expiry(atom, record, snapshot, boot_max_age_s)
        for atom in ruling.atoms
    ]
    told = [2 if t == NEVER else int(t > now) for t in lives]
    told.extend(int(t > now) for t in ruling.dates)
    return tuple(told)


def _best(choice: _Choice, lives: list[Instant], excused: bool) -> Instant:
    best = choice.excused_until if excused else NEVER
    for group in choice.groups:
        shortest = FOREVER
        for carried in group:
            shortest = min(shortest, max([lives[i] for i in carried]))
        best = max(best, shortest)
    return best


def _expiry(
    atom: Atom,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
) -> Instant:
    """Return when a claim stops to count (5.1.1, 5.1.2).

    A run-time claim lives for its maximum age.  A boot-time claim lives until
    the boot ends: that it has not is known for ``boot_max_age_s`` after its
    authority last saw the same boot, or, from an authority that cannot tell
    boots apart, after the claim was made.
    """
    if atom.voice == ANY_DATE:
        return atom.limit
    result = record.results[atom.voice]
    fresh = snapshot.freshness.get(result.authority, {}).get(result.attester)
    if fresh is None:
        return NEVER
    if atom.grade is not Grade.BOOT:
        return fresh.at + atom.limit
    if result.boot is None:
        return result.boot_attested_at + min(boot_max_age_s, atom.limit)
    if fresh.boot != result.boot:
        return NEVER
    return min(
        fresh.at + boot_max_age_s, result.boot_attested_at + atom.limit
    )


def decide(
    ruling: Ruling,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
    now: Instant,
) -> Decision:
    """Return the decision with every reason: what until() says, explained."""
    explainer = _Explainer(record, snapshot, boot_max_age_s, now)
    for closure in ruling.closures:
        explainer.add((closure.refusal,), NEVER, closure.permissive_until)
    for need in ruling.needs:
        explainer.add(
            explainer.unmet(need), need.waived_until, need.permissive_until
        )
    if now >= ruling.bound:
        expired = Refusal(RefusalCode.POLICY_EXPIRED, "policy", "5.3.2")
        explainer.add((expired,), NEVER, NEVER)
    return Decision(
        record.binding.host,
        tuple(explainer.refusals),
        until(ruling, record, snapshot, boot_max_age_s)
        if not explainer.refusals
        else FOREVER,
        tuple(explainer.waived),
        tuple(explainer.would_refuse),
    )


class _Explainer:
    """Sorts refusals into those that count and those that are excused."""

    def __init__(
        self,
        record: HostRecord,
        snapshot: Snapshot,
        boot_max_age_s: float,
        now: Instant,
    ) -> None:
        self._record = record
        self._snapshot = snapshot
        self._boot_max_age_s = boot_max_age_s
        self._now = now
        self.refusals: list[Refusal] = []
        self.waived: list[Refusal] = []
        self.would_refuse: list[Refusal] = []

    def add(
        self,
        refusals: tuple[Refusal, ...],
        waived_until: Instant,
        permissive_until: Instant,
    ) -> None:
        if waived_until > self._now:
            kept = self.waived
        elif permissive_until > self._now:
            kept = self.would_refuse
        else:
            kept = self.refusals
        kept.extend(r for r in refusals if r not in kept)

    def unmet(self, need: ResolvedNeed) -> tuple[Refusal, ...]:
        """Return why a need is not met: by the group that comes closest."""
        if need.refusal is not None:
            return (need.refusal,)
        closest: tuple[Refusal, ...] | None = None
        for group in need.groups:
            missing = tuple(
                refusal
                for support in group
                if (refusal := self._missing(support, need)) is not None
            )
            if not missing:
                return ()
            if closest is None or len(missing) < len(closest):
                closest = missing
        return closest or ()

    def _missing(
        self, support: Support, need: ResolvedNeed
    ) -> Refusal | None:
        if support.refusal is not None:
            return support.refusal
        if any(self._lives(atom) for atom in support.atoms):
            return None
        return self._lapsed(support, need)

    def _lives(self, atom: Atom) -> bool:
        expiry = _expiry(
            atom, self._record, self._snapshot, self._boot_max_age_s
        )
        return expiry > self._now

    def _lapsed(self, support: Support, need: ResolvedNeed) -> Refusal:
        """All that would carry a term is too old, or of an ended boot."""
        atom = support.atoms[0]
        code, authority = RefusalCode.STALE, ""
        if atom.voice != ANY_DATE:
            result = self._record.results[atom.voice]
            authority = result.authority
            if self._boot_ended(atom, result):
                code = RefusalCode.BOOT_ENDED
        return refusal_of(support.term, need.need, code, authority)

    def _boot_ended(self, atom: Atom, result: Result) -> bool:
        by_attester = self._snapshot.freshness.get(result.authority, {})
        fresh: Freshness | None = by_attester.get(result.attester)
        return (
            atom.grade is Grade.BOOT
            and result.boot is not None
            and fresh is not None
            and fresh.boot != result.boot
        )
