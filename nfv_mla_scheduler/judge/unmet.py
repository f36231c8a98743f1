# SPDX-License-Identifier: Apache-2.0
"""What a host does not meet, with every way in which it could.

Pure.  A decision names, for a need that can be met in several ways, what is
missing of the way that comes closest.  That is enough to admit or refuse, and
too little to evict: whether the host speaks against itself or is only silent
can differ from way to way, and which comes closest says nothing of that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from nfv_mla_scheduler.judge.support import Support
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Refusal


@dataclasses.dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing of a way.

    :ivar support: what would carry it; None: it is no term of a need
    """

    refusal: Refusal
    support: Support | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Unmet:
    """One rule or need that a host does not meet.

    :ivar ways: any of which would do, if nothing were missing of it
    :ivar permissive: it is only said aloud
    """

    ways: tuple[tuple[Missing, ...], ...]
    permissive: bool = False


def plainly(decision: Decision) -> Iterator[Unmet]:
    """Yield what a decision names where there is one way only."""
    for refusal in decision.refusals:
        yield alone(refusal)
    for refusal in decision.would_refuse:
        yield alone(refusal, permissive=True)


def alone(refusal: Refusal, permissive: bool = False) -> Unmet:
    """Return what is unmet for one reason and in one way only."""
    return Unmet(((Missing(refusal),),), permissive)
