# SPDX-License-Identifier: Apache-2.0
"""Files that others replace while we read them.

Touches the files that it is told of, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import stat
import time

# Two writes within one tick of a file system's clock leave the same stamp.
# The coarsest clocks tick once in two seconds; until a file is older than
# that, its stamp proves nothing.
SETTLED_S = 2.0

# A named pipe must not keep us waiting for somebody who writes to it.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_Stamp = tuple[int, ...]


class Unread(Exception):
    """A file cannot be read, or whatever else stands in its place.

    :ivar reason: why, in the words of the system or of a server
    :ivar same: what tells two reasons apart, if it is not their words
    """

    def __init__(self, reason: str, same: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.same = same


class Missing(Unread):
    """There is no such file."""


class TooLarge(Unread):
    """A file is larger than anything that we read."""


class WatchedFile:
    """A file that is read again only when it was replaced or written.

    :param limit: the most bytes that are read
    """

    def __init__(self, path: pathlib.Path, limit: int) -> None:
        self.path = path
        self._limit = limit
        self._stamp: _Stamp | None = None
        self._digest = b""

    def changed(self) -> bytes | None:
        """Return the file's bytes if they have changed since last time.

        :returns: None while the file says what it said
        :raises Unread: when it is missing, cannot be read, or is too large;
            then whatever is read next counts as changed
        """
        try:
            data, stamp = self._read()
        except Unread:
            self.forget()
            raise
        except OSError as exc:
            self.forget()
            reason = exc.strerror or "cannot be read"
            kind = Missing if isinstance(exc, FileNotFoundError) else Unread
            raise kind(reason) from None
        self._stamp = stamp
        if data is None:
            return None
        digest = hashlib.sha256(data).digest()
        if digest == self._digest:
            return None
        self._digest = digest
        return data

    def forget(self) -> None:
        """Read the file again next time, whether it changed or not."""
        self._stamp, self._digest = None, b""

    def _read(self) -> tuple[bytes | None, _Stamp | None]:
        """Return the bytes, unless the stamp is the same; and the stamp.

        The stamp is None when it cannot tell whether the file changes again.
        """
        began_ns = time.time_ns()
        descriptor = os.open(self.path, _FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unread("is not a regular file")
            stamp = _stamp(status)
            if stamp == self._stamp:
                return None, stamp
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(self._limit + 1)
            unchanged = _stamp(os.fstat(descriptor)) == stamp
        finally:
            os.close(descriptor)
        if len(data) > self._limit:
            raise TooLarge(f"is larger than {self._limit} bytes")
        age_ns = began_ns - max(status.st_mtime_ns, status.st_ctime_ns)
        settled = unchanged and age_ns > SETTLED_S * 1e9
        return data, stamp if settled else None


def _stamp(status: os.stat_result) -> _Stamp:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
