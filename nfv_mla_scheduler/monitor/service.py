# SPDX-License-Identifier: Apache-2.0
"""The monitor's process: when cycles run, and what is said of them.

Starts threads when it is started, and none before.  ``cycle.py`` is what they
run; ``parts.py`` puts it together.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.audit.jsonl import JsonLinesAudit
from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.port import NullAudit
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.feed.news import Teller
from nfv_mla_scheduler.feed.ourselves import own_state
from nfv_mla_scheduler.feed.refresher import Refresher
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.parts import Parts
from nfv_mla_scheduler.monitor.parts import Works
from nfv_mla_scheduler.monitor.parts import build
from nfv_mla_scheduler.monitor.parts import new_web
from nfv_mla_scheduler.monitor.planning.situation import Arming
from nfv_mla_scheduler.monitor.refreshing import Refreshing
from nfv_mla_scheduler.monitor.refreshing import asks
from nfv_mla_scheduler.monitor.reporting import status as statuses
from nfv_mla_scheduler.monitor.reporting import telling
from nfv_mla_scheduler.monitor.reporting.report import Reports
from nfv_mla_scheduler.monitor.web import Readiness
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.sources import load
from nfv_mla_scheduler.sources import new_feed

LOG = logging.getLogger(__name__)

STATUS_S = 10.0
# Knocks bring the next look forward, but not one right after the other; the
# less so those of anybody.
LOOK_LEAST_S = 1.0
LOOK_LEAST_ANYBODY_S = 5.0
# A cycle that takes longer than this does not live any more: the first one of
# a large cloud takes minutes.
LIVE_S = 900.0
LATE_S = 60.0
STOP_S = 2.0
_LOOK_S = 0.02

_KINDS = {
    ("policy", True): EventKind.POLICY_LOADED,
    ("policy", False): EventKind.POLICY_REFUSED,
    ("results", True): EventKind.RESULTS_LOADED,
    ("results", False): EventKind.RESULTS_REFUSED,
}


class Service:
    """A monitor that looks, judges and acts until it is stopped.

    :param dry_run: acts on nothing, traits neither, and says what it would do
    :param works: puts the parts of a cycle together; see ``parts.build``
    """

    def __init__(
        self,
        parts: Parts,
        conf: cfg.ConfigOpts,
        dry_run: bool = False,
        works: Callable[..., Works] = build,
    ) -> None:
        """Read what there is to read; asks nobody yet.

        :raises NfvMlaError: when options or files are at fault
        """
        self._parts = parts
        self._dry_run = dry_run
        self._audit = _audit(parts)
        self._origin = f"{socket.gethostname()}/nfv-mla-monitor/{os.getpid()}"
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._knocks = threading.Lock()
        self._knocked_s = math.inf
        self._report: CycleReport | None = None
        self._began = math.inf
        self._ended = NEVER
        self._process = statuses.Process(time.time(), self._act())
        self._tally = statuses.Tally()
        self._teller = Teller(self._tell)
        self._reports = Reports(telling.tell, self._audit, self._origin)
        self._fed = threading.Event()
        self._feed = new_feed(
            parts.common, conf, self._own_state, self._tell, self._fed
        )
        self._works = works(
            parts,
            conf,
            self._audit,
            lambda: self._feed.snapshot,
            None if dry_run else self._origin,
        )
        self._app, self._server = new_web(
            parts, self.status, self.is_live, self.readiness, self.knock
        )
        self._refresher = Refresher(
            self._refresh, parts.common.refresh_interval_s, wake=self._fed
        )
        self._reporter = Refresher(
            lambda _: self.write_status(), STATUS_S, "the status file"
        )
        ask = asks(parts.common)
        self._refreshing = (
            None
            if ask is None
            else Refreshing(ask, lambda: self._feed.snapshot.bound)
        )
        self._thread = threading.Thread(
            target=self._run, name="nfv-mla monitor", daemon=True
        )

    def start(self) -> None:
        """Start all threads.

        :raises SettingsError: when the address cannot be listened on
        """
        self._record_start()
        if self._server is not None:
            self._server.start()
            LOG.info("nfv-mla monitor: answers at port %d", self._server.port)
        self._refresher.start()
        if self._refreshing is not None:
            self._refreshing.start()
        self._reporter.start()
        self._thread.start()

    def stop(self) -> None:
        """End, in some seconds at most; what is under way is in its marks."""
        self._stopping.set()
        self._wake.set()
        ending = threading.Thread(target=self._close, daemon=True)
        ending.start()
        if self._thread.is_alive():
            self._thread.join(STOP_S)
        ending.join(STOP_S)

    def once(self) -> CycleReport:
        """Run one whole cycle here and now, without threads of our own."""
        self._record_start()
        load(self._feed, self._parts.common.first_load_timeout_s)
        report = self._cycle(observe=True)
        self.write_status()
        return report

    def knock(
        self, attesters: tuple[str, ...], certified: bool = False
    ) -> None:
        """Look soon; have the collector ask about these, if there is one."""
        least_s = LOOK_LEAST_S if certified else LOOK_LEAST_ANYBODY_S
        with self._knocks:
            self._knocked_s = min(self._knocked_s, least_s)
        self._wake.set()
        if self._refreshing is not None:
            self._refreshing.want(attesters)

    def status(self) -> dict[str, Any]:
        """Return how everything stands; from any thread."""
        process = self._process
        if self._app is not None:
            webhook: Mapping[str, int] = self._app.webhook()
            process = dataclasses.replace(process, webhook=webhook)
        return statuses.status(time.time(), process, self._report, self._tally)

    def is_live(self) -> bool:
        """Whether cycles still run."""
        stuck = time.monotonic() - self._began > LIVE_S
        return self._thread.is_alive() and not stuck

    def readiness(self) -> Readiness:
        """Whether the last cycle is young and whole."""
        report = self._report
        if report is None:
            return Readiness.STARTING
        late_s = 2 * self._parts.settings.interval_s + LATE_S
        if time.monotonic() - self._ended > late_s:
            return Readiness.LATE
        picture, known = report.picture, report.snapshot
        whole = picture is not None and not picture.partial
        if not whole or known.policy is None or known.document is None:
            return Readiness.PARTIAL
        return Readiness.READY

    def write_status(self) -> None:
        """Replace the status file."""
        path = self._parts.status_file
        try:
            publish(path, json.dumps(self.status(), indent=1).encode() + b"\n")
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            said = f"{path} cannot be written: {reason}"
            self._teller.bad("status", "status-unwritten", said)
            return
        if self._teller.mended("status"):
            self._teller.say("status", True, "status-written", "is written")

    def _run(self) -> None:
        """Run cycles until it is time to stop."""
        self._wait_first()
        interval_s = self._parts.settings.interval_s
        due = looked = NEVER
        judged: object = None
        while not self._stopping.is_set():
            self._wake.clear()
            knocked_s = self._knocked()
            if knocked_s < math.inf:
                due = min(due, looked + knocked_s)
            monotonic = time.monotonic()
            snapshot = self._feed.snapshot
            if monotonic >= due or snapshot is not judged:
                observe = monotonic >= due
                if observe:
                    looked, due = monotonic, monotonic + interval_s
                judged = snapshot
                self._cycle_safely(observe)
                self._reporter.hurry()
            self._wake.wait(max(0.0, due - time.monotonic()))

    def _knocked(self) -> float:
        """Return how long after the last look to look, for knocks' sake."""
        with self._knocks:
            least_s, self._knocked_s = self._knocked_s, math.inf
        return least_s

    def _wait_first(self) -> None:
        """Wait for policy and results, as long as the settings allow."""
        timeout_s = self._parts.common.first_load_timeout_s
        end = time.monotonic() + timeout_s
        self._refresher.wait_first(timeout_s)
        while not self._feed.settled and time.monotonic() < end:
            if self._stopping.wait(_LOOK_S):
                return
            self._refresher.hurry()

    def _cycle_safely(self, observe: bool) -> None:
        """Run a cycle; a fault of our own ends none but this one."""
        try:
            self._cycle(observe)
            if self._teller.mended("cycle"):
                self._teller.say("cycle", True, "cycle-well", "goes on")
        except Exception as exc:
            LOG.debug("nfv-mla monitor: a cycle failed", exc_info=True)
            said = bounded(f"{type(exc).__name__}: {exc}", 160)
            self._teller.bad("cycle", "cycle-failed", said)

    def _cycle(self, observe: bool) -> CycleReport:
        began = self._began = time.monotonic()
        try:
            report = self._works.cycle.run(time.time(), began, observe)
        finally:
            self._began = math.inf
        self._ended = time.monotonic()
        self._process = dataclasses.replace(
            self._process, ended_at=time.time(), seconds=self._ended - began
        )
        self._tally.add(report.outcomes, report.sealed)
        self._report = report
        self._reports.report(
            report.at,
            telling.standings(report, self._dry_run),
            report.outcomes,
            report.sealed,
        )
        return report

    def _refresh(self, now: Instant) -> None:
        before = self._feed.snapshot
        self._feed.refresh(now)
        if self._feed.snapshot is not before:
            self._wake.set()

    def _close(self) -> None:
        if self._refreshing is not None:
            self._refreshing.stop()
        if self._server is not None:
            self._server.stop()
        self._works.close()
        self._reporter.stop(0.5)
        self._refresher.stop(0.5)
        self._feed.close()
        self._audit.close()

    def _own_state(self) -> Mapping[str, bool | None]:
        """Return what we can prove about ourselves; None: not judged yet."""
        return own_state(self._audit.ledger, monitor=True)

    def _act(self) -> str:
        """Return what is done by this process, in one word."""
        act = Arming.NONE if self._dry_run else self._parts.settings.act
        return act.value

    def _record_start(self) -> None:
        fields: dict[str, JSON] = {
            "act": self._act(),
            "dry_run": self._dry_run,
        }
        self._audit.record(
            Event(EventKind.MONITOR_STARTED, time.time(), self._origin, fields)
        )

    def _tell(self, news: News) -> None:
        """Log one change of state, and record it."""
        telling.tell_news(news)
        kind = _KINDS.get((news.subject, news.good))
        if kind is not None:
            fields = {"code": news.code, "text": news.text}
            self._audit.record(Event(kind, time.time(), self._origin, fields))


def _audit(parts: Parts) -> AuditPort:
    path = parts.common.audit_file
    if path is None:
        return NullAudit()
    return JsonLinesAudit(path, parts.common.audit_queue_size)
