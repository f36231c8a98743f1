# SPDX-License-Identifier: Apache-2.0
"""What a chain says itself of the process that wrote it.  Pure."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit.entry import Head
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.anomalies import NoteKind

_OPENED = EventKind.LEDGER_OPENED.value
_CLOSED = EventKind.LEDGER_CLOSED.value
_SAID = {
    EventKind.LEDGER_INTERRUPTED.value: (
        NoteKind.INTERRUPTED,
        "the process could not write for some time",
    ),
    EventKind.EVENTS_DROPPED.value: (
        NoteKind.DROPPED,
        "the process had to drop events",
    ),
    EventKind.LEDGER_MOVED.value: (
        NoteKind.MOVED,
        "a file was renamed, removed or shortened while it was written",
    ),
    EventKind.CLOCK_BACK.value: (NoteKind.CLOCK_BACK, "the clock went back"),
}

#: The kinds of entries that are taken here.
OWN = frozenset((_OPENED, _CLOSED, *_SAID))


class Noting:
    """Counts what is worth knowing in one chain."""

    def __init__(self) -> None:
        self._counts: collections.Counter[str] = collections.Counter()
        self._last: dict[str, int] = {}
        self._is_open = False
        self._unclosed = 0
        self._torn = 0

    def take(self, head: Head, fields: Mapping[str, Any]) -> None:
        """Take an entry of the ledger about itself."""
        self._counts[head.kind] += 1
        self._last[head.kind] = head.seq
        if head.kind == _OPENED:
            if "domain" not in fields:  # else it is a sealed chain's
                self._unclosed += self._is_open
                self._is_open = True
            torn = fields.get("torn_bytes")
            self._torn += isinstance(torn, int) and torn > 0
        elif head.kind == _CLOSED:
            self._is_open = False

    @property
    def is_first(self) -> bool:
        """Whether the process that began the chain goes on."""
        return (
            self._is_open
            and not self._unclosed
            and not self._last.get(_CLOSED)
        )

    @property
    def is_open(self) -> bool:
        """Whether the last process has not said that it ends."""
        return self._is_open

    def notes(self) -> Iterator[tuple[NoteKind, str, int]]:
        """Return kind, words and how often."""
        if self._unclosed:
            yield (
                NoteKind.NEVER_CLOSED,
                f"{_times(self._unclosed)} a process ended without closing "
                "the ledger",
                self._unclosed,
            )
        if self._torn:
            yield (
                NoteKind.TORN,
                f"{_times(self._torn)} what a stopped process had left of a "
                "line was cut off",
                self._torn,
            )
        for name, (kind, said) in _SAID.items():
            if count := self._counts[name]:
                yield (
                    kind,
                    f"{_times(count)} {said}, the last time in entry "
                    f"{self._last[name]}",
                    count,
                )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
