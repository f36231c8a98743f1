# SPDX-License-Identifier: Apache-2.0
"""One chain of entries in files of its own, for one thread to write.

Touches the files of one directory.  What is in them is only ever added to,
in whole entries: what a full disk took of a write is cut off again, and a
file that somebody else has moved or changed is left to them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.segments import NOTE
from nfv_mla_scheduler.audit.segments import File
from nfv_mla_scheduler.audit.segments import begin
from nfv_mla_scheduler.audit.segments import changed
from nfv_mla_scheduler.audit.segments import note
from nfv_mla_scheduler.audit.segments import open_file
from nfv_mla_scheduler.audit.tails import Tail
from nfv_mla_scheduler.audit.tails import find_tail
from nfv_mla_scheduler.model import Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """What somebody else did to the file that was being written.

    :ivar how: ``gone``, ``other-file``, ``shortened`` or ``lengthened``
    :ivar file: its name
    """

    how: str
    file: str


class Chain:
    """Adds entries to a chain; see ``open_chain``.

    :ivar seq: of the last entry that was added
    :ivar hash: of that entry
    :ivar moves: what was done to its files, for whoever tells it to clear
    :ivar found: what was found where it was told to go, likewise
    """

    def __init__(
        self,
        directory: pathlib.Path,
        origin: str,
        segment_bytes: int,
        above: Sequence[pathlib.Path],
    ) -> None:
        self.moves: list[Move] = []
        self.found: Tail | None = None
        self._segment_bytes, self._note_fd = segment_bytes, -1
        self._directory, self._origin = directory, origin
        self._above, self._astray = above, False
        self.take_up(Tail(0, entry.NOTHING), None)

    def take_up(self, tail: Tail, file: File | None) -> None:
        """Go on from a tail, in a file if there is one for it."""
        self.seq, self.hash = self._end = tail.seq, tail.hash
        # added and not written; written and not synced
        self._buffer: list[bytes] = []
        self._unsynced: list[bytes] = []
        self._buffered_bytes = 0
        self._file = file
        self._size = 0 if file is None else os.fstat(file.fd).st_size
        self._synced_size, self._torn = self._size, False

    @property
    def pending(self) -> bool:
        """Whether there are entries that are not written."""
        return bool(self._buffer)

    @property
    def unsynced(self) -> bool:
        """Whether there are entries that a power cut may take."""
        return bool(self._buffer or self._unsynced)

    @property
    def full(self) -> bool:
        """Whether the next flush is the last one into its file."""
        return self._size + self._buffered_bytes >= self._segment_bytes

    def add(
        self, kind: str, at: Instant, process: str, fields: Mapping[str, Any]
    ) -> None:
        """Add an entry, to be written by the next flush."""
        line = entry.encode(
            self.seq + 1, self.hash, at, self._origin, process, kind, fields
        )
        self._buffer.append(line)
        self._buffered_bytes += len(line)
        self.seq += 1
        self.hash = entry.digest(line[:-1])

    def flush(self, sync: bool, last: bool = False) -> None:
        """Write what was added.

        :param sync: wait until it survives a power cut
        :param last: into the same file, though it is full
        :raises OSError: then nothing was written, and all of it is kept
        """
        if self._astray:
            self._arrive()
        file = self._file
        if file is not None:
            full = self._size >= self._segment_bytes
            self._mend(file.fd)
            if self._moved(file):
                with contextlib.suppress(OSError):  # it is not ours any more
                    os.fdatasync(file.fd)
                self._leave()
            elif self._buffer and full and not last:
                self._sync(file.fd)
                self._leave()
        if self._buffer:
            if file is None or self._file is None:
                first = self.seq + 1 - len(self._buffer)
                file = begin(self._directory, self._above, first)
                self._file = file
            self._write(file.fd)
        if sync and self._unsynced and file is not None:
            self._sync(file.fd)

    def close(self) -> None:
        """Give the files back; what is not written is forgotten."""
        self._leave()

    def go_to(
        self,
        directory: pathlib.Path,
        origin: str,
        above: Sequence[pathlib.Path] = (),
    ) -> None:
        """Go on as another chain, with what is not written yet.

        The next flush finds out where that one ends, or fails.

        :param above: as for ``open_chain``
        """
        self._astray = True
        self.seq, self.hash = 0, entry.NOTHING
        self._directory, self._origin = directory, origin
        self._above = above
        self.close()

    def _arrive(self) -> None:
        """Take up the chain that this one was told to go on as."""
        left = [entry.parse(line[:-1]) for line in self._buffer]
        tail, file = find_tail(self._directory, self._segment_bytes)
        self.take_up(tail, file)
        self.found, self._astray = tail, False
        for found in left:
            if found is not None:
                at = entry.instant(found["at"])
                self.add(found["kind"], at, found["process"], found["fields"])

    def _write(self, fd: int) -> None:
        """Add the buffer to the file."""
        data = memoryview(b"".join(self._buffer))
        count = 0
        self._torn = True
        while count < len(data):
            # What holds the rest back is told when it is asked for.
            written = os.write(fd, data[count:])
            if not written:
                raise OSError(errno.EIO, "nothing is written")
            count += written
        self._torn = False
        self._size += count
        self._end = (self.seq, self.hash)
        self._unsynced += self._buffer
        self._buffer = []
        self._buffered_bytes = 0

    def _sync(self, fd: int) -> None:
        """Have the file survive a power cut, and note how far it does.

        A system that failed to do so may forget that it did: what it was to
        keep is cut off, and written anew.
        """
        try:
            os.fdatasync(fd)
        except OSError:
            self._torn = True
            self._buffer = self._unsynced + self._buffer
            self._buffered_bytes = sum(map(len, self._buffer))
            self._unsynced = []
            self._size = self._synced_size
            raise
        self._synced_size = self._size
        self._unsynced = []
        with contextlib.suppress(OSError):  # behind is no harm
            if self._note_fd < 0:
                path = self._directory / NOTE
                self._note_fd = open_file(path, os.O_WRONLY | os.O_CREAT)
            os.pwrite(self._note_fd, note(*self._end), 0)

    def _mend(self, fd: int) -> None:
        """Cut off what is left of a write that failed."""
        if self._torn:
            if os.fstat(fd).st_size > self._size:
                os.ftruncate(fd, self._size)
            self._torn = False

    def _moved(self, file: File) -> bool:
        """Whether the file is no longer as we left it; note what it is."""
        how = changed(file.path, file.fd, self._size)
        if how:
            self.moves.append(Move(how, file.path.name))
        return bool(how)

    def _leave(self) -> None:
        """Have no file: the next entry begins one."""
        file, self._file = self._file, None
        note_fd, self._note_fd = self._note_fd, -1
        self._size = self._synced_size = 0
        self._unsynced, self._torn = [], False
        if file is not None:
            file.close()
        if note_fd >= 0:
            os.close(note_fd)


def open_chain(
    directory: pathlib.Path,
    origin: str,
    segment_bytes: int,
    above: Sequence[pathlib.Path] = (),
) -> tuple[Chain, Tail]:
    """Return the chain of a directory, to go on with, and what was found.

    Nothing is written before the first flush.

    :param segment_bytes: how large a file grows
    :param above: directories above it that are made too when they are gone
    :raises BlockingIOError: somebody else writes it
    :raises OSError: when it cannot be read
    """
    tail, file = find_tail(directory, segment_bytes)
    chain = Chain(directory, origin, segment_bytes, above)
    chain.take_up(tail, file)
    return chain, tail
