# SPDX-License-Identifier: Apache-2.0
"""Which of two statuses, claims or accounts of one moment is the worse.

Pure.  ``none`` says nothing: it cannot contradict, and it must not stand for
something that does.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import Claims

_NONE: frozenset[str] = frozenset()

# How bad: silence about one thing is worse than good news about it.
_BADNESS = {
    Status.AFFIRMING: 0,
    Status.NONE: 1,
    Status.WARNING: 2,
    Status.CONTRAINDICATED: 3,
}


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of some statuses: at least one has to be there.

    Best first: affirming, none, warning, contraindicated.
    """
    return max(statuses, key=_BADNESS.__getitem__)


def is_better(one: Status, other: Status) -> bool:
    """Whether ``one`` is better than ``other``, in the order of ``worst``."""
    return _BADNESS[one] < _BADNESS[other]


def worse(one: Claim, other: Claim) -> Claim:
    """Return the worse of two claims of one capability.

    Claims that affirm different values of the same key contradict each other:
    that is a warning, as in the results document.
    """
    status = worst((one.status, other.status))
    if status is Status.AFFIRMING and _differ(one, other):
        status = Status.WARNING
    values = {
        key: one.values.get(key, _NONE) | other.values.get(key, _NONE)
        for key in (*one.values, *other.values)
    }
    return Claim(
        one.capability,
        status,
        min(one.grade, other.grade, key=lambda grade: grade.rank),
        MappingProxyType(values),
    )


def worse_of_both(one: Claims, other: Claims) -> dict[str, Claim]:
    """Return what two accounts of one moment leave standing.

    What only one of them affirms does not.
    """
    found: dict[str, Claim] = {}
    for name in (*one, *other):
        if name in one and name in other:
            found[name] = worse(one[name], other[name])
        else:
            claim = one[name] if name in one else other[name]
            if claim.status is not Status.AFFIRMING:
                found[name] = claim
    return found


def _differ(one: Claim, other: Claim) -> bool:
    """Whether values contradict; of a key that one leaves out they do not."""
    mine, theirs = one.values, other.values
    if not mine.keys() | theirs.keys() <= {""}:
        return any(mine[k] != theirs[k] for k in mine.keys() & theirs.keys())
    return mine.get("", _NONE) != theirs.get("", _NONE)
