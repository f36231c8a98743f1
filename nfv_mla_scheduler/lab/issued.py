# SPDX-License-Identifier: Apache-2.0
"""What is issued under one reading of ``attesters.yaml``.

Pure; time is an argument.  May be used by several threads at once: of two that
issue the same token, one counts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.tokens import Issuer
from nfv_mla_scheduler.lab.values import Attester
from nfv_mla_scheduler.lab.values import Roster
from nfv_mla_scheduler.model import Instant


class Issued:
    """The tokens of a roster.

    A token is kept for the second in which it was issued: until then a new
    one would say the same.
    """

    def __init__(
        self,
        roster: Roster,
        keys: Keys,
        now: Instant,
        before: Issued | None = None,
    ) -> None:
        """Take a roster; hold the tokens that are to be replayed.

        :param before: what was issued under the reading before this one
        """
        self.roster = roster
        self._issuer = Issuer(keys, roster)
        self._kept: dict[str, tuple[int, str]] = {}
        names = list(roster.attesters)
        self._next = dict(zip(names, names[1:] + names[:1], strict=True))
        self._replayed = {
            attester.name: self._to_replay(attester, now, before)
            for attester in roster.attesters.values()
            if attester.knobs.replayed
        }

    def token(self, name: str, now: Instant) -> str:
        """Return a token about an attester of the roster."""
        if name in self._replayed:
            return self._replayed[name]
        second, token = self._kept.get(name, (0, ""))
        if second != int(now):
            token = self._issue(self.roster.attesters[name], now)
            self._kept[name] = int(now), token
        return token

    def tokens(self, names: Iterable[str], now: Instant) -> list[str]:
        """Return the tokens of those attesters that are not silent."""
        return [
            self.token(name, now)
            for name in names
            if not self.roster.attesters[name].knobs.silent
        ]

    def _to_replay(
        self, attester: Attester, now: Instant, before: Issued | None
    ) -> str:
        """Return what was said before the knob was set, if anything was."""
        if before is not None and attester.name in before.roster.attesters:
            return before.token(attester.name, now)
        return self._issue(attester, now)

    def _issue(self, attester: Attester, now: Instant) -> str:
        other = self.roster.attesters[self._next[attester.name]]
        if other is attester:
            other = dataclasses.replace(other, name=f"{other.name}-other")
        return self._issuer.issue(attester, other, now)
