# SPDX-License-Identifier: Apache-2.0
"""The monitor's process: its threads, and when cycles run.

Starts threads when it is started, and none before.  ``cycle.py`` is what they
run, ``works.py`` puts it together, and ``journal.py`` says what came of it.
"""

from __future__ import annotations

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

from nfv_mla_scheduler.feed.ourselves import own_state
from nfv_mla_scheduler.feed.refresher import Refresher
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.journal import Journal
from nfv_mla_scheduler.monitor.knocks import Haste
from nfv_mla_scheduler.monitor.parts import Parts
from nfv_mla_scheduler.monitor.parts import made_of
from nfv_mla_scheduler.monitor.refreshing import Refreshing
from nfv_mla_scheduler.monitor.refreshing import asks
from nfv_mla_scheduler.monitor.web import Readiness
from nfv_mla_scheduler.monitor.works import Works
from nfv_mla_scheduler.monitor.works import build
from nfv_mla_scheduler.monitor.works import new_web
from nfv_mla_scheduler.recording import new_audit
from nfv_mla_scheduler.sources import load
from nfv_mla_scheduler.sources import new_feed

LOG = logging.getLogger(__name__)

SERVICE = "nfv-mla-monitor"
STATUS_S = 10.0
# A cycle that takes longer than this does not live any more: the first one of
# a large cloud takes minutes.
LIVE_S = 900.0
LATE_S = 60.0
STOP_S = 2.0

_LOOK_S = 0.02


class Service:
    """A monitor that looks, judges and acts until it is stopped.

    :param dry_run: acts on nothing, traits neither, and says what it would do
    :param works: puts the parts of a cycle together; see ``works.build``
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
        self._conf = conf
        self._audit = new_audit(parts.common, SERVICE)
        self._origin = f"{socket.gethostname()}/nfv-mla-monitor/{os.getpid()}"
        self._status_file = (
            parts.own_status_file if dry_run else parts.status_file
        )
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._haste = Haste()
        self._journal = Journal(
            self._audit,
            self._origin,
            parts.settings.act,
            dry_run,
        )
        self._began = math.inf
        self._ended = NEVER
        self._fed = threading.Event()
        self._feed = new_feed(
            parts.common,
            conf,
            self._own_state,
            self._journal.tell,
            self._fed,
            lambda policy: self._audit.seal_for(policy.trust_domains),
        )
        self._works = works(
            parts,
            conf,
            self._audit,
            lambda: self._feed.snapshot,
            None if dry_run else self._origin,
            announce=self._journal.announce,
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
        self._journal.started(made_of(self._parts, self._conf))
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
        self._journal.started(made_of(self._parts, self._conf))
        load(self._feed, self._parts.common.first_load_timeout_s)
        report = self._cycle(observe=True)
        self._works.drain()
        self.write_status()
        return report

    def knock(
        self, attesters: tuple[str, ...], certified: bool = False
    ) -> None:
        """Look soon; have the collector ask about these, if there is one."""
        self._haste.knock(certified)
        self._wake.set()
        if self._refreshing is not None:
            self._refreshing.want(attesters)

    def status(self) -> dict[str, Any]:
        """Return how everything stands; from any thread."""
        app = self._app
        return self._journal.status(None if app is None else app.webhook())

    def is_live(self) -> bool:
        """Whether cycles still run."""
        stuck = time.monotonic() - self._began > LIVE_S
        return self._thread.is_alive() and not stuck

    def readiness(self) -> Readiness:
        """Whether the last cycle is young and whole."""
        report = self._journal.report
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
        """Replace the status file, and record now and then that we go on."""
        self._journal.beat()
        self._journal.write(self._status_file, self.status())

    def _run(self) -> None:
        """Run cycles until it is time to stop."""
        self._wait_first()
        interval_s = self._parts.settings.interval_s
        due = looked = NEVER
        judged: object = None
        while not self._stopping.is_set():
            self._wake.clear()
            knocked_s = self._haste.take()
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
            self._journal.went_well()
        except Exception as exc:
            LOG.debug("nfv-mla monitor: a cycle failed", exc_info=True)
            self._journal.failed(exc)

    def _cycle(self, observe: bool) -> CycleReport:
        began = self._began = time.monotonic()
        try:
            report = self._works.cycle.run(time.time(), began, observe)
        finally:
            self._began = math.inf
        self._ended = time.monotonic()
        self._journal.note(report, self._ended - began)
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
