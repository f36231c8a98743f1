# SPDX-License-Identifier: Apache-2.0
"""Where strays belong whose origin in the chain lies far back, or far ahead.

Touches the files of a chain, read only, once more; only of a chain that has
such strays.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.reading import files
from nfv_mla_scheduler.audit.reading.records import Stray


def trace(segments: Iterable[files.Segment], strays: Iterable[Stray]) -> None:
    """Find out which strays are copies, and which follow an entry."""
    unknown = [one for one in strays if not (one.copy or one.fork)]
    if not unknown:
        return
    tails: collections.Counter[str] = collections.Counter()
    wanted = {one.tail for one in unknown}
    parents = {one.parent: 0 for one in unknown}
    for segment in segments:
        try:
            for line in files.lines(segment):
                hash_ = entry.digest(line.raw)
                if hash_ in wanted:
                    tails[hash_] += 1
                if hash_ in parents:
                    head = entry.head(line.raw)
                    parents[hash_] = head.seq if head is not None else 0
        except files.LedgerUnreadable:
            continue  # it has been told
    for stray in unknown:
        stray.copy = tails[stray.tail] > 1
        stray.fork = parents[stray.parent] + 1 == stray.first > 1
