# SPDX-License-Identifier: Apache-2.0
"""A crew of threads that carries out one class of a plan at a time.

Starts threads, at the first use in a process.  One subject is never in two
threads; what fails concerns that subject alone.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import wait

import futurist

from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Patience
from nfv_mla_scheduler.monitor.acting.attempt import Unmet
from nfv_mla_scheduler.monitor.acting.scribe import Unrecorded
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.outcomes import result_of
from nfv_mla_scheduler.monitor.outcomes import text_of
from nfv_mla_scheduler.monitor.port import CloudFailed

LOG = logging.getLogger(__name__)

BACKING_OFF = "not asked for: too many requests in a row came to nothing"


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """What is to be done about one subject.

    :ivar key: tasks with the same one are done in a row
    """

    key: str
    attempt: Attempt
    do: Callable[[Attempt], Outcome]


class Crew:
    """Does tasks in parallel."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: futurist.ThreadPoolExecutor | None = None

    def run(
        self, tasks: Iterable[Task], patience: Patience, start: int = 0
    ) -> tuple[Outcome, ...]:
        """Return what became of each, in their order.

        When patience is lost, the rest is left for another cycle.  Where no
        thread can be started, it takes longer.

        :param start: the number of the task to begin with; those before it
            come last
        """
        every = list(tasks)
        rows: dict[str, list[int]] = {}
        for number, task in enumerate(every):
            rows.setdefault(task.key, []).append(number)
        late = [row for row in rows.values() if row[0] < start]
        early = [row for row in rows.values() if row[0] >= start]
        if not rows:
            return ()
        if self._pool is None:
            self._pool = futurist.ThreadPoolExecutor(self._workers)
        patience.regain()

        def do(numbers: list[int]) -> list[tuple[int, Outcome]]:
            return [(n, done(every[n], patience)) for n in numbers]

        futures = []
        here: dict[int, Outcome] = {}
        for row in (*early, *late):
            try:
                if not here:
                    futures.append(self._pool.submit(do, row))
                    continue
            except RuntimeError:
                # No thread can be started; this one was not handed over.
                pass
            here.update(do(row))
        wait(futures)
        if here:
            # It takes what was never started for threads.
            self.close()
        found = here
        for future in futures:
            found.update(future.result())
        return tuple(found[number] for number in range(len(every)))

    def close(self) -> None:
        """Let the threads end."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None


def done(task: Task, patience: Patience) -> Outcome:
    """Do one task, and return what became of it; nothing is raised."""
    attempt = task.attempt
    if patience.lost_with(attempt.place):
        return attempt.outcome(Result.UNAVAILABLE, BACKING_OFF)
    outcome = _done(task)
    attempt.settle(outcome.code, outcome.text)
    return outcome


def _done(task: Task) -> Outcome:
    attempt = task.attempt
    try:
        return task.do(attempt)
    except Unrecorded as exc:
        return attempt.outcome(Result.UNRECORDED, str(exc))
    except Unmet as exc:
        return attempt.outcome(Result.PRECONDITION, str(exc))
    except CloudFailed as exc:
        return attempt.outcome(result_of(exc), text_of(exc))
    except Exception:
        # a fault of ours about one subject must not keep us from the others
        LOG.error(
            "nfv-mla monitor: a step could not be taken, by a fault of this "
            "program; log at debug level to see it"
        )
        LOG.debug("nfv-mla monitor: the fault was", exc_info=True)
        return attempt.outcome(Result.UNAVAILABLE, "by a fault of ours")


class Once:
    """Does a thing once, however many threads ask for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Hashable, Future[None]] = {}

    def do(self, key: Hashable, make: Callable[[], None]) -> None:
        """Return when it is done, or raise what it raised."""
        with self._lock:
            future = self._made.get(key)
            first = future is None
            if future is None:
                future = self._made[key] = Future()
        if first:
            try:
                make()
                future.set_result(None)
            except BaseException as exc:
                future.set_exception(exc)
        future.result()
