# SPDX-License-Identifier: Apache-2.0
"""What each authority said last.

Pure but for its memory: answers and the time in, mappings out, which are the
same objects for as long as nothing in them has changed.

What is held goes for three reasons alone: its authority says that it has no
result, the policy does not let us hear the authority any more, or no host is
bound to the attester and there are too many of those.  It does not go because
it ran out: from then on it carries nothing, but what it contradicts it still
does, since silence must not help a host.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.collector.intake import ClaimPool
from nfv_mla_scheduler.collector.intake import Intake
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


class Board:
    """Holds what authorities said; not for several threads at once.

    :param max_skew_s: how far ahead of ours clocks may be, in seconds
    """

    def __init__(self, max_skew_s: float) -> None:
        self._max_skew_s = max_skew_s
        self._tasks: Mapping[str, Task] = {}
        self._bound: dict[str, frozenset[str]] = {}
        self._said: dict[str, Said] = {}
        self._restored: frozenset[str] = frozenset()
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
        result carries nothing from now on.

        :param tasks: authority -> what the policy wants of it
        :param pins_hold: whether what was restored was checked by the pins
            of this policy
        """
        dropped = times = 0
        for name in self._said.keys() - tasks.keys():
            dropped += len(self._said.pop(name).results)
        for name, said in self._said.items():
            pinned = tasks[name].inquiry.pinned
            before = self._tasks.get(name)
            known = before.inquiry.pinned if before else {}
            if pins_hold and name in self._restored:
                known = pinned
            ended = _ended(said, known, pinned, now)
            if ended:
                times += len(ended)
                fresh = MappingProxyType({**said.freshness, **ended})
                self._said[name] = Said(said.results, fresh)
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
        intake = Intake(held, self._pool, now, self._max_skew_s)
        asked = frozenset(inquiry.attesters)
        meant = bound - self._pinned_otherwise(authority, inquiry)
        if inquiry.targeted:
            meant &= asked
        for attester in sorted(meant & collected.results.keys()):
            intake.offer(
                collected.results[attester], collected.freshness[attester]
            )
        gone: frozenset[str] = frozenset()
        if collected.complete:
            missing = held.results.keys() - collected.results.keys()
            strangers = frozenset() if inquiry.targeted else missing - bound
            gone = frozenset(missing & asked | strangers)
        if not inquiry.targeted:
            self._take_unbound(authority, intake, collected, held, gone)
        said = intake.said(gone)
        if said is not held or authority not in self._said:
            self._said[authority] = said
        self._pool.keep(self._said)
        return Changes(
            intake.taken,
            len(intake.results),
            len(intake.freshness),
            len(gone),
            (*collected.problems, *intake.problems),
        )

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
            intake.offer(
                collected.results[attester], collected.freshness[attester]
            )
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


def _ended(
    said: Said,
    before: Mapping[str, tuple[str, ...]],
    pinned: Mapping[str, tuple[str, ...]],
    now: Instant,
) -> dict[str, Freshness]:
    """Return the times of what was checked by other keys, ended now."""
    return {
        attester: dataclasses.replace(fresh, until=now)
        for attester, keys in pinned.items()
        if keys != before.get(attester)
        and (fresh := said.freshness.get(attester)) is not None
        and fresh.until > now
    }


def _without(said: Said, gone: frozenset[str]) -> Said:
    results = {a: r for a, r in said.results.items() if a not in gone}
    freshness = {a: f for a, f in said.freshness.items() if a not in gone}
    return Said(MappingProxyType(results), MappingProxyType(freshness))
