# SPDX-License-Identifier: Apache-2.0
"""Steps, deeds and plans: what is to be done, one server or host at a time.

Values only.  A *step* is a word of a playbook; what Nova is asked for it are
*requests*, done in their order.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Tampered


class Step(enum.Enum):
    """The words of a playbook (``$defs.playbook`` of the policy's schema)."""

    FENCE = "fence"
    LOCK = "lock"
    LIVE_MIGRATE = "live-migrate"
    COLD_MIGRATE = "cold-migrate"
    STOP = "stop"
    POWER_OFF = "power-off"
    EVACUATE = "evacuate"
    REBUILD_ELSEWHERE = "rebuild-elsewhere"
    ALERT = "alert"

    @property
    def moves(self) -> bool:
        """Whether it brings the server to another host."""
        return self in _MOVES

    @property
    def disturbs(self) -> bool:
        """Whether it counts as an eviction for the guard."""
        return self not in (Step.FENCE, Step.LOCK, Step.ALERT)


_MOVES = (
    Step.LIVE_MIGRATE,
    Step.COLD_MIGRATE,
    Step.EVACUATE,
    Step.REBUILD_ELSEWHERE,
)


class Ask(enum.Enum):
    """One request about a server or a host; see ``port.Writer``."""

    DISABLE = "disable"
    ENABLE = "enable"
    FORCE_DOWN = "force-down"
    LIFT_DOWN = "lift-down"
    LOCK = "lock"
    UNLOCK = "unlock"
    LIVE_MIGRATE = "os-migrateLive"
    MIGRATE = "migrate"
    CONFIRM = "confirmResize"
    REVERT = "revertResize"
    ABORT = "abort"
    STOP = "os-stop"
    START = "os-start"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    RESUME = "resume"
    UNRESCUE = "unrescue"
    RESTORE = "restore"
    RESET_STATE = "os-resetState"
    EVACUATE = "evacuate"
    REBUILD = "rebuild"
    # no request to Nova: the operator's command, out of band
    POWER_OFF = "power-off"


class Why(enum.Enum):
    """Why a step is held back; what ``status`` shows."""

    ACT_NONE = "act-none"
    ACT_FENCE = "act-fence"
    PERMISSIVE = "permissive"
    PAUSED = "paused"
    MAY_NOT_EVICT = "may-not-evict"
    SUSPECT_AUTHORITY = "suspect-authority"
    SUSPECT_POLICY = "suspect-policy"
    POLICY_EXPIRED = "policy-expired"
    CLOCK_JUMPED = "clock-jumped"
    STARTING = "starting"
    PARTIAL = "partial"
    PER_MINUTE = "per-minute"
    AT_ONCE = "at-once"
    PER_HOST = "per-host"
    PER_PROJECT = "per-project"
    NOWHERE_TO_GO = "nowhere-to-go"
    BUSY = "busy"
    NO_STEP_LEFT = "no-step-left"
    NOT_CLEAN = "not-clean"
    NOT_YET = "not-yet"


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """One step to be taken now, about one server.

    :ivar asks: requests in their order; a mark is written before the first
    :ivar code: of the mark to write; see ``marks.Code``; empty: none
    :ivar migration: number of the one to abort
    :ivar until: by when its effect has to show
    :ivar kind: of its finding; ``complies``: it has none any more, and a move
        of ours is cancelled or confirmed before it is released
    """

    server: str
    host: str
    step: Step
    asks: tuple[Ask, ...]
    code: str
    until: Instant
    kind: str
    migration: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Fence:
    """A compute service to disable, or one of ours to enable."""

    host: str
    service: str
    disable: bool
    kind: str


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """A server to unlock, and to start if it was running before."""

    server: str
    host: str
    asks: tuple[Ask, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TraitEdit:
    """A trait to give to a provider, or to take from it."""

    provider: str
    trait: str
    add: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """A step that is due and is not taken.

    :ivar subject: server's UUID, or Nova's host name
    :ivar detail: bounded; what a person has to know beyond the reason
    """

    subject: str
    host: str
    step: Step
    why: Why
    detail: str = ""


class State(enum.Enum):
    """How far the answer to a finding has come; what ``status`` shows."""

    HELD = "held"
    LOCKED = "locked"
    ASKED = "asked"
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    NOT_HALTED = "not-halted"


@dataclasses.dataclass(frozen=True, slots=True)
class InFlight:
    """A server with a finding whose playbook has begun.

    :ivar since: when the finding was first acted upon
    :ivar halt_by: by when it has to be halted or gone
    """

    server: str
    host: str
    step: Step
    state: State
    since: Instant
    halt_by: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """What is spent of the guard's budgets.

    :ivar last_minute: evictions that began within a minute
    :ivar at_once: evictions that are in progress
    :ivar hosts: host that is left -> evictions in progress from it
    :ivar projects: project's id -> evictions in progress of its servers
    """

    last_minute: int = 0
    at_once: int = 0
    hosts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    projects: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """So many of so many fail at once: what makes somebody a suspect.

    :ivar name: of an authority, or a policy's digest
    :ivar failing: hosts that newly fail, or servers found by rules alone
    :ivar of: hosts that are bound, or servers that ask
    :ivar found: UUIDs of the servers that were found, so that those of whom
        nobody is told can be left out of what is said
    :ivar asking: UUIDs of the servers that ask, likewise
    """

    name: str
    failing: int
    of: int
    found: frozenset[str] = dataclasses.field(
        default=frozenset(), compare=False, repr=False
    )
    asking: frozenset[str] = dataclasses.field(
        default=frozenset(), compare=False, repr=False
    )


@dataclasses.dataclass(frozen=True, slots=True)
class HoldsEdit:
    """What a cycle found out that has to outlive it.

    It is written before anything else is done (``holds.edit``).

    :ivar suspects: authorities that are held from now on
    :ivar cleared: those whose share has fallen again
    :ivar braked: digest of a policy that is held from now on; empty: none
    :ivar settled: digest of a policy under which little is found
    """

    suspects: frozenset[str] = frozenset()
    cleared: frozenset[str] = frozenset()
    braked: str = ""
    settled: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return self == HoldsEdit()


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """All that one cycle would do, and all that it holds back.

    :ivar not_halted: servers that are not halted although they should be:
        the loudest alarm there is
    :ivar suspects: authorities whose findings are held, by their names
    :ivar braked: the policy whose findings by rules alone are held
    :ivar usage: what was spent before this plan
    :ivar holds: what is to be written before anything is done
    :ivar tampered: locks of ours that somebody has written to
    :ivar replaced: UUIDs of servers whose owner's lock gives way to ours
    """

    fences: tuple[Fence, ...] = ()
    steps: tuple[Planned, ...] = ()
    releases: tuple[Release, ...] = ()
    traits: tuple[TraitEdit, ...] = ()
    held: tuple[Held, ...] = ()
    in_flight: tuple[InFlight, ...] = ()
    not_halted: tuple[InFlight, ...] = ()
    suspects: tuple[Share, ...] = ()
    braked: Share | None = None
    usage: Usage = Usage()
    holds: HoldsEdit = HoldsEdit()
    tampered: tuple[Tampered, ...] = ()
    replaced: frozenset[str] = frozenset()
