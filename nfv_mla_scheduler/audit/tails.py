# SPDX-License-Identifier: Apache-2.0
"""Where a chain ends in its files.

Touches files to read them, and cuts off what is left of a line whose writer
was stopped in the midst of it.
"""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
from typing import NamedTuple

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.segments import Segment
from nfv_mla_scheduler.audit.segments import open_locked
from nfv_mla_scheduler.audit.segments import read_note
from nfv_mla_scheduler.audit.segments import segments

_BEGINS = b'{"seq":'
_END_BYTES = 4 * entry.LINE_MAX


@dataclasses.dataclass(frozen=True, slots=True)
class Tail:
    """What was found of a chain.

    :ivar seq: of the entry to go on from; 0: there is none
    :ivar hash: of that entry
    :ivar at: when that was, as it is written; empty: not known
    :ivar torn_bytes: so much of a last line was cut off
    :ivar damaged: behind that entry stands what is none
    :ivar missing: whether that entry, or others before it, are not there as
        they were written
    """

    seq: int
    hash: str
    at: str = ""
    torn_bytes: int = 0
    damaged: bool = False
    missing: bool = False


class File(NamedTuple):
    """A file that nobody else adds to.

    :ivar fd: it is open to add to
    """

    fd: int
    path: pathlib.Path


@dataclasses.dataclass(frozen=True, slots=True)
class _End:
    torn_bytes: int
    damaged: bool
    head: entry.Head | None
    hash: str


def find_tail(directory: pathlib.Path) -> tuple[Tail, File | None]:
    """Return where a chain ends, and the file to go on in; None: a new one.

    What is in the files counts, unless they end before the entry that was
    last synced, or that entry is another one now: then the chain goes on from
    what was synced, so that the loss shows.

    :raises BlockingIOError: somebody else writes the chain
    :raises OSError: when a file cannot be read or cut
    """
    found = segments(directory)
    if not found:
        return _noted(directory, Tail(0, entry.NOTHING)), None
    # Whoever writes has the last one, also when his other lock is gone.
    fd = open_locked(found[-1].path)
    try:
        last, tail = _written(found)
        told = _noted(directory, tail)
        if last is None or tail.damaged or told.missing:
            os.close(fd)
            return dataclasses.replace(told, torn_bytes=0), None
        if tail.torn_bytes:
            os.ftruncate(fd, os.fstat(fd).st_size - tail.torn_bytes)
            os.fsync(fd)
    except BaseException:
        os.close(fd)
        raise
    return tail, File(fd, last)


def _noted(directory: pathlib.Path, tail: Tail) -> Tail:
    """Return a tail, or what was synced if that is not behind it."""
    noted = read_note(directory)
    if noted is None or noted[0] < tail.seq or noted == (tail.seq, tail.hash):
        return tail
    seq, hash_ = noted
    return dataclasses.replace(tail, seq=seq, hash=hash_, missing=True)


def _written(found: list[Segment]) -> tuple[pathlib.Path | None, Tail]:
    """Return where the chain in the files ends, and the file to go on in."""
    last = found[-1]
    end = _end(last)
    torn, damaged = end.torn_bytes, end.damaged
    for segment in reversed(found[:-1]):
        if end.head is not None:
            break
        end = _end(segment)
        damaged = damaged or end.damaged or end.torn_bytes > 0
    seq, hash_, at = 0, entry.NOTHING, ""
    if end.head is not None:
        seq, hash_, at = end.head.seq, end.hash, end.head.at
    path = None if last.again or last.first > seq + 1 else last.path
    return path, Tail(seq, hash_, at, torn, damaged)


def _end(segment: Segment) -> _End:
    """Return how one file ends."""
    with open(
        os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb"
    ) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        *lines, rest = file.read().split(b"\n")
        torn = len(rest) <= entry.LINE_MAX and (
            rest.startswith(_BEGINS) or _BEGINS.startswith(rest)
        )
        if torn and not lines:
            return _End(len(rest), False, None, "")
        if torn and (head := entry.head(lines[-1])) is not None:
            return _End(len(rest), False, head, entry.digest(lines[-1]))
        return _last_valid(file)


def _last_valid(file: io.BufferedReader) -> _End:
    """Return the last entry of a file behind which stands what is none."""
    file.seek(0)
    found, hash_ = None, ""
    while line := file.readline(entry.LINE_MAX + 1):
        head = entry.head(line[:-1]) if line.endswith(b"\n") else None
        if head is not None:
            found, hash_ = head, entry.digest(line[:-1])
    return _End(0, True, found, hash_)
