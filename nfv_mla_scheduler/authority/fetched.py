# SPDX-License-Identifier: Apache-2.0
"""What exchanges with an authority brought, before anybody has read it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import Client

PATH_MAX = 128
PROBLEMS_MAX = 100

_AGAIN_S = 0.05
_TIMES = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """One token as it came.

    :ivar attester: about whom it has to be; ``None``: it may say so itself
    """

    data: bytes
    attester: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Fetched:
    """The tokens of one collection.

    :ivar complete: whether the authority has no others about those who were
        asked for
    :ivar problems: of each answer that brought no token: why
    :ivar skew_s: how far the server's clock is ahead of ours; ``None``: it
        did not say
    """

    tokens: tuple[Token, ...]
    complete: bool
    problems: tuple[Problem, ...] = ()
    skew_s: float | None = None


def problem(where: str, code: str, why: str) -> Problem:
    """Return a problem with an answer.

    :param where: an attester, or a place in an answer
    """
    return Problem(bounded(where, PATH_MAX), f"{code}: {why}")


def few(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the first problems, and how many there are besides."""
    left = len(problems) - PROBLEMS_MAX
    if left <= 0:
        return tuple(problems)
    more = Problem("answers", f"and {left} more were not taken")
    return (*problems[:PROBLEMS_MAX], more)


def hang_up(clients: Sequence[Client], idle: threading.Event) -> None:
    """Close clients until nobody uses them, or a second has passed.

    More than once, since an exchange that begins at this very moment does not
    notice that its client was closed before.

    :param idle: set while nobody uses them
    """
    for _ in range(_TIMES):
        for client in clients:
            client.close()
        if idle.wait(_AGAIN_S):
            return
