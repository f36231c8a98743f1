# SPDX-License-Identifier: Apache-2.0
"""What is held and could not be written yet: this process remembers it.

Pure but for its memory.  A disk that is full must neither let go what is held,
nor hold what has nothing to do with it.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.plans import HoldsEdit


class Unwritten:
    """Keeps suspects and held policies until they are in the file."""

    def __init__(self) -> None:
        self._suspects: dict[str, Instant] = {}
        self._braked: dict[str, Instant] = {}

    def over(self, holds: Holds) -> Holds:
        """Return what is held, with what is not in the file yet."""
        if holds.fault or not (self._suspects or self._braked):
            return holds
        braked = {
            digest: at
            for digest, at in self._braked.items()
            if digest not in holds.settled
        }
        return dataclasses.replace(
            holds,
            suspects={**self._suspects, **holds.suspects},
            braked={**braked, **holds.braked},
        )

    def joined(self, edit: HoldsEdit) -> HoldsEdit:
        """Return all that is to be written now."""
        return dataclasses.replace(
            edit,
            suspects=frozenset(self._suspects) - edit.cleared | edit.suspects,
            braked=edit.braked or next(iter(self._braked), ""),
        )

    def keep(self, edit: HoldsEdit, now: Instant) -> None:
        """Remember what could not be written.

        That somebody is no suspect any more, or a policy settled, is found
        again by the next cycle.
        """
        self._suspects = {
            name: self._suspects.get(name, now) for name in edit.suspects
        }
        if edit.braked:
            self._braked = {edit.braked: self._braked.get(edit.braked, now)}

    def written(self) -> None:
        """Forget everything: it is in the file."""
        self._suspects, self._braked = {}, {}
