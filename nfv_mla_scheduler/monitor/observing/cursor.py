# SPDX-License-Identifier: Apache-2.0
"""From when on changes are asked for.

Pure: no clock, no network.  ``changes-since`` compares with times that Nova's
services wrote by their own clocks, in whole seconds.
"""

from __future__ import annotations

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant


class Cursor:
    """From when on changes are asked for.

    The greatest time that any writer gave, and what has passed since then by
    our monotonic clock: the time that it is now for the writer whose clock is
    the most ahead.  Less an overlap by which the others may be behind.  Never
    later than our own time less the overlap, since a compute can write any
    time.

    Without what has passed, a quiet cloud in which everything was written at
    once, as by an upgrade of Nova, would be listed as a whole again and
    again.
    """

    def __init__(self, overlap_s: float) -> None:
        self._overlap_s = overlap_s
        self._theirs: Instant | None = None
        self._at = 0.0

    def since(self, now: Instant) -> Instant | None:
        """Return the time to ask with; None: nothing was ever seen."""
        if self._theirs is None:
            return None
        return min(self._theirs, now) - self._overlap_s

    def advance(self, seen: Instant, now: Instant, monotonic: float) -> None:
        """Take the greatest time of an answer that came whole.

        :param seen: ``NEVER`` when it held nothing
        :param now: when it was asked for, as is ``monotonic``
        """
        theirs = min(seen, now)
        if self._theirs is not None:
            passed_s = max(0.0, monotonic - self._at)
            theirs = max(theirs, min(self._theirs + passed_s, now))
        if theirs != NEVER:
            self._theirs, self._at = theirs, monotonic
