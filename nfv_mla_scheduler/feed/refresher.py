# SPDX-License-Identifier: Apache-2.0
"""A background thread that refreshes something.

Started in the process that uses it, never before a fork.  It outlives every
error: what it cannot do now it tries again after the interval.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded

LOG = logging.getLogger(__name__)


class Refresher:
    """Calls ``refresh`` at once, and then after each interval.

    :param refresh: gets the time; may raise anything, which is logged once
        for as long as it says the same
    :param what: is refreshed, for the log and as the thread's name
    :param wake: when it is set, the next round begins at once
    """

    def __init__(
        self,
        refresh: Callable[[float], None],
        interval_s: float,
        what: str = "policy and results",
        wake: threading.Event | None = None,
    ) -> None:
        self._refresh = refresh
        self._interval_s = interval_s
        self._what = what
        self._stop = threading.Event()
        self._wake = threading.Event() if wake is None else wake
        self._first = threading.Event()
        self._failing = ""
        self._thread = threading.Thread(
            target=self._run, name=f"nfv-mla {what}", daemon=True
        )

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def wait_first(self, timeout_s: float) -> bool:
        """Wait until the first round is over; False if it takes longer."""
        return self._first.wait(timeout_s)

    def hurry(self) -> None:
        """Begin the next round at once."""
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread."""
        self._stop.set()
        self.hurry()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._round()
            self._first.set()
            self._wake.wait(self._interval_s)
            self._wake.clear()

    def _round(self) -> None:
        try:
            self._refresh(time.time())
        except Exception as exc:
            said = bounded(f"{type(exc).__name__}: {exc}", LINE_MAX)
            if said != self._failing:
                self._failing = said
                LOG.exception("nfv-mla cannot refresh %s", self._what)
        else:
            self._failing = ""
