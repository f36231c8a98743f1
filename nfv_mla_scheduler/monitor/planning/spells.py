# SPDX-License-Identifier: Apache-2.0
"""Since when servers have findings, and what was tried about each.

Pure, and remembers.  By the monotonic clock: neither a wall clock that is set
nor a host that writes Nova's records makes it any later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.marking.locks import APART_S
from nfv_mla_scheduler.monitor.marking.locks import SKEW_S
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.steps import Step

# A finding that is back within as long was never over.
BREAK_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Spell:
    """A time in which a server has a finding without a break.

    :ivar seen: when it began for us, by the monotonic clock
    :ivar after: what was done before was for another finding
    :ivar last: when it was found last
    :ivar tried: when something was first planned for it; None: not yet
    :ivar halting: host -> when its halt was first planned there, and when last
    """

    seen: float
    after: Instant
    last: float
    tried: float | None = None
    halting: Mapping[str, tuple[float, float]] = dataclasses.field(
        default_factory=dict
    )

    @property
    def new(self) -> bool:
        """Whether it came up while we looked."""
        return self.after != NEVER


class Spells:
    """Keeps account of findings, and of what was tried about them."""

    def __init__(self) -> None:
        self._spells: dict[str, Spell] = {}
        self._started = False
        self._now: Instant = NEVER
        self._monotonic = 0.0

    def __contains__(self, uuid: object) -> bool:
        """Whether a server has a finding, or had one just now."""
        return uuid in self._spells

    def get(self, uuid: str) -> Spell | None:
        """Return a server's spell."""
        return self._spells.get(uuid)

    def follow(
        self, found: Collection[str], now: Instant, monotonic: float
    ) -> None:
        """Take note who has a finding now."""
        after = now - SKEW_S if self._started else NEVER
        self._started = True
        self._now, self._monotonic = now, monotonic
        spells = {
            uuid: spell
            for uuid, spell in self._spells.items()
            if uuid in found or monotonic - spell.last < BREAK_S
        }
        for uuid in found:
            spell = spells.get(uuid) or Spell(monotonic, after, monotonic)
            spells[uuid] = dataclasses.replace(spell, last=monotonic)
        self._spells = spells

    def has_just_come_up(self, uuid: str) -> bool:
        """Whether nothing can have been done for its finding yet."""
        spell = self._spells[uuid]
        return spell.new and spell.seen == self._monotonic

    def seen(self, uuid: str) -> Instant:
        """Return since when it has its finding."""
        return self._at(self._spells[uuid].seen)

    def told(self, uuid: str, host: str, run: Acted) -> Acted:
        """Return what was done, with what was tried besides."""
        spell = self._spells[uuid]
        tried = None if spell.tried is None else self._at(spell.tried)
        first, last = spell.halting.get(host, (0.0, -APART_S))
        goes_on = self._monotonic - last < APART_S
        return dataclasses.replace(
            run,
            tried=tried,
            halting=self._at(first) if goes_on else None,
        )

    def tried(self, steps: Iterable[Planned]) -> None:
        """Take note of what is about to be tried."""
        now = self._monotonic
        for step in steps:
            spell = self._spells.get(step.server)
            if spell is None or spell.last != now:
                continue
            if spell.tried is None:
                spell = dataclasses.replace(spell, tried=now)
            if step.step is Step.STOP:
                first, last = spell.halting.get(step.host, (now, now))
                again = (first if now - last < APART_S else now, now)
                spell = dataclasses.replace(
                    spell, halting={**spell.halting, step.host: again}
                )
            self._spells[step.server] = spell

    def let_go(self, uuids: Iterable[str]) -> None:
        """Forget those that are released: the next finding is another."""
        for uuid in uuids:
            self._spells.pop(uuid, None)

    def _at(self, monotonic: float) -> Instant:
        return self._now - (self._monotonic - monotonic)
