# SPDX-License-Identifier: Apache-2.0
"""The sealed chains of one process: a block for each domain, at a fixed rate.

Writes through chains alone.  Whoever sees files, their sizes and times learns
that a trust domain is sealed and that the process runs, and no more: at each
point of a grid one block is written, whatever there is to say (GR NFV-SEC
009, 5.0.3; ADR 24).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.audit.chain import Chain
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.sealed_domain import SealedDomain
from nfv_mla_scheduler.model import Instant

#: How long before a point its blocks are sealed, in parts of the interval.
LEAD = 0.1


class SealedStores:
    """Seals for all trust domains of which it is told a key.

    :param interval_s: between two blocks of a domain
    :param queue_size: how many entries of one domain may wait
    :param open_chain: opens the chain of a domain
    :param process: in which all happens, as a reader knows it
    :param clock: tells when entries were dropped
    """

    def __init__(
        self,
        interval_s: float,
        queue_size: int,
        open_chain: Callable[[str], Chain],
        process: str,
        clock: Callable[[], Instant],
    ) -> None:
        self._queue_size = queue_size
        self._open_chain = open_chain
        self._process = process
        self._clock = clock
        self._lock = threading.Lock()
        self._domains: dict[str, SealedDomain] = {}
        self._grid = Grid(interval_s)
        self._closed = False

    @property
    def healthy(self) -> bool:
        """Whether blocks can be sealed and written.

        Not whether a backlog is full: everybody sees what follows from this.
        """
        return not any(d.refused or d.failing for d in self._sorted())

    @property
    def failing(self) -> bool:
        """Whether a block could not be written the last time."""
        return any(domain.failing for domain in self._sorted())

    def seal_for(self, domains: Mapping[str, str | None]) -> None:
        """Seal from now on for these trust domains, and for no other.

        From any thread.

        :param domains: name -> public key in PEM; None: not sealed
        """
        if not self._active():
            self._grid.leave()
        keys = {name: pem for name, pem in domains.items() if pem is not None}
        for name in keys:
            self._domain(name)
        with self._lock:
            known = list(self._domains.items())
        for name, domain in known:
            domain.seal_for(keys.get(name))

    def add(self, event: Event, ticket: threading.Event | None = None) -> bool:
        """Let an event wait for its domain's next block.

        From any thread.  Also of a domain whose key is not known yet.

        :param ticket: is set once that block is synced
        :returns: False: it is dropped, and counted
        """
        if event.domain is None or self._closed:
            return False
        return self._domain(event.domain).add(event, ticket)

    def due_at(self) -> float:
        """Return when ``tick`` wants to be called; infinity: not at all."""
        return self._grid.due_at if self._active() else math.inf

    def tick(self, monotonic: float, at: Instant) -> None:
        """Do what is due: seal ahead, or write a block for each domain.

        In the writer's thread.  After a delay there is one block, not one
        for each point of the grid that was missed.

        :param at: what time it is, for the entries
        :raises OSError: of the first domain that could not be written; its
            block is tried again at the next point
        """
        active = self._active()
        if not active or not self._grid.seals(monotonic):
            return
        for domain in active:
            domain.prepare()
        if self._grid.writes(monotonic):
            try:
                _each(active, lambda domain: domain.write(at))
            finally:
                _each(active, SealedDomain.tell)

    def heads(self) -> dict[str, dict[str, object]]:
        """Return where each sealed chain ends, by domain.

        In the writer's thread.  Those that could not be written are left out.
        """
        with self._lock:
            found = {name: d.head for name, d in sorted(self._domains.items())}
        return {
            name: {"seq": head[0], "hash": head[1]}
            for name, head in found.items()
            if head is not None
        }

    def close(
        self, at: Instant, settle: Callable[[], None] | None = None
    ) -> None:
        """Write the closing blocks, and take nothing more.

        In the writer's thread.

        :param settle: waits for the moment at which they are written, if there
            are any: how long it took to seal them is not to be seen
        :raises OSError: of the first domain that could not be written
        """
        self._closed = True
        domains = self._sorted()
        closing = bool(self._active())
        try:
            _each(domains, lambda domain: domain.finish(at))
        finally:
            if settle is not None and closing:
                settle()
            try:
                _each(domains, SealedDomain.close)
            finally:
                _each(domains, SealedDomain.tell)

    def _domain(self, name: str) -> SealedDomain:
        with self._lock:
            found = self._domains.get(name)
            if found is None:
                found = self._domains[name] = SealedDomain(
                    self._queue_size,
                    lambda: self._open_chain(name),
                    self._process,
                    self._clock,
                )
            return found

    def _sorted(self) -> list[SealedDomain]:
        """Return the domains in an order that no event has changed."""
        with self._lock:
            return [domain for _, domain in sorted(self._domains.items())]

    def _active(self) -> list[SealedDomain]:
        return [domain for domain in self._sorted() if domain.active]


class Grid:
    """The points of monotonic time at which blocks are written.

    The first call in the writer's thread fixes them all.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval = interval_s
        self._lead = interval_s * LEAD
        self._lock = threading.Lock()
        self._first: float | None = None
        self._next: float | None = None
        # which point is the next, and which the last that had its blocks
        self._count = self._written = 0
        self._sealed = False

    def leave(self) -> None:
        """Let nothing be written before the next point."""
        with self._lock:
            self._next = None

    @property
    def due_at(self) -> float:
        """When there is something to do; in the past: it is to be found."""
        with self._lock:
            if self._next is None:
                return -math.inf
            return self._next - (0.0 if self._sealed else self._lead)

    def seals(self, monotonic: float) -> bool:
        """Whether it is time to seal what is written at the next point."""
        with self._lock:
            if self._next is None:
                self._next, self._sealed = self._after(monotonic), False
            self._sealed = monotonic >= self._next - self._lead
            return self._sealed

    def writes(self, monotonic: float) -> bool:
        """Whether that point has come; then the next one is another."""
        with self._lock:
            if self._next is None or monotonic < self._next:
                return False
            self._written = self._count
            self._next, self._sealed = self._after(monotonic), False
            return True

    def _after(self, monotonic: float) -> float:
        """Return the first point after a time; none comes twice."""
        if self._first is None:
            self._first = monotonic
        passed = math.floor((monotonic - self._first) / self._interval)
        # what is a point and what is not may be lost in rounding
        self._count = max(passed, self._written) + 1
        return self._first + self._count * self._interval


def _each(
    domains: list[SealedDomain], call: Callable[[SealedDomain], None]
) -> None:
    """Call for every domain, whichever fails.

    :raises OSError: the first one
    """
    first: OSError | None = None
    for domain in domains:
        try:
            call(domain)
        except OSError as exc:
            first = first or exc
    if first is not None:
        raise first
