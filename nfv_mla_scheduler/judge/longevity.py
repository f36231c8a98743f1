# SPDX-License-Identifier: Apache-2.0
"""Which claims outlive which, whatever the times turn out to be.

Pure.  Of a need that can be met in several ways, or by several claims, most
ways need not be looked at host by host: of one voice's claims the one that
may be older lives longer, and whoever wants less waits for less.  What is
left out here never decides when an admission lapses.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from typing import TypeVar

from nfv_mla_scheduler.judge.support import ANY_DATE
from nfv_mla_scheduler.judge.support import Atom
from nfv_mla_scheduler.model import FOREVER

Choice = tuple[Atom, ...]
"""Atoms any of which will do: it lives as long as the longest of them."""
Group = tuple[Choice, ...]
"""Choices all of which have to be carried: it ends with the first of them."""

T = TypeVar("T")


def deciding(choices: Iterable[Choice]) -> Group:
    """Return those of a group's choices that can be the first to end."""
    return _kept(choices, _choice_outlives)


def longest(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Return those of a need's groups that can be the last to end."""
    return _kept(groups, lambda one, other: group_outlives(other, one))


def group_outlives(one: Group, other: Group) -> bool:
    """Whether ``one`` never ends before ``other``.

    Nothing that it wants ends before all that ``other`` wants.
    """
    return all(any(_choice_outlives(c, d) for d in other) for c in one)


def _choice_outlives(one: Choice, other: Choice) -> bool:
    """Whatever of ``other`` lives longest, something of ``one`` lives on."""
    return all(any(_outlives(a, b) for a in one) for b in other)


def _outlives(one: Atom, other: Atom) -> bool:
    if one.voice == ANY_DATE and one.limit == FOREVER:
        return True
    return one[:2] == other[:2] and one.limit >= other.limit


def _kept(
    some: Iterable[T], is_spare: Callable[[T, T], bool]
) -> tuple[T, ...]:
    """Return ``some`` without those that are spare beside another.

    One after the other, so that of two that are alike one remains.
    """
    kept: list[T] = []
    for new in dict.fromkeys(some):
        if any(is_spare(new, old) for old in kept):
            continue
        kept = [old for old in kept if not is_spare(old, new)]
        kept.append(new)
    return tuple(kept)
