# SPDX-License-Identifier: Apache-2.0
"""What happens to hosts and servers, from first to last.

Values only: a host fails, a playbook answers, the host recovers.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.monitor.findings import Axis

Playbook = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Story:
    """One host fails, and recovers.

    :ivar steps: of the playbook
    :ivar servers: names of those that are on the host
    :ivar before: name -> action of its owner, before the host fails
    :ivar per_minute: the guard's budget
    :ivar moved: whether the servers end on the other host
    :ivar asked: what has to be asked of Nova in the course of it
    :ivar power: whether the host is switched off, and on again
    :ivar noticed: whether Nova notices by itself that it is off
    """

    name: str
    axis: Axis
    steps: Playbook
    asked: tuple[str, ...]
    servers: tuple[str, ...] = ("vm-1",)
    before: tuple[tuple[str, str], ...] = ()
    per_minute: int = 1
    moved: bool = False
    power: bool = False
    noticed: bool = True


LIVE = Story(
    "live-migrate",
    Axis.EXPOSURE,
    ("fence", "lock", "live-migrate", "cold-migrate", "stop"),
    ("lock", "os-migrateLive", "unlock"),
    moved=True,
)
COLD = Story(
    "cold-migrate",
    Axis.EXPOSURE,
    ("fence", "lock", "cold-migrate", "stop"),
    ("lock", "migrate", "confirmResize", "unlock"),
    moved=True,
)
STOP_AND_COLD = Story(
    "stop, then cold-migrate",
    Axis.CONFIDENTIALITY,
    ("fence", "lock", "stop", "cold-migrate"),
    ("lock", "os-stop", "migrate", "confirmResize", "os-start", "unlock"),
    moved=True,
)
STOP = Story(
    "stop",
    Axis.INTEGRITY,
    ("fence", "lock", "stop", "alert"),
    ("lock", "os-stop", "os-start", "unlock"),
)
UNPAUSE_AND_STOP = Story(
    "unpause, then stop",
    Axis.INTEGRITY,
    ("fence", "lock", "stop", "alert"),
    ("lock", "unpause", "os-stop", "unlock"),
    before=(("vm-1", "pause"),),
)
EVACUATE = Story(
    "power-off, then evacuate",
    Axis.CONFIDENTIALITY,
    ("fence", "lock", "power-off", "evacuate"),
    ("lock", "os-stop", "evacuate", "os-start", "unlock"),
    moved=True,
    power=True,
    noticed=False,
)
REBUILD = Story(
    "power-off, then rebuild-elsewhere",
    Axis.INTEGRITY,
    ("fence", "lock", "power-off", "rebuild-elsewhere"),
    ("lock", "os-stop", "evacuate", "rebuild", "os-start", "unlock"),
    moved=True,
    power=True,
)
BUDGET = Story(
    "two servers, one a minute",
    Axis.EXPOSURE,
    ("fence", "lock", "live-migrate", "cold-migrate", "stop"),
    ("lock", "os-migrateLive", "unlock"),
    servers=("vm-1", "vm-2"),
    moved=True,
)
