# SPDX-License-Identifier: Apache-2.0
"""What carries a term: claims that live for a time, or a reason why not.

Pure.  The worse claim counts (5.0.4): a claim that contradicts what is needed
blocks it however well others speak, and however old it is, since silence must
never help.  Only support has to be fresh.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.values import Need

ANY_DATE = -1


class Atom(NamedTuple):
    """One claim that carries a term for as long as it lives.

    :ivar voice: whose, an index into the shape's voices; ``ANY_DATE``: it
        lives until the instant ``limit``
    :ivar boot: whether it is a boot-time claim, which lives until the boot
        ends
    :ivar limit: how many seconds such a claim may be old
    """

    voice: int
    boot: bool
    limit: float


ALWAYS = Atom(ANY_DATE, False, FOREVER)


class Fault(NamedTuple):
    """Why nothing carries a term, and by whose word; see ``Refusal``."""

    code: RefusalCode
    authority: str = ""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Support:
    """A term, and what carries it: any one of its atoms, or none and why."""

    term: Term
    atoms: tuple[Atom, ...]
    fault: Fault | None = None


class Tally:
    """Collects what is claimed about one term."""

    __slots__ = ("_atoms", "_blocked", "_term", "_weak")

    def __init__(self, term: Term) -> None:
        self._term = term
        self._atoms: list[Atom] = []
        self._blocked: Fault | None = None
        self._weak: Fault | None = None

    def carry(self, atom: Atom) -> None:
        self._atoms.append(atom)

    def block(self, code: RefusalCode, authority: str) -> None:
        if self._blocked is None:
            self._blocked = Fault(code, authority)

    def weak(self, code: RefusalCode, authority: str) -> None:
        if self._weak is None:
            self._weak = Fault(code, authority)

    def support(self) -> Support:
        if self._blocked is not None:
            return Support(self._term, (), self._blocked)
        if self._term.silence_counts:
            return Support(self._term, (ALWAYS,))
        if self._atoms:
            return Support(self._term, tuple(dict.fromkeys(self._atoms)))
        silent = self._term.authority or ""
        code = RefusalCode.AUTHORITY_SILENT if silent else RefusalCode.NO_CLAIM
        return Support(self._term, (), self._weak or Fault(code, silent))


def refusal_of(
    term: Term, need: Need, code: RefusalCode, authority: str = ""
) -> Refusal:
    """Return the refusal of a need for the sake of one of its terms."""
    name = f"{term.name}[{term.key}]" if term.key else term.name
    return Refusal(
        code,
        name,
        need.clause,
        authority,
        detail=_wanted(term),
        requirement=need.requirement,
        profile=need.profile or "",
    )


def _wanted(term: Term) -> str:
    """Return, in a few words, what the term would have been met by."""
    parts = []
    if term.any_of:
        parts.append(" or ".join(sorted(term.any_of)))
    if term.all_of:
        parts.append(" and ".join(sorted(term.all_of)))
    if term.none_of:
        parts.append("not " + ", ".join(sorted(term.none_of)))
    if term.grade is not None:
        parts.append(f"{term.grade.value} grade")
    return "; ".join(parts)
