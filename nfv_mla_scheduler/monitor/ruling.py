# SPDX-License-Identifier: Apache-2.0
"""What was judged of a picture, and within which bounds it is answered.

Values only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.judge import dirty
from nfv_mla_scheduler.judge.dirty import DirtyHosts
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Mark

#: Asks for room: amounts -> compute nodes with so much free; None: unknown.
Room = Callable[[Mapping[str, int]], frozenset[str] | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Ruling:
    """What was judged of a picture, and what was read in it.

    :ivar host_marks: Nova's host name -> the mark of our fence, verified
    :ivar server_marks: server's UUID -> its mark, verified
    :ivar detail: whatever else the planner needs, which is its business
    :ivar dirty: hosts that only some may come to (5.2.8)
    """

    verdict: Verdict
    host_marks: Mapping[str, Mark]
    server_marks: Mapping[str, Mark]
    detail: object = None
    dirty: DirtyHosts = dirty.NONE


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """What the planner may do now, beside what the guard says.

    :ivar stale: the picture is too old for anything but fences
    :ivar clock_jumped: wall clock and monotonic clock differed of late
    """

    now: Instant
    monotonic: float
    stale: bool = False
    clock_jumped: bool = False
