# SPDX-License-Identifier: Apache-2.0
"""The files of a chain: what they are called, and whose they are.

Touches files and directories; writes nothing into them.  Waits for nothing
that somebody has put in a file's place.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import itertools
import os
import pathlib
import re
import stat
from collections.abc import Sequence

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
#: In it stands which entry was last synced.
NOTE = "head"

_NAME = re.compile(r"([0-9]{20})\.jsonl(?:\.([0-9]{1,4}))?")
_NOTE = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_NOTE_BYTES = 86
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
# What opening something says that is no file of ours.
_NOT_OURS = frozenset(
    (
        errno.EACCES,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENODEV,
        errno.ENXIO,
        errno.EPERM,
    )
)


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """One file of a chain.

    :ivar first: seq of the first entry in it, by its name
    :ivar again: 0, or as which file of that name a stranger keeps it
    """

    path: pathlib.Path
    first: int
    again: int


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file that nobody else adds to.

    :ivar fd: it is open to add to
    :ivar pid: of the process that locked it
    """

    fd: int
    path: pathlib.Path
    pid: int = dataclasses.field(default_factory=os.getpid)

    def close(self) -> None:
        """Leave it to others."""
        give_back(self.fd, self.pid)


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
        file = open_file(directory / NOTE, os.O_RDONLY)
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


def open_file(path: pathlib.Path, flags: int) -> int:
    """Open a file, and nothing else.

    :raises OSError: when it cannot be opened, or is none
    """
    fd = os.open(path, flags | _FLAGS, FILE_MODE)
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.ENODEV, "is no regular file", os.fspath(path))


def is_strange(path: pathlib.Path, fault: OSError) -> bool:
    """Whether what stands there is no file that we could open.

    Else it may be well the next time.

    :param fault: of the attempt
    """
    if fault.errno not in _NOT_OURS:
        return False
    try:
        os.lstat(path)
    except OSError:
        return False
    return True


def is_free(path: pathlib.Path) -> bool:
    """Whether a file holds nothing yet; it is there then.

    :raises OSError: when it cannot be
    """
    try:
        fd = open_file(path, os.O_WRONLY | os.O_CREAT)
    except OSError as exc:
        if is_strange(path, exc):
            return False
        raise
    try:
        return os.fstat(fd).st_size == 0
    finally:
        os.close(fd)


def open_locked(path: pathlib.Path) -> File:
    """Return a file to add to, which nobody else does meanwhile.

    :raises BlockingIOError: somebody else does
    :raises OSError: when it cannot be opened
    """
    fd = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return File(fd, path)


def give_back(fd: int, pid: int) -> None:
    """Close a file and unlock it, unless it is the parent's.

    A child that is forked has the lock too, until it gets to closing its own
    copy: whoever took the lock does not leave it to that.

    :param pid: of the process that locked it
    """
    try:
        if pid == os.getpid():
            fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def begin(
    directory: pathlib.Path, above: Sequence[pathlib.Path], first: int
) -> File:
    """Return a new file of a chain, open to add to.

    :param above: directories above it that are made too when they are gone
    :param first: seq of the entry that is written next
    :raises OSError: when there is none then
    """
    for path in (*above, directory):
        make_directory(path)
    path = next(
        path
        for again in itertools.count()
        if is_free(path := directory / segment_name(first, again))
    )
    sync_directory(directory)
    return open_locked(path)


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
