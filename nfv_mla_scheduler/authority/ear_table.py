# SPDX-License-Identifier: Apache-2.0
"""What a mapping table says.  Frozen values, pure.

``ear_mapping.py`` reads them from a file.
"""

from __future__ import annotations

import dataclasses
from collections import abc
from typing import Any

from nfv_mla_scheduler.authority.ear_tiers import TIERS
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import Status

# draft-ietf-rats-ar4si, of executables: approved ones were loaded during the
# boot; of those after it nothing is said.
BOOT_ALONE = 3


@dataclasses.dataclass(frozen=True, slots=True)
class EntryRule:
    """What an entry of the trustworthiness vector says of a capability.

    :ivar submod: the one submod whose vector is meant; ``None``: all
    :ivar affirming: the values of the tier that count as such; ``None``: all
    """

    entry: str
    submod: str | None
    capability: str
    grade: Grade
    values: abc.Mapping[str, frozenset[str]]
    affirming: frozenset[int] | None = None

    def tier(self, value: int) -> Status:
        """Return what a value of the entry says of the capability."""
        tier = TIERS[value]
        if tier is Status.AFFIRMING and not self._affirms(value):
            return Status.NONE
        return tier

    def _affirms(self, value: int) -> bool:
        if self.affirming is not None:
            return value in self.affirming
        return not (value == BOOT_ALONE and self.is_of_executables_running)

    @property
    def is_of_executables_running(self) -> bool:
        """Whether it is about what was executed after the boot."""
        return self.entry == "executables" and self.grade is Grade.RUN_TIME


@dataclasses.dataclass(frozen=True, slots=True)
class Circle:
    """A circle on the map, in degrees and metres."""

    latitude: float
    longitude: float
    radius_m: float


Circles = abc.Mapping[Axis, abc.Mapping[str, tuple[Circle, ...]]]


@dataclasses.dataclass(frozen=True, slots=True)
class LocationRule:
    """Which regions a location lies in.

    :ivar circles: axis -> region -> circles, any of which will do
    :ivar assumed_accuracy_m: of a location that does not say its own;
        ``None``: such a location says nothing
    :ivar max_age_s: how old a location may be when the token is issued
    """

    grade: Grade
    circles: Circles
    assumed_accuracy_m: float | None
    max_age_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping table; one without any rule maps nothing."""

    entries: tuple[EntryRule, ...] = ()
    location: LocationRule | None = None


NOTHING = Mapping()


def content(mapping: Mapping) -> list[Any]:
    """Return all that a table says, of lists and plain values, in order."""
    entries = [
        [
            rule.entry,
            rule.submod,
            rule.capability,
            rule.grade.value,
            sorted((key, sorted(some)) for key, some in rule.values.items()),
            None if rule.affirming is None else sorted(rule.affirming),
        ]
        for rule in mapping.entries
    ]
    place = mapping.location
    if place is None:
        return [entries, None]
    circles = sorted(
        (axis.value, region, [dataclasses.astuple(one) for one in some])
        for axis, named in place.circles.items()
        for region, some in named.items()
    )
    return [
        entries,
        [
            place.grade.value,
            circles,
            place.assumed_accuracy_m,
            place.max_age_s,
        ],
    ]
