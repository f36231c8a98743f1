# SPDX-License-Identifier: Apache-2.0
"""What each authority said last.

Pure but for its memory: answers and the time in, mappings out, which are the
same objects for as long as nothing in them has changed.

What is held about the attester of a host goes only when the policy does not
bind it any more, or does not let us hear the authority.  An absence is not
signed, and whoever serves signed results can leave one out: what a complete
answer lacks *ends*.  From then on it carries nothing, as what ran out, but
what it contradicts it still does, and what is older is still a replay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.intake import Intake
from nfv_mla_scheduler.collector.pool import ClaimPool
from nfv_mla_scheduler.collector.values import NOTHING
from nfv_mla_scheduler.collector.values import Changes
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.values import Freshness

# Attesters of no host count for nothing, and are held only so that people can
# be told of them.
UNBOUND_MAX = 1000
# Times travel in milliseconds.
TICK_S = 0.001


class Board:
    """Holds what authorities said; not for several threads at once.

    :param max_skew_s: how far ahead of ours clocks may be, in seconds
    :param check_pins: authorities whose drivers compare the keys that the
        policy pins
    """

    def __init__(
        self,
        max_skew_s: float,
        check_pins: frozenset[str] = frozenset(),
    ) -> None:
        self._max_skew_s = max_skew_s
        self._check_pins = check_pins
        self._tasks: Mapping[str, Task] = {}
        self._bound: dict[str, frozenset[str]] = {}
        self._said: dict[str, Said] = {}
        self._restored: frozenset[str] = frozenset()
        # authority -> attesters held whose claims were read by other rules
        self._unlike: dict[str, set[str]] = {}
        self._pool = ClaimPool()

    @property
    def said(self) -> Mapping[str, Said]:
        """Authority -> what it said; one that never answered is not there.

        A copy, which does not change under whoever reads it.
        """
        return dict(self._said)

    def restore(self, said: Mapping[str, Said]) -> None:
        """Hold what a document of before the restart said."""
        self._said.update(said)
        self._restored = frozenset(said)
        for one in said.values():
            for result in one.results.values():
                self._pool.one(result.claims)

    def rule(
        self, tasks: Mapping[str, Task], now: Instant, *, pins_hold: bool
    ) -> Changes:
        """Hold no more than a policy lets us.

        Where it pins other keys than those by which a result was checked, the
        result ends.  Unless the driver compares them, only a newer one than
        this moment takes its place: the same would come again at once.

        :param tasks: authority -> what the policy wants of it
        :param pins_hold: whether what was restored was checked by the pins
            of this policy
        """
        dropped = times = 0
        for name in self._said.keys() - tasks.keys():
            dropped += len(self._said.pop(name).results)
            self._unlike.pop(name, None)
        for name, said in self._said.items():
            inquiry = tasks[name].inquiry
            before = self._tasks.get(name)
            known = before.inquiry.pinned if before else {}
            regions = before.inquiry.regions if before else None
            if pins_hold and name in self._restored:
                known, regions = inquiry.pinned, inquiry.regions
            if regions != inquiry.regions:
                self._unlike[name] = set(said.results)
            ended = _unpinned(
                said, known, inquiry.pinned, now, name in self._check_pins
            )
            if ended:
                times += len(ended)
                self._said[name] = _with_times(said, ended)
        self._tasks, self._restored = tasks, frozenset()
        self._bound = {
            name: frozenset(task.inquiry.attesters)
            for name, task in tasks.items()
        }
        for name, said in self._said.items():
            crowd = self._unbound(name, said.results)[UNBOUND_MAX:]
            if crowd:
                dropped += len(crowd)
                self._said[name] = _without(said, frozenset(crowd))
        return Changes(times=times, dropped=dropped)

    def take(
        self,
        authority: str,
        inquiry: Inquiry,
        collected: Collected,
        now: Instant,
    ) -> Changes:
        """Take an answer in, and say what it has changed.

        :param inquiry: what was asked; of a targeted answer only the
            attesters that were meant count
        """
        if authority not in self._tasks:
            return Changes()
        held = self._said.get(authority, NOTHING)
        bound = self._bound[authority]
        anew = bool(held.results) and held.rules != collected.rules
        if anew:
            self._unlike[authority] = set(held.results)
        intake = Intake(held, self._pool, now, self._max_skew_s, len(bound))
        asked = frozenset(inquiry.attesters)
        meant = bound - self._pinned_otherwise(authority, inquiry)
        if inquiry.targeted:
            meant &= asked
        for attester in sorted(meant & collected.results.keys()):
            self._offer(authority, intake, collected, attester)
        gone: frozenset[str] = frozenset()
        if collected.complete:
            missing = held.results.keys() - collected.results.keys()
            strangers = missing & asked if inquiry.targeted else missing
            gone = frozenset(strangers - bound)
            for attester in missing & asked & bound:
                intake.end(attester)
        if not inquiry.targeted:
            self._take_unbound(authority, intake, collected, held, gone)
        if anew:
            for attester in held.results.keys() - intake.taken:
                intake.end(attester)
        self._keep(authority, intake, collected, inquiry, gone)
        return Changes(
            len(intake.taken),
            len(intake.results),
            len(intake.freshness),
            len(gone),
            (*collected.problems, *intake.problems),
            (*collected.notes, *intake.notes),
            anew and inquiry.targeted,
        )

    def renew(self, authority: str, rules: str, now: Instant) -> Changes:
        """End what was taken by other rules, though there is no answer."""
        said = self._said.get(authority)
        if said is None or not rules or said.rules == rules:
            return Changes()
        return self.end(authority, now)

    def end(self, authority: str, now: Instant) -> Changes:
        """Let nothing that an authority said carry anything from now on."""
        said = self._said.get(authority, NOTHING)
        ended = {
            attester: dataclasses.replace(fresh, until=now)
            for attester, fresh in said.freshness.items()
            if fresh.until > now
        }
        if ended:
            self._said[authority] = _with_times(said, ended)
        return Changes(times=len(ended))

    def _offer(
        self,
        authority: str,
        intake: Intake,
        collected: Collected,
        attester: str,
    ) -> None:
        unlike = self._unlike.get(authority, ())
        intake.offer(
            collected.results[attester],
            collected.freshness[attester],
            alike=attester not in unlike,
        )

    def _keep(
        self,
        authority: str,
        intake: Intake,
        collected: Collected,
        inquiry: Inquiry,
        gone: frozenset[str],
    ) -> None:
        """Hold from now on what an answer left."""
        held = self._said.get(authority)
        said = intake.said(gone)
        if said.rules != collected.rules:
            said = dataclasses.replace(said, rules=collected.rules)
        if said is not held:
            self._said[authority] = said
        unlike = self._unlike.get(authority)
        if (
            unlike
            and inquiry.regions == self._tasks[authority].inquiry.regions
        ):
            unlike -= intake.taken
        self._pool.keep(self._said)

    def _pinned_otherwise(
        self, authority: str, inquiry: Inquiry
    ) -> frozenset[str]:
        """Return whose keys the policy pins otherwise since we asked."""
        pinned = self._tasks[authority].inquiry.pinned
        if inquiry.pinned is pinned:
            return frozenset()
        return frozenset(
            attester
            for attester, keys in pinned.items()
            if inquiry.pinned.get(attester) != keys
        )

    def _take_unbound(
        self,
        authority: str,
        intake: Intake,
        collected: Collected,
        held: Said,
        gone: frozenset[str],
    ) -> None:
        """Take in some attesters of no host, first those that are held."""
        offered = self._unbound(authority, collected.results)
        if not offered:
            return
        kept = self._unbound(authority, held.results.keys() - gone)
        room = max(UNBOUND_MAX - len(kept), 0)
        known = [a for a in offered if a in held.results]
        new = [a for a in offered if a not in held.results]
        for attester in (*known, *new[:room]):
            self._offer(authority, intake, collected, attester)
        if new[room:]:
            intake.refuse(
                ResultsCode.UNKNOWN_ATTESTER.value,
                new[room],
                f"one of {len(new[room:])} that are bound to no host and "
                f"left out beyond the first {UNBOUND_MAX}",
            )

    def _unbound(self, authority: str, attesters: Iterable[str]) -> list[str]:
        """Return those that no host is bound to, in a fixed order."""
        bound = self._bound[authority]
        return sorted(a for a in attesters if a not in bound)


def _unpinned(
    said: Said,
    before: Mapping[str, tuple[str, ...]],
    pinned: Mapping[str, tuple[str, ...]],
    now: Instant,
    is_checked: bool,
) -> dict[str, Freshness]:
    """Return the times of what was checked by other keys, ended now.

    :param is_checked: whether what comes next will be compared with the keys;
        if not, it has to be newer than this moment
    """
    ended = {}
    for attester, keys in pinned.items():
        fresh = said.freshness.get(attester)
        if fresh is None or keys == before.get(attester):
            continue
        at = fresh.at
        if not is_checked:
            at = round(max(at, now) + TICK_S, 3)
        until = min(fresh.until, now)
        if (at, until) != (fresh.at, fresh.until):
            ended[attester] = Freshness(at, fresh.boot, until)
    return ended


def _with_times(said: Said, times: Mapping[str, Freshness]) -> Said:
    fresh = MappingProxyType({**said.freshness, **times})
    return dataclasses.replace(said, freshness=fresh)


def _without(said: Said, gone: frozenset[str]) -> Said:
    results = {a: r for a, r in said.results.items() if a not in gone}
    freshness = {a: f for a, f in said.freshness.items() if a not in gone}
    return Said(
        MappingProxyType(results), MappingProxyType(freshness), said.rules
    )
