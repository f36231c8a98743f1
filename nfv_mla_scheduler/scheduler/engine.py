# SPDX-License-Identifier: Apache-2.0
"""Feed, judge and audit of one scheduler process, put together.

Imported by the worker alone, and only in the process that uses it: from here
on everything of ours, and what it needs, is loaded.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
import threading
import time
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.audit.port import AuditPort
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.conf import WithoutPolicy
from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.feed.brief import brief
from nfv_mla_scheduler.feed.feed import Feed
from nfv_mla_scheduler.feed.ourselves import LEDGER
from nfv_mla_scheduler.feed.ourselves import MonitorStatus
from nfv_mla_scheduler.feed.ourselves import own_state
from nfv_mla_scheduler.feed.refresher import Refresher
from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.closures import Closure
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.dirty import NONE
from nfv_mla_scheduler.judge.dirty import DirtyHosts
from nfv_mla_scheduler.judge.grounds import AsksNothing
from nfv_mla_scheduler.judge.judge import NO_POLICY
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.application import IMAGE_PROPERTIES
from nfv_mla_scheduler.policy.application import VOLUME_PROPERTIES
from nfv_mla_scheduler.recording import new_audit
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.scheduler import fallback
from nfv_mla_scheduler.scheduler.adapters import Plain
from nfv_mla_scheduler.scheduler.adapters import read_image
from nfv_mla_scheduler.scheduler.heartbeat import Heartbeat
from nfv_mla_scheduler.scheduler.kept import Kept
from nfv_mla_scheduler.scheduler.records import started
from nfv_mla_scheduler.scheduler.records import tell
from nfv_mla_scheduler.scheduler.reports import About
from nfv_mla_scheduler.scheduler.reports import Reports
from nfv_mla_scheduler.scheduler.room import PlacementRoom
from nfv_mla_scheduler.sources import new_feed

LOG = logging.getLogger(__name__)

SERVICE = "nova-scheduler"

# So long the first request may wait for the ledger to be opened and signed.
LEDGER_S = 1.0
_LOOK_S = 0.02


@dataclasses.dataclass(slots=True)
class Engine:
    """Opens cases for requests, from the newest snapshot."""

    settings: Settings
    feed: Feed
    judge: Judge
    audit: AuditPort
    reports: Reports
    room: PlacementRoom
    refresher: Refresher
    kept: Kept
    monitor: MonitorStatus

    @classmethod
    def start(
        cls, settings: Settings, kept: Kept, conf: cfg.ConfigOpts
    ) -> Engine:
        """Return an engine whose background thread runs.

        Waits for the first load, but no longer than the settings allow.

        :param kept: knows what there is to go by without a policy
        :param conf: for authorities that are asked by this process itself
        :raises NfvMlaError: when settings or the officers' keys are at fault
        """
        audit = new_audit(settings, SERVICE)
        origin = f"{socket.gethostname()}/{SERVICE}/{os.getpid()}"
        wake = threading.Event()
        monitor = MonitorStatus(
            settings.monitor_status_file, settings.max_skew_s
        )
        try:
            feed = new_feed(
                settings,
                conf,
                lambda: own_state(audit.ledger, monitor.alive(time.time())),
                lambda news: tell(news, audit, origin),
                wake,
                lambda policy: audit.seal_for(policy.trust_domains),
            )
            beginning = started(settings, conf, origin)
        except BaseException:
            audit.close()
            raise
        engine = cls(
            settings,
            feed,
            Judge(
                Bearings(settings.management_domain, settings.boot_max_age_s),
                settings.without_policy is WithoutPolicy.REFUSE_ALL,
                settings.decision_cache_size,
            ),
            audit,
            Reports(audit, origin),
            PlacementRoom(settings.follow_room_max_age_s),
            _refresher(feed, Heartbeat(audit, origin), settings, wake),
            kept,
            monitor,
        )
        audit.record(beginning)
        try:
            engine.refresher.start()
        except BaseException:
            engine.stop()
            raise
        engine.wait_first()
        if feed.snapshot.policy is None and kept.ever():
            LOG.warning(
                "nfv-mla policy: none is in force, though there was one; what "
                "state_dir keeps of it holds (%s)",
                RefusalCode.NO_POLICY.value,
            )
        return engine

    def wait_first(self) -> None:
        """Wait for policy and results, as long as the settings allow."""
        timeout_s = self.settings.first_load_timeout_s
        end = time.monotonic() + timeout_s
        opens_by = time.monotonic() + min(timeout_s, LEDGER_S)
        loaded = self.refresher.wait_first(timeout_s)
        while loaded and not (
            self.feed.settled
            and (self._has_ledger() or time.monotonic() >= opens_by)
        ):
            loaded = time.monotonic() < end
            self.refresher.hurry()
            time.sleep(_LOOK_S if loaded else 0)
        if not loaded:
            LOG.warning("nfv-mla has not loaded policy and results yet")

    def _has_ledger(self) -> bool:
        """Whether the ledger takes entries, as far as is judged by it."""
        return self.feed.snapshot.own_state.get(LEDGER) is not False

    def case(
        self,
        plain: Plain,
        snapshot: Snapshot | None = None,
        dirty: DirtyHosts = NONE,
    ) -> Case:
        """Return the case of a request, by default as things stand now.

        :param dirty: hosts that only some may come to
        """
        request = Request(
            plain.project_id,
            plain.extra_specs,
            read_image(
                plain.image,
                VOLUME_PROPERTIES if plain.from_volume else IMAGE_PROPERTIES,
            ),
            plain.hints,
            plain.source,
            plain.server,
        )
        snapshot = self.feed.snapshot if snapshot is None else snapshot
        return self.judge.case(request, snapshot, self.room, dirty)

    def decide(
        self, plain: Plain, candidates: list[Any], now: float
    ) -> tuple[list[Any], Malformed | None]:
        """Return the hosts that remain, and what is malformed, if anything.

        Reports what there is to report; that it cannot changes nothing.
        """
        snapshot = self.feed.snapshot
        dirty = NONE if plain.stays else self.monitor.dirty(now)
        case = self.case(plain, snapshot, dirty)
        if snapshot.policy is None and case.malformed is None:
            kept = case_by_kept(self.kept, plain, candidates, snapshot, now)
            case = kept or case
        admitted = case.admitted(candidates, now)
        try:
            whose = fallback.Discretion(domain=case.sealed_for)
            if snapshot.policy is None:
                whose = self.kept.discretion(plain)
            self._report(About(plain, whose), case, candidates, admitted, now)
        except Exception:
            LOG.exception("nfv-mla cannot report what it decided")
        return admitted, case.malformed

    def open_hosts(
        self, plain: Plain, candidates: list[Any], now: float
    ) -> list[Any]:
        """Return the hosts that remain although the judge has failed."""
        snapshot = self.feed.snapshot
        refuse_all = self.settings.without_policy is WithoutPolicy.REFUSE_ALL
        if snapshot.policy is None:
            return self.kept.open_hosts(candidates, plain, refuse_all, now)
        data = brief(snapshot.policy, snapshot.catalogue)
        return fallback.open_hosts(
            candidates,
            plain,
            fallback.read_brief(data),
            self.settings.management_domain,
            refuse_all,
            now,
        )

    def stop(self) -> None:
        """End the background threads, and write what was recorded."""
        self.refresher.stop()
        self.feed.close()
        self.room.stop()
        self.audit.close()

    def _report(
        self,
        about: About,
        case: Case,
        candidates: list[Any],
        admitted: list[Any],
        now: float,
    ) -> None:
        if not admitted:
            if candidates:
                self.reports.refused(about, case, candidates, now)
            return
        if about.plain.several:
            self.reports.placed()
        waivers = case.broken_glass(admitted, now)
        if waivers:
            self.reports.broken_glass(about, waivers, len(admitted))
        if case.may_be_softened:
            self.reports.softened(about, case, admitted, now)


def case_by_kept(
    kept: Kept,
    plain: Plain,
    candidates: list[Any],
    snapshot: Snapshot,
    now: float,
) -> Case | None:
    """Return the case of a request when the policy is lost.

    As in a process that cannot judge; but waivers count, if officers are
    known.  None: there never was a policy.
    """
    left = kept.remaining(candidates, plain, now)
    if left is None:
        return None
    open_ = {candidate.host for candidate in left}
    lost = (Closure(NO_POLICY, NEVER),)
    closed = {c.host: lost for c in candidates if c.host not in open_}
    return Case(AsksNothing(closed), snapshot, plain.project_id, plain.server)


def _refresher(
    feed: Feed,
    heartbeat: Heartbeat,
    settings: Settings,
    wake: threading.Event,
) -> Refresher:
    """Return what refreshes the feed, and shows that it does."""

    def refresh(now: Instant) -> None:
        try:
            feed.refresh(now)
        finally:
            heartbeat.beat(feed.snapshot, now)

    return Refresher(refresh, settings.refresh_interval_s, wake=wake)
