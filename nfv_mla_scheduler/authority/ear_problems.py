# SPDX-License-Identifier: Apache-2.0
"""What is said of the tokens of one answer, bounded.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded

PROBLEMS_MAX = 100
NOTES_MAX = 20
PATH_MAX = 128


class Refused:
    """The tokens of one answer that were refused, the first of them by name.

    :ivar count: how many there are
    """

    def __init__(self) -> None:
        self._first: list[Problem] = []
        self.count = 0

    def add(self, path: str, exc: TokenRefused) -> None:
        self.count += 1
        if self.count <= PROBLEMS_MAX:
            self._first.append(problem_of(path, exc))

    def problems(self) -> list[Problem]:
        left = self.count - len(self._first)
        if not left:
            return self._first
        more = Problem("tokens", f"and {left} more tokens were refused")
        return [*self._first, more]


def problem_of(path: str, exc: TokenRefused) -> Problem:
    return Problem(bounded(path, PATH_MAX), f"{exc.code}: {exc}")


def said(
    notes: Iterable[tuple[str, tuple[str, ...]]], of_mapping: tuple[str, ...]
) -> list[Problem]:
    """Say what was left out of claims, or lowered: each thing once.

    :param notes: attester and notes, of each token
    :param of_mapping: what the mapping table names in vain
    """
    about: dict[str, list[str]] = {}
    for attester, some in notes:
        for note in some:
            about.setdefault(note, []).append(attester)
    found = [
        Problem(
            bounded(attesters[0], PATH_MAX),
            note
            if len(attesters) == 1
            else f"{note}; also of {len(attesters) - 1} more attesters",
        )
        for note, attesters in sorted(about.items())[:NOTES_MAX]
    ]
    found += [Problem("mapping", note) for note in of_mapping[:NOTES_MAX]]
    if max(len(about), len(of_mapping)) > NOTES_MAX:
        found.append(Problem("tokens", "more is left out of the claims"))
    return found
