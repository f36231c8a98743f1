# SPDX-License-Identifier: Apache-2.0
"""Which hosts have room, by Placement's word.

Only asked for functions that others have to be able to follow.  A thread of
its own asks Placement, so that nothing else waits when Placement is slow; a
request waits only when a footprint is seen for the first time.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.refresher import Refresher

LOG = logging.getLogger(__name__)

Footprint = tuple[tuple[str, int], ...]

# The first microversion in which a trait of providers can be forbidden.
MICROVERSION = "1.22"
# What nobody asked for so long is not asked of Placement any more.
FORGET_S = 3600.0


@dataclasses.dataclass(slots=True)
class _Answer:
    """What Placement said, and when; ``found`` is None if it did not."""

    asked: float
    found: frozenset[str] | None
    used: float


class PlacementRoom:
    """Answers from what Placement last said, while that is young enough.

    :param max_age_s: how old an answer may be
    :param ask: returns the UUIDs of the providers with room for a footprint,
        or raises anything
    """

    def __init__(
        self,
        max_age_s: float,
        ask: Callable[[Footprint], frozenset[str]] | None = None,
    ) -> None:
        self._max_age_s = max_age_s
        self._ask = ask or ask_placement
        self._lock = threading.Lock()
        self._answers: dict[Footprint, _Answer] = {}
        self._refresher: Refresher | None = None
        self._failing = False

    def __call__(self, amounts: Mapping[str, int]) -> frozenset[str] | None:
        """Return the compute nodes with as much left; None: not known."""
        footprint = tuple(sorted(amounts.items()))
        answer = self._answers.get(footprint)
        if answer is None:
            answer = self._first(footprint)
        now = answer.used = time.monotonic()
        return answer.found if now - answer.asked <= self._max_age_s else None

    def refresh(self, _: float = 0.0) -> None:
        """Ask anew about every footprint whose answer is half as old."""
        for footprint, answer in list(self._answers.items()):
            now = time.monotonic()
            if now - answer.used > max(FORGET_S, self._max_age_s):
                self._answers.pop(footprint, None)
            elif answer.found is None or (
                now - answer.asked >= self._max_age_s / 2
            ):
                self._asked_again(footprint, answer)

    def stop(self) -> None:
        """End the thread, if there is one."""
        if self._refresher is not None:
            self._refresher.stop()

    def _first(self, footprint: Footprint) -> _Answer:
        """Ask about a footprint for the first time; one thread does."""
        with self._lock:
            answer = self._answers.get(footprint)
            if answer is None:
                asked = time.monotonic()
                answer = _Answer(asked, self._found(footprint), asked)
                self._answers[footprint] = answer
            if self._refresher is None:
                self._refresher = Refresher(
                    self.refresh, self._max_age_s / 4, "room"
                )
                self._refresher.start()
            return answer

    def _asked_again(self, footprint: Footprint, answer: _Answer) -> None:
        asked = time.monotonic()
        found = self._found(footprint)
        if found is not None:
            self._answers[footprint] = _Answer(asked, found, answer.used)

    def _found(self, footprint: Footprint) -> frozenset[str] | None:
        try:
            found = self._ask(footprint)
        except Exception as exc:
            if not self._failing:
                LOG.warning(
                    "nfv-mla cannot learn which hosts have room, so that "
                    "servers which others must be able to follow are "
                    "refused: %s",
                    bounded(f"{type(exc).__name__}: {exc}", 200),
                )
            self._failing = True
            return None
        if self._failing:
            LOG.info("nfv-mla learns again which hosts have room")
        self._failing = False
        return found


class PlacementRefused(Exception):
    """Placement answers, but not with providers."""


def ask_placement(footprint: Footprint) -> frozenset[str]:
    """Return the enabled compute nodes with room, by Placement's word."""
    from nova.scheduler.client import report

    client = report.report_client_singleton()
    response: Any = client.get(query(footprint), version=MICROVERSION)
    if response.status_code != 200:
        raise PlacementRefused(f"HTTP status {response.status_code}")
    providers = response.json()["resource_providers"]
    return frozenset(provider["uuid"] for provider in providers)


def query(footprint: Footprint) -> str:
    """Return the request for enabled providers that have as much left."""
    wanted = ",".join(f"{name}:{amount}" for name, amount in footprint)
    return (
        f"/resource_providers?resources={wanted}"
        "&required=!COMPUTE_STATUS_DISABLED"
    )
