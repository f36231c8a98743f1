# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, at moments at which it does no harm.

Nova runs in this very process: an exception that is raised anywhere in it may
leave a lock behind for good.  So an interrupt is only noted, and raised where
the demo itself waits or is about to ask for something.
"""

from __future__ import annotations

import signal
import time


class Interrupts:
    """Whether somebody wants the demo to end."""

    def __init__(self) -> None:
        self._wanted = False

    def catch(self) -> None:
        """Note interrupts from now on, rather than raising them."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def check(self) -> None:
        """Go on, unless somebody wants the demo to end.

        :raises KeyboardInterrupt: here and nowhere else
        """
        if self._wanted:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Wait a little, then go on unless interrupted."""
        time.sleep(seconds)
        self.check()

    def _note(self, _number: int, _frame: object) -> None:
        self._wanted = True


INTERRUPTS = Interrupts()
