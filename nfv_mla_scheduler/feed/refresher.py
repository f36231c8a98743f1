# SPDX-License-Identifier: Apache-2.0
"""The background thread that refreshes a feed.

Started in the process that uses it, never before a fork.  It outlives every
error: what it cannot do now it tries again after the interval.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)


class Refresher:
    """Calls ``refresh`` at once, and then after each interval.

    :param refresh: gets the time; may raise anything, which is logged once
        for as long as it says the same
    """

    def __init__(
        self, refresh: Callable[[float], None], interval_s: float
    ) -> None:
        self._refresh = refresh
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._first = threading.Event()
        self._failing = ""
        self._thread = threading.Thread(
            target=self._run, name="nfv-mla-refresh", daemon=True
        )

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def wait_first(self, timeout_s: float) -> bool:
        """Wait until the first round is over; False if it takes longer."""
        return self._first.wait(timeout_s)

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._round()
            self._first.set()
            self._stop.wait(self._interval_s)

    def _round(self) -> None:
        try:
            self._refresh(time.time())
        except Exception as exc:
            said = f"{type(exc).__name__}: {exc}"[:240]
            if said != self._failing:
                self._failing = said
                LOG.exception("Cannot refresh policy and results")
        else:
            self._failing = ""
