# SPDX-License-Identifier: Apache-2.0
"""What one process writes: its common chain, its sealed ones, checkpoints.

For one thread.  Touches the directory of the ledger, the key and the log.
"""

from __future__ import annotations

import math
import os
import pathlib
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.audit.chain import Chain
from nfv_mla_scheduler.audit.entry import utc
from nfv_mla_scheduler.audit.intake import Item
from nfv_mla_scheduler.audit.limits import Limits
from nfv_mla_scheduler.audit.opening import Opened
from nfv_mla_scheduler.audit.opening import Place
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.sealed import SealedStores
from nfv_mla_scheduler.audit.signing import Signing
from nfv_mla_scheduler.audit.trouble import Trouble
from nfv_mla_scheduler.model import Instant

#: A clock that is put back by less is only corrected.
CLOCK_BACK_S = 5.0
#: So often it looks whether the files are still there.
LOOK_S = 3.0
#: Of sealed chains in one entry, which has to hold them.
HEADS_MAX = 64
#: So long after its end began, a process writes the last sealed blocks.
CLOSING_S = 0.25


class Writer:
    """Writes events, and what there is to say of the ledger itself.

    :param directory: of the ledger
    :param name: of the origin, without the number of its slot
    :param signing: signs the checkpoints
    :ivar sealed: where events of sealed trust domains go
    """

    def __init__(
        self,
        directory: pathlib.Path,
        name: str,
        signing: Signing,
        limits: Limits,
        clock: Callable[[], Instant],
        monotonic: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._signing = signing
        self._clock = clock
        self._monotonic = monotonic
        self._process = f"{name}/{os.getpid()}"
        self._place = Place(directory, name, limits.segment_bytes, self.note)
        self.sealed = SealedStores(
            limits.seal_interval_s,
            limits.queue_size,
            self._place.open_sealed,
            self._process,
            clock,
        )
        self._sealing = Trouble(directory, clock)
        # of the items that are to be written, so many are in this chain
        self._added = 0
        self._chain: Chain | None = None
        self._signed_seq = 0
        self._ends_at: Instant | None = None
        self._signs_at = self._retries_at = -math.inf
        self._synced_at = self._looked_at = -math.inf

    def write(self, items: Sequence[Item]) -> None:
        """Write events to the common chain.

        :param items: those that the last call could not write come first
        :raises OSError: they are not all written; to be called again
        """
        self._looked_at = now = self._monotonic()
        at, chain = self._clock(), self._keep(now).chain
        if chain.pending:
            self._flush(chain, True, now)
        self._look_at_clock(at)
        for item in items[self._added :]:
            self._add(chain, item, at)
            self._added += 1
        sync = any(item.ticket is not None for item in items)
        sync = sync or now >= self._synced_at + self._limits.sync_interval_s
        self._flush(chain, sync, now)
        self._added = 0

    def _add(self, chain: Chain, item: Item, at: Instant) -> None:
        """Add an event; what is none is counted and holds nothing up."""
        event, ticket = item
        try:
            chain.add(event.kind.value, event.at, event.origin, event.fields)
        except Exception:  # whatever a caller has taken for an event
            fields = {"dropped": 1, "since": utc(at)}
            self.note(EventKind.EVENTS_DROPPED, fields)
            if ticket is not None:
                ticket.kept = False

    def tend(self) -> None:
        """Write what it is time for, besides events.

        Nobody waits for it yet: whatever signs may take its time.

        :raises OSError: it cannot be written; to be called again
        """
        now, at = self._monotonic(), self._clock()
        opened = self._place.opened
        assert opened is not None
        signed = self._checkpoint(opened.chain, now, at)
        now, at = self._monotonic(), self._clock()
        if not opened.origin.held():
            return  # ``write`` sees to that first
        if signed:
            # A file ends with a checkpoint.
            self._flush(opened.chain, True, now, last=True)
        # They are tried again at their own rate, and told of once.
        self._sealing.tries(self.sealed.tick, now, at)
        self._place.tell_moves()
        if self._sealing.to_tell and not self.sealed.failing:
            self.note(EventKind.LEDGER_INTERRUPTED, self._sealing.tell(0))

    @property
    def seals(self) -> bool:
        """Whether what is sealed can be written."""
        return self.sealed.healthy and not self._sealing.fault

    def note(self, kind: EventKind, fields: Mapping[str, object]) -> None:
        """Add something about the ledger itself, for the next ``write``."""
        opened = self._place.opened
        assert opened is not None
        at = self._ends_at or self._clock()
        opened.chain.add(kind.value, at, self._process, fields)

    def due_at(self) -> float:
        """Return when there is something to do, though no events come."""
        opened = self._place.opened
        if opened is None or opened.chain.pending:
            return -math.inf
        sync_at = self._synced_at + self._limits.sync_interval_s
        return min(
            self._looked_at + LOOK_S,
            self._signs_at,
            sync_at if opened.chain.unsynced else math.inf,
            math.inf if self._signing.works else self._retries_at,
            self.sealed.due_at(),
        )

    def finish(self) -> None:
        """Write the last entries, and give everything back.

        They all say the same time: how long sealing takes is not to be seen.

        :raises OSError: they are not all written
        """
        now, at = self._monotonic(), self._clock()
        self._ends_at = at
        try:
            chain = self._keep(now).chain
            try:
                self.sealed.close(at, lambda: self._settle(now))
            finally:
                self._place.tell_moves()
                self._add_heads()
                self.note(EventKind.LEDGER_CLOSED, {})
                self._sign(chain, now, at)
                self._flush(chain, True, now)
        finally:
            self.abandon()

    def _settle(self, began: float) -> None:
        """Wait until a moment that does not depend on what was sealed."""
        time.sleep(max(0.0, began + CLOSING_S - self._monotonic()))

    def abandon(self) -> None:
        """Give everything back, as it is."""
        self._place.close()

    def _keep(self, now: float) -> Opened:
        """Return what is open, and nobody else's."""
        self._place.keep()
        opened = self._place.opened
        assert opened is not None
        if opened.chain is not self._chain:
            # What was added to another chain is added anew.
            self._chain = opened.chain
            self._added = self._signed_seq = 0
            self._signs_at = now + self._limits.checkpoint_interval_s
            self._retries_at = now
            self._signing.works = False
        return opened

    def _look_at_clock(self, at: Instant) -> None:
        """Note that the clock went back, also while nobody was here."""
        latest = self._place.latest
        if at < latest - CLOCK_BACK_S:
            fields = {"from": utc(latest), "to": utc(at)}
            self.note(EventKind.CLOCK_BACK, fields)
            self._place.latest = at
        else:
            self._place.latest = max(latest, at)

    def _checkpoint(self, chain: Chain, now: float, at: Instant) -> bool:
        """Sign the chain if it is time to; whether it was."""
        interval_s = self._limits.checkpoint_interval_s
        timed = now >= self._signs_at
        if timed:
            self._signs_at = max(self._signs_at + interval_s, now)
            self._add_heads()
        if not self._signing.works:
            return now >= self._retries_at and self._sign(chain, now, at)
        unsigned = chain.seq - self._signed_seq
        many = unsigned >= self._limits.checkpoint_entries
        if many or (unsigned and (timed or chain.full)):
            return self._sign(chain, now, at)
        return False

    def _sign(self, chain: Chain, now: float, at: Instant) -> bool:
        """Sign the chain as far as it goes; whether that is possible."""
        opened = self._place.opened
        assert opened is not None
        signed = self._signing.sign(
            opened.origin.name, chain.seq, chain.hash, at
        )
        if signed is None:
            hope = self._signing.may_come
            self._retries_at = now + self._limits.retry_s if hope else math.inf
            return False
        self.note(EventKind.CHECKPOINT, {"signed": signed})
        self._signed_seq = chain.seq
        return True

    def _add_heads(self) -> None:
        """Note how far the sealed chains go, if there are any."""
        heads = list(self.sealed.heads().items())
        for first in range(0, len(heads), HEADS_MAX):
            some = dict(heads[first : first + HEADS_MAX])
            self.note(EventKind.SEALED_HEADS, {"heads": some})

    def _flush(
        self, chain: Chain, sync: bool, now: float, last: bool = False
    ) -> None:
        try:
            chain.flush(sync, last)
        finally:
            self._place.tell_moves()
        if sync:
            self._synced_at = now
