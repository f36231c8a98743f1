# SPDX-License-Identifier: Apache-2.0
"""What each kind of entry is in CADF 1.0 (DMTF DSP0262).

Values only.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import EventKind

# For what cannot be told from an entry.
UNKNOWN = "unknown"


class Type(enum.Enum):
    """DSP0262's types of events."""

    ACTIVITY = "activity"
    MONITOR = "monitor"
    CONTROL = "control"


class Part(enum.Enum):
    """Who does something, or to what it is done; as an entry has it."""

    PROCESS = "process"
    PROJECT = "project"
    PERSON = "person"
    SERVER = "server"
    # server, host or trait: what it is about
    SUBJECT = "subject"
    POLICY = "policy"
    RESULTS = "results"
    AUTHORITY = "authority"
    LEDGER = "ledger"


SUCCESS, FAILURE, PENDING = "success", "failure", "pending"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What a kind of entry is in CADF.

    :ivar action: of CADF's taxonomy; empty: by the request that was made
    :ivar outcome: of CADF's; empty: as the entry has it
    :ivar measure: a field with a number, and its unit; where there is none,
        one event is counted
    """

    type: Type
    action: str
    outcome: str
    initiator: Part
    target: Part
    measure: tuple[str, str] | None = None


_A, _M, _C = Type.ACTIVITY, Type.MONITOR, Type.CONTROL
_K, _P = EventKind, Part
#: What is not in it is not exported: a sealed block says nothing.
ROWS: Mapping[EventKind, Row] = {
    _K.REQUEST_REFUSED: Row(_C, "deny", SUCCESS, _P.PROJECT, _P.SERVER),
    _K.WOULD_REFUSE: Row(_C, "allow", SUCCESS, _P.PROJECT, _P.SERVER),
    _K.POLICY_LOADED: Row(_A, "update", SUCCESS, _P.PROCESS, _P.POLICY),
    _K.POLICY_REFUSED: Row(_C, "deny", SUCCESS, _P.PROCESS, _P.POLICY),
    _K.POLICY_EXPIRED: Row(_A, "disable", SUCCESS, _P.PROCESS, _P.POLICY),
    _K.RESULTS_LOADED: Row(_A, "receive", SUCCESS, _P.PROCESS, _P.RESULTS),
    _K.RESULTS_REFUSED: Row(_C, "deny", SUCCESS, _P.PROCESS, _P.RESULTS),
    _K.WAIVER_USED: Row(_C, "allow", SUCCESS, _P.PROJECT, _P.SERVER),
    _K.BREAK_GLASS_USED: Row(_C, "allow", SUCCESS, _P.PROJECT, _P.SERVER),
    _K.WORKER_STARTED: Row(_A, "start", SUCCESS, _P.PROCESS, _P.PROCESS),
    _K.HEARTBEAT: Row(
        _M, "monitor", SUCCESS, _P.PROCESS, _P.PROCESS, ("results_age_s", "s")
    ),
    _K.EVENTS_DROPPED: Row(
        _M, "monitor", FAILURE, _P.PROCESS, _P.LEDGER, ("dropped", "event")
    ),
    _K.MONITOR_STARTED: Row(_A, "start", SUCCESS, _P.PROCESS, _P.PROCESS),
    _K.FINDING: Row(_C, "evaluate", FAILURE, _P.PROCESS, _P.SUBJECT),
    _K.FINDING_OVER: Row(_C, "evaluate", SUCCESS, _P.PROCESS, _P.SUBJECT),
    _K.STEP_INTENDED: Row(_A, "", PENDING, _P.PROCESS, _P.SUBJECT),
    _K.STEP_DONE: Row(_A, "", "", _P.PROCESS, _P.SUBJECT),
    _K.GUARD_HELD: Row(_C, "deny", SUCCESS, _P.PERSON, _P.SUBJECT),
    _K.GUARD_RELEASED: Row(_C, "allow", SUCCESS, _P.PERSON, _P.SUBJECT),
    _K.MARK_TAMPERED: Row(_C, "evaluate", FAILURE, _P.PROCESS, _P.SUBJECT),
    _K.LOCK_REPLACED: Row(_A, "update", SUCCESS, _P.PROCESS, _P.SUBJECT),
    _K.COPIED: Row(_A, "backup", SUCCESS, _P.PROJECT, _P.SERVER),
    _K.STANDING: Row(_M, "monitor", SUCCESS, _P.PROCESS, _P.SUBJECT),
    _K.PLACED: Row(_A, "deploy", SUCCESS, _P.PROJECT, _P.SERVER),
    _K.MOVED: Row(_A, "deploy", SUCCESS, _P.PROCESS, _P.SERVER),
    _K.GONE: Row(_A, "undeploy", SUCCESS, _P.PROJECT, _P.SERVER),
    _K.PLANNED: Row(_C, "evaluate", SUCCESS, _P.PROCESS, _P.SUBJECT),
    _K.COLLECTOR_STARTED: Row(_A, "start", SUCCESS, _P.PROCESS, _P.PROCESS),
    _K.AUTHORITY_FAILED: Row(_M, "monitor", FAILURE, _P.PROCESS, _P.AUTHORITY),
    _K.AUTHORITY_WELL: Row(_M, "monitor", SUCCESS, _P.PROCESS, _P.AUTHORITY),
    _K.RESULTS_PUBLISHED: Row(_A, "send", SUCCESS, _P.PROCESS, _P.RESULTS),
    _K.RESULTS_UNPUBLISHED: Row(_A, "send", FAILURE, _P.PROCESS, _P.RESULTS),
    _K.LEDGER_OPENED: Row(_A, "start", SUCCESS, _P.PROCESS, _P.LEDGER),
    _K.LEDGER_CLOSED: Row(_A, "stop", SUCCESS, _P.PROCESS, _P.LEDGER),
    _K.LEDGER_INTERRUPTED: Row(
        _M, "monitor", FAILURE, _P.PROCESS, _P.LEDGER, ("dropped", "event")
    ),
    _K.LEDGER_MOVED: Row(_C, "evaluate", FAILURE, _P.PROCESS, _P.LEDGER),
    _K.CLOCK_BACK: Row(_M, "monitor", FAILURE, _P.PROCESS, _P.PROCESS),
    _K.CHECKPOINT: Row(_A, "create", SUCCESS, _P.PROCESS, _P.LEDGER),
    _K.SEALED_HEADS: Row(_M, "monitor", SUCCESS, _P.PROCESS, _P.LEDGER),
}
#: Of an entry of another release.
OTHER = Row(_A, UNKNOWN, UNKNOWN, _P.PROCESS, _P.SUBJECT)

#: Requests of the monitor; what is not in it updates something.
ACTIONS: Mapping[str, str] = {
    "disable": "disable",
    "enable": "enable",
    "force-down": "disable",
    "lift-down": "enable",
    "os-stop": "stop",
    "pause": "stop",
    "power-off": "stop",
    "os-start": "start",
    "unpause": "start",
    "resume": "start",
    "os-migrateLive": "deploy",
    "migrate": "deploy",
    "evacuate": "deploy",
    "rebuild": "deploy",
    "restore": "restore",
}
