# SPDX-License-Identifier: Apache-2.0
"""A small file that a service and the commands of people both write.

Touches the file, and the lock beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import tempfile
import time
from collections.abc import Iterator

LOCK = "holds.lock"
# Others hold it for as long as it takes to write one file.
LOCK_WAIT_S = 2.0
_LOCK_POLL_S = 0.01


class Locked(Exception):
    """Somebody else holds the lock all the while."""


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[None]:
    """Have the lock beside ``path``, of which nobody else has it then.

    :raises Locked: when somebody else does not let go of it
    :raises OSError: when there can be none
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(path.with_name(LOCK), flags, 0o600)
    try:
        _give(file, path.parent)
        _lock(file)
        yield
    finally:
        os.close(file)


def _lock(file: int) -> None:
    """Wait for the lock, but not for long."""
    end = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise Locked from None
        time.sleep(_LOCK_POLL_S)


def _give(file: int, directory: pathlib.Path) -> None:
    """Give a file that root made to whom its directory belongs.

    A command that an administrator ran must not lock the monitor out.
    """
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)


def replace(path: pathlib.Path, data: bytes) -> None:
    """Put ``data`` in the place of a file, which a reader sees whole.

    :raises OSError: when that cannot be done
    """
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}."
    )
    try:
        with os.fdopen(handle, "wb") as file:
            _give(file.fileno(), path.parent)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
