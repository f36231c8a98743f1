# SPDX-License-Identifier: Apache-2.0
"""How many at a time, and how many in a time.  For any number of threads."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable


class Places:
    """A bounded number of places."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def take(self, held: contextlib.ExitStack) -> bool:
        """Take a place if there is one, to be given free by ``held``."""
        taken = self._free.acquire(blocking=False)
        if taken:
            held.callback(self._free.release)
        return taken


class Allowance:
    """So much at once, and then so much in a second.

    :param clock: monotonic, in seconds
    """

    def __init__(
        self, most: float, per_second: float, clock: Callable[[], float]
    ) -> None:
        self._most = most
        self._per_second = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._left = most
        self._at = clock()

    def spend(self) -> bool:
        """Use one; False when none is left."""
        with self._lock:
            now = self._clock()
            more = (now - self._at) * self._per_second
            self._left = min(self._most, self._left + more)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Seldom:
    """One in a time, and how many there were besides.

    :param clock: monotonic, in seconds
    """

    def __init__(self, every_s: float, clock: Callable[[], float]) -> None:
        self._every_s = every_s
        self._clock = clock
        self._lock = threading.Lock()
        self._at = -math.inf
        self._others = 0

    def turn(self) -> int | None:
        """Return how many had no turn since the last; None: nor has this."""
        with self._lock:
            now = self._clock()
            if now - self._at < self._every_s:
                self._others += 1
                return None
            others, self._others, self._at = self._others, 0, now
            return others
