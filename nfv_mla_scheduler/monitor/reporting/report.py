# SPDX-License-Identifier: Apache-2.0
"""Say each change of state once: a line of the log, and an event.

Touches the audit port, and whoever takes lines.  ``changes.py`` says what has
changed; a host with hundreds of servers does not fill a log.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.reporting.changes import Change
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Standings
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.changes import changes
from nfv_mla_scheduler.monitor.reporting.changes import of_evasions

# So many lines of one code in a cycle; the loudest has more room.
LINES_MAX = 20
ALARMS_MAX = 100


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
    PART_FAILED = "cycle-part-failed"
    PART_WELL = "cycle-part-well"
    STEP_DONE = "step-done"
    STEP_FAILED = "step-failed"
    RELEASED = "server-released"
    WOULD = "dry-run"
    TRAIT_FAILED = "trait-failed"
    EVADES = "keeps-changing"
    EVADES_OVER = "keeps-still"


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    loudness: Loudness
    code: Code
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class _Way:
    """How a topic is said.

    :ivar over: None: that it is over is no news
    :ivar kind: of the event; None: there is none
    :ivar kind_over: of the event when it is over
    """

    what: str
    begins: Code
    over: Code | None
    loudness: Loudness = Loudness.WARNING
    kind: EventKind | None = None
    kind_over: EventKind | None = None


_WELL = "is so no more"
TOPICS: Mapping[Topic, _Way] = {
    Topic.NOT_HALTED: _Way(
        "server", Code.NOT_HALTED, Code.HALTED, Loudness.ALARM
    ),
    Topic.SUSPECT: _Way(
        "suspect",
        Code.SUSPECT,
        Code.SUSPECT_OVER,
        Loudness.ALARM,
        EventKind.GUARD_HELD,
        EventKind.GUARD_RELEASED,
    ),
    Topic.TAMPERED: _Way(
        "tampered",
        Code.TAMPERED,
        Code.TAMPERED_OVER,
        kind=EventKind.MARK_TAMPERED,
    ),
    Topic.REPLACED: _Way(
        "server",
        Code.REPLACED,
        None,
        Loudness.INFO,
        EventKind.LOCK_REPLACED,
    ),
    Topic.COPIED: _Way(
        "copy of server", Code.COPIED, None, kind=EventKind.COPIED
    ),
    Topic.FINDING: _Way(
        "server",
        Code.FINDING,
        Code.FINDING_OVER,
        kind=EventKind.FINDING,
        kind_over=EventKind.FINDING_OVER,
    ),
    Topic.HOST: _Way(
        "host",
        Code.HOST_FINDING,
        Code.HOST_FINDING_OVER,
        kind=EventKind.FINDING,
        kind_over=EventKind.FINDING_OVER,
    ),
    Topic.OUTAGE: _Way(
        "outage of",
        Code.OUTAGE,
        Code.OUTAGE_OVER,
        kind=EventKind.FINDING,
        kind_over=EventKind.FINDING_OVER,
    ),
    Topic.FENCED: _Way("host", Code.FENCED, Code.FENCE_OVER),
    Topic.HELD: _Way(
        "guard:",
        Code.HELD,
        Code.HELD_OVER,
        Loudness.INFO,
        EventKind.GUARD_HELD,
        EventKind.GUARD_RELEASED,
    ),
    Topic.PAUSED: _Way("pause", Code.PAUSED, Code.PAUSE_OVER),
    Topic.PART: _Way("cannot", Code.PART_FAILED, Code.PART_WELL),
    Topic.MISSING: _Way("cloud:", Code.MISSING, Code.MISSING_OVER),
    Topic.WOULD: _Way("would do", Code.WOULD, None, Loudness.INFO),
    Topic.STRANGER: _Way("host", Code.STRANGER, Code.STRANGER_OVER),
    Topic.ABSENT: _Way("host", Code.ABSENT, Code.ABSENT_OVER),
    Topic.EVADES: _Way("server or host", Code.EVADES, Code.EVADES_OVER),
}

_WITH_COLON = (Topic.PART, Topic.SUSPECT, Topic.OUTAGE, Topic.WOULD)
_FINE = (Result.DONE, Result.GONE, Result.PRECONDITION)


class Reports:
    """Remembers what was said, and says what is new."""

    def __init__(
        self, tell: Callable[[Line], None], audit: AuditPort, origin: str
    ) -> None:
        self._tell = tell
        self._audit = audit
        self._origin = origin
        self._known: dict[Topic, Mapping[str, Said]] = {}
        self._failing: dict[tuple[str, str], str] = {}
        self._evasions = Evasions()

    def report(
        self,
        now: Instant,
        standings: Standings,
        outcomes: Iterable[Outcome] = (),
        sealed: frozenset[str] = frozenset(),
    ) -> None:
        """Say what has changed since the last time.

        :param standings: topics that are not in it are as they were
        :param sealed: UUIDs of servers that nobody is told about
        """
        outcomes = tuple(outcomes)
        self._evasions.note(outcomes)
        standings = {**of_evasions(self._evasions, sealed), **standings}
        lines = []
        for change in changes(self._known, standings):
            line = _line(change)
            if line is not None:
                lines.append(line)
            self._record(change, now)
        self._known.update(standings)
        lines += self._done(outcomes, sealed)
        self._say(lines)

    def _say(self, lines: list[Line]) -> None:
        said: collections.Counter[Code] = collections.Counter()
        more: dict[Code, Line] = {}
        for line in lines:
            said[line.code] += 1
            loud = line.loudness is Loudness.ALARM
            if said[line.code] <= (ALARMS_MAX if loud else LINES_MAX):
                self._tell(line)
            else:
                more[line.code] = line
        for code, line in more.items():
            limit = (
                ALARMS_MAX if line.loudness is Loudness.ALARM else LINES_MAX
            )
            count = said[code] - limit
            self._tell(Line(line.loudness, code, f"and {count} more"))

    def _done(
        self, outcomes: Iterable[Outcome], sealed: frozenset[str]
    ) -> list[Line]:
        """Return what became of steps; a failure once while it is the same."""
        lines = []
        failing = {}
        for outcome in outcomes:
            if outcome.subject in sealed:
                continue
            key = (outcome.subject, outcome.ask.value if outcome.ask else "")
            if outcome.code in _FINE:
                if outcome.code is Result.DONE:
                    lines.append(_step(outcome))
                continue
            failing[key] = outcome.code.value
            if self._failing.get(key) != outcome.code.value:
                lines.append(_step(outcome))
        self._failing = failing
        return [line for line in lines if line is not None]

    def _record(self, change: Change, now: Instant) -> None:
        way = TOPICS[change.topic]
        kind = way.kind_over if change.over else way.kind
        if kind is None:
            return
        fields: dict[str, JSON] = {
            "topic": change.topic.value,
            "name": change.name,
            "text": bounded(change.said.text, LINE_MAX),
            **change.said.fields,
        }
        self._audit.record(Event(kind, now, self._origin, fields))


def _line(change: Change) -> Line | None:
    way = TOPICS[change.topic]
    if not change.over:
        between = ":" if change.topic in _WITH_COLON else ""
        text = f"{way.what} {change.name}{between} {change.said.text}"
        return Line(way.loudness, way.begins, bounded(text, LINE_MAX))
    if way.over is None:
        return None
    text = f"{way.what} {change.name}: {_WELL}"
    return Line(Loudness.INFO, way.over, bounded(text, LINE_MAX))


def _step(outcome: Outcome) -> Line | None:
    """Return what is to be said of one outcome; None: nothing."""
    ask = outcome.ask.value if outcome.ask else "nothing"
    on = f" on {bounded(outcome.host)}" if outcome.host else ""
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
