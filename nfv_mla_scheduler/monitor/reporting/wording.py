# SPDX-License-Identifier: Apache-2.0
"""Words that lines and status share: counts, a few names, why.

Pure.
"""

from __future__ import annotations

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Refusal

NAMED_MAX = 3
GAP_MAX = 160

_REFUSALS_MAX = 4


def reasons(refusals: tuple[Refusal, ...]) -> str:
    """Return why, for people: the first few refusals, bounded.

    What differs by the clause alone is said once.
    """
    told: dict[str, None] = {}
    for refusal in refusals:
        words = [refusal.code.value, refusal.capability]
        words += [f"by {refusal.authority}"] if refusal.authority else []
        told[" ".join(filter(None, words))] = None
    said = list(told)[:_REFUSALS_MAX]
    more = len(told) - len(said)
    said += [f"and {more} more"] if more > 0 else []
    return bounded(", ".join(said), 200)


def count_of(count: int, word: str) -> str:
    """Return so many of something, in words."""
    return f"{count} {word}" + ("" if count == 1 else "s")


def few(names: list[str]) -> str:
    """Return some names, and how many more there are; bounded."""
    named = ", ".join(bounded(name) for name in sorted(names)[:NAMED_MAX])
    more = len(names) - NAMED_MAX
    return f"{named} and {more} more" if more > 0 else named
