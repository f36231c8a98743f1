# SPDX-License-Identifier: Apache-2.0
"""Steps and requests: the words in which is said what is to be done.

Values only.  A *step* is a word of a playbook; what Nova is asked for it are
*requests*, done in their order.
"""

from __future__ import annotations

import enum


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
    SUSPECT_BINDINGS = "suspect-bindings"
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
    ASTRAY = "astray"


class State(enum.Enum):
    """How far the answer to a finding has come; what ``status`` shows."""

    HELD = "held"
    LOCKED = "locked"
    ASKED = "asked"
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    NOT_HALTED = "not-halted"
