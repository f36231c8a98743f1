# SPDX-License-Identifier: Apache-2.0
"""The thread that publishes: neither too often nor too rarely.

It alone touches the disk, so that a disk that hangs keeps nobody from asking
authorities, nor from serving over HTTPS what there is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.collector.publisher import Publisher
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.model import Instant

LOG = logging.getLogger(__name__)

# Readers see by the time of a document that its collector lives.
ALIVE_S = 60.0
REPORT_S = 10.0
# To write what could not be written, or publish what may not be yet.
RETRY_S = 2.0
READY_S = 0.2
SHARE = 0.1


class Pace:
    """When to publish.  Pure; instants are of a clock that never steps.

    :param interval_s: the least time between two documents
    """

    def __init__(self, interval_s: float, now: float) -> None:
        self._interval_s = interval_s
        self._began = now
        self._next = now

    def wait_s(self, changed: bool, now: float) -> float:
        """Return how long to wait before the next document."""
        due = self._next if changed else self._began + ALIVE_S
        return max(due - now, 0.0)

    def published(self, began: float, now: float) -> None:
        """Note that a document was published, or was tried to be.

        What took long is done less often: for a tenth of the time at most.
        """
        took_s = now - began
        self._began = began
        self._next = max(began + self._interval_s, began + took_s / SHARE)


class Publishing:
    """Calls a publisher when there is something to be published.

    :param said: what there is to say, which is never published if it is
        nothing, and the digest of the policy by which it was checked
    :param why_not: why nothing may be published; empty: it may
    :param ready: whether the first document may be published
    :param report: called when something was published, and every ``REPORT_S``
    """

    def __init__(
        self,
        publisher: Publisher,
        interval_s: float,
        *,
        said: Callable[[], tuple[Mapping[str, Said], str]],
        why_not: Callable[[], str],
        ready: Callable[[], bool],
        report: Callable[[Instant], None],
        clock: Callable[[], Instant] = time.time,
    ) -> None:
        self._publisher = publisher
        self._said = said
        self._why_not = why_not
        self._ready = ready
        self._report = report
        self._clock = clock
        self._pace = Pace(interval_s, time.monotonic())
        self._condition = threading.Condition()
        self._changed = False
        self._stopping = False
        self._blocked_until = self._rewrite_at = self._report_at = 0.0
        self._thread = threading.Thread(
            target=self._run, name="nfv-mla publishes", daemon=True
        )

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def changed(self) -> None:
        """Note that there is something new to publish; from any thread."""
        with self._condition:
            self._changed = True
            self._condition.notify()

    def stop(self, timeout_s: float) -> bool:
        """Publish what is new, and end; False if that takes longer."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._wait()
            try:
                self._round(stopping)
            except Exception:
                LOG.exception("nfv-mla cannot publish")
                self._put_off(True, RETRY_S)

    def _wait(self) -> bool:
        """Wait until something is due; return whether to stop."""
        with self._condition:
            while not self._stopping:
                now = time.monotonic()
                wait_s = min(self._due(now), self._report_at) - now
                if wait_s <= 0:
                    break
                self._condition.wait(wait_s)
            return self._stopping

    def _due(self, now: float) -> float:
        """Return when to publish or to write next."""
        due = max(
            self._blocked_until, now + self._pace.wait_s(self._changed, now)
        )
        if self._publisher.unwritten:
            due = min(due, self._rewrite_at)
        return due

    def _round(self, stopping: bool) -> None:
        """Do what is due."""
        now = time.monotonic()
        with self._condition:
            changed = self._changed
        waits = self._pace.wait_s(changed, now) > 0
        due = changed if stopping else not waits
        if due and (stopping or now >= self._blocked_until):
            self._publish(now)
        elif self._publisher.unwritten and now >= self._rewrite_at:
            self._publisher.write(self._clock())
            self._after_writing(now)
        self._publisher.passed(self._clock())
        if stopping or now >= self._report_at:
            self._report_at = now + REPORT_S
            why = self._why_not()
            if why:
                self._publisher.withhold(why, self._clock())
            self._report(self._clock())

    def _publish(self, now: float) -> None:
        with self._condition:
            changed, self._changed = self._changed, False
        said, policy = self._said()
        if not said or self._why_not():
            self._put_off(changed, RETRY_S)
            return
        if not self._ready():
            self._put_off(changed, READY_S)
            return
        if not self._publisher.publish(said, self._clock(), policy):
            self._put_off(True, RETRY_S)
            return
        self._pace.published(now, time.monotonic())
        self._after_writing(now)

    def _after_writing(self, now: float) -> None:
        self._report_at = 0.0
        if self._publisher.unwritten:
            self._rewrite_at = now + RETRY_S

    def _put_off(self, changed: bool, seconds: float) -> None:
        if changed:
            self.changed()
        self._blocked_until = time.monotonic() + seconds
