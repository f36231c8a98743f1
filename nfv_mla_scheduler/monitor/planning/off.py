# SPDX-License-Identifier: Apache-2.0
"""Which of the hosts that we had switched off are off.

Runs the operator's commands, in threads of whoever asks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait

from nfv_mla_scheduler.monitor.power import Power

# A host that was off may be switched on again: older answers do not count.
OFF_FRESH_S = 15.0
OFF_WAIT_S = 2.0
# For so long a host counts as one that we had switched off, without a mark.
OURS_S = 86400.0


@dataclasses.dataclass(slots=True)
class _Asked:
    """One question whether a host is off, and when it was asked."""

    future: Future[bool | None]
    at: float


class OffWatch:
    """Asks whether hosts are off; no cycle waits long for an answer."""

    def __init__(self, power: Power | None, pool: ThreadPoolExecutor) -> None:
        self._power = power
        self._pool = pool
        self._asked: dict[str, _Asked] = {}
        self._ours: dict[str, float] = {}

    def asked(self, hosts: Iterable[str], monotonic: float) -> None:
        """Take note whose power-off is asked for, marked or not."""
        self._ours |= dict.fromkeys(hosts, monotonic)

    def remembered(self, monotonic: float) -> frozenset[str]:
        """Return those whose power-off was asked for of late."""
        self._ours = {
            host: at
            for host, at in self._ours.items()
            if monotonic - at < OURS_S
        }
        return frozenset(self._ours)

    def off(
        self, hosts: Mapping[str, str], monotonic: float
    ) -> frozenset[str]:
        """Return those that are off.

        :param hosts: Nova's name -> UUID of the compute node
        """
        if self._power is None or not hosts:
            self._asked = {}
            return frozenset()
        for host, uuid in hosts.items():
            asked = self._asked.get(host)
            if asked is None or self._useless(asked, monotonic):
                self._asked[host] = _Asked(
                    self._pool.submit(self._power.is_off, host, uuid),
                    monotonic,
                )
        questions = {h: self._asked[h] for h in hosts}
        wait([q.future for q in questions.values()], OFF_WAIT_S)
        found = {
            host
            for host, asked in questions.items()
            if asked.future.done() and asked.future.result() is True
        }
        self._asked = {
            h: q for h, q in questions.items() if not q.future.done()
        }
        return frozenset(found)

    def _useless(self, asked: _Asked, monotonic: float) -> bool:
        """Whether an answer has come that is too old to count."""
        old = monotonic - asked.at > OFF_FRESH_S
        return asked.future.done() and old
