# SPDX-License-Identifier: Apache-2.0
"""The entries of all chains of a ledger, merged by their times.

Touches files, read only.  Nothing is verified.  Within a chain the order is
that of the chain, whatever its clock did.
"""

from __future__ import annotations

import dataclasses
import heapq
import pathlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading import files
from nfv_mla_scheduler.audit.shown import Shown
from nfv_mla_scheduler.audit.shown import Wanted
from nfv_mla_scheduler.audit.shown import of_line
from nfv_mla_scheduler.audit.shown import of_opened
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant

SEALED = EventKind.SEALED.value

#: Returns what a sealed block holds; None: it cannot be opened.
Opener = Callable[[str], Sequence[Mapping[str, Any]] | None]


@dataclasses.dataclass(slots=True)
class Left:
    """What was passed over.

    :ivar lines: that are no entries
    :ivar blocks: that the key does not open
    :ivar faults: files that could not be read, each in a line
    """

    lines: int = 0
    blocks: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """Makes entries of lines.

    :ivar opener: None: sealed blocks stay closed
    """

    wanted: Wanted
    opener: Opener | None
    left: Left

    def wants(self, chain: files.ChainFiles) -> bool:
        """Whether there can be anything of interest in a chain."""
        if chain.domain is None:
            return True
        return self.opener is not None or self.wanted.takes_kind(SEALED)

    def read(self, line: bytes) -> Iterator[Shown]:
        """Yield the entries in a line that are wanted."""
        head = entry.head(line)
        if head is None:
            self.left.lines += 1
            return
        opener = self.opener if head.kind == SEALED else None
        if not self.wanted.takes_origin(head.origin.partition("/")[0]):
            return
        if opener is None and not self.wanted.takes_kind(head.kind):
            return  # most are heartbeats: these need not be parsed
        found = of_line(line)
        if found is None:
            self.left.lines += 1
            return
        if opener is not None:
            yield from self._opened(found, opener)
        if self.wanted.takes(found):
            yield found

    def _opened(self, block: Shown, opener: Opener) -> Iterator[Shown]:
        since = self.wanted.since
        if since is not None and NEVER < block.time < since:
            return  # what is in it is older still
        jwe = block.fields.get("jwe")
        events = opener(jwe) if isinstance(jwe, str) else None
        if events is None:
            self.left.blocks += 1
            return
        for found in of_opened(block, events):
            if self.wanted.takes(found):
                yield found


def timeline(directory: pathlib.Path, reader: Reader) -> Iterator[Shown]:
    """Yield the entries of a ledger that are wanted, by their times.

    :raises LedgerUnreadable: when there is no ledger in the directory
    """
    return merged(
        _of_chain(chain, reader)
        for chain in chains(directory)
        if reader.wants(chain)
    )


def chains(directory: pathlib.Path) -> list[files.ChainFiles]:
    """Return the chains of a ledger.

    :raises LedgerUnreadable: when there is none in the directory
    """
    if files.segments(directory):
        raise files.LedgerUnreadable(
            f"{directory}: is the directory of one origin: name the one above"
        )
    return files.chains(directory)


def merged(streams: Iterable[Iterable[Shown]]) -> Iterator[Shown]:
    """Yield entries by their times; those of one stream in its order."""
    timed = (_timed(one, number) for number, one in enumerate(streams))
    for _, _, found in heapq.merge(*timed, key=lambda each: each[:2]):
        yield found


def _timed(
    stream: Iterable[Shown], number: int
) -> Iterator[tuple[Instant, int, Shown]]:
    latest = NEVER
    for found in stream:
        latest = max(latest, found.time)
        yield latest, number, found


def _of_chain(chain: files.ChainFiles, reader: Reader) -> Iterator[Shown]:
    try:
        found = files.segments(chain.directory)
    except NfvMlaError as exc:
        reader.left.faults.append(str(exc))
        return
    for segment in found:
        try:
            for line in files.lines(segment):
                yield from reader.read(line.raw)
        except NfvMlaError as exc:
            reader.left.faults.append(str(exc))
