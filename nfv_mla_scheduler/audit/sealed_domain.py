# SPDX-License-Identifier: Apache-2.0
"""What waits to be sealed for one trust domain, and the chain it goes to.

Writes through its chain alone.  Any thread may add; one thread seals and
writes, in two strokes: how much there is to seal shows in how long that takes,
so it is over before the time at which a block is written.
"""

from __future__ import annotations

import collections
import itertools
import threading
from collections.abc import Callable

from nfv_mla_scheduler.audit import sealable
from nfv_mla_scheduler.audit import sealing
from nfv_mla_scheduler.audit.chain import Chain
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.model import Instant

#: How many blocks there are still when a domain loses its key, or at the end.
CLOSING = 8
#: Of the backlog, one part of so many is kept for what is done to servers.
RESERVED = 16
_FIRST = (EventKind.STEP_INTENDED, EventKind.STEP_DONE)
# More entries than one block can hold: each has some 70 bytes at least.
_MOST = sealing.ENTRIES_MAX // 64


class SealedDomain:
    """Seals for one trust domain from when its key is known.

    :param queue_size: how many entries may wait; further ones are dropped
    :param open_chain: opens the domain's chain
    :param process: in which all happens, as a reader knows it
    :param clock: tells when entries were dropped
    :ivar refused: there is a key, and nothing can be sealed for it
    :ivar failing: the last block could not be written
    """

    def __init__(
        self,
        queue_size: int,
        open_chain: Callable[[], Chain],
        process: str,
        clock: Callable[[], Instant],
    ) -> None:
        self._size = queue_size
        self._usual = queue_size - queue_size // RESERVED
        self._open_chain = open_chain
        self._process = process
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: collections.deque[
            tuple[bytes, threading.Event | None]
        ] = collections.deque()
        self._dropped = 0
        self._dropped_since: Instant = 0.0
        self._pem: str | None = None
        self._key: sealing.SealKey | None = None
        # How many blocks there are still; None: no end to them.
        self._left: int | None = None
        self._chain: Chain | None = None
        self._block: str | None = None
        self._tickets: list[threading.Event] = []
        self._kept: list[threading.Event] = []
        self._unwritten = False
        self.refused = False
        self.failing = False

    @property
    def active(self) -> bool:
        """Whether there are blocks to come."""
        with self._lock:
            sealed = self._block is not None or self._unwritten
            return sealed or self._key is not None

    @property
    def head(self) -> tuple[int, str] | None:
        """Sequence and hash of the chain's end; None: not all is synced.

        For the thread that writes: the chain may be another one by now.
        """
        if self._chain is None or self._unwritten or not self._chain.seq:
            return None
        return self._chain.seq, self._chain.hash

    def seal_for(self, pem: str | None) -> None:
        """Seal for this key from now on; None: some blocks more, then none."""
        key, refused = self._key, False
        if pem is not None and (pem != self._pem or self.refused):
            try:
                key = sealing.read_seal_key(pem)
            except KeyFileError:
                key, refused = None, True
        with self._lock:
            self._pem, self.refused = pem, refused
            if pem is not None:
                self._key, self._left = key, None
            elif self._key is not None and self._left is None:
                self._left = CLOSING

    def add(self, event: Event, ticket: threading.Event | None) -> bool:
        """Let an entry wait for a block; whether there was room.

        :param ticket: is set once the entry's block is synced
        """
        line = sealable.encode(event)
        room = self._size if event.kind in _FIRST else self._usual
        with self._lock:
            if len(self._waiting) < room:
                self._waiting.append((line, ticket))
                return True
            if not self._dropped:
                self._dropped_since = self._clock()
            self._dropped += 1
            return False

    def prepare(self) -> None:
        """Seal the next block, unless one is not written yet."""
        if self._block is None and not self._unwritten:
            self._seal()

    def write(self, at: Instant) -> None:
        """Write and sync the block that is ready.

        One that cannot be written is not sealed anew: whatever it holds, the
        same bytes are tried again, and no other block is made before.

        :raises OSError: it is kept
        """
        try:
            self._put(at)
            self._flush()
        except OSError:
            self.failing = True
            raise

    def tell(self) -> None:
        """Let those know whose entries are synced.

        To be called once all domains' blocks are written: whoever waits goes
        on to work, and would hold up the others.
        """
        kept, self._kept = self._kept, []
        for ticket in kept:
            ticket.set()

    def finish(self, at: Instant) -> None:
        """Seal the closing blocks, which ``close`` writes.

        :raises OSError: there is no chain that they could go to
        """
        ready = self._block is not None
        with self._lock:
            if self._key is not None and self._left is None:
                self._left = CLOSING - ready
            left = self._left or 0
        self._put(at)
        for _ in range(left):
            self._seal()
            self._put(at)

    def close(self) -> None:
        """Write and sync what is sealed, and close the chain.

        :raises OSError: some of it is lost
        """
        try:
            self._flush()
        finally:
            if self._chain is not None:
                self._chain.close()

    def _seal(self) -> None:
        """Seal a block of what waits, however little, if there is a key."""
        with self._lock:
            key, dropped = self._key, self._dropped
            ahead = list(itertools.islice(self._waiting, _MOST))
            # What does not fit into the last block never will.
            count = len(self._waiting) if self._left == 1 else 0
        if key is None:
            return
        lines = [line for line, _ in ahead]
        try:
            inside, taken = _fill(lines, dropped, count, self._note)
            self._block = sealing.seal(inside, key)
        except Exception:  # whatever a library makes of a stranger's key
            self.refused = True
            return
        self._tickets += [t for _, t in ahead[:taken] if t is not None]
        with self._lock:
            self.refused = False
            self._dropped -= dropped
            for _ in range(max(count, taken)):
                self._waiting.popleft()
            if self._left is not None:
                self._left -= 1
                if not self._left:
                    self._key = self._left = None

    def _put(self, at: Instant) -> None:
        """Put the block that is ready into the chain."""
        if self._block is None:
            return
        if self._chain is None:
            self._chain = self._open_chain()
        fields = {"jwe": self._block}
        kind = EventKind.SEALED.value
        self._chain.add(kind, at, self._process, fields)
        self._block, self._unwritten = None, True

    def _flush(self) -> None:
        if self._chain is None or not self._unwritten:
            return
        self._chain.flush(sync=True)
        self._unwritten = self.failing = False
        self._kept += self._tickets
        self._tickets = []

    def _note(self, lost: int) -> bytes:
        now = self._clock()
        since = self._dropped_since if self._dropped else now
        return sealable.encode_drops(lost, since, now, self._process)


def _fill(
    lines: list[bytes],
    dropped: int,
    waiting: int,
    note: Callable[[int], bytes],
) -> tuple[list[bytes], int]:
    """Return what a block holds, and how many of the first lines those are.

    :param dropped: how many entries there are not any more
    :param waiting: how many wait, if those that do not fit are lost; else 0
    :param note: makes the entry that says how many are lost
    """
    taken = sealing.fit(lines)
    while lost := dropped + max(waiting - taken, 0):
        inside = [note(lost), *lines[:taken]]
        if sealing.fits(inside):
            return inside, taken
        taken -= 1
    return lines[:taken], taken
