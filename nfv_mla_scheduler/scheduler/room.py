# SPDX-License-Identifier: Apache-2.0
"""Which hosts have room, by Placement's word.

Only asked for functions that others have to be able to follow.  Placement is
asked in the background; a request waits for it only when a footprint is seen
for the first time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

LOG = logging.getLogger(__name__)

_Footprint = tuple[tuple[str, int], ...]
_VERSION = "1.4"  # the first with ?resources= for resource providers


class PlacementRoom:
    """Answers from what Placement last said, while that is young enough.

    :param max_age_s: how old an answer may be
    """

    def __init__(self, max_age_s: float) -> None:
        self._max_age_s = max_age_s
        self._lock = threading.Lock()
        self._known: dict[_Footprint, tuple[float, frozenset[str]]] = {}

    def __call__(self, amounts: Mapping[str, int]) -> frozenset[str] | None:
        """Return the compute nodes with as much left; None: not known."""
        footprint = tuple(sorted(amounts.items()))
        known = self._known.get(footprint)
        if known is None:
            known = self._ask(footprint)
        if known is None or time.monotonic() - known[0] > self._max_age_s:
            return None
        return known[1]

    def refresh(self) -> None:
        """Ask anew about every footprint whose answer is half as old."""
        now = time.monotonic()
        for footprint, (asked, _) in list(self._known.items()):
            if now - asked > self._max_age_s / 2:
                self._ask(footprint)

    def _ask(
        self, footprint: _Footprint
    ) -> tuple[float, frozenset[str]] | None:
        with self._lock:
            asked = time.monotonic()
            try:
                answer = _placement().get(_url(footprint), version=_VERSION)
                providers = answer.json()["resource_providers"]
                found = frozenset(p["uuid"] for p in providers)
            except Exception as exc:
                LOG.warning(
                    "Cannot learn which hosts have room: %s",
                    type(exc).__name__,
                )
                return self._known.get(footprint)
            self._known[footprint] = (asked, found)
            return asked, found


def _url(footprint: _Footprint) -> str:
    wanted = ",".join(f"{name}:{amount}" for name, amount in footprint)
    return f"/resource_providers?resources={wanted}"


def _placement() -> Any:
    from nova.scheduler.client import report

    return report.report_client_singleton()
