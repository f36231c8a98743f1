# SPDX-License-Identifier: Apache-2.0
"""Which process writes which chain: one at a time, by a lock on a file.

Touches the directories of origins and the lock files in them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import re
import stat
from collections.abc import Callable
from typing import TypeVar

from nfv_mla_scheduler.audit.segments import FILE_MODE
from nfv_mla_scheduler.audit.segments import give_back
from nfv_mla_scheduler.audit.segments import make_directory

LOCK = "lock"
SLOTS_MAX = 1000
#: Where the chains of sealed trust domains are, below their origin.
SEALED = "sealed"

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_T = TypeVar("_T")


class NoSlot(OSError):
    """Every slot is somebody else's."""


@dataclasses.dataclass(slots=True)
class Origin:
    """A slot that this process has.

    :ivar directory: where its chain is
    :ivar name: of the origin, which is that of the directory
    """

    directory: pathlib.Path
    name: str
    _fd: int
    _pid: int = dataclasses.field(default_factory=os.getpid)

    def held(self) -> bool:
        """Whether nobody else can take it: the lock is where others look."""
        try:
            there = os.lstat(self.directory / LOCK)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return os.path.samestat(there, os.fstat(self._fd))

    def regain(self) -> bool:
        """Lock it anew after the lock file was removed or replaced.

        :returns: False: somebody else has it
        :raises OSError: when that cannot be found out
        """
        make_directory(self.directory)
        fd = _lock(self.directory / LOCK)
        if fd is None:
            return False
        self.release()
        self._fd = fd
        return True

    def release(self) -> None:
        """Leave it to others."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            give_back(fd, self._pid)


def take(
    directory: pathlib.Path,
    name: str,
    use: Callable[[pathlib.Path, str], _T],
) -> tuple[Origin, _T]:
    """Return the first slot that is free, and what it is used for.

    A slot of another user's is never free.  Neither is one whose files
    somebody still writes, though its lock is gone.

    :param directory: in which each origin has one
    :param name: of the origin, without the slot's number
    :param use: opens what is in a directory of an origin; raises
        BlockingIOError when it is in use
    :raises OSError: when there is no slot, or it cannot be used
    """
    stem = file_name(name)
    for slot in range(SLOTS_MAX):
        origin = f"{stem}.{slot}"
        path = directory / origin
        make_directory(path)
        fd = _lock(path / LOCK) if _is_ours(path) else None
        if fd is None:
            continue
        taken = Origin(path, origin, fd)
        try:
            return taken, use(path, origin)
        except BlockingIOError:
            taken.release()
        except BaseException:
            taken.release()
            raise
    raise NoSlot(None, f"{SLOTS_MAX} processes have one already")


def file_name(name: str) -> str:
    """Return a name as that of a file, whatever is in it."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:200]
    return plain if plain.strip(".") else "_" + plain


def _is_ours(path: pathlib.Path) -> bool:
    found = os.lstat(path)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _lock(path: pathlib.Path) -> int | None:
    """Return the open file of a lock that is ours now; None: it is not.

    :raises OSError: when it cannot be opened
    """
    while True:
        fd = os.open(path, _FLAGS, FILE_MODE)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between the two it may have been removed.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.lstat(path), os.fstat(fd)):
                    return fd
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
