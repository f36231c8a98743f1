# SPDX-License-Identifier: Apache-2.0
"""What one server needs: the meet of everybody who may ask for it.

Pure.  Each source stays whole, and a host has to satisfy every one of them,
so that adding a source can only shrink the set of hosts that pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Source

_STRICTEST_FIRST = tuple(CopyRule)


@dataclasses.dataclass(frozen=True, slots=True)
class Requirement:
    """What one server needs of a host, before any policy is consulted.

    Two servers with equal requirements share every decision.

    :ivar asks: the project's floor, the flavor and the hints, those of them
        that ask for anything
    :ivar application: what flavor and image ask Nova for; its ``conceals``
        is what the flavor offers, within what the floor grants
    """

    asks: frozenset[Ask]
    application: Application
    project_id: str = ""

    @property
    def demands(self) -> bool:
        """Whether the server asks for anything at all."""
        return bool(self.asks)


def meet(
    asks: Iterable[Ask], application: Application, project_id: str = ""
) -> Requirement:
    """Return the requirement that holds every ask of ``asks``."""
    every = tuple(asks)
    conceals = _conceals(every)
    if conceals != application.conceals:
        application = dataclasses.replace(application, conceals=conceals)
    return Requirement(
        frozenset(ask for ask in every if ask.demands),
        application,
        project_id,
    )


def copy_rule(asks: Iterable[Ask]) -> CopyRule | None:
    """Return the strictest copy rule that any of ``asks`` states."""
    stated = {ask.copy for ask in asks if ask.copy is not None}
    return min(stated, key=_STRICTEST_FIRST.index, default=None)


def _conceals(asks: Iterable[Ask]) -> frozenset[str]:
    """What the application conceals: the flavor offers, a floor limits.

    Only the flavor describes the application; a floor that offered something
    would let a server in that its flavor alone keeps out.
    """
    offered: frozenset[str] = frozenset()
    limits = []
    for ask in asks:
        if ask.conceals is None:
            continue
        if ask.source is Source.FLAVOR:
            offered = ask.conceals
        else:
            limits.append(ask.conceals)
    return offered.intersection(*limits) if limits else offered
