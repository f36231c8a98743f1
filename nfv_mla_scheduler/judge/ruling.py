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
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
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
    :ivar excuses: whether a waiver or permissive mode may play a part
    :ivar hopeless: whether no fresher claim could ever make it an admission
    :ivar dates: the ends of policy, waivers and permissive modes
    """

    needs: tuple[ResolvedNeed, ...]
    closures: tuple[Closure, ...]
    atoms: tuple[Atom, ...]
    all_of: tuple[_Disjunction, ...]
    choices: tuple[_Choice, ...]
    bound: Instant
    preferred: float
    excuses: bool
    hopeless: bool
    dates: tuple[Instant, ...]


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
        excuses=any(choice.excused_until > NEVER for choice in choices),
        hopeless=any(
            not choice.groups and choice.excused_until == NEVER
            for choice in choices
        ),
        dates=_dates(needs, closures, bound),
    )


def _numbered(atoms: tuple[Atom, ...], index: dict[Atom, int]) -> _Disjunction:
    return tuple(sorted(index.setdefault(a, len(index)) for a in atoms))


def _dates(
    needs: tuple[ResolvedNeed, ...],
    closures: tuple[Closure, ...],
    bound: Instant,
) -> tuple[Instant, ...]:
    ends = [bound]
    for need in needs:
        ends += (need.waived_until, need.permissive_until)
    ends += (closure.permissive_until for closure in closures)
    return tuple(end for end in dict.fromkeys(ends) if end > NEVER)


def expiries(
    ruling: Ruling,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
) -> list[Instant]:
    """Return until when each of the ruling's atoms lives on a host."""
    freshness = snapshot.freshness
    fresh = [
        freshness[result.authority].get(result.attester)
        if result.authority in freshness
        else None
        for result in record.results
    ]
    return [
        atom.limit
        if atom.voice == ANY_DATE
        else _expiry(
            atom, record.results[atom.voice], fresh[atom.voice], boot_max_age_s
        )
        for atom in ruling.atoms
    ]


def until(
    ruling: Ruling, lives: list[Instant], excused: bool = True
) -> Instant:
    """Return the moment until which a host is admitted; past: it is not.

    :param lives: the :func:`expiries` of the ruling's atoms on this host
    :param excused: whether waivers and permissive mode count
    """
    lapse = ruling.bound
    for carried in ruling.all_of:
        if len(carried) == 1:
            latest = lives[carried[0]]
        else:
            latest = max([lives[i] for i in carried])
        if latest < lapse:
            lapse = latest
    for choice in ruling.choices:
        best = _best(choice, lives)
        if excused and choice.excused_until > best:
            best = choice.excused_until
        if best < lapse:
            lapse = best
    return lapse


def situation(
    ruling: Ruling, lives: list[Instant], now: Instant
) -> tuple[int, ...]:
    """Return all of a host's times that its decision depends on.

    Hosts of one shape in the same situation have the same refusals.
    """
    told = [2 if t == NEVER else int(t > now) for t in lives]
    told.extend(int(t > now) for t in ruling.dates)
    return tuple(told)


def _best(choice: _Choice, lives: list[Instant]) -> Instant:
    best = NEVER
    for group in choice.groups:
        shortest = FOREVER
        for carried in group:
            shortest = min(shortest, max([lives[i] for i in carried]))
        best = max(best, shortest)
    return best


def expiry(
    atom: Atom,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
) -> Instant:
    """Return until when one claim about a host lives."""
    if atom.voice == ANY_DATE:
        return atom.limit
    result = record.results[atom.voice]
    fresh = snapshot.freshness.get(result.authority, {}).get(result.attester)
    return _expiry(atom, result, fresh, boot_max_age_s)


def _expiry(
    atom: Atom, result: Result, fresh: Freshness | None, boot_max_age_s: float
) -> Instant:
    """Return when a claim stops to count (5.1.1, 5.1.2).

    A run-time claim lives for its maximum age.  A boot-time claim lives until
    the boot ends: that it has not is known for ``boot_max_age_s`` after its
    authority last saw the same boot, or, from an authority that cannot tell
    boots apart, after the claim was made.  No claim outlives the authority's
    own word.
    """
    if fresh is None:
        return NEVER
    if atom.grade is not Grade.BOOT:
        lapse = fresh.at + atom.limit
    elif result.boot is None:
        lapse = result.boot_attested_at + min(boot_max_age_s, atom.limit)
    elif fresh.boot != result.boot:
        return NEVER
    else:
        lapse = min(
            fresh.at + boot_max_age_s, result.boot_attested_at + atom.limit
        )
    return lapse if lapse < fresh.until else fresh.until
