# SPDX-License-Identifier: Apache-2.0
"""What reading finds wrong in a chain, and what is only worth knowing.

Pure.
"""

from __future__ import annotations

import dataclasses
import enum

from nfv_mla_scheduler.errors import bounded

#: How many anomalies of a chain are told; those beyond are counted.
ANOMALIES_MAX = 1000
DETAIL_MAX = 200
PATH_MAX = 4096


class AnomalyKind(enum.Enum):
    """What somebody did to a chain; the values are what is printed."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    FORKED = "forked"
    # The hashes hold, and the signatures over them do not.
    REWRITTEN = "rewritten"
    BAD_CHECKPOINT = "bad-checkpoint"
    # Shorter than a checkpoint kept elsewhere, or the heads, say.
    TRUNCATED = "truncated"
    # A whole chain that is known of.
    MISSING = "missing"
    # More that no checkpoint covers than a process that signs can leave.
    LONG_TAIL = "long-tail"
    NO_ENTRY = "no-entry"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"


class NoteKind(enum.Enum):
    """What is worth knowing, and no tampering; the values are printed."""

    EMPTY = "empty"
    NO_CHECKPOINT = "no-checkpoint"
    UNSIGNED_TAIL = "unsigned-tail"
    SIGNED_LATER = "signed-later"
    NOT_CHECKED = "signatures-not-checked"
    UNKNOWN_KEY = "unknown-key"
    BEING_WRITTEN = "being-written"
    TORN = "torn"
    NEVER_CLOSED = "never-closed"
    INTERRUPTED = "interrupted"
    DROPPED = "dropped"
    MOVED = "moved"
    CLOCK_BACK = "clock-back"
    SILENT_SINCE = "silent-since"
    KEPT_ELSEWHERE = "kept-elsewhere"
    NO_HEADS = "no-heads"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A line of a file.

    :ivar number: of the line, counted from 1
    """

    path: str
    number: int

    def __str__(self) -> str:
        path = bounded(self.path, PATH_MAX)
        return f"{path}:{self.number}" if self.number else path


@dataclasses.dataclass(frozen=True, slots=True)
class Anomaly:
    """Something that somebody did to a chain.

    :ivar first: seq of the first entry that it is about; 0: of none
    :ivar last: seq of the last one
    :ivar place: where to look; None: what it is about is not there
    """

    kind: AnomalyKind
    origin: str
    first: int
    last: int
    place: Place | None
    detail: str = ""

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place else ""
        detail = f": {bounded(self.detail, DETAIL_MAX)}" if self.detail else ""
        return (
            f"{bounded(self.origin, 255)}: {self.kind.value}"
            f"{between(self.first, self.last)}{where}{detail}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing of a chain.

    :ivar count: how often that is so, or of how many entries
    """

    kind: NoteKind
    origin: str
    detail: str
    count: int = 1

    def __str__(self) -> str:
        return f"{bounded(self.origin, 255)}: {bounded(self.detail, 200)}"


def between(first: int, last: int) -> str:
    """Return which entries these are, after a blank; "" for none."""
    if not last:
        return ""
    return f" {first}" if first == last else f" {first}..{last}"
