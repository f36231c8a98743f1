# SPDX-License-Identifier: Apache-2.0
"""Where places lie inside one another (5.1.6).  Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Regions:
    """The regions of one axis, each inside at most one other.

    :ivar inside: region -> the region it lies in, ``None`` at the top.  Free
        of cycles, every parent present: the policy's reader sees to it.
    :ivar groups: regions that only group others, like a union of states: to
        be in the same one is not to share a jurisdiction
    """

    inside: Mapping[str, str | None]
    groups: frozenset[str] = frozenset()

    def __contains__(self, region: object) -> bool:
        return region in self.inside

    def around(self, region: str) -> tuple[str, ...]:
        """Return ``region`` and every region that it lies in, inmost first.

        A region that the policy does not know lies in nothing but itself.
        """
        chain = [region]
        parent = self.inside.get(region)
        while parent is not None:
            chain.append(parent)
            parent = self.inside.get(parent)
        return tuple(chain)

    def lies_in(self, region: str, any_of: frozenset[str]) -> bool:
        """Whether all of ``region`` lies in one of ``any_of``."""
        return not any_of.isdisjoint(self.around(region))

    def touches(self, region: str, any_of: frozenset[str]) -> bool:
        """Whether part of ``region`` may lie in one of ``any_of``."""
        if self.lies_in(region, any_of):
            return True
        return any(region in self.around(other) for other in any_of)

    def shared_as(self, region: str) -> frozenset[str]:
        """Return the regions in which two hosts meet, the groups left out.

        Two hosts share an axis when these sets of theirs have one in common.
        """
        return frozenset(self.around(region)) - self.groups
