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
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.reporting import telling
from nfv_mla_scheduler.monitor.reporting.changes import Standings
from nfv_mla_scheduler.monitor.reporting.entries import Entries
from nfv_mla_scheduler.monitor.reporting.heartbeat import Heartbeat
from nfv_mla_scheduler.monitor.reporting.planned import of_ledger
from nfv_mla_scheduler.monitor.reporting.report import Reports
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.status import status
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.recording import event as event_of
from nfv_mla_scheduler.results.publish import publish


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
        self._reports = Reports(telling.tell)
        self._entries = Entries(audit, origin)
        self._heartbeat = Heartbeat(audit, origin)
        self._announced: tuple[Plan | None, Standings] = (None, {})
        self._silent = 0
        self._report: CycleReport | None = None

    @property
    def report(self) -> CycleReport | None:
        """What became of the last cycle; None: there was none yet."""
        return self._report

    def started(self, made_of: Mapping[str, JSON]) -> None:
        """Record that the process begins its work.

        :param made_of: which package and options it runs with
        """
        fields: dict[str, JSON] = {
            "act": self._process.act,
            "dry_run": self._dry_run,
            **made_of,
        }
        self._audit.record(
            Event(EventKind.MONITOR_STARTED, time.time(), self._origin, fields)
        )

    def tell(self, news: News) -> None:
        """Log one change of state, and record it."""
        telling.tell_news(news)
        event = event_of(news, time.time(), self._origin)
        if event is not None:
            self._audit.record(event)

    def announce(self, report: CycleReport) -> None:
        """Record what a cycle has found and planned, before it is done."""
        known = telling.of_known(report)
        self._announced = report.plan, known
        self._entries.note(report, known)

    def beat(self) -> None:
        """Record that the process goes on, if it is time."""
        self._heartbeat.beat(time.time(), self._process, self._report)

    def note(self, report: CycleReport, seconds: float) -> None:
        """Say what has changed by a cycle, which took so long."""
        self._process = dataclasses.replace(
            self._process, ended_at=time.time(), seconds=seconds
        )
        self._tally.add(report.outcomes, report.sealed)
        self._report = report
        (announced, known), self._announced = self._announced, (None, {})
        if announced is None or announced is not report.plan:
            known = telling.of_known(report)
            self._entries.note(report, known)
        standings = {**known, **telling.of_course(report, self._dry_run)}
        self._silent = 0 if self._written is not False else self._silent + 1
        self._reports.report(
            {**standings, **of_ledger(self._silent > 1, report.outcomes)},
            report.outcomes,
            report.sealed,
        )

    @property
    def _written(self) -> bool | None:
        """Whether events are kept; None: nobody wants them."""
        return self._audit.healthy if self._audit.ledger is not None else None

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
        process = dataclasses.replace(self._process, ledger=self._written)
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
