# SPDX-License-Identifier: Apache-2.0
"""A figure: one thing that is measured, and in what it is told.  Pure."""

from __future__ import annotations

import dataclasses
import enum


class Unit(enum.Enum):
    """In what a figure is told; a sample is in seconds, bytes or calls."""

    US_PER_HOST = "us/host"
    US_PER_RESULT = "us/result"
    US_PER_ENTRY = "us/entry"
    MS = "ms"
    S = "s"
    MIB = "MiB"
    CALLS = "calls"

    @property
    def scale(self) -> float:
        """By what a sample is multiplied."""
        return _SCALES[self]


_SCALES = {
    Unit.US_PER_HOST: 1e6,
    Unit.US_PER_RESULT: 1e6,
    Unit.US_PER_ENTRY: 1e6,
    Unit.MS: 1e3,
    Unit.S: 1.0,
    Unit.MIB: 2.0**-20,
    Unit.CALLS: 1.0,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One thing that is measured.

    :ivar beside: the figure that it is a ratio to; None: it stands alone
    :ivar expected: the ratio, or the figure itself; None: nothing is expected
    """

    name: str
    text: str
    unit: Unit
    beside: str | None = None
    expected: float | None = None
