# SPDX-License-Identifier: Apache-2.0
"""What the needs of one demand mean, found out once for hosts that are alike.

Pure but for its memory.  There may be a shape for every row of a data centre,
while most needs rest on claims that all rows have in common.  So each need is
resolved once for all shapes that are alike in what bears on it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.judge.closures import pools_permissive_until
from nfv_mla_scheduler.judge.hearing import Hearing
from nfv_mla_scheduler.judge.hearing import is_doubted
from nfv_mla_scheduler.judge.resolve import ResolvedNeed
from nfv_mla_scheduler.judge.resolve import Resolver
from nfv_mla_scheduler.judge.resolve import Rules
from nfv_mla_scheduler.judge.resolve import capabilities_of
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.results.records import Shape

_KNOWN_MAX = 4096


class Findings:
    """Resolves the needs of one demand.

    :param rules: with the policy that ``demand`` was bound to
    """

    def __init__(self, demand: Demand, rules: Rules) -> None:
        self._demand = demand
        self._rules = rules
        self._needs = [_Question(need, rules) for need in demand.needs]
        self._preferred = [_Question(need, rules) for need in demand.preferred]
        # What bears on every need -> a number for it, which no other thread
        # gives to anything else.
        self._of_all: dict[tuple[Any, ...], int] = {}
        self._numbers = itertools.count()

    def needs(self, shape: Shape) -> tuple[ResolvedNeed, ...]:
        """Return every need, resolved; for shapes alike, the same objects."""
        return tuple(self._answers(self._needs, shape))

    def preferred(self, shape: Shape) -> float:
        """Return the share of the preferred needs that a shape could meet."""
        if not self._preferred:
            return 1.0
        met = [a.carried for a in self._answers(self._preferred, shape)]
        return sum(met) / len(met)

    def settle(self) -> None:
        """Let go of what only helps with other shapes of the same request.

        There may be a hundred demands, and shapes for thousands of rows.
        """
        for question in (*self._needs, *self._preferred):
            question.known.clear()

    def _answers(
        self, questions: Iterable[_Question], shape: Shape
    ) -> list[ResolvedNeed]:
        policy = self._rules.policy
        doubted = tuple([is_doubted(v, policy) for v in shape.voices])
        permissive_until = max(
            self._demand.permissive_until,
            pools_permissive_until(policy, shape.pools),
        )
        said = (
            permissive_until,
            shape.pinned,
            tuple([(voice.authority, voice.pinned) for voice in shape.voices]),
            doubted,
        )
        of_all = self._of_all.setdefault(said, next(self._numbers))

        @functools.cache
        def resolver() -> Resolver:
            hearing = Hearing(policy, self._rules.catalogue, shape, doubted)
            return Resolver(
                self._demand, shape, self._rules, hearing, permissive_until
            )

        return [q.answer(shape, of_all, resolver) for q in questions]


class _Question:
    """One need, and what it has turned out to mean."""

    def __init__(self, need: Need, rules: Rules) -> None:
        self._need = need
        self._capabilities = tuple(sorted(capabilities_of(need, rules)))
        self._pools = tuple(choice.pool for choice in need.pools or ())
        self.known: dict[Any, tuple[list[Any], ResolvedNeed]] = {}
        self._found: dict[Any, ResolvedNeed] = {}

    def answer(
        self,
        shape: Shape,
        of_all: int,
        resolver: Callable[[], Resolver],
    ) -> ResolvedNeed:
        """Return what the need means for hosts of a shape.

        :param of_all: stands for what bears on every need
        """
        names = self._capabilities
        claims = [v.claims.get(name) for v in shape.voices for name in names]
        key = (
            of_all,
            tuple(map(id, claims)),
            tuple([f for f in shape.contents if f[0] in names]),
            tuple([pool for pool in self._pools if pool in shape.pools]),
        )
        known = self.known.get(key)
        if known is None:
            if len(self.known) >= _KNOWN_MAX:
                self.known.clear()
                self._found.clear()
            found = resolver().resolve(self._need)
            # pools differ in the terms as well
            found = self._found.setdefault((key[3], found.outcome), found)
            # with the claims, so that their ids stay theirs
            known = self.known[key] = (claims, found)
        return known[1]
