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
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple

from nfv_mla_scheduler.judge.closures import Closure
from nfv_mla_scheduler.judge.resolve import ResolvedNeed
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.view import Snapshot

Disjunction = tuple[int, ...]
"""Atoms by their numbers, any of which will do."""


class Duty(NamedTuple):
    """What one voice has to carry, and nobody else can.

    :ivar run_s: how old its run-time claims may be, in seconds
    :ivar boot_s: how old its boot-time claims may be; None: it needs none
    """

    voice: int
    run_s: float
    boot_s: float | None


class Choice(NamedTuple):
    """A need that can be met in several ways, or is excused for a time.

    :ivar groups: of disjunctions of atoms, by their numbers
    """

    groups: tuple[tuple[Disjunction, ...], ...]
    excused_until: Instant


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What a demand means for a shape, ready to have the times put in.

    :ivar atoms: the claims on which anything depends
    :ivar all_of: disjunctions of atoms, by their numbers, all of which have
        to be carried; those left out never end before these
    :ivar choices: needs that are met by any of several groups, likewise
    :ivar duties: what of ``all_of`` one voice alone has to carry
    :ivar several: what of ``all_of`` more than one atom could
    :ivar ends: the end of what depends on no voice
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
    all_of: tuple[Disjunction, ...]
    choices: tuple[Choice, ...]
    duties: tuple[Duty, ...]
    several: tuple[Disjunction, ...]
    ends: Instant
    bound: Instant
    preferred: float
    excuses: bool
    hopeless: bool
    dates: tuple[Instant, ...]


def expiries(
    ruling: Ruling,
    record: HostRecord,
    snapshot: Snapshot,
    boot_max_age_s: float,
) -> list[Instant]:
    """Return until when each of the ruling's atoms lives on a host."""
    fresh = [snapshot.freshness_of(result) for result in record.results]
    return [
        atom.limit
        if atom.voice == ANY_DATE
        else _expiry(
            atom, record.results[atom.voice], fresh[atom.voice], boot_max_age_s
        )
        for atom in ruling.atoms
    ]


def until(
    ruling: Ruling, lives: Sequence[Instant], excused: bool = True
) -> Instant:
    """Return the moment until which a host is admitted; past: it is not.

    :param lives: the :func:`expiries` of the ruling's atoms on this host
    :param excused: whether waivers and permissive mode count
    """
    carried = first_end(ruling.all_of, lives, ruling.bound)
    return of_choices(ruling.choices, lives, carried, excused)


def first_end(
    all_of: Iterable[Disjunction], lives: Sequence[Instant], lapse: Instant
) -> Instant:
    """Return when the first of some disjunctions ends, or ``lapse``."""
    for carried in all_of:
        if len(carried) == 1:
            latest = lives[carried[0]]
        else:
            latest = max([lives[i] for i in carried])
        if latest < lapse:
            lapse = latest
    return lapse


def of_choices(
    choices: Iterable[Choice],
    lives: Sequence[Instant],
    lapse: Instant,
    excused: bool = True,
) -> Instant:
    """Return when the first of some choices ends, or ``lapse``."""
    for choice in choices:
        best = choice.excused_until if excused else NEVER
        for group in choice.groups:
            best = max(best, first_end(group, lives, FOREVER))
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
    return _expiry(atom, result, snapshot.freshness_of(result), boot_max_age_s)


def _expiry(
    atom: Atom, result: Result, fresh: Freshness | None, boot_max_age_s: float
) -> Instant:
    """Return when a claim stops to count (5.1.1, 5.1.2).

    A run-time claim lives for its maximum age.  No claim outlives the
    authority's own word.
    """
    if fresh is None:
        return NEVER
    lapse = fresh.at + atom.limit
    if atom.boot:
        lapse = boot_expiry(
            result, fresh.at, fresh.boot, atom.limit, boot_max_age_s
        )
    return lapse if lapse < fresh.until else fresh.until


def boot_expiry(
    result: Result,
    at: Instant,
    boot: str | None,
    limit_s: float,
    boot_max_age_s: float,
) -> Instant:
    """Return when a boot-time claim stops to count: when the boot ends.

    That it has not is known for ``boot_max_age_s`` after its authority last
    saw the same boot, or, from an authority that cannot tell boots apart,
    after the claim was made.

    :param at: when the authority last appraised the attester
    :param boot: which boot it then saw
    :param limit_s: how old the claim may be at most
    """
    if result.boot is None:
        return result.boot_attested_at + min(boot_max_age_s, limit_s)
    if boot != result.boot:
        return NEVER
    return min(at + boot_max_age_s, result.boot_attested_at + limit_s)
