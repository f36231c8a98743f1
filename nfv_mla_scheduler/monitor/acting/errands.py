# SPDX-License-Identifier: Apache-2.0
"""Power-offs on the side, so that a dead controller board delays no cycle.

Starts threads, at the first use in a process.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong

import futurist

from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.scribe import Scribe
from nfv_mla_scheduler.monitor.acting.scribe import Unrecorded
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.power import Power
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step

AT_ONCE = 8
# How long a cycle waits; most boards answer within that.
PATIENCE_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class _Errand:
    """One host being switched off.

    :ivar scribe: of the cycle that began it
    """

    future: Future[Outcome]
    scribe: Scribe
    wait_until: float


class Errands:
    """Switches each host off once at a time, however many servers ask."""

    def __init__(self, power: Power, patience_s: float = PATIENCE_S) -> None:
        self._power = power
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._errands: dict[str, _Errand] = {}
        self._pool: futurist.ThreadPoolExecutor | None = None

    def power_off(
        self, host: str, uuid: str, attempt: Attempt, scribe: Scribe
    ) -> Outcome:
        """Return how it ended, or that it has not ended yet.

        :param scribe: of this cycle, in which it is not begun again
        """
        attempt.next(Ask.POWER_OFF)
        errand = self._errand(host, uuid, scribe)
        wait_s = max(0.0, errand.wait_until - time.monotonic())
        try:
            outcome = errand.future.result(wait_s)
        except TookTooLong:
            return attempt.outcome(Result.UNSURE, "it has not ended yet")
        return attempt.outcome(outcome.code, outcome.text)

    def close(self) -> None:
        """Let the threads end."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False)
                self._pool = None

    def _errand(self, host: str, uuid: str, scribe: Scribe) -> _Errand:
        with self._lock:
            errand = self._errands.get(host)
            if errand is not None and (
                not errand.future.done() or errand.scribe is scribe
            ):
                return errand
            if self._pool is None:
                self._pool = futurist.ThreadPoolExecutor(AT_ONCE)
            future = self._pool.submit(self._run, host, uuid, scribe)
            errand = _Errand(
                future, scribe, time.monotonic() + self._patience_s
            )
            self._errands[host] = errand
            return errand

    def _run(self, host: str, uuid: str, scribe: Scribe) -> Outcome:
        fields = {
            "step": Step.POWER_OFF.value,
            "ask": Ask.POWER_OFF.value,
            "host": host,
        }
        try:
            scribe.intend(fields)
        except Unrecorded as exc:
            return Outcome(
                host,
                host,
                Step.POWER_OFF,
                Ask.POWER_OFF,
                Result.UNRECORDED,
                str(exc),
            )
        outcome = self._power.power_off(host, uuid)
        told = {"outcome": outcome.code.value, "text": outcome.text}
        scribe.done({**fields, **told})
        return outcome
