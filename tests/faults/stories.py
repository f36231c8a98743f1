# SPDX-License-Identifier: Apache-2.0
"""What happens to hosts and servers, from first to last.

Values only: a host turns bad, a playbook answers, the host recovers.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.policy.traits import trait_of
from tests.cloud import description as desc
from tests.functional import world

Playbook = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Story:
    """One host turns bad, and recovers.

    :ivar axis: of what the servers ask for
    :ivar steps: of the playbook
    :ivar servers: names of those that are on the host
    :ivar before: name -> action of its owner, before the host turns bad
    :ivar per_minute: the guard's budget
    :ivar moved: whether the servers end on the good host
    :ivar asked: what has to be asked of Nova in the course of it
    :ivar power: whether the host is switched off, and on again
    :ivar noticed: whether Nova notices by itself that it is off
    :ivar kind: failed, or withheld; or misplaced: nothing is wrong with the
        host, and the servers are brought there by force
    :ivar owner: of the servers
    :ivar traits: (host, trait) that are there in the end; empty: the monitor
        writes none
    :ivar forged: (host, trait) that somebody else writes when it turns bad
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
    kind: Kind = Kind.FAILED
    bad: str = world.GOOD_1
    good: str = world.GOOD_2
    owner: desc.User = desc.TENANT
    traits: tuple[tuple[str, str], ...] = ()
    forged: tuple[tuple[str, str], ...] = ()

    @property
    def playbook(self) -> str:
        """What a policy calls the playbook that answers it."""
        return _PLAYBOOKS.get(self.kind, self.axis.value)

    @property
    def fences(self) -> bool:
        """Whether something is wrong with the host."""
        return self.kind is not Kind.MISPLACED

    @property
    def begins(self) -> str:
        """The host on which the servers are before."""
        return self.bad if self.fences else self.good


_PLAYBOOKS = {
    Kind.WITHHELD: Kind.WITHHELD.value,
    Kind.MISPLACED: Axis.PLACE.value,
}

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
WITHHELD = Story(
    "withheld: stop, then cold-migrate",
    Axis.EXPOSURE,
    ("fence", "lock", "stop", "cold-migrate"),
    ("lock", "os-stop", "migrate", "confirmResize", "os-start", "unlock"),
    kind=Kind.WITHHELD,
    moved=True,
)
WITHHELD_STOP = Story(
    "withheld: stop",
    Axis.INTEGRITY,
    ("fence", "lock", "stop", "alert"),
    ("lock", "os-stop", "os-start", "unlock"),
    kind=Kind.WITHHELD,
)
MISPLACED = Story(
    "misplaced: live-migrate",
    Axis.INTEGRITY,
    ("fence", "lock", "live-migrate", "cold-migrate", "stop"),
    ("lock", "os-migrateLive", "unlock"),
    kind=Kind.MISPLACED,
    bad=world.WEB,
    moved=True,
)
KEY_STORES = trait_of("key-stores")
TRAITS = Story(
    "live-migrate, with traits",
    Axis.EXPOSURE,
    ("fence", "lock", "live-migrate", "cold-migrate", "stop"),
    ("lock", "os-migrateLive", "unlock"),
    moved=True,
    bad=world.KEY_1,
    good=world.KEY_2,
    owner=world.KEYS,
    traits=((world.KEY_1, KEY_STORES), (world.KEY_2, KEY_STORES)),
    forged=((world.WEB, KEY_STORES), (world.WEB, trait_of("nobodys"))),
)
