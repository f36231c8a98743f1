# SPDX-License-Identifier: Apache-2.0
"""An entry as its readers get it, and which entries they want.

Pure.  Whatever an entry holds may be an attacker's: names and times are
bounded here, and fields as deep as JSON is borne; ``shown_text.py`` says them.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant

ORIGIN_MAX = entry.NAME_MAX + 64

#: What is shown only when it is asked for: it comes whatever happens.
STEADY = frozenset(
    kind.value
    for kind in (
        EventKind.HEARTBEAT,
        EventKind.CHECKPOINT,
        EventKind.SEALED_HEADS,
        EventKind.SEALED,
    )
)


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """One entry, or one of those in an opened block.

    :ivar time: when it happened; ``NEVER`` where that cannot be read
    :ivar at: the same, as it is written
    :ivar origin: of the process, without the domain of a sealed chain
    :ivar domain: whose sealed chain it is from; None: the common one
    :ivar seq: of the entry in its chain
    :ivar hash: of the entry, hexadecimal
    :ivar place: where in an opened block, counted from 1; 0: not from one
    """

    time: Instant
    at: str
    origin: str
    domain: str | None
    seq: int
    hash: str
    kind: str
    process: str
    fields: Mapping[str, Any]
    place: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody wants to see.

    :ivar kinds: empty: all but those of ``STEADY``
    :ivar origins: empty: all
    :ivar names: of server, project, host: each must be named
    :ivar steady: also those of ``STEADY``
    """

    kinds: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    since: Instant | None = None
    until: Instant | None = None
    steady: bool = False

    def takes_kind(self, kind: str) -> bool:
        """Whether entries of a kind are wanted."""
        if self.kinds:
            return kind in self.kinds
        return self.steady or kind not in STEADY

    def takes_origin(self, origin: str) -> bool:
        """Whether the entries of an origin are wanted."""
        return not self.origins or origin in self.origins

    def takes(self, shown: Shown) -> bool:
        """Whether an entry is wanted."""
        if not self.takes_kind(shown.kind):
            return False
        # what has no time that can be read is not hidden for that
        if shown.time != NEVER and not self._in_time(shown.time):
            return False
        if not self.names:
            return True
        said = set(_names(shown.fields))
        return all(name in said for name in self.names)

    def _in_time(self, time: Instant) -> bool:
        if self.since is not None and time < self.since:
            return False
        return self.until is None or time < self.until


def of_line(line: bytes) -> Shown | None:
    """Return an entry by its line without the newline; None: it is none."""
    if len(line) > entry.LINE_MAX:
        return None
    head = entry.head(line)
    members = entry.parse(line)
    if head is None or members is None:
        return None
    try:
        fields = entry.plain(members.get("fields"))
    except RecursionError:
        return None
    if not isinstance(fields, dict):
        return None
    origin, _, domain = head.origin.partition("/")
    return Shown(
        instant(head.at),
        bounded(head.at, 40),
        bounded(origin, ORIGIN_MAX),
        bounded(domain) if domain else None,
        head.seq,
        entry.digest(line),
        head.kind,
        bounded(members.get("process", ""), entry.NAME_MAX),
        fields,
    )


def of_opened(
    block: Shown, events: Iterable[Mapping[str, Any]]
) -> Iterator[Shown]:
    """Yield the entries of an opened block, each with the block's place."""
    for place, event in enumerate(events, start=1):
        at, fields = event.get("at"), event.get("fields")
        try:
            fields = entry.plain(fields) if isinstance(fields, Mapping) else {}
        except RecursionError:
            fields = {"omitted": "all"}
        yield dataclasses.replace(
            block,
            time=instant(at) if isinstance(at, str) else NEVER,
            at=bounded(at, 40),
            kind=bounded(event.get("kind", "")),
            process=bounded(event.get("process", ""), entry.NAME_MAX),
            fields=fields,
            place=place,
        )


def instant(at: str) -> Instant:
    """Return when an entry says that it happened."""
    try:
        moment = datetime.datetime.fromisoformat(at)
        if moment.tzinfo is None:
            return NEVER
        return moment.timestamp()
    except (ValueError, OverflowError):
        return NEVER


def members(shown: Shown) -> dict[str, Any]:
    """Return an entry as JSON holds it."""
    return {
        "at": shown.at,
        "origin": shown.origin,
        "domain": shown.domain,
        "seq": shown.seq,
        "place": shown.place or None,
        "hash": shown.hash,
        "process": shown.process,
        "kind": shown.kind,
        "fields": dict(shown.fields),
    }


def _names(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield whatever may be a name in an entry, and not only mention one."""
    if isinstance(value, str):
        yield value
    elif depth < entry.DEPTH_MAX and isinstance(value, Mapping):
        for key, each in value.items():
            yield str(key)
            yield from _names(each, depth + 1)
            # such as "server 6136...", of what is not as it should be
            if key == "name" and isinstance(each, str):
                yield from each.split()
    elif depth < entry.DEPTH_MAX and isinstance(value, list | tuple):
        for each in value:
            yield from _names(each, depth + 1)
