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

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.segments import File
from nfv_mla_scheduler.audit.segments import Segment
from nfv_mla_scheduler.audit.segments import is_strange
from nfv_mla_scheduler.audit.segments import open_file
from nfv_mla_scheduler.audit.segments import open_locked
from nfv_mla_scheduler.audit.segments import read_note
from nfv_mla_scheduler.audit.segments import segments

_CHECKPOINT = EventKind.CHECKPOINT.value
_BEGINS = b'{"seq":'
_END_BYTES = 4 * entry.LINE_MAX
# So much more than its size a file of ours has at most.
_OVER_BYTES = 16 * 2**20
# What has a higher number is not from us: those that follow need room.
_SEQ_MAX = 9 * 10**17
# More entries than are ever lost at once, between a note and the files.
_AHEAD_MAX = 10**12
# So far back the last checkpoint is looked for.
_SIGNED_BYTES = 4 * 2**20


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


@dataclasses.dataclass(frozen=True, slots=True)
class _End:
    torn_bytes: int
    damaged: bool
    head: entry.Head | None
    hash: str


def find_tail(
    directory: pathlib.Path, segment_bytes: int
) -> tuple[Tail, File | None]:
    """Return where a chain ends, and the file to go on in; None: a new one.

    What is in the files counts, unless they end before the entry that was
    last synced, or that entry is another one now: then the chain goes on from
    what was synced, so that the loss shows.  What is no file of ours, though
    it has the name of one, counts as a damaged one.

    :param segment_bytes: how large a file grows
    :raises BlockingIOError: somebody else writes the chain
    :raises OSError: when a file cannot be read or cut
    """
    found = segments(directory)
    if not found:
        return _noted(directory, Tail(0, entry.NOTHING)), None
    # Whoever writes has the last one, also when his other lock is gone.
    last = found[-1]
    most_bytes = segment_bytes + _OVER_BYTES
    try:
        file = open_locked(last.path)
    except OSError as exc:
        if not is_strange(last.path, exc):
            raise
        tail = _noted(directory, _written(found, most_bytes))
        return dataclasses.replace(tail, torn_bytes=0, damaged=True), None
    try:
        tail = _noted(directory, _written(found, most_bytes))
        if not _goes_on(last, tail):
            file.close()
            return dataclasses.replace(tail, torn_bytes=0), None
        if tail.torn_bytes:
            size = os.fstat(file.fd).st_size
            os.ftruncate(file.fd, size - tail.torn_bytes)
            os.fsync(file.fd)
    except BaseException:
        file.close()
        raise
    return tail, file


def _goes_on(last: Segment, tail: Tail) -> bool:
    """Whether entries after a tail can follow in the last file."""
    if last.again or tail.damaged:
        return False
    if tail.missing:  # it holds no entry, or others than those it should
        return last.first == tail.seq + 1 and _end(last, 0).head is None
    return last.first <= tail.seq + 1


def _noted(directory: pathlib.Path, tail: Tail) -> Tail:
    """Return a tail, or what was synced if that is not behind it."""
    noted = read_note(directory)
    if noted is None or noted == (tail.seq, tail.hash):
        return tail
    seq, hash_ = noted
    if not tail.seq <= seq <= min(tail.seq + _AHEAD_MAX, _SEQ_MAX):
        return tail  # it was not synced with the files, or is none of ours
    return dataclasses.replace(tail, seq=seq, hash=hash_, missing=True)


def _written(found: list[Segment], most_bytes: int) -> Tail:
    """Return where the chain in the files ends."""
    end = _end(found[-1], most_bytes)
    torn, damaged = end.torn_bytes, end.damaged
    for segment in reversed(found[:-1]):
        if end.head is not None:
            break
        end = _end(segment, most_bytes)
        damaged = damaged or end.damaged or end.torn_bytes > 0
    if end.head is None:
        return Tail(0, entry.NOTHING, "", torn, damaged)
    return Tail(end.head.seq, end.hash, end.head.at, torn, damaged)


def _end(segment: Segment, most_bytes: int) -> _End:
    """Return how one file ends.

    :param most_bytes: where else nothing of ours can be
    """
    try:
        fd = open_file(segment.path, os.O_RDONLY)
    except OSError as exc:
        if is_strange(segment.path, exc):
            return _End(0, True, None, "")
        raise
    with open(fd, "rb") as file:
        *lines, rest = _last_bytes(file, _END_BYTES).split(b"\n")
        torn = len(rest) <= entry.LINE_MAX and (
            rest.startswith(_BEGINS) or _BEGINS.startswith(rest)
        )
        if torn and not lines:
            return _End(len(rest), False, None, "")
        if torn and (head := _head(lines[-1])) is not None:
            return _End(len(rest), False, head, entry.digest(lines[-1]))
        return _last_valid(file, most_bytes)


def _last_bytes(file: io.BufferedReader, count: int) -> bytes:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - count))
    return file.read(count)


def _head(line: bytes) -> entry.Head | None:
    """Return how an entry begins that others can follow; None: it is none."""
    head = entry.head(line)
    return head if head is not None and head.seq <= _SEQ_MAX else None


def _last_valid(file: io.BufferedReader, most_bytes: int) -> _End:
    """Return the last entry of a file behind which stands what is none."""
    file.seek(0)
    found, hash_ = None, ""
    while file.tell() < most_bytes and (
        line := file.readline(entry.LINE_MAX + 1)
    ):
        head = _head(line[:-1]) if line.endswith(b"\n") else None
        if head is not None:
            found, hash_ = head, entry.digest(line[:-1])
    return _End(0, True, found, hash_)


def find_checkpoint(directory: pathlib.Path) -> int | None:
    """Return seq of the last checkpoint; 0: there is none; None: not known.

    Not whether it is one: whoever has the public key finds that out.
    """
    left = _SIGNED_BYTES
    try:
        for segment in reversed(segments(directory)):
            with open(open_file(segment.path, os.O_RDONLY), "rb") as file:
                data = _last_bytes(file, left)
                whole = file.tell() == len(data)
            for line in reversed(data.split(b"\n")):
                head = _head(line)
                if head is not None and head.kind == _CHECKPOINT:
                    return head.seq
            left -= len(data)
            if not whole or left <= 0:
                return None
    except OSError:
        return None
    return 0
