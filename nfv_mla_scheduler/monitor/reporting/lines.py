# SPDX-License-Identifier: Apache-2.0
"""How each change and each outcome is said: one line, how loud, with a code.

Pure.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.reporting.changes import Change
from nfv_mla_scheduler.monitor.reporting.changes import Topic


class Loudness(enum.Enum):
    """How loud a line is."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class Code(enum.Enum):
    """What a line of the monitor is about; in brackets at its end."""

    FINDING = "finding"
    FINDING_OVER = "finding-over"
    HOST_FINDING = "host-finding"
    HOST_FINDING_OVER = "host-finding-over"
    FENCED = "host-fenced"
    FENCE_OVER = "host-released"
    NOT_HALTED = "not-halted"
    HALTED = "halted"
    OUTAGE = "outage"
    OUTAGE_OVER = "outage-over"
    SUSPECT = "suspect-authority"
    SUSPECT_OVER = "suspect-over"
    HELD = "held"
    HELD_OVER = "held-over"
    PAUSED = "paused"
    PAUSE_OVER = "pause-over"
    TAMPERED = "tampered"
    TAMPERED_OVER = "tampered-over"
    REPLACED = "lock-replaced"
    COPIED = "copied"
    STRANGER = "host-unknown"
    STRANGER_OVER = "host-known"
    ABSENT = "host-absent"
    ABSENT_OVER = "host-present"
    MISSING = "picture-partial"
    MISSING_OVER = "picture-whole"
    UNREAD = "records-unread"
    UNREAD_OVER = "records-read"
    PART_FAILED = "cycle-part-failed"
    PART_WELL = "cycle-part-well"
    STEP_DONE = "step-done"
    STEP_FAILED = "step-failed"
    RELEASED = "server-released"
    WOULD = "dry-run"
    TRAIT_FAILED = "trait-failed"
    EVADES = "keeps-changing"
    EVADES_OVER = "keeps-still"
    UNRECORDED = "steps-unrecorded"
    RECORDED = "steps-recorded"


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    loudness: Loudness
    code: Code
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How a topic is said.

    :ivar begins: None: it is not said, and only recorded
    :ivar over: None: that it is over is no news
    :ivar kind: of the event; None: there is none
    :ivar kind_over: of the event when it is over
    """

    what: str
    begins: Code | None
    over: Code | None
    loudness: Loudness = Loudness.WARNING
    kind: EventKind | None = None
    kind_over: EventKind | None = None


_WELL = "is so no more"
TOPICS: Mapping[Topic, Way] = {
    Topic.NOT_HALTED: Way(
        "server",
        Code.NOT_HALTED,
        Code.HALTED,
        Loudness.ALARM,
        EventKind.FINDING,
        EventKind.FINDING_OVER,
    ),
    Topic.LEDGER: Way("the", Code.UNRECORDED, Code.RECORDED, Loudness.ALARM),
    Topic.SUSPECT: Way(
        "suspect",
        Code.SUSPECT,
        Code.SUSPECT_OVER,
        Loudness.ALARM,
        EventKind.GUARD_HELD,
        EventKind.GUARD_RELEASED,
    ),
    Topic.TAMPERED: Way(
        "tampered",
        Code.TAMPERED,
        Code.TAMPERED_OVER,
        kind=EventKind.MARK_TAMPERED,
    ),
    Topic.REPLACED: Way(
        "server",
        Code.REPLACED,
        None,
        Loudness.INFO,
        EventKind.LOCK_REPLACED,
    ),
    Topic.COPIED: Way(
        "copy of server", Code.COPIED, None, kind=EventKind.COPIED
    ),
    Topic.FINDING: Way(
        "server",
        Code.FINDING,
        Code.FINDING_OVER,
        kind=EventKind.FINDING,
        kind_over=EventKind.FINDING_OVER,
    ),
    Topic.HOST: Way(
        "host",
        Code.HOST_FINDING,
        Code.HOST_FINDING_OVER,
        kind=EventKind.FINDING,
        kind_over=EventKind.FINDING_OVER,
    ),
    Topic.OUTAGE: Way(
        "outage of",
        Code.OUTAGE,
        Code.OUTAGE_OVER,
        kind=EventKind.FINDING,
        kind_over=EventKind.FINDING_OVER,
    ),
    Topic.FENCED: Way("host", Code.FENCED, Code.FENCE_OVER),
    Topic.HELD: Way(
        "guard:",
        Code.HELD,
        Code.HELD_OVER,
        Loudness.INFO,
        EventKind.GUARD_HELD,
        EventKind.GUARD_RELEASED,
    ),
    Topic.PLANNED: Way("plan:", None, None, kind=EventKind.PLANNED),
    Topic.RELEASED: Way(
        "server",
        None,
        None,
        kind=EventKind.GUARD_RELEASED,
    ),
    Topic.PAUSED: Way(
        "pause",
        Code.PAUSED,
        Code.PAUSE_OVER,
        kind=EventKind.GUARD_HELD,
        kind_over=EventKind.GUARD_RELEASED,
    ),
    Topic.PART: Way("cannot", Code.PART_FAILED, Code.PART_WELL),
    Topic.MISSING: Way("cloud:", Code.MISSING, Code.MISSING_OVER),
    Topic.UNREAD: Way("Nova:", Code.UNREAD, Code.UNREAD_OVER),
    Topic.WOULD: Way("would do", Code.WOULD, None, Loudness.INFO),
    Topic.STRANGER: Way("host", Code.STRANGER, Code.STRANGER_OVER),
    Topic.ABSENT: Way("host", Code.ABSENT, Code.ABSENT_OVER),
    Topic.EVADES: Way("server or host", Code.EVADES, Code.EVADES_OVER),
}

_WITH_COLON = (Topic.PART, Topic.SUSPECT, Topic.OUTAGE, Topic.WOULD)


def of_change(change: Change) -> Line | None:
    way = TOPICS[change.topic]
    if not change.over:
        if way.begins is None:
            return None
        between = ":" if change.topic in _WITH_COLON else ""
        text = f"{way.what} {change.name}{between} {change.said.text}"
        return Line(way.loudness, way.begins, bounded(text, LINE_MAX))
    if way.over is None:
        return None
    text = f"{way.what} {change.name}: {_WELL}"
    return Line(Loudness.INFO, way.over, bounded(text, LINE_MAX))


def of_outcome(outcome: Outcome) -> Line | None:
    """Return what is to be said of one outcome; None: nothing."""
    ask = outcome.ask.value if outcome.ask else "nothing"
    elsewhere = outcome.host and outcome.host != outcome.subject
    on = f" on {bounded(outcome.host)}" if elsewhere else ""
    failed = outcome.code is not Result.DONE
    why = f": {outcome.code.value}" if failed else ""
    why += f", {bounded(outcome.text, 120)}" if outcome.text else ""
    subject = f"{bounded(outcome.subject)}{on}"
    if outcome.ask is None:
        if not failed:
            return None
        text = f"trait or step of {subject}{why}"
        return Line(Loudness.WARNING, Code.TRAIT_FAILED, text)
    if outcome.step is None:
        code = Code.STEP_FAILED if failed else Code.RELEASED
        text = f"release of {subject}, {ask}{why}"
    else:
        code = Code.STEP_FAILED if failed else Code.STEP_DONE
        text = f"{outcome.step.value} of {subject}, asked for {ask}{why}"
    loudness = Loudness.WARNING if failed else Loudness.INFO
    return Line(loudness, code, bounded(text, LINE_MAX))
