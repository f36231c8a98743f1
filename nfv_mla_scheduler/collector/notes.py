# SPDX-License-Identifier: Apache-2.0
"""Which document a collector published last, noted where it keeps its state.

Touches one file of ``state_dir``.  Whoever can write where documents are
published could put back an older one, signed all the same; a restart must not
make it new.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json

FILE = "collector-published.json"
BYTES_MAX = 2**16


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """One document, and by what all in it was checked.

    :ivar sha256: of the whole document, hexadecimal
    :ivar policy: digest of the policy
    :ivar rules: authority -> the rules of its driver
    """

    sha256: str
    issued_at: Instant
    policy: str = ""
    rules: Mapping[str, str] = dataclasses.field(default_factory=dict)


class NoteFault(Exception):
    """The notes cannot be read or written.

    :ivar reason: one line for an operator
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Notes:
    """The note of the document that is in its place, and of the next one.

    Two at most: while a document is being put in its place nobody knows which
    of the two would be found there after a kill.
    """

    def __init__(self, directory: pathlib.Path) -> None:
        self._path = directory / FILE
        self._there: Note | None = None

    def read(self) -> tuple[Note, ...]:
        """Return what is noted; nothing at the first start.

        :raises NoteFault: when there is something that cannot be taken
        """
        try:
            data = WatchedFile(self._path, BYTES_MAX).changed() or b""
        except Missing:
            return ()
        except Unread as exc:
            raise NoteFault(f"{self._path}: {exc.reason}") from None
        try:
            return tuple(_note(raw) for raw in json.loads(data)["documents"])
        except (ValueError, LookupError, TypeError, RecursionError):
            raise NoteFault(f"{self._path}: is damaged") from None

    @property
    def issued_at(self) -> Instant | None:
        """When the last document was issued; None: nobody knows."""
        try:
            return max((n.issued_at for n in self.read()), default=None)
        except NoteFault:
            return None

    def find(self, data: bytes) -> Note:
        """Return the note of a document that was published last.

        :raises NoteFault: when it was not, or nobody knows
        """
        notes = self.read()
        if not notes:
            raise NoteFault(
                f"{self._path}: there is no note of what was published last, "
                "as after an upgrade or with a new state_dir"
            )
        digest = hashlib.sha256(data).hexdigest()
        for note in notes:
            if note.sha256 == digest:
                self._there = note
                return note
        raise NoteFault(
            "is not the document that was published last, of which "
            f"{bounded(self._path, 100)} has the digest"
        )

    def before(self, note: Note) -> None:
        """Note a document that is about to be put in its place.

        :raises NoteFault: when that cannot be written
        """
        there = [] if self._there is None else [self._there]
        self._write([*there, note])

    def after(self, note: Note) -> None:
        """Note that it is there now, and no other.

        :raises NoteFault: when that cannot be written
        """
        self._there = note
        self._write([note])

    def _write(self, notes: list[Note]) -> None:
        members = {"documents": [dataclasses.asdict(note) for note in notes]}
        data = json.dumps(members).encode() + b"\n"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self._path, data)
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            raise NoteFault(
                f"{self._path} cannot be written: {reason}"
            ) from None


def _replace(path: pathlib.Path, data: bytes) -> None:
    """Replace a file in one step; only its owner can read it."""
    # One name: who has the place is the only one that writes it.
    new = path.with_name(f"{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    descriptor = os.open(new, flags | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _note(raw: Any) -> Note:
    """Return a note.

    :raises ValueError: and the like, when it is none
    """
    note = Note(**raw)
    if not (
        strict_json.is_name(note.sha256)
        and strict_json.is_number(note.issued_at)
        and type(note.policy) is str
        and type(note.rules) is dict
        and all(type(rule) is str for rule in note.rules.values())
    ):
        raise ValueError
    return note
