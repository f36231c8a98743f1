# SPDX-License-Identifier: Apache-2.0
"""How long it takes until something has come about, stage by stage.

What is looked at are Nova's API, the collector's document and the verifier's
record; nothing is taken from our own decisions.
"""

from __future__ import annotations

import dataclasses
import time
import typing as ty
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from demo.asked import NotAsExpected
from demo.interrupts import INTERRUPTS
from demo.screen import Screen
from demo.watching import server_words
from nfv_mla_scheduler.model import Status

Json = Mapping[str, ty.Any]

_POLL_S = 0.02


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see of one host at one moment.

    It is looked at in this order, from the last effect to the first cause: an
    effect that is seen has its cause seen as well.

    :ivar servers: all there are, by name, as Nova's API shows them
    :ivar service: the host's compute service, likewise
    :ivar published: capability -> status, as the collector has signed it
    :ivar record: the verifier's
    """

    servers: Mapping[str, Json]
    service: Json
    published: Mapping[str, Status]
    record: Json


@dataclasses.dataclass(frozen=True, slots=True)
class Milestone:
    """One stage.

    :ivar name: what it is called in a table
    :ivar title: what has come about, for people
    :ivar within_s: how long it may take
    :ivar seen: what there is to say of it; empty: it has not come about
    """

    name: str
    title: str
    within_s: float
    seen: Callable[[Sight], str]


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """A stage that has come about, and after how many seconds."""

    milestone: Milestone
    after_s: float


def follow(
    milestones: Sequence[Milestone],
    look: Callable[[], Sight],
    since: float,
    screen: Screen,
) -> list[Reached]:
    """Show each stage as it comes about; return them in that order.

    :param since: when it all began, by the monotonic clock
    :raises NotAsExpected: one has not come about in its time
    """
    waits, reached = list(milestones), []
    while waits:
        sight, after_s = look(), time.monotonic() - since
        for milestone in tuple(waits):
            said = milestone.seen(sight)
            late = after_s > milestone.within_s
            if said or late:
                words = said or f"not within {milestone.within_s:g} s"
                shown = f"{after_s:5.1f} s  {words}"
                screen.step(not late, milestone.title, shown)
            if late:
                raise NotAsExpected(
                    f"{milestone.name} within {milestone.within_s:g} s",
                    f"after {after_s:.1f} s: {said or _words(sight)}",
                )
            if said:
                reached.append(Reached(milestone, after_s))
                waits.remove(milestone)
        INTERRUPTS.sleep(_POLL_S)
    return reached


def _words(sight: Sight) -> str:
    """Return how everything is, for whoever has to find out why."""
    servers = ", ".join(
        f"{name} {server_words(shown)}"
        for name, shown in sorted(sight.servers.items())
    )
    published = sorted({status.value for status in sight.published.values()})
    return (
        f"Keylime {sight.record['attestation_status']}; document "
        f"{', '.join(published) or 'nothing'}; nova-compute "
        f"{sight.service['status']}; {servers}"
    )
