# SPDX-License-Identifier: Apache-2.0
"""The results document of a collector that serves it over HTTPS.

A thread of its own waits there for the next document; nobody waits for the
thread.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.results_client import ResultsClient
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import TooLarge
from nfv_mla_scheduler.feed.watched import Unread

LOG = logging.getLogger(__name__)

# Between two requests: after a document, and after an answer that came at once
# and brought nothing, from a server that does not let us wait.
BREATH_S = 0.1
PACE_S = 1.0
BACKOFF_S = 0.5
BACKOFF_MAX_S = 10.0
STOP_S = 2.0
SAID_MAX = 160


class WatchedUrl:
    """Where documents come from when they come from a collector.

    Its thread starts with the first look, in the process that looks.

    :param wake: called when there is something new to be looked at
    """

    what = "the collector"

    def __init__(
        self, client: ResultsClient, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._client = client
        self._wake = wake
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        # what the thread found, for whoever looks
        self._data: bytes | None = None
        self._due = False
        self._fault: Unread | None = None
        # what only the thread uses
        self._failures = 0
        self._logged = ""

    def changed(self) -> bytes | None:
        """Return the newest document if it is another one than last time.

        :returns: None while there is nothing new, or nothing came yet
        :raises Unread: while the collector cannot be asked, or has nothing
        """
        with self._lock:
            self._begin()
            fault = self._fault
            if fault is not None:
                raise type(fault)(fault.reason, fault.same)
            if not self._due or self._data is None:
                return None
            self._due = False
            return self._data

    def forget(self) -> None:
        """Return the document next time, whether it changed or not."""
        with self._lock:
            self._due = True

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        end = time.monotonic() + STOP_S
        while (
            thread is not None and thread.is_alive() and time.monotonic() < end
        ):
            # again and again, as it may just be about to ask
            self._client.close()
            thread.join(0.05)

    def _begin(self) -> None:
        """Start the thread unless there is one; under the lock."""
        if self._thread is None and not self._stop.is_set():
            thread = threading.Thread(
                target=self._run, name="nfv-mla results", daemon=True
            )
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while not self._stop.is_set():
            self._stop.wait(self._round())
        self._client.close()

    def _round(self) -> float:
        """Ask once; return for how long to leave the server in peace."""
        began, wait_s = time.monotonic(), self._client.wait_s
        try:
            new = self._client.next()
        except Missing as exc:
            self._found(None, exc)
            return _jittered(PACE_S)
        except Exception as exc:
            self._found(None, self._reason(exc))
            self._failures += 1
            most = min(BACKOFF_S * 2 ** min(self._failures, 9), BACKOFF_MAX_S)
            return _jittered(most)
        self._failures = 0
        self._logged = ""
        self._found(new, None)
        if new is not None:
            return BREATH_S
        soon = time.monotonic() - began < wait_s / 2
        return _jittered(PACE_S) if soon else 0.0

    def _found(self, data: bytes | None, fault: Unread | None) -> None:
        """Leave what was found for whoever looks next."""
        if self._stop.is_set():
            return
        with self._lock:
            was = self._fault
            self._fault = fault
            if data is not None:
                self._data = data
            if data is not None or fault is not None:
                self._due = True
            news = data is not None or (was is None) != (fault is None)
        if news:
            self._wake()

    def _reason(self, exc: Exception) -> Unread:
        """Return what is to be told of an error."""
        if isinstance(exc, Unread):
            return exc
        if isinstance(exc, ContactFailed):
            large = exc.reason is ContactCode.TOO_LARGE
            kind = TooLarge if large else Unread
            return kind(str(exc), exc.code)
        said = bounded(exc, SAID_MAX)
        if not isinstance(exc, NfvMlaError):
            said = f"{type(exc).__name__}: {said}"
            if said != self._logged:
                self._logged = said
                LOG.exception("nfv-mla cannot ask for results")
        return Unread(said)


def _jittered(seconds: float) -> float:
    """Return less than that, so that not all workers ask at once."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311
