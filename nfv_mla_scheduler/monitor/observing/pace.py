# SPDX-License-Identifier: Apache-2.0
"""When something costly is due again, by the monotonic clock.

Pure: no clock, no network.
"""

from __future__ import annotations

import math

FIRST_S = 60.0


class Pace:
    """Due at first, regularly when it succeeds, ever more rarely if not."""

    def __init__(self, every_s: float, first_s: float = FIRST_S) -> None:
        """Be due at once.

        :param every_s: seconds from a success to the next time; at the same
            time the longest wait after a failure
        :param first_s: seconds to wait after the first failure
        """
        self._every_s = every_s
        self._first_s = min(first_s, every_s)
        self._wait_s = self._first_s
        self._due_at = -math.inf

    def due(self, monotonic: float) -> bool:
        return monotonic >= self._due_at

    def succeeded(self, monotonic: float) -> None:
        self._due_at = monotonic + self._every_s
        self._wait_s = self._first_s

    def failed(self, monotonic: float) -> None:
        self._due_at = monotonic + self._wait_s
        self._wait_s = min(self._wait_s * 2, self._every_s)

    def hurry(self) -> None:
        """Be due at once, whatever was."""
        self._due_at = -math.inf
        self._wait_s = self._first_s
