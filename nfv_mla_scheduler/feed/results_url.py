# SPDX-License-Identifier: Apache-2.0
"""The results document of a collector that serves it over HTTPS.

A thread of its own waits there for the next document; nobody waits for the
thread.
"""

from __future__ import annotations

import logging
import math
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
# How long the next request waits for it to be known whether the last document
# is any good.
JUDGED_S = 10.0
# Of our own faults one in so long is logged.
LOGGED_S = 600.0


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
        self._unseen = False
        self._fault: Unread | None = None
        self._judged = threading.Event()
        self._judged.set()
        self._refusals = 0
        self._peace_s = 0.0
        # what only the thread uses
        self._failures = 0
        self._logged_at = -math.inf

    def changed(self) -> bytes | None:
        """Return the newest document if it is another one than last time.

        :returns: None while there is nothing new, or nothing came yet
        :raises Unread: while the collector cannot be asked, or has nothing
        """
        with self._lock:
            self._begin()
            fault = self._fault
            # What came before the fault comes first: the fault may last.
            if fault is not None and not self._unseen:
                raise type(fault)(fault.reason, fault.same)
            if not self._due or self._data is None:
                return None
            self._due = self._unseen = False
            return self._data

    def forget(self) -> None:
        """Return the document next time, whether it changed or not."""
        with self._lock:
            self._due = True

    def judged(self, data: bytes, good: bool) -> None:
        """Take note whether a document was verified.

        A server whose documents are not is asked less and less often.
        """
        with self._lock:
            if data is not self._data:
                return
            self._client.judged(data, good)
            if good:
                self._refusals, self._peace_s = 0, 0.0
            elif not self._judged.is_set():
                self._refusals += 1
                self._peace_s = _backoff_s(self._refusals)
            self._judged.set()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._judged.set()
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
            pause_s = self._round()
            self._stop.wait(max(pause_s, self._heard()))
        self._client.close()

    def _heard(self) -> float:
        """Wait until the last document is judged, but not for ever.

        :returns: for how long to leave the server in peace for it, seconds
        """
        self._judged.wait(JUDGED_S)
        with self._lock:
            peace_s, self._peace_s = self._peace_s, 0.0
        return peace_s

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
            return _backoff_s(self._failures)
        self._failures = 0
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
                self._unseen = True
                self._judged.clear()
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
        if isinstance(exc, NfvMlaError):
            return Unread(said)
        now = time.monotonic()
        if now - self._logged_at >= LOGGED_S:
            self._logged_at = now
            LOG.exception("nfv-mla cannot ask for results")
        name = type(exc).__name__
        return Unread(f"{name}: {said}", name)


def _backoff_s(count: int) -> float:
    """Return how long to wait after so many failures in a row."""
    return _jittered(min(BACKOFF_S * 2 ** min(count, 9), BACKOFF_MAX_S))


def _jittered(seconds: float) -> float:
    """Return less than that, so that not all workers ask at once."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311
