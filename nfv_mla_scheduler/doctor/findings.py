# SPDX-License-Identifier: Apache-2.0
"""What a check may say.  Pure."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from collections.abc import Sequence

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded

ITEMS_MAX = 1000
_SHOWN = 3


class State(enum.Enum):
    """How it stands with one thing, in the order of gravity."""

    SKIPPED = "SKIPPED"
    OK = "OK"
    WARNING = "WARNING"
    FAILED = "FAILED"

    @property
    def gravity(self) -> int:
        """Position in the order; not a wire value."""
        return _GRAVITY.index(self)


_GRAVITY = tuple(State)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    :ivar found: one line, bounded
    :ivar advice: one line: what to do; empty when there is nothing to do
    :ivar items: everything that ``found`` is about, of which it may show only
        some; bounded in number
    """

    state: State
    found: str
    advice: str = ""
    items: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, by the check's name."""

    check: str
    verdict: Verdict


class Skipped(Exception):
    """A check cannot be made here; says why.  Never leaves the doctor."""


def ok(found: str) -> Verdict:
    """Return that all is well."""
    return Verdict(State.OK, bounded(found, LINE_MAX))


def warning(found: str, advice: str, items: Iterable[str] = ()) -> Verdict:
    """Return that something will be wrong, or is less than it could be."""
    return _verdict(State.WARNING, found, advice, items)


def failed(found: str, advice: str, items: Iterable[str] = ()) -> Verdict:
    """Return that something is wrong now."""
    return _verdict(State.FAILED, found, advice, items)


def skipped(why: str) -> Verdict:
    """Return that it was not looked at."""
    return Verdict(State.SKIPPED, bounded(why, LINE_MAX))


def worst(verdicts: Sequence[Verdict], well: str) -> Verdict:
    """Return the gravest of ``verdicts``, with what the others found.

    :param well: what to say when there are none
    """
    if not verdicts:
        return ok(well)
    order = sorted(verdicts, key=lambda v: -v.state.gravity)
    advice = "; ".join(dict.fromkeys(v.advice for v in order if v.advice))
    return Verdict(
        order[0].state,
        bounded("; ".join(v.found for v in order), LINE_MAX),
        bounded(advice, LINE_MAX),
        tuple(item for v in order for item in v.items)[:ITEMS_MAX],
    )


def some(names: Iterable[str], shown: int = _SHOWN) -> str:
    """Return the first few of many names, and how many more there are."""
    every = [bounded(name, 80) for name in names]
    text = ", ".join(every[:shown])
    more = len(every) - shown
    return f"{text} and {more} more" if more > 0 else text


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _verdict(
    state: State, found: str, advice: str, items: Iterable[str]
) -> Verdict:
    every = tuple(bounded(item, LINE_MAX) for item in items)
    return Verdict(
        state,
        bounded(found, LINE_MAX),
        bounded(advice, LINE_MAX),
        every[:ITEMS_MAX],
    )
