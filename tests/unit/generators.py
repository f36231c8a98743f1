# SPDX-License-Identifier: Apache-2.0
"""Worlds to be judged: good ones, in which a few things have changed.

What is drawn is a short list of names and seeds, so that drawing is fast and
a failing world shrinks to few changes.
"""

from __future__ import annotations

import dataclasses
import os
from random import Random

from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st

from nfv_mla_scheduler.policy.keys import KEYS
from tests.unit import asks
from tests.unit import changes
from tests.unit import drafts
from tests.unit.drafts import Draft

seeds = st.integers(0, 2**16)
_asked = st.tuples(
    st.sampled_from([key.name for key in KEYS]),
    st.sampled_from(("flavor", "flavor", "flavor", "hint", "hint", "floor")),
    seeds,
)
DRAWN = [
    name
    for name in sorted(changes.CHANGES)
    for _ in range(changes.OFTEN.get(name, 1))
]
_changed = st.tuples(st.sampled_from(DRAWN), seeds)


def examples(few: int) -> settings:
    """Return how many examples to try: few, or NFV_MLA_EXAMPLES."""
    return settings(
        max_examples=int(os.environ.get("NFV_MLA_EXAMPLES", few)),
        deadline=None,
        derandomize="NFV_MLA_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a draft is made: how many hosts, what is asked, what changed."""

    hosts: int
    asked: tuple[tuple[str, str, int], ...]
    changed: tuple[tuple[str, int], ...]
    moment: int | None

    def draft(self) -> Draft:
        """Return a new draft made by this recipe."""
        draft = drafts.good(self.hosts)
        first = [c for c in self.changed if "pool" in c[0]]
        first += [c for c in self.changed if c[0] == "profile"]
        rest = [c for c in self.changed if c not in first]
        for name, seed in first:
            changes.CHANGES[name](draft, Random(seed))
        for name, source, seed in self.asked:
            if source == "hint" and name not in asks.HINTS:
                source = "flavor"
            asks.ask(draft, name, source, Random(seed))
            if name == "profile":
                asks.explicit(draft, source, Random(seed))
        for name, seed in rest:
            changes.CHANGES[name](draft, Random(seed))
        if self.moment is not None:
            draft.now = _moment(draft, Random(self.moment))
        return draft


def recipes(
    least: int = 0, most: int = 5, asked: int = 3
) -> st.SearchStrategy:
    """Return recipes with so many changes."""
    return st.builds(
        Recipe,
        st.sampled_from((1, 2, 2, 3, 6)),
        st.lists(_asked, min_size=0, max_size=asked).map(tuple),
        st.lists(_changed, min_size=least, max_size=most).map(tuple),
        st.none() | seeds,
    )


def moments(draft: Draft) -> list[float]:
    """Return every moment at which something may end or begin."""
    ages = [a.max_age_s for a in draft.authorities.values()]
    ages += [p.max_age_s for p in draft.profiles.values() if p.max_age_s]
    ages += [20, 40, 60, 61]
    boots = [
        p.boot_claim_max_age_s
        for p in draft.profiles.values()
        if p.boot_claim_max_age_s
    ]
    found = {draft.expires_at, drafts.NOW}
    for told in draft.told.values():
        ends = [draft.boot_max_age_s, *boots]
        found |= {told.attested_at + end for end in ends}
        if told.at is not None:
            found |= {told.at + age for age in ages}
            found.add(told.at + draft.boot_max_age_s)
    for bound in draft.bindings.values():
        found |= {fact.until for fact in bound.declared}
    found |= {fact.until for fact in draft.site}
    found |= {waiver.until for waiver in draft.waivers}
    for ends in draft.modes.values():
        found |= set(ends.values())
    for glass in draft.break_glass:
        found |= {glass.since, glass.until}
    return sorted(found)


def _moment(draft: Draft, rnd: Random) -> float:
    near = [m for m in moments(draft) if m >= drafts.NOW - 1]
    some = near[: rnd.choice((3, 6, len(near)))]
    return rnd.choice(some) + rnd.choice((-0.5, 0, 0, 0.5))
