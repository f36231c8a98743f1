# SPDX-License-Identifier: Apache-2.0
"""The files of a chain: what they are called, and whose they are.

Touches files and directories; writes nothing into them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import re

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
#: In it stands which entry was last synced.
NOTE = "head"

_NAME = re.compile(r"([0-9]{20})\.jsonl(?:\.([0-9]{1,4}))?")
_NOTE = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_NOTE_BYTES = 86
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """One file of a chain.

    :ivar first: seq of the first entry in it, by its name
    :ivar again: 0, or as which file of that name a stranger keeps it
    """

    path: pathlib.Path
    first: int
    again: int


def segment_name(first: int, again: int = 0) -> str:
    """Return the name of the file whose first entry has this seq."""
    return f"{first:020d}.jsonl" + (f".{again}" if again else "")


def segments(directory: pathlib.Path) -> list[Segment]:
    """Return the files of a chain, in order; none: there is no directory.

    :raises OSError: when it cannot be read
    """
    found = []
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(directory):
            match = _NAME.fullmatch(name)
            if match is not None:
                path = directory / name
                again = int(match[2] or 0)
                found.append(Segment(path, int(match[1]), again))
    return sorted(found, key=lambda segment: (segment.first, segment.again))


def note(seq: int, hash_: str) -> bytes:
    """Return what is noted of the entry that was last synced."""
    return b"%020d %s\n" % (seq, hash_.encode("ascii"))


def read_note(directory: pathlib.Path) -> tuple[int, str] | None:
    """Return which entry was last synced, with its hash; None: not known."""
    try:
        file = os.open(directory / NOTE, os.O_RDONLY | _FLAGS)
    except OSError:
        return None
    try:
        found = _NOTE.fullmatch(os.read(file, _NOTE_BYTES + 1))
    except OSError:
        return None
    finally:
        os.close(file)
    return None if found is None else (int(found[1]), found[2].decode())


def make_directory(path: pathlib.Path) -> None:
    """Make a directory of ours that is to survive a power cut.

    :raises OSError: when there is none then
    """
    try:
        os.mkdir(path, DIRECTORY_MODE)
    except FileExistsError:
        return
    sync_directory(path.parent)


def sync_directory(path: pathlib.Path) -> None:
    """Have the names in a directory survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def is_free(path: pathlib.Path) -> bool:
    """Whether a file holds nothing yet; it is there then.

    :raises OSError: when it cannot be
    """
    flags = os.O_WRONLY | os.O_CREAT | _FLAGS
    fd = os.open(path, flags, FILE_MODE)
    try:
        return os.fstat(fd).st_size == 0
    finally:
        os.close(fd)


def open_locked(path: pathlib.Path) -> int:
    """Return a file to add to, which nobody else does meanwhile.

    :raises BlockingIOError: somebody else does
    :raises OSError: when it cannot be opened
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FLAGS
    fd = os.open(path, flags, FILE_MODE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def changed(path: pathlib.Path, fd: int, size: int) -> str:
    """Return what somebody else did to a file; empty: nothing.

    :param fd: of the file, open
    :param size: how large it was left
    """
    ours = os.fstat(fd)
    try:
        if not os.path.samestat(os.lstat(path), ours):
            return "other-file"
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    if ours.st_size == size:
        return ""
    return "shortened" if ours.st_size < size else "lengthened"
