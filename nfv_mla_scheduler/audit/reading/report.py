# SPDX-License-Identifier: Apache-2.0
"""What is found of a ledger, chain by chain.  Pure."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from nfv_mla_scheduler.audit.reading.anomalies import Anomaly
from nfv_mla_scheduler.audit.reading.anomalies import Note


class Verdict(enum.Enum):
    """What is to be thought of a chain; the values are what is printed."""

    WHOLE = "whole"
    TAMPERED = "TAMPERED"
    # The hashes hold, and nothing says that they are the process's.
    NOT_SIGNED = "not signed"
    NOT_CHECKED = "not checked"
    EMPTY = "empty"


@dataclasses.dataclass(frozen=True, slots=True)
class ChainReport:
    """What is found of one chain.

    :ivar domain: that it is sealed for; None: anybody may read it
    :ivar files: how many it has
    :ivar first_at: time of its first entry, as it is written; "" of none
    :ivar checkpoints: how many hold; of a sealed chain, how many heads that
        the common chain has signed are as it has them
    :ivar tail: how many entries follow the last of these
    :ivar young: it is so short that it need not be signed yet
    :ivar more: how many anomalies there are beyond those told
    :ivar newest: the envelope of the last checkpoint that holds; None: none
        does
    """

    origin: str
    domain: str | None
    verdict: Verdict
    entries: int = 0
    files: int = 0
    first_at: str = ""
    last_at: str = ""
    checkpoints: int = 0
    tail: int = 0
    young: bool = False
    anomalies: tuple[Anomaly, ...] = ()
    more: int = 0
    notes: tuple[Note, ...] = ()
    newest: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What is found of a ledger.

    :ivar checked: whether signatures were: whether any key was given
    """

    chains: tuple[ChainReport, ...]
    checked: bool

    @property
    def whole(self) -> bool:
        """Whether nobody has tampered with it, as far as can be seen.

        With keys, what nobody has signed is not whole.
        """
        return not (self.tampered or self.unsigned)

    @property
    def tampered(self) -> list[ChainReport]:
        """The chains in which something is wrong."""
        return [one for one in self.chains if one.anomalies or one.more]

    @property
    def unsigned(self) -> list[ChainReport]:
        """The chains that nobody has signed, although there was time to."""
        return [
            one
            for one in self.chains
            if one.verdict is Verdict.NOT_SIGNED and not one.young
        ]
