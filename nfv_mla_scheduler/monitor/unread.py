# SPDX-License-Identifier: Apache-2.0
"""What is said of records that cannot be read.

Pure.  Computes write records of servers, services, compute nodes and moves
into Nova as they like, by its conductor.  One such record takes nothing else
from us: it is left out, counted and said.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable

# How many kinds of faults are named one by one.
NAMED_MAX = 3


class Faults:
    """Counts what could not be read, by what is wrong with it.

    :param what: what is read, in the plural
    :param faults: of as many of them, bounded
    """

    def __init__(self, what: str, faults: Iterable[str] = ()) -> None:
        self._what = what
        self._counts = collections.Counter(faults)

    def add(self, fault: str) -> None:
        """Count one."""
        self._counts[fault] += 1

    def said(self) -> tuple[str, ...]:
        """Return what to say of them, in few lines; it is shown."""
        named = self._counts.most_common(NAMED_MAX)
        said = [
            f"{count} {self._what} cannot be read: {fault}"
            for fault, count in named
        ]
        more = self._counts.total() - sum(count for _, count in named)
        if more:
            said.append(f"{more} more {self._what} cannot be read")
        return tuple(said)
