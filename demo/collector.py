# SPDX-License-Identifier: Apache-2.0
"""The demo's collector: publishes what the authorities say, each second.

Owns one thread.  A real collector asks authorities; this one has their words
from ``Site.attested``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

INTERVAL_S = 1.0


class Collector:
    """Publishes until it falls silent, and again when it speaks.

    :param publish: writes a new results document
    """

    def __init__(self, publish: Callable[[], None]) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._speaks = threading.Event()
        self._ends = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="demo-collector", daemon=True
        )

    def start(self) -> None:
        """Publish now, and from now on."""
        self.speak()
        self._thread.start()

    def speak(self) -> None:
        """Publish now, and go on with it."""
        with self._lock:
            self._publish()
            self._speaks.set()

    def fall_silent(self) -> None:
        """Publish no more; what is published stays where it is."""
        with self._lock:
            self._speaks.clear()

    def stop(self) -> None:
        """End the thread."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ends.wait(INTERVAL_S):
            with self._lock:
                if self._speaks.is_set():
                    self._publish()
