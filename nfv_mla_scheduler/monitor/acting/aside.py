# SPDX-License-Identifier: Apache-2.0
"""Requests that may take long, on the side.

Starts a thread for each, which ends with it.  Nova passes a change of a
service on to its host and waits for the host's answer: a host that has been
broken into is not to hold up what is to be done about others.  Nor are the
servers of a sealed domain, whose intents are written with the next block:
those that wait at once share it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import wait

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.acting.attempt import Patience
from nfv_mla_scheduler.monitor.acting.crew import Task
from nfv_mla_scheduler.monitor.acting.crew import done
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result

# So many at once, and so long a cycle waits for all of them together.
AT_ONCE = 64
PATIENCE_S = 1.0
PENDING = "it has not ended yet"
FULL = "not asked for: too many others have not ended yet"
NO_THREAD = "not asked for: no thread can be started"


class Aside:
    """Does tasks, of which those with one key are never done at once.

    :param keeps: whether outcomes are kept for :meth:`ended`
    """

    def __init__(
        self,
        patience_s: float = PATIENCE_S,
        at_once: int = AT_ONCE,
        keeps: bool = False,
    ) -> None:
        self._patience_s = patience_s
        self._slots = threading.Semaphore(at_once)
        self._lock = threading.Condition()
        self._running: set[str] = set()
        self._late: list[Outcome] = []
        self._keeps = keeps

    def busy(self, key: str) -> bool:
        """Whether the last task with a key has not ended yet."""
        with self._lock:
            return key in self._running

    def run(
        self, tasks: Iterable[Task], patience: Patience
    ) -> tuple[Outcome, ...]:
        """Return what became of each, in their order, as far as is known.

        What takes longer goes on; until it has ended, no other with its key
        begins.
        """
        end = time.monotonic() + self._patience_s
        patience.regain()
        begun: list[tuple[Task, Future[Outcome] | Outcome]] = [
            (task, self._begin(task, patience, end)) for task in tasks
        ]
        futures = [f for _, f in begun if isinstance(f, Future)]
        wait(futures, max(0.0, end - time.monotonic()))
        return tuple(_outcome(task, found) for task, found in begun)

    def ended(self) -> tuple[Outcome, ...]:
        """Return what became of those that ended since the last time."""
        with self._lock:
            late, self._late = self._late, []
        return tuple(late)

    def drain(self, timeout_s: float) -> None:
        """Wait until all have ended, but no longer than that."""
        with self._lock:
            self._lock.wait_for(lambda: not self._running, timeout_s)

    def _begin(
        self, task: Task, patience: Patience, end: float
    ) -> Future[Outcome] | Outcome:
        with self._lock:
            if task.key in self._running:
                return task.attempt.outcome(Result.UNSURE, PENDING)
            self._running.add(task.key)
        if not self._slots.acquire(timeout=max(0.0, end - time.monotonic())):
            self._ended(task.key)
            return task.attempt.outcome(Result.UNAVAILABLE, FULL)
        future: Future[Outcome] = Future()
        try:
            threading.Thread(
                target=self._run,
                args=(task, patience, future),
                name="nfv-mla aside",
                daemon=True,
            ).start()
        except Exception as exc:
            # No thread or no memory is left: the others go on all the same.
            self._slots.release()
            self._ended(task.key)
            text = f"{NO_THREAD}: {bounded(exc)}"
            return task.attempt.outcome(Result.UNAVAILABLE, text)
        return future

    def _run(
        self, task: Task, patience: Patience, future: Future[Outcome]
    ) -> None:
        try:
            outcome = done(task, patience)
        except BaseException as exc:
            self._slots.release()
            self._ended(task.key)
            future.set_exception(exc)
            return
        self._slots.release()
        if self._keeps:
            with self._lock:
                self._late.append(outcome)
        self._ended(task.key)
        future.set_result(outcome)

    def _ended(self, key: str) -> None:
        with self._lock:
            self._running.discard(key)
            self._lock.notify_all()


def _outcome(task: Task, found: Future[Outcome] | Outcome) -> Outcome:
    if not isinstance(found, Future):
        return found
    if not found.done():
        return task.attempt.outcome(Result.UNSURE, PENDING)
    return found.result()
