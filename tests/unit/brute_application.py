# SPDX-License-Identifier: Apache-2.0
"""What the application supplies, read the slow way.

A part of the brute-force judge (``brute_force.py``).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nfv_mla_scheduler.policy.values import Source


@dataclasses.dataclass(frozen=True)
class Application:
    """Which application terms hold, and what the application conceals."""

    terms: frozenset[str]
    conceals: frozenset[str]


def application_of(request: Any, asks: Any) -> Application:
    """Return what a request's flavor and image supply."""
    conceals = {a.source: a.conceals for a in asks}
    offered = conceals.get(Source.FLAVOR) or frozenset()
    floor = conceals.get(Source.FLOOR)
    if floor is not None:
        offered &= floor
    return Application(frozenset(), offered)
