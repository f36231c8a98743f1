# SPDX-License-Identifier: Apache-2.0
"""What the monitor's process says of itself: log, events and status.

Touches the log, the audit port and the status file.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.reporting import telling
from nfv_mla_scheduler.monitor.reporting.report import Reports
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.status import status
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.results.publish import publish

_KINDS = {
    ("policy", True): EventKind.POLICY_LOADED,
    ("policy", False): EventKind.POLICY_REFUSED,
    ("results", True): EventKind.RESULTS_LOADED,
    ("results", False): EventKind.RESULTS_REFUSED,
}


class Journal:
    """Says what has changed, and how everything stands.

    One thread notes cycles; any may ask for the status.

    :param origin: this process, as readers of records know it
    :param act: what it is armed to do
    :param dry_run: acts on nothing, and says what it would do
    """

    def __init__(
        self, audit: AuditPort, origin: str, act: Arming, dry_run: bool
    ) -> None:
        self._audit = audit
        self._origin = origin
        self._dry_run = dry_run
        self._process = Process(
            time.time(),
            Arming.NONE.value if dry_run else act.value,
            act.value if dry_run else None,
        )
        self._tally = Tally()
        self._teller = Teller(self.tell)
        self._reports = Reports(telling.tell, audit, origin)
        self._report: CycleReport | None = None

    @property
    def report(self) -> CycleReport | None:
        """What became of the last cycle; None: there was none yet."""
        return self._report

    def started(self) -> None:
        """Record that the process begins its work."""
        fields: dict[str, JSON] = {
            "act": self._process.act,
            "dry_run": self._dry_run,
        }
        self._record(EventKind.MONITOR_STARTED, fields)

    def tell(self, news: News) -> None:
        """Log one change of state, and record it."""
        telling.tell_news(news)
        kind = _KINDS.get((news.subject, news.good))
        if kind is not None:
            self._record(kind, {"code": news.code, "text": news.text})

    def note(self, report: CycleReport, seconds: float) -> None:
        """Say what has changed by a cycle, which took so long."""
        self._process = dataclasses.replace(
            self._process, ended_at=time.time(), seconds=seconds
        )
        self._tally.add(report.outcomes, report.sealed)
        self._report = report
        self._reports.report(
            report.at,
            telling.standings(report, self._dry_run),
            report.outcomes,
            report.sealed,
        )

    def went_well(self) -> None:
        """Say that cycles go on, if the last one had failed as a whole."""
        if self._teller.mended("cycle"):
            self._teller.say("cycle", True, "cycle-well", "goes on")

    def failed(self, exc: Exception) -> None:
        """Say that a cycle failed as a whole: a fault of our own."""
        said = bounded(f"{type(exc).__name__}: {exc}", 160)
        self._teller.bad("cycle", "cycle-failed", said)

    def status(self, webhook: Mapping[str, int] | None) -> dict[str, Any]:
        """Return how everything stands; from any thread.

        :param webhook: what came of the knocks; None: nobody can knock
        """
        process = self._process
        if webhook is not None:
            process = dataclasses.replace(process, webhook=webhook)
        return status(time.time(), process, self._report, self._tally)

    def write(self, path: pathlib.Path, found: Mapping[str, Any]) -> None:
        """Replace the status file."""
        try:
            publish(path, json.dumps(found, indent=1).encode() + b"\n")
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            said = f"{path} cannot be written: {reason}"
            self._teller.bad("status", "status-unwritten", said)
            return
        if self._teller.mended("status"):
            self._teller.say("status", True, "status-written", "is written")

    def _record(self, kind: EventKind, fields: dict[str, JSON]) -> None:
        self._audit.record(Event(kind, time.time(), self._origin, fields))
