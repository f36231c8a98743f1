# SPDX-License-Identifier: Apache-2.0
"""How one server with a finding stands, and what is next for it.

Values only; ``planning/progress.py`` works the one out from the other.
"""

from __future__ import annotations

import dataclasses
import enum

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why


class Lock(enum.Enum):
    """Whose lock a server has."""

    NONE = "none"
    OURS = "ours"
    # of its project: replaced, and its loss is reported
    OWNER = "owner"
    # kept, and as good as ours
    ADMINISTRATOR = "administrator"
    # bears our mark, and who locked it cannot be read: as good as ours, but
    # for what cannot be undone
    UNPROVEN = "unproven"
    # begins as ours do, and is not; or ours, and its mark is none of ours
    FORGED = "forged"


@dataclasses.dataclass(frozen=True, slots=True)
class Acted:
    """What we asked of a server, by Nova's record of what was done to it.

    Unlike lock and mark, nobody who merely runs a host can take that away.
    It is of the present run: since we last let the server go.

    :ivar known: whether the record could be read
    :ivar first: when we first locked, halted or moved it; None: never
    :ivar step: the last step that disturbs it which was asked; None: none
    :ivar begun: when that was first asked, be it once or again and again
    :ivar moved: when a move was last asked for
    :ivar seen: since when, as far as this process knows, it has a finding
        without a break
    :ivar tried: since when this process tries to do something about it, be
        it in vain; None: it has not yet
    :ivar halting: since when this process asks for its halt, again and again
    :ivar ended: how often somebody else has ended that, of late
    """

    known: bool = False
    first: Instant | None = None
    step: Step | None = None
    begun: Instant | None = None
    moved: Instant | None = None
    seen: Instant | None = None
    tried: Instant | None = None
    halting: Instant | None = None
    ended: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """A server with a finding, and all that its next step depends on.

    :ivar mark: ours, verified; None: there is none, or an administrator's
        lock stands in its place
    :ivar migration: its newest move of ours since the mark was first written,
        or anybody's that is under way
    :ivar somewhere: whether another host would take it, and has room
    :ivar source_up: whether Nova thinks that its host's service is up
    :ivar host_off: whether its host is known, out of band, to be off
    :ivar revertible: whether it was resized or migrated and is not confirmed,
        and the host to which a revert would bring it would take it
    :ivar acted: what we asked, where the mark is gone that said so
    """

    finding: Finding
    server: Server
    lock: Lock
    mark: Mark | None = None
    migration: Migration | None = None
    somewhere: bool = False
    source_up: bool = True
    host_off: bool = False
    revertible: bool = False
    acted: Acted = Acted()


@dataclasses.dataclass(frozen=True, slots=True)
class Next:
    """What is next for a server.

    :ivar step: that is to be taken, goes on, or was the last
    :ivar asks: requests to be made now; none: wait, or done
    :ivar begins: whether these begin an eviction, for which the guard has to
        have room; what follows upon one that has begun needs none
    :ivar code: of the mark to write first; empty: none
    :ivar until: by when the effect of step or wait has to show
    :ivar why: why nothing is asked although it is not done
    """

    step: Step
    state: State
    asks: tuple[Ask, ...] = ()
    begins: bool = False
    code: str = ""
    until: Instant = 0.0
    migration: int = 0
    why: Why | None = None
