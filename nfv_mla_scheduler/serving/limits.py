# SPDX-License-Identifier: Apache-2.0
"""How many at a time, and how many in a time.  For any number of threads."""

from __future__ import annotations

import collections
import contextlib
import ipaddress
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


class PlacesEach:
    """A bounded number of places for each caller.

    :param each_max: None: as many as they like
    """

    def __init__(self, each_max: int | None) -> None:
        self._each_max = each_max
        self._lock = threading.Lock()
        self._taken: collections.Counter[str] = collections.Counter()

    def take(self, who: str) -> bool:
        """Take one of a caller's places if there is one."""
        with self._lock:
            if self._each_max is not None:
                if self._taken[who] >= self._each_max:
                    return False
                self._taken[who] += 1
            return True

    def leave(self, who: str) -> None:
        """Give back one that was taken."""
        with self._lock:
            if self._taken[who] > 1:
                self._taken[who] -= 1
            else:
                del self._taken[who]


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


class Allowances:
    """An allowance for each caller, of as many as have called last.

    Who is forgotten begins anew, so that somebody with very many addresses
    gets past it: an ``Allowance`` for all together belongs beside it.

    :param clock: monotonic, in seconds
    """

    def __init__(
        self,
        most: float,
        per_second: float,
        clock: Callable[[], float],
        *,
        callers_max: int,
    ) -> None:
        self._most = most
        self._per_second = per_second
        self._clock = clock
        self._callers_max = callers_max
        self._lock = threading.Lock()
        self._each: collections.OrderedDict[str, Allowance]
        self._each = collections.OrderedDict()

    def spend(self, who: str) -> bool:
        """Use one of a caller's; False when none is left."""
        with self._lock:
            own = self._each.pop(who, None)
            if own is None:
                own = Allowance(self._most, self._per_second, self._clock)
                if len(self._each) >= self._callers_max:
                    self._each.popitem(last=False)
            self._each[who] = own
        return own.spend()


def caller(address: str) -> str:
    """Return who is at an address, as far as it tells.

    All addresses of an IPv6 network of 64 bits are one caller's.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


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
