# SPDX-License-Identifier: Apache-2.0
"""Whether two authorities are two: who agrees with himself is no witness.

Pure but for its memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.collector.values import Outcome

SHARED_KEY = "authority-shared-key"


class Rivals:
    """Authorities of which one signed result could pass as another's word.

    The one that is named earlier is heard.
    """

    def __init__(self, authorities: Sequence[Authority]) -> None:
        self._trust = {a.name: a.trust() for a in authorities}

    def rival(self, name: str, collected: Collected | None) -> str:
        """Return the earlier authority that this one overlaps; or nothing.

        :param collected: what it has just answered
        """
        if collected is not None and collected.trust is not None:
            self._trust[name] = collected.trust
        mine = self._trust[name]
        for other, trust in self._trust.items():
            if other == name or mine is None:
                return ""
            if trust is not None and mine.overlaps(trust):
                return other
        return ""


def refused(outcome: Outcome, rival: str) -> Outcome:
    """Return an outcome without its answer, and why."""
    return dataclasses.replace(
        outcome, collected=None, code=SHARED_KEY, reason=shares(rival)
    )


def shares(rival: str) -> str:
    """Return what is wrong with an authority that shares keys with another."""
    return (
        f"shares a key with authority {rival}, so that one result would be "
        "the word of both; give each keys, or an issuer, of its own"
    )
