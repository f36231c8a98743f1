# SPDX-License-Identifier: Apache-2.0
"""Files that others replace while we read them.

Touches the files that it is told of, and nothing else.
"""

from __future__ import annotations

import os
import pathlib

_Stamp = tuple[int, int, int, int]


class Unread(Exception):
    """A file cannot be read; ``reason`` says why, in the system's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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

    def changed(self) -> bytes | None:
        """Return the file's bytes if they may have changed since last time.

        :returns: None while the file is as it was
        :raises Unread: when it is missing, cannot be read, or is too large;
            then it counts as changed for as long as that lasts
        """
        try:
            with self.path.open("rb") as file:
                stamp = _stamp(os.fstat(file.fileno()))
                if stamp == self._stamp:
                    return None
                self._stamp = None
                data = file.read(self._limit + 1)
                settled = _stamp(os.fstat(file.fileno())) == stamp
        except OSError as exc:
            self._stamp = None
            raise Unread(exc.strerror or "cannot be read") from None
        if len(data) > self._limit:
            raise TooLarge(f"is larger than {self._limit} bytes")
        if settled:
            self._stamp = stamp
        return data

    def forget(self) -> None:
        """Read the file again next time, whether it changed or not."""
        self._stamp = None


def _stamp(status: os.stat_result) -> _Stamp:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
    )
