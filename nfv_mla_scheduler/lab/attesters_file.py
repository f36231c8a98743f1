# SPDX-License-Identifier: Apache-2.0
"""The file ``attesters.yaml``, read again whenever it has changed.

Touches that file, and looks at the clock that its times come from; the time at
which tokens are issued is an argument.  What cannot be read leaves the last
good reading in force and is said once.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import threading
import time
from collections.abc import Callable

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.lab.attesters import BYTES_MAX
from nfv_mla_scheduler.lab.attesters import read_attesters
from nfv_mla_scheduler.lab.issued import Issued
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.values import Roster
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.standard.catalogue import load

Say = Callable[[str], None]
Stamp = tuple[int, int, int, int]

# A file may change twice in this time without another time of change.
_GRAIN_S = 0.1


class AttestersFile:
    """Knows what is to be issued now; used by several threads."""

    def __init__(self, path: pathlib.Path, keys: Keys, say: Say) -> None:
        """Read nothing yet.

        :param say: gets one line whenever a changed file was taken or not
        """
        self._path = path
        self._keys = keys
        self._say = say
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._data: bytes | None = None
        self._refused = ""
        self._issued: Issued | None = None

    def first(self, now: Instant) -> Issued:
        """Read the file for the first time.

        :raises DocumentError: naming file, path and line of what is wrong
        :raises KeyFileError: when the file cannot be read
        """
        with self._lock:
            try:
                self._stamp, data = self._read()
            except OSError as exc:
                raise KeyFileError(f"{self._path}: {exc.strerror}") from None
            self._data = data
            try:
                roster = _roster(data)
            except DocumentError as exc:
                raise _naming(self._path, exc) from None
            self._issued = Issued(roster, self._keys, now)
            return self._issued

    def current(self, now: Instant) -> Issued:
        """Return what holds now; looks whether the file has changed."""
        with self._lock:
            assert self._issued is not None, "first() comes first"
            try:
                if self._stamp is None or self._stamp != self._look():
                    self._again(now)
            except OSError as exc:
                self._stamp = self._data = None
                self._refuse(str(exc.strerror))
            return self._issued

    def _again(self, now: Instant) -> None:
        self._stamp, data = self._read()
        if data == self._data:
            return
        self._data = data
        try:
            roster = _roster(data)
        except DocumentError as exc:
            self._refuse(str(exc))
            return
        self._issued = Issued(roster, self._keys, now, self._issued)
        self._refused = ""
        self._say(f"{self._path.name}: read, {_counted(roster)}")

    def _refuse(self, why: str) -> None:
        if why != self._refused:
            self._refused = why
            self._say(f"{self._path.name}: {why}; what was read before stays")

    def _read(self) -> tuple[Stamp | None, bytes]:
        """Return the file, and its stamp if that tells later changes."""
        stamp = self._look()
        with open(self._path, "rb") as file:
            data = file.read(BYTES_MAX + 1)
        settled = max(stamp[2:]) / 1e9 < time.time() - _GRAIN_S
        return (stamp if settled else None), data

    def _look(self) -> Stamp:
        found = os.stat(self._path)
        return (
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )


def _roster(data: bytes) -> Roster:
    return read_attesters(data, load())


def _naming(path: pathlib.Path, exc: DocumentError) -> DocumentError:
    """Return the same error, with the file in it."""
    return DocumentError(
        tuple(
            dataclasses.replace(problem, path=f"{path}: {problem.path}")
            for problem in exc.problems
        )
    )


def _counted(roster: Roster) -> str:
    count = len(roster.attesters)
    return f"{count} attester" if count == 1 else f"{count} attesters"
