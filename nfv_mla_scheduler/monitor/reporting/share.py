# SPDX-License-Identifier: Apache-2.0
"""How much a cycle may say in the store of one sealed trust domain.

Pure.  There is one block in each interval, and what is to be done about the
domain's servers waits for room in it.
"""

from __future__ import annotations

from nfv_mla_scheduler.model import Instant

# Entries at once, and in a second: a block of every five seconds holds about
# sixty, most of which are left for steps.
SHARE_MAX = 40.0
SHARE_PER_S = 4.0


class Share:
    """What is left of it."""

    def __init__(self, now: Instant) -> None:
        self._left = SHARE_MAX
        self._at = now

    def at(self, now: Instant) -> None:
        """Let time pass; a clock that goes back brings nothing."""
        passed_s = max(0.0, now - self._at)
        self._at = now
        self._left = min(SHARE_MAX, self._left + passed_s * SHARE_PER_S)

    def spend(self, count: float = 1.0) -> bool:
        """Take so much of it; whether there was any left."""
        if self._left < count:
            return False
        self._left -= count
        return True
