# SPDX-License-Identifier: Apache-2.0
"""Audit events as JSON lines in a file that several workers may share.

One thread writes, started when the first event comes in the process that
uses it: the scheduler builds its filters before it forks its workers.
"""

from __future__ import annotations

import atexit
import collections
import os
import threading
import time
import weakref
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.audit import line
from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import Instant

RETRY_S = 1.0
CLOSE_TIMEOUT_S = 5.0
MODE = 0o600

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC

# Of the queue, so much (one part of as many) is kept for what is done to
# servers: whoever can have much said must not keep that from being written.
RESERVED = 16
_FIRST = (EventKind.STEP_INTENDED, EventKind.STEP_DONE)


class JsonLinesAudit:
    """Appends events to a file; an ``AuditPort``.

    What cannot be written yet is kept and tried again.  What comes while the
    queue is full is dropped and counted.

    :param queue_size: how many events may wait
    :param clock: tells when events were dropped
    :param retry_s: how long to wait after a write that failed
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        queue_size: int,
        *,
        clock: Callable[[], Instant] = time.time,
        retry_s: float = RETRY_S,
    ) -> None:
        self._path = os.fspath(path)
        self._size = queue_size
        self._usual = queue_size - queue_size // RESERVED
        self._clock = clock
        self._retry_s = retry_s
        self._fd = -1
        self._closed = False
        self._begin()
        _OPEN.add(self)

    def _begin(self) -> None:
        """Start from nothing, here or in a child after a fork."""
        self._wake = threading.Condition()
        self._queue: collections.deque[Event] = collections.deque()
        self._thread: threading.Thread | None = None
        self._failing = False
        self._torn = False
        self._dropped = 0
        self._dropped_since: Instant = 0.0
        self._pid = os.getpid()

    def after_fork(self) -> None:
        """Forget what belongs to the parent, which writes it itself."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._begin()

    @property
    def healthy(self) -> bool:
        """Whether the last write succeeded and the queue has room."""
        return not self._failing and len(self._queue) < self._usual

    @property
    def ledger(self) -> bool | None:
        """``None``: a file that root can shorten is not a ledger."""
        return None

    @property
    def dropped(self) -> int:
        """How many events were dropped and are not reported yet."""
        return self._dropped

    def record(self, event: Event) -> None:
        """Queue ``event``, or count it as dropped."""
        with self._wake:
            first = event.kind in _FIRST
            room = self._size if first else self._usual
            if self._closed or len(self._queue) >= room:
                self._drop(1)
                return
            if self._thread is None and not self._start():
                self._drop(1)
                return
            self._queue.append(event)
            self._wake.notify()

    def commit(self, event: Event, timeout_s: float) -> bool:
        """Queue ``event``, and promise nothing."""
        self.record(event)
        return self.healthy

    def seal_for(self, domains: Mapping[str, str | None]) -> None:
        """Do nothing: nothing here is sealed."""

    def close(self) -> None:
        """Write what is queued, within ``CLOSE_TIMEOUT_S``, and stop."""
        with self._wake:
            self._closed = True
            thread = self._thread
            self._wake.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSE_TIMEOUT_S)

    def _drop(self, count: int) -> None:
        if not self._dropped:
            self._dropped_since = self._clock()
        self._dropped += count

    def _start(self) -> bool:
        """Start the thread; whether the system lets us."""
        thread = threading.Thread(
            target=self._run, name="nfv-mla-audit", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._failing = True
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        """Write one event after the other until closed."""
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    self._end()
                    return
                event = self._queue[0]
            written = self._write(event)
            with self._wake:
                self._failing = not written
                if written:
                    self._queue.popleft()
                    self._report_drops(event.origin)
                elif self._closed:
                    self._drop(len(self._queue))
                    self._queue.clear()
                else:
                    self._wake.wait_for(lambda: self._closed, self._retry_s)

    def _report_drops(self, origin: str) -> None:
        """Queue an event that says how many others there are not."""
        if self._dropped and len(self._queue) < self._size:
            fields: dict[str, JSON] = {
                "dropped": self._dropped,
                "since": line.utc(self._dropped_since),
            }
            self._queue.append(
                Event(EventKind.EVENTS_DROPPED, self._clock(), origin, fields)
            )
            self._dropped = 0

    def _end(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, event: Event) -> bool:
        """Append one line with one call, so that lines never mix."""
        try:
            data = line.encode(event, self._pid)
            if self._torn:
                data = b"\n" + data
            self._reopen()
            count = os.write(self._fd, data)
        except OSError:
            return False
        # A disk that fills up may take the beginning of a line only; the
        # newline before the next one keeps the two apart.
        self._torn = count < len(data)
        return not self._torn

    def _reopen(self) -> None:
        """Open the file, anew when it was rotated away."""
        if self._fd >= 0:
            try:
                if os.path.samestat(os.stat(self._path), os.fstat(self._fd)):
                    return
            except FileNotFoundError:
                pass
            os.close(self._fd)
            self._fd = -1
        self._fd = os.open(self._path, _FLAGS, MODE)


_OPEN: weakref.WeakSet[JsonLinesAudit] = weakref.WeakSet()


def _after_fork() -> None:
    for audit in list(_OPEN):
        audit.after_fork()


def _at_exit() -> None:
    for audit in list(_OPEN):
        audit.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
