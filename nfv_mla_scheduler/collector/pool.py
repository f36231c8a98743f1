# SPDX-License-Identifier: Apache-2.0
"""The claim sets that are held, each once, and how much room they take.

Pure but for its memory.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results.values import Claims
from nfv_mla_scheduler.results.values import Result


class ClaimPool:
    """Hands out one object for all claim sets of one content."""

    def __init__(self) -> None:
        self._by_content: dict[claim_sets.Content, tuple[Claims, int]] = {}

    def __len__(self) -> int:
        return len(self._by_content)

    def one(self, claims: Claims) -> Claims:
        """Return the object that stands for these claims.

        :raises ValueError: when they cannot travel
        """
        return self._find(claims)[0]

    def length(self, claims: Claims) -> int:
        """Return in how many bytes these claims travel."""
        return self._find(claims)[1]

    def keep(self, several: Mapping[str, Said]) -> None:
        """Forget what nobody holds, once that is the greater part."""
        held = sum(len(said.results) for said in several.values())
        if len(self._by_content) <= 2 * held + 64:
            return
        before, self._by_content = self._by_content, {}
        for said in several.values():
            for result in said.results.values():
                content = claim_sets.content(result.claims)
                self._by_content[content] = before[content]

    def _find(self, claims: Claims) -> tuple[Claims, int]:
        content = claim_sets.content(claims)
        known = self._by_content.get(content)
        if known is None:
            wired = json.dumps(claim_sets.wire(claims), ensure_ascii=False)
            known = self._by_content[content] = claims, len(wired.encode())
        return known


class Budget:
    """How many bytes the distinct claims of one authority may take.

    One authority must not make a document larger than readers take.  Claims
    are few and small; those of very many attesters are rarely all distinct.
    """

    def __init__(
        self, results: Mapping[str, Result], pool: ClaimPool, bytes_max: int
    ) -> None:
        self._pool = pool
        self._left = bytes_max
        self._users: Counter[int] = Counter()
        for result in results.values():
            self._use(result.claims)

    def swap(self, before: Claims | None, claims: Claims) -> bool:
        """Hold other claims of somebody; False when that is too much."""
        left = self._left
        if before is not None:
            self._leave(before)
        self._use(claims)
        if self._left >= min(left, 0):
            return True
        self._leave(claims)
        if before is not None:
            self._use(before)
        return False

    def _leave(self, claims: Claims) -> None:
        self._users[id(claims)] -= 1
        if not self._users[id(claims)]:
            self._left += self._pool.length(claims)

    def _use(self, claims: Claims) -> None:
        if not self._users[id(claims)]:
            self._left -= self._pool.length(claims)
        self._users[id(claims)] += 1
