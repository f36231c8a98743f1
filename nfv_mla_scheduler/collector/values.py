# SPDX-License-Identifier: Apache-2.0
"""The values that the parts of the collector speak.  Frozen, pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """What the policy wants of one authority.

    :ivar inquiry: about all attesters that hosts are bound to
    :ivar cadence_s: how often to ask
    :ivar max_age_s: how old its run-time claims may be
    """

    inquiry: Inquiry
    cadence_s: float
    max_age_s: float


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What one authority said last; the same mappings while it is the same.

    :ivar results: attester id -> result
    :ivar freshness: attester id -> when
    :ivar rules: of the driver, by which all was taken that still carries
        anything (:class:`Collected`)
    """

    results: Mapping[str, Result]
    freshness: Mapping[str, Freshness]
    rules: str = ""


NOTHING = Said(MappingProxyType({}), MappingProxyType({}))


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """What an answer, or a policy, has changed.

    :ivar taken: how many results of an answer are held now, new or not
    :ivar results: how many results are new or differ
    :ivar times: how many times are new or differ
    :ivar dropped: how many results are held no more
    :ivar problems: of each result that was not taken: why
    :ivar notes: about results that were taken: what was left out, or lowered
    :ivar anew: whether others have to be asked for anew, since the driver's
        rules are other ones now
    """

    taken: int = 0
    results: int = 0
    times: int = 0
    dropped: int = 0
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    anew: bool = False

    @property
    def any(self) -> bool:
        """Whether a document would say anything else than before."""
        return bool(self.results or self.times or self.dropped)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How one question to an authority ended.

    :ivar collected: the answer; None: there is none
    :ivar code: why there is none, of ``AuthorityError``
    :ivar reason: the same in words, one line
    :ivar took_s: from question to end, seconds
    :ivar rules: of the driver, where it gave no answer
    """

    authority: str
    inquiry: Inquiry
    collected: Collected | None
    code: str
    reason: str
    took_s: float
    rules: str = ""
