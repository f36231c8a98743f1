# SPDX-License-Identifier: Apache-2.0
"""Events that wait to be written: so many, and a count of those dropped.

No input or output, and no lock: whoever shares one among threads has one.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import threading
from typing import NamedTuple

from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.model import Instant

# Of the queue, so much (one part of as many) is kept for what is done to
# servers: whoever can have much said must not keep that from being written.
RESERVED = 16
_FIRST = (EventKind.STEP_INTENDED, EventKind.STEP_DONE)


class Ticket(threading.Event):
    """Is set when it is known what became of an event.

    :ivar kept: whether it survives a power cut
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept = True

    def lose(self) -> None:
        """Say that the event is dropped."""
        self.kept = False
        self.set()


class Item(NamedTuple):
    """An event, and who waits for it."""

    event: Event
    ticket: Ticket | None


@dataclasses.dataclass(frozen=True, slots=True)
class Drops:
    """How many events were dropped, and since when."""

    count: int
    since: Instant


NONE = Drops(0, 0.0)


class Intake:
    """A queue of events.

    :param size: how many may wait
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._usual = size - size // RESERVED
        self._queue: collections.deque[Item] = collections.deque()
        self._dropped = 0
        self._since: Instant = 0.0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def has_room(self) -> bool:
        """Whether any event would be taken."""
        return len(self._queue) < self._usual

    @property
    def dropped(self) -> int:
        """How many were dropped and are not told yet."""
        return self._dropped

    def put(self, item: Item) -> bool:
        """Take an event at the end; whether there was room."""
        first = item.event.kind in _FIRST
        if len(self._queue) >= (self._size if first else self._usual):
            return False
        self._queue.append(item)
        return True

    def first(self, count: int) -> list[Item]:
        """Return the first so many, or all; they stay."""
        return list(itertools.islice(self._queue, count))

    def remove(self, count: int) -> None:
        """Forget the first so many: they are written."""
        for _ in range(count):
            self._queue.popleft()

    def drop(self, at: Instant) -> None:
        """Count one that is not taken."""
        if not self._dropped:
            self._since = at
        self._dropped += 1

    def drop_all(self, at: Instant) -> None:
        """Count all that wait as dropped."""
        while self._queue:
            ticket = self._queue.popleft().ticket
            self.drop(at)
            if ticket is not None:
                ticket.lose()

    def take_drops(self) -> Drops:
        """Return what was dropped; from now on it is told."""
        drops = Drops(self._dropped, self._since)
        self._dropped = 0
        return drops
