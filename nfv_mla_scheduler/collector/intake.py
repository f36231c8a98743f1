# SPDX-License-Identifier: Apache-2.0
"""Hold one answer of an authority against what is held.  Pure.

A result is taken if it can travel in a document and is no older than the one
that is held about its attester.  What says the same stays the same object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result

_Held = TypeVar("_Held")


class ClaimPool:
    """Hands out one object for all claim sets of one content."""

    def __init__(self) -> None:
        self._by_content: dict[claim_sets.Content, Claims] = {}

    def __len__(self) -> int:
        return len(self._by_content)

    def one(self, claims: Claims) -> Claims:
        """Return the object that stands for these claims.

        :raises ValueError: when they cannot travel
        """
        content = claim_sets.content(claims)
        known = self._by_content.get(content)
        if known is None:
            json.dumps(claim_sets.wire(claims), ensure_ascii=False).encode()
            known = self._by_content[content] = claims
        return known

    def keep(self, several: Mapping[str, Said]) -> None:
        """Forget what nobody holds, once that is the greater part."""
        held = sum(len(said.results) for said in several.values())
        if len(self._by_content) <= 2 * held + 64:
            return
        self._by_content = {}
        for said in several.values():
            for result in said.results.values():
                content = claim_sets.content(result.claims)
                self._by_content[content] = result.claims


class Intake:
    """One answer, taken in result by result.

    :ivar taken: how many were taken, those that say nothing new included
    :ivar results: those that are new or differ
    :ivar freshness: the times that are new or differ
    :ivar problems: of each result that is not taken: why
    """

    def __init__(
        self, held: Said, pool: ClaimPool, now: Instant, max_skew_s: float
    ) -> None:
        self._held = held
        self._pool = pool
        self._latest = now + max_skew_s
        self._pooled: dict[int, Claims] = {}
        self.taken = 0
        self.results: dict[str, Result] = {}
        self.freshness: dict[str, Freshness] = {}
        self.problems: list[Problem] = []

    def offer(self, result: Result, fresh: Freshness) -> None:
        """Take a result in, unless it is unfit or a replay."""
        attester = result.attester
        wrong = _unfit(result, fresh)
        if wrong:
            self.refuse(ResultsCode.INVALID.value, attester, wrong)
            return
        ahead_s = max(fresh.at, result.boot_attested_at) - self._latest
        if ahead_s > 0:
            said = f"attested {ahead_s:.0f} s later than clocks may differ"
            self.refuse(TokenCode.AHEAD.value, attester, said)
            return
        was = self._held.freshness.get(attester)
        # What is held from the future is of a clock that was fast: it must
        # not make a replay of all that comes once the clock is right.
        if was is not None and was.at <= self._latest:
            behind_s = round(was.at, 3) - round(fresh.at, 3)
            if behind_s > 0:
                said = f"{behind_s:.3f} s older than the result that is held"
                self.refuse(TokenCode.REPLAYED.value, attester, said)
                return
        try:
            claims = self._claims(result.claims)
        except (ValueError, TypeError, AttributeError, LookupError):
            said = "has claims that no document can hold"
            self.refuse(ResultsCode.BAD_CLAIM.value, attester, said)
            return
        self.taken += 1
        before = self._held.results.get(attester)
        if before is None or not _same(before, result, claims):
            self.results[attester] = Result(
                result.authority,
                attester,
                claims,
                result.boot,
                result.boot_attested_at,
            )
        if was != fresh:
            self.freshness[attester] = fresh

    def refuse(self, code: str, attester: str, why: str) -> None:
        """Note why a result is not taken."""
        path = bounded(attester, 128)
        self.problems.append(Problem(path, f"{code}: {why}"))

    def said(self, gone: frozenset[str]) -> Said:
        """Return what is held from now on.

        :param gone: attesters of which there is no result any more
        """
        held = self._held
        results, freshness = held.results, held.freshness
        if self.results or gone:
            results = _changed(results, self.results, gone)
        if self.freshness or gone:
            freshness = _changed(freshness, self.freshness, gone)
        if results is held.results and freshness is held.freshness:
            return held
        return Said(results, freshness)

    def _claims(self, claims: Claims) -> Claims:
        known = self._pooled.get(id(claims))
        if known is None:
            known = self._pooled[id(claims)] = self._pool.one(claims)
        return known


def _changed(
    held: Mapping[str, _Held], new: Mapping[str, _Held], gone: frozenset[str]
) -> Mapping[str, _Held]:
    if not gone:
        return MappingProxyType({**held, **new})
    kept = {a: one for a, one in held.items() if a not in gone}
    return MappingProxyType({**kept, **new})


def _same(before: Result, result: Result, claims: Claims) -> bool:
    return (
        before.claims is claims
        and before.boot == result.boot
        and before.boot_attested_at == result.boot_attested_at
    )


def _unfit(result: Result, fresh: Freshness) -> str:
    """Return what keeps a result out of every document, if anything does."""
    for boot in (result.boot, fresh.boot):
        if boot is not None and not strict_json.is_name(boot):
            return f"has an unfit boot id ({bounded(boot)!r})"
    times = [result.boot_attested_at, fresh.at]
    if fresh.until != FOREVER:
        times.append(fresh.until)
    for time in times:
        if not strict_json.is_number(time):
            return f"has a time that is none ({bounded(time)!r})"
    if result.faulty:
        return "is marked as faulty, which no document can say"
    return ""
