# SPDX-License-Identifier: Apache-2.0
"""Prepare the rulings of one demand, one for all shapes that it finds alike.

Pure but for its memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.closures import Closure
from nfv_mla_scheduler.judge.closures import closures
from nfv_mla_scheduler.judge.findings import Findings
from nfv_mla_scheduler.judge.longevity import Group
from nfv_mla_scheduler.judge.longevity import deciding
from nfv_mla_scheduler.judge.longevity import group_outlives
from nfv_mla_scheduler.judge.longevity import longest
from nfv_mla_scheduler.judge.resolve import ResolvedNeed
from nfv_mla_scheduler.judge.resolve import Rules
from nfv_mla_scheduler.judge.ruling import Choice
from nfv_mla_scheduler.judge.ruling import Disjunction
from nfv_mla_scheduler.judge.ruling import Duty
from nfv_mla_scheduler.judge.ruling import Ruling
from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.view import Snapshot


class Rulings:
    """The rulings of one demand under one epoch of snapshots.

    :param closed: None: whose a host is does not matter, only what it proves
    :param management_domain: of the scheduler that asks
    """

    def __init__(
        self, demand: Demand, closed: Closed | None, management_domain: str
    ) -> None:
        self._demand = demand
        self._closed = closed
        self._management_domain = management_domain
        self._findings: Findings | None = None
        self._unsettled = False
        self._by_shape: dict[Shape, Ruling] = {}
        self._alike: dict[
            tuple[tuple[ResolvedNeed, ...], tuple[Closure, ...], float], Ruling
        ] = {}

    def of(self, shape: Shape, snapshot: Snapshot) -> Ruling:
        """Return what the demand means for hosts of a shape."""
        ruling = self._by_shape.get(shape)
        if ruling is None:
            if len(self._by_shape) > 2 * len(snapshot.shapes) + 64:
                self._by_shape.clear()
                self._alike.clear()
            self._unsettled = True
            ruling = self._by_shape[shape] = self._new(shape, snapshot)
        return ruling

    def settle(self) -> None:
        """Let go of what only helps with other shapes of the same request."""
        if self._unsettled and self._findings is not None:
            self._findings.settle()
            self._unsettled = False

    def _new(self, shape: Shape, snapshot: Snapshot) -> Ruling:
        policy, findings = snapshot.policy, self._findings
        assert policy is not None
        if findings is None:
            # neither rules nor findings may hold on to the snapshot itself
            rules = Rules(policy, snapshot.catalogue, snapshot.own_state)
            findings = self._findings = Findings(self._demand, rules)
        closed: tuple[Closure, ...] = ()
        if self._closed is not None:
            closed = closures(
                policy,
                snapshot.catalogue,
                shape.pools,
                self._demand.trust_domain,
                self._management_domain,
            )
        key = (findings.needs(shape), closed, findings.preferred(shape))
        ruling = self._alike.get(key)
        if ruling is None:
            needs, _, preferred = key
            ruling = rule(needs, closed, policy.expires_at, preferred)
            self._alike[key] = ruling
        return ruling


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
    required: list[tuple[Atom, ...]] = []
    open_: list[tuple[tuple[Group, ...], Instant]] = []
    for need in needs:
        groups = tuple(
            tuple([support.atoms for support in group])
            for group in need.groups
            if all(support.atoms for support in group)
        )
        for atom in (a for group in groups for atoms in group for a in atoms):
            index.setdefault(atom, len(index))
        groups = longest(groups)
        excused = max(need.waived_until, need.permissive_until)
        if len(groups) == 1 and excused == NEVER:
            required += groups[0]
        else:
            open_.append((groups, excused))
    all_of = deciding(required)
    choices = [Choice((), closure.permissive_until) for closure in closures]
    choices += [
        Choice(tuple(_numbered(group, index) for group in groups), excused)
        for groups, excused in open_
        if not any(group_outlives(group, all_of) for group in groups)
    ]
    return Ruling(
        needs,
        closures,
        tuple(index),
        _numbered(all_of, index),
        tuple(dict.fromkeys(choices)),
        _duties(all_of),
        _numbered([atoms for atoms in all_of if len(atoms) > 1], index),
        _ends(all_of, bound),
        bound,
        preferred,
        excuses=any(choice.excused_until > NEVER for choice in choices),
        hopeless=any(
            not choice.groups and choice.excused_until == NEVER
            for choice in choices
        ),
        dates=_dates(needs, closures, bound),
    )


def _numbered(
    group: Iterable[tuple[Atom, ...]], index: Mapping[Atom, int]
) -> tuple[Disjunction, ...]:
    return tuple(
        tuple(sorted([index[atom] for atom in atoms])) for atoms in group
    )


def _duties(all_of: Group) -> tuple[Duty, ...]:
    alone = [atoms[0] for atoms in all_of if len(atoms) == 1]
    run_s = {a.voice: a.limit for a in alone if not a.boot}
    boot_s = {a.voice: a.limit for a in alone if a.boot}
    return tuple(
        Duty(voice, run_s.get(voice, FOREVER), boot_s.get(voice))
        for voice in sorted({*run_s, *boot_s} - {ANY_DATE})
    )


def _ends(all_of: Group, bound: Instant) -> Instant:
    dates = [
        a[0].limit for a in all_of if len(a) == 1 and a[0].voice == ANY_DATE
    ]
    return min([bound, *dates])


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
