# SPDX-License-Identifier: Apache-2.0
"""New lines of all chains of a ledger that is being written.

Touches files, read only.  Origins and segments that come while it looks are
found; a segment that is renamed or removed is read to its end first.
"""

from __future__ import annotations

import os
import pathlib
import re
import stat
from collections.abc import Callable
from collections.abc import Iterator

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.reading import files

# Of each chain, what is looked at of what there is already.
PAST_BYTES = 1 << 18
# Of each chain, what is read before others have their turn.
LOOK_BYTES = 1 << 21
_READ_BYTES = 1 << 18
# As its writer calls it: the second of one name has a number behind it.
_SEGMENT = re.compile(r"([0-9]{20})\.jsonl(?:\.([0-9]{1,4}))?")


class Tail:
    """The lines of one chain, from somewhere on.

    A line that is not whole yet is read again: when its writer starts anew it
    cuts that off, and another comes in its place.

    :param past: whether what is there already is read, as far as
        ``PAST_BYTES`` go; else it is read from its first line
    :ivar behind: whether there is more than was read the last time
    """

    def __init__(self, directory: pathlib.Path, past: bool) -> None:
        self._directory = directory
        self._fd = -1
        self._name = ""
        self._offset = self._left = 0
        self.behind = False
        self._seen: tuple[int, int] | None = None
        if past:
            self._skip()

    def lines(self) -> Iterator[bytes]:
        """Yield whole lines that have come since, without newlines.

        No more of them than ``LOOK_BYTES``; ``behind`` says if there are.

        :raises OSError: when they cannot be read
        """
        self._left = LOOK_BYTES
        while self._fd >= 0 or self._open_next():
            yield from self._rest()
            if self.behind or not self._later():
                return
            # what was written between the last look and the rotation
            yield from self._rest()
            if self.behind:
                return
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _names(self) -> list[str]:
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return []
        return sorted(filter(_SEGMENT.fullmatch, names), key=_order)

    def _skip(self) -> None:
        """Begin near the end of what there is."""
        names = self._names()
        if not names or not self._open(names[-1]):
            return
        size = os.fstat(self._fd).st_size
        if size > PAST_BYTES:
            self._offset = size - PAST_BYTES
            data = os.pread(self._fd, entry.LINE_MAX + 1, self._offset)
            self._offset += data.find(b"\n") + 1

    def _open_next(self) -> bool:
        return any(self._open(name) for name in self._later())

    def _later(self) -> list[str]:
        """Return the segments that come after the one that was open last.

        That one itself may have another name now; and one of its name is
        another file, if it was renamed before anything was in it.
        """
        return [
            name
            for name in self._names()
            if _order(name) >= _order(self._name)
            and self._look(name) != self._seen
        ]

    def _look(self, name: str) -> tuple[int, int] | None:
        try:
            seen = os.stat(self._directory / name)
        except FileNotFoundError:
            return self._seen
        return seen.st_dev, seen.st_ino

    def _open(self, name: str) -> bool:
        # a pipe of that name must not keep us
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            fd = os.open(self._directory / name, flags)
        except FileNotFoundError:
            return False
        seen = os.fstat(fd)
        if not stat.S_ISREG(seen.st_mode):
            os.close(fd)
            return False
        self._fd, self._name, self._offset = fd, name, 0
        self._seen = seen.st_dev, seen.st_ino
        return True

    def _rest(self) -> Iterator[bytes]:
        """Yield what is left of the file, as far as there is time for it."""
        while self._left > 0:
            data = os.pread(self._fd, _READ_BYTES, self._offset)
            end = data.rfind(b"\n")
            if end < 0:
                if len(data) < _READ_BYTES:
                    self.behind = False
                    return
                end = len(data) - 1  # no entry is that long
            self._offset += end + 1
            self._left -= end + 1
            yield from data[:end].split(b"\n")
        self.behind = True


def _order(name: str) -> tuple[int, int]:
    found = _SEGMENT.fullmatch(name)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


class Following:
    """The new lines of all chains of a ledger.

    :param wants: whether a chain is of interest
    """

    def __init__(
        self,
        directory: pathlib.Path,
        wants: Callable[[files.ChainFiles], bool],
    ) -> None:
        self._directory = directory
        self._wants = wants
        self._tails: dict[pathlib.Path, Tail] = {}
        self._first = True

    def look(self) -> Iterator[tuple[pathlib.Path, Iterator[bytes]]]:
        """Yield each chain's directory, and the lines that have come in it.

        At first those that were there already, as far as ``PAST_BYTES`` go.

        :raises LedgerUnreadable: when there is no such directory
        :raises OSError: when a file cannot be read
        """
        for chain in files.chains(self._directory):
            if not self._wants(chain):
                continue
            tail = self._tails.get(chain.directory)
            if tail is None:
                tail = Tail(chain.directory, self._first)
                self._tails[chain.directory] = tail
            yield chain.directory, tail.lines()
        self._first = False

    @property
    def behind(self) -> bool:
        """Whether there is more than was read the last time."""
        return any(tail.behind for tail in self._tails.values())

    def close(self) -> None:
        """Let go of all files."""
        for tail in self._tails.values():
            tail.close()
