# SPDX-License-Identifier: Apache-2.0
"""What has changed about policy, results and waivers; each change once.

Pure but for its memory of what was told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from nfv_mla_scheduler.errors import bounded

TEXT_MAX = 480
LOADED = "loaded"
REMOVED = "removed"


@dataclasses.dataclass(frozen=True, slots=True)
class News:
    """One change of state, to be logged and recorded once.

    :ivar subject: ``policy``, ``expiry``, ``state``, ``results``, ``results
        left out``, ``results unbound``, ``break-glass`` or ``break-glass
        FILE``
    :ivar good: whether it is what an operator hopes for
    :ivar code: of the closed vocabularies of errors.py and keeper.py;
        ``loaded``, ``removed``, ``policy-expires`` or ``results-left-out``
    """

    subject: str
    good: bool
    code: str
    text: str


class Teller:
    """Passes news on, unless a subject is as it was last told to be."""

    def __init__(self, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self._told: dict[str, tuple[bool, str, object]] = {}

    def say(self, subject: str, good: bool, code: str, text: str) -> None:
        """Pass on what happens once by its nature."""
        self._tell(News(subject, good, code, bounded(text, TEXT_MAX)))

    def bad(
        self, subject: str, code: str, text: str, same: object = None
    ) -> None:
        """Say what is wrong with ``subject``, unless it is so still.

        :param same: what tells two faults of one code apart, when the text
            holds what differs from time to time; by default the text
        """
        self._once(subject, False, code, text, text if same is None else same)

    def good(self, subject: str, text: str, code: str = LOADED) -> None:
        """Say that ``subject`` is well, unless that was told before."""
        self._once(subject, True, code, text, text)

    def is_bad(self, subject: str) -> bool:
        """Whether something is wrong with ``subject``, as last told."""
        was = self._told.get(subject)
        return was is not None and not was[0]

    def mended(self, subject: str) -> bool:
        """Forget what was wrong; return whether anything was."""
        was = self._told.get(subject)
        if was is None or was[0]:
            return False
        del self._told[subject]
        return True

    def gone(self, subject: str, text: str) -> None:
        """Say that there is no such subject any more, if it was told of."""
        if self._told.pop(subject, None) is not None:
            self.say(subject, True, REMOVED, text)

    def _once(
        self, subject: str, good: bool, code: str, text: str, same: object
    ) -> None:
        state = (good, code, same)
        if self._told.get(subject) != state:
            self._told[subject] = state
            self.say(subject, good, code, text)
