# SPDX-License-Identifier: Apache-2.0
"""What a cycle is made of, as it asks for it.

Interfaces only: each has its own package.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Protocol

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cleaning.departures import Dirty
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.ruling import Bounds
from nfv_mla_scheduler.monitor.ruling import Room
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.results.view import Snapshot


class Eye(Protocol):
    """Looks at a cloud; see ``observing/``."""

    def look(self, now: Instant, monotonic: float) -> Picture:
        """Look once; what is missing is said in the picture."""

    def touched_traits(self, names: Iterable[str]) -> None:
        """Look at these traits next time."""


class Court(Protocol):
    """Judges what was seen."""

    def rule(
        self,
        picture: Picture,
        snapshot: Snapshot,
        now: Instant,
        monotonic: float,
        room: Room,
    ) -> Ruling:
        """Return what is found."""


class CleanUp(Protocol):
    """Keeps account of hosts that have to be clean; see ``cleaning/``.

    :ivar fault: what went wrong in the last look; empty: nothing
    """

    fault: str

    def look(
        self, picture: Picture, snapshot: Snapshot, now: Instant
    ) -> tuple[Dirty, ...] | None:
        """Return the hosts that are dirty; None: not known."""


class Planner(Protocol):
    """Plans what is to be done about it."""

    def plan(
        self,
        picture: Picture,
        snapshot: Snapshot,
        ruling: Ruling,
        holds: Holds,
        bounds: Bounds,
        room: Room,
    ) -> Plan:
        """Return a plan; does nothing."""


class Hand(Protocol):
    """Carries plans out; see ``acting/``."""

    def carry_out(
        self,
        plan: Plan,
        picture: Picture,
        now: Instant,
        sealed: Mapping[str, str],
    ) -> tuple[Outcome, ...]:
        """Do what is planned, and return what became of it.

        :param sealed: server -> the trust domain that alone may read of it
        """
