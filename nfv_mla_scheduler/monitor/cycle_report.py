# SPDX-License-Identifier: Apache-2.0
"""What one cycle of the monitor knew and did.

Values only.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cleaning.departures import Dirty
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.results.view import Snapshot

_WELL = (Result.DONE, Result.GONE, Result.PRECONDITION)


class Part(enum.Enum):
    """What can fail of a cycle."""

    OBSERVE = "observe"
    READ_HOLDS = "read what people said"
    JUDGE = "judge"
    CLEAN_UP = "keep account of departures"
    ROOM = "ask for room"
    PLAN = "plan"
    WRITE_HOLDS = "write what is held"
    RECORD = "record what is planned"
    ACT = "act"


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A part that failed, and why in one bounded line."""

    part: Part
    code: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class CycleReport:
    """What one cycle knew and did.

    :ivar observed: whether Nova was looked at in it
    :ivar picture: None: Nova was never seen
    :ivar seen_at: when servers were last seen, by the wall clock
    :ivar ruling: None: nothing could be judged
    :ivar plan: None: nothing could be planned
    :ivar sealed: UUIDs of servers that nobody is told about -> the trust
        domain that alone may read of each
    :ivar dirty: hosts that are not clean; None: not known yet
    """

    at: Instant
    observed: bool
    snapshot: Snapshot
    holds: Holds
    picture: Picture | None = None
    seen_at: Instant = NEVER
    ruling: Ruling | None = None
    plan: Plan | None = None
    outcomes: tuple[Outcome, ...] = ()
    failures: tuple[Failure, ...] = ()
    sealed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    dirty: tuple[Dirty, ...] | None = None


def well(report: CycleReport) -> bool:
    """Whether a cycle found nothing, and failed nowhere."""
    ruling, picture = report.ruling, report.picture
    if report.failures or ruling is None or picture is None:
        return False
    verdict = ruling.verdict
    return not (
        picture.missing
        or picture.unread
        or verdict.servers
        or verdict.hosts
        or verdict.copied
        or verdict.tampered
        or any(o.code not in _WELL for o in report.outcomes)
    )
