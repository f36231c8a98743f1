# SPDX-License-Identifier: Apache-2.0
"""The ledger behind the port: any thread records, one thread writes.

That thread is started when the first event comes in the process that uses
it: the scheduler builds its filters before it forks its workers.
"""

from __future__ import annotations

import logging
import math
import pathlib
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.audit.entry import utc
from nfv_mla_scheduler.audit.intake import NONE
from nfv_mla_scheduler.audit.intake import Intake
from nfv_mla_scheduler.audit.intake import Item
from nfv_mla_scheduler.audit.intake import Ticket
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.processes import keep
from nfv_mla_scheduler.audit.signing import Signing
from nfv_mla_scheduler.audit.trouble import Trouble
from nfv_mla_scheduler.audit.writer import Writer
from nfv_mla_scheduler.model import Instant

LOG = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
BATCH = 512


class Ledger:
    """Keeps events in chains of entries; an ``AuditPort``.

    What cannot be written yet is kept and tried again.  What comes while the
    queue is full is dropped and counted.

    :param directory: of the ledger; it must be there
    :param name: of this kind of process on this host
    :param signer: returns the key of the checkpoints; None: there is none
    :param clock: what time it is
    :param monotonic: measures intervals
    """

    def __init__(
        self,
        directory: pathlib.Path,
        name: str,
        signer: Callable[[], Signer] | None,
        limits: Limits,
        *,
        clock: Callable[[], Instant] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._name = name
        self._signer = signer
        self._limits = limits
        self._clock, self._monotonic = clock, monotonic
        self._domains: Mapping[str, str | None] = {}
        self._closed = False
        self._begin()
        keep(self)

    def _begin(self) -> None:
        """Start from nothing, here or in a child after a fork."""
        self._wake = threading.Condition()
        # is held while keys are read, which nobody who records waits for
        self._sealing = threading.Lock()
        self._intake = Intake(self._limits.queue_size)
        self._thread: threading.Thread | None = None
        self._signing = Signing(self._signer)
        self._writer = Writer(
            *(self._directory, self._name, self._signing, self._limits),
            *(self._clock, self._monotonic),
        )
        self._seals = True
        self._trouble = Trouble(self._directory, self._clock, self._monotonic)
        self._healthy, self._signed, self._died = True, False, False

    def after_fork(self) -> None:
        """Leave to the parent what belongs to it."""
        self._writer.abandon()
        self._begin()

    @property
    def healthy(self) -> bool:
        """Whether events are kept.  Takes no lock, and may be asked often."""
        return self._healthy and not (self._died or self._trouble.hangs)

    @property
    def ledger(self) -> bool | None:
        """Whether they are, and signed."""
        return self._signed and self.healthy

    @property
    def dropped(self) -> int:
        """How many events were dropped and are not told yet."""
        return self._intake.dropped

    def record(self, event: Event) -> None:
        """Queue ``event``, or count it as dropped."""
        self._put(event, None)

    def commit(self, event: Event, timeout_s: float) -> bool:
        """Queue ``event``, and wait until it is synced."""
        ticket = Ticket()
        if not self._put(event, ticket):
            return False
        return ticket.wait(timeout_s) and ticket.kept

    def seal_for(self, domains: Mapping[str, str | None]) -> None:
        """Seal for these trust domains from now on, whatever happens."""
        with self._sealing:
            self._domains = dict(domains)
            self._writer.sealed.seal_for(self._domains)
        with self._wake:
            if any(domains.values()) and not self._closed:
                self._start()
                self._wake.notify()

    def close(self) -> None:
        """Write what is queued, within ``CLOSE_TIMEOUT_S``, and stop."""
        with self._wake:
            self._closed = True
            thread = self._thread
            self._wake.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSE_TIMEOUT_S)

    def _put(self, event: Event, ticket: Ticket | None) -> bool:
        """Take an event for the common chain or a sealed one."""
        if event.domain is not None:
            # It neither starts nor wakes the thread: that would show.
            return self._writer.sealed.add(event, ticket)
        with self._wake:
            runs = not (self._closed or self._died) and self._start()
            empty = not self._intake
            kept = runs and self._intake.put(Item(event, ticket))
            if not kept:
                self._intake.drop(self._clock())
            elif empty:
                self._wake.notify()
            if runs:
                self._judge()
            return kept

    def _start(self) -> bool:
        """Have the thread run; whether the system lets us."""
        if self._thread is not None:
            return True
        thread = threading.Thread(
            target=self._run, name="nfv-mla-audit", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._healthy = self._signed = False
            return False
        self._thread = thread
        return True

    def _judge(self) -> None:
        """Keep what anybody may ask for up to date."""
        well = not self._trouble.fault and self._intake.has_room
        self._healthy = well and self._seals
        self._signed = self._healthy and self._signing.works

    def _run(self) -> None:
        """Write what comes until closed."""
        try:
            self._trouble.tries(self._seal)
            self._write_all()
        except BaseException:
            self._died = True
            raise
        finally:
            with self._wake:
                self._intake.drop_all(self._clock())
                self._judge()
                self._signed = False

    def _seal(self) -> None:
        """Seal as the process did that this one was forked from."""
        with self._sealing:
            if self._domains:
                self._writer.sealed.seal_for(self._domains)

    def _write_all(self) -> None:
        while True:
            with self._wake:
                self._wait()
                items = self._intake.first(BATCH)
                ends = self._closed and not items
            if ends:
                self._trouble.tries(self._writer.finish)
                return
            self._note(self._trouble.tries(self._write, items))
            if self._trouble.fault and self._closed:
                self._writer.abandon()
                return

    def _wait(self) -> None:
        """Wait until there is something to do."""
        if self._trouble.fault:
            self._wake.wait_for(lambda: self._closed, self._limits.retry_s)
            return
        while not (self._intake or self._closed):
            left_s = self._writer.due_at() - self._monotonic()
            if left_s <= 0:
                return
            self._wake.wait(None if math.isinf(left_s) else left_s)

    def _write(self, items: list[Item]) -> None:
        """Write events, and what else is due.

        :raises OSError: it cannot be written
        """
        self._writer.write(items)
        with self._wake:
            self._intake.remove(len(items))
        for _, ticket in items:
            if ticket is not None:
                ticket.set()
        self._writer.tend()

    def _note(self, written: bool) -> None:
        """Say what was not written, in the next entries."""
        with self._wake:
            drops = self._intake.take_drops() if written else NONE
            self._seals = self._writer.seals
            self._judge()
        if self._trouble.to_tell:
            fields = self._trouble.tell(drops.count)
            self._writer.note(EventKind.LEDGER_INTERRUPTED, fields)
        elif drops.count:
            LOG.warning(
                "nfv-mla audit: %d events were dropped: they came too fast",
                drops.count,
            )
            fields = {"dropped": drops.count, "since": utc(drops.since)}
            self._writer.note(EventKind.EVENTS_DROPPED, fields)
