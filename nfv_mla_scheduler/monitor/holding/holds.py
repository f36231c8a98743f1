# SPDX-License-Identifier: Apache-2.0
"""What people said, and what is held until they say something.

Values only.  ``store.py`` has the file with them, ``edits.py`` changes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.model import Instant

PAUSE_MAX_S = 24 * 3600.0
RELEASE_MAX_S = 7 * 24 * 3600.0


class HoldsFault(NfvMlaError):
    """What people said cannot be read, changed or written."""

    code = "holds"


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """What a person said: until when it holds, why, who, and when."""

    until: Instant
    reason: str
    by: str
    at: Instant

    def holds(self, now: Instant, longest_s: float) -> bool:
        """Whether it is in force.

        A clock that is put back lets go nothing for longer than
        ``longest_s`` from then on.
        """
        return now < self.until <= now + longest_s


@dataclasses.dataclass(frozen=True, slots=True)
class Holds:
    """What people said, and what waits for them.

    :ivar suspects: authority -> since when it is held
    :ivar braked: digest of a policy -> since when it is held
    :ivar authorities: authority -> the word that released it
    :ivar servers: server's UUID -> the word that released it: neither a
        suspect nor a brake holds what is found about it
    :ivar settled: digest -> since when; the newest ones
    :ivar fault: one line: why the file cannot be read; empty: it can
    """

    paused: Word | None = None
    suspects: Mapping[str, Instant] = dataclasses.field(default_factory=dict)
    braked: Mapping[str, Instant] = dataclasses.field(default_factory=dict)
    authorities: Mapping[str, Word] = dataclasses.field(default_factory=dict)
    servers: Mapping[str, Word] = dataclasses.field(default_factory=dict)
    settled: Mapping[str, Instant] = dataclasses.field(default_factory=dict)
    fault: str = ""

    def pauses(self, now: Instant) -> bool:
        """Whether a person has paused us, as far as we can know.

        A clock that is put back ends no pause, see ``overlong``.
        """
        said = self.paused is not None and now < self.paused.until
        return said or bool(self.fault)

    def overlong(self, now: Instant) -> bool:
        """Whether a pause has more time left than any may have.

        The clock was put back.  It is to be written that it ends by the
        longest time from now, or else it would move on with the clock.
        """
        word = self.paused
        return word is not None and word.until > now + PAUSE_MAX_S

    def trusts(self, authority: str, now: Instant) -> bool:
        """Whether a person has released an authority for the time being."""
        word = self.authorities.get(authority)
        return word is not None and word.holds(now, RELEASE_MAX_S)

    def frees(self, server: str, now: Instant) -> bool:
        """Whether a person has released a server for the time being."""
        word = self.servers.get(server)
        return word is not None and word.holds(now, RELEASE_MAX_S)
