# SPDX-License-Identifier: Apache-2.0
"""Hold one answer of an authority against what is held.  Pure.

A result is taken if it can travel in a document and is no older than the one
that is held about its attester; of two of one moment the worse of both counts.
What says the same stays the same object.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from nfv_mla_scheduler.collector.pool import Budget
from nfv_mla_scheduler.collector.pool import ClaimPool
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.worse import worse_of_both

# Of one authority: a document holds 64 MiB at most, and times apart 8 MiB.
BOOT_BYTES_MAX = 128
CLAIMS_BYTES_LEAST = 2**20
CLAIMS_BYTES_EACH = 1024
DIFFER = "differs from a result of the same moment; the worse of both counts"

_Held = TypeVar("_Held")


class Intake:
    """One answer, taken in result by result.

    :param bound: how many attesters hosts are bound to, which says how much
        there may be to say
    :ivar taken: attesters whose results were taken, those that say nothing
        new included
    :ivar results: those that are new or differ
    :ivar freshness: the times that are new or differ
    :ivar problems: of each result that is not taken: why
    :ivar notes: what is to be known of some that were taken
    """

    def __init__(
        self,
        held: Said,
        pool: ClaimPool,
        now: Instant,
        max_skew_s: float,
        bound: int = 0,
    ) -> None:
        self._held = held
        self._pool = pool
        self._now = now
        self._latest = now + max_skew_s
        self._bytes_max = CLAIMS_BYTES_LEAST + bound * CLAIMS_BYTES_EACH
        self._budget: Budget | None = None
        self._pooled: dict[int, Claims] = {}
        self.taken: set[str] = set()
        self.results: dict[str, Result] = {}
        self.freshness: dict[str, Freshness] = {}
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []

    def offer(
        self, result: Result, fresh: Freshness, *, alike: bool = True
    ) -> None:
        """Take a result in, unless it is unfit or a replay.

        :param alike: whether what is held about the attester was read by the
            same rules, so that it says something else if it differs
        """
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
        before = self._held.results.get(attester)
        was = self._held.freshness.get(attester)
        # What is held from the future is of a clock that was fast: it must
        # not make a replay of all that comes once the clock is right.
        behind_s = 0.0
        if was is not None and was.at <= self._latest:
            behind_s = round(was.at, 3) - round(fresh.at, 3)
            if behind_s > 0:
                said = f"{behind_s:.3f} s older than the result that is held"
                self.refuse(TokenCode.REPLAYED.value, attester, said)
                return
        try:
            claims = self._claims(result.claims)
            if before and was and alike and _is_of_moment(was, fresh):
                result, fresh = self._worse(before, was, result, fresh, claims)
                claims = result.claims
        except (ValueError, TypeError, AttributeError, LookupError):
            said = "has claims that no document can hold"
            self.refuse(ResultsCode.BAD_CLAIM.value, attester, said)
            return
        if not self._fits(before, claims):
            said = (
                f"its claims and those of others are more than "
                f"{self._bytes_max} bytes; what is held ends"
            )
            self.refuse(ResultsCode.TOO_LARGE.value, attester, said)
            self.end(attester)
            return
        self.taken.add(attester)
        if before is None or not _same(before, result, claims):
            self.results[attester] = Result(
                result.authority,
                attester,
                claims,
                result.boot,
                result.boot_attested_at,
                key=result.key,
            )
        if was != fresh:
            self.freshness[attester] = fresh

    def end(self, attester: str) -> None:
        """Let what is held about an attester carry nothing from now on."""
        fresh = self._held.freshness.get(attester)
        if fresh is not None and fresh.until > self._now:
            self.freshness[attester] = dataclasses.replace(
                fresh, until=self._now
            )

    def _worse(
        self,
        before: Result,
        was: Freshness,
        result: Result,
        fresh: Freshness,
        claims: Claims,
    ) -> tuple[Result, Freshness]:
        """Return what two results of one moment leave standing.

        Which of them is meant nobody can tell, and whoever serves them chooses
        the order in which they come.
        """
        if _same(before, result, claims) and was.boot == fresh.boot:
            return dataclasses.replace(result, claims=claims), fresh
        if claims is not before.claims:
            claims = self._pool.one(worse_of_both(before.claims, claims))
        merged = dataclasses.replace(
            result,
            claims=claims,
            boot=result.boot if result.boot == before.boot else None,
            key=result.key if result.key == before.key else "",
            boot_attested_at=min(
                result.boot_attested_at, before.boot_attested_at
            ),
        )
        ended = dataclasses.replace(
            fresh,
            boot=fresh.boot if fresh.boot == was.boot else None,
            until=min(fresh.until, was.until),
        )
        path = bounded(result.attester, 128)
        self.notes.append(Problem(path, DIFFER))
        return merged, ended

    def _fits(self, before: Result | None, claims: Claims) -> bool:
        """Whether there is room for claims in the place of those before."""
        if before is not None and before.claims is claims:
            return True
        if self._budget is None:
            self._budget = Budget(
                self._held.results, self._pool, self._bytes_max
            )
        return self._budget.swap(before.claims if before else None, claims)

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
        return Said(results, freshness, held.rules)

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


def _is_of_moment(was: Freshness, fresh: Freshness) -> bool:
    return round(was.at, 3) == round(fresh.at, 3)


def _same(before: Result, result: Result, claims: Claims) -> bool:
    return (
        before.claims is claims
        and before.boot == result.boot
        and before.boot_attested_at == result.boot_attested_at
        and before.key == result.key
    )


def _unfit(result: Result, fresh: Freshness) -> str:
    """Return what keeps a result out of every document, if anything does."""
    for boot in (result.boot, fresh.boot):
        if boot is not None and not (
            strict_json.is_name(boot) and len(boot.encode()) <= BOOT_BYTES_MAX
        ):
            return f"has an unfit boot id ({bounded(boot)!r})"
    if result.key and not (
        strict_json.is_name(result.key)
        and len(result.key.encode()) <= BOOT_BYTES_MAX
    ):
        return f"has an unfit key ({bounded(result.key)!r})"
    times = [result.boot_attested_at, fresh.at]
    if fresh.until != FOREVER:
        times.append(fresh.until)
    for time in times:
        if not strict_json.is_number(time):
            return f"has a time that is none ({bounded(time)!r})"
    if result.faulty:
        return "is marked as faulty, which no document can say"
    return ""
