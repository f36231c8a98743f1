# SPDX-License-Identifier: Apache-2.0
"""Say each change of state once, in a line of the log.

Touches whoever takes lines.  ``changes.py`` says what has changed,
``lines.py`` in which words, ``entries.py`` what is recorded of it.  A host
with hundreds of servers does not fill a log.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Standings
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.changes import changes
from nfv_mla_scheduler.monitor.reporting.lines import Code
from nfv_mla_scheduler.monitor.reporting.lines import Line
from nfv_mla_scheduler.monitor.reporting.lines import Loudness
from nfv_mla_scheduler.monitor.reporting.lines import of_change
from nfv_mla_scheduler.monitor.reporting.lines import of_outcome
from nfv_mla_scheduler.monitor.reporting.planned import of_evasions

# So many lines of one code in a cycle; the loudest has more room.
LINES_MAX = 20
ALARMS_MAX = 100

_FINE = (Result.DONE, Result.GONE, Result.PRECONDITION)


class Reports:
    """Remembers what was said, and says what is new."""

    def __init__(self, tell: Callable[[Line], None]) -> None:
        self._tell = tell
        self._known: dict[Topic, Mapping[str, Said]] = {}
        self._failing: dict[tuple[str, str], str] = {}
        self._evasions = Evasions()

    def report(
        self,
        standings: Standings,
        outcomes: Iterable[Outcome] = (),
        sealed: Collection[str] = (),
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
            line = of_change(change)
            if line is not None:
                lines.append(line)
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
        self, outcomes: Iterable[Outcome], sealed: Collection[str]
    ) -> list[Line]:
        """Return what became of steps; a failure once while it is the same."""
        lines = []
        failing = {}
        for outcome in outcomes:
            if outcome.sealed or outcome.subject in sealed:
                continue
            key = (outcome.subject, outcome.ask.value if outcome.ask else "")
            if outcome.code in _FINE:
                if outcome.code is Result.DONE:
                    lines.append(of_outcome(outcome))
                continue
            failing[key] = outcome.code.value
            if self._failing.get(key) != outcome.code.value:
                lines.append(of_outcome(outcome))
        self._failing = failing
        return [line for line in lines if line is not None]
