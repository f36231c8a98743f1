# SPDX-License-Identifier: Apache-2.0
"""The files of a ledger: whose chains there are, and their lines in order.

Touches files, read only, also of a ledger that is being written.  Nothing is
believed of what the lines say, but where a file belongs whose name does not
tell: one that was renamed or compressed by whoever rotates logs is found too.
"""

from __future__ import annotations

import collections
import dataclasses
import gzip
import pathlib
import re
import stat
import zlib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import IO
from typing import NamedTuple

from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.reading.splitting import split
from nfv_mla_scheduler.audit.reading.splitting import unpacked_most
from nfv_mla_scheduler.errors import NfvMlaError

#: In an origin's directory: a directory with one of each sealed domain.
SEALED = "sealed"

_NAMED = re.compile(r"([0-9]{20})\.jsonl(?:[.-].*)?")
_SEGMENT = re.compile(r".*\.jsonl(?:[.-][A-Za-z0-9._-]*)?")
_COMPRESSED = ".gz"
# How many lines say where such a file belongs: one of them may be damaged.
_VOTERS = 8
_READ_BYTES = 1 << 18


class LedgerUnreadable(NfvMlaError):
    """A directory or a file of a ledger cannot be read."""

    code = "ledger-unreadable"


@dataclasses.dataclass(frozen=True, slots=True)
class ChainFiles:
    """Where a chain is.

    :ivar origin: as its entries should have it
    :ivar domain: the trust domain that it is sealed for; None: anybody's
    """

    origin: str
    directory: pathlib.Path
    domain: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A file of a chain.

    :ivar first: seq that it begins with, as its name has it, or else its
        lines; 0: neither says
    :ivar size: in bytes, when it was listed; None: it is compressed
    """

    path: pathlib.Path
    first: int
    size: int | None


class Line(NamedTuple):
    """A line of a file, whatever it may hold.

    :ivar number: counted from 1
    :ivar raw: without its newline; no longer than an entry can be, and a byte
    :ivar whole: whether it ends in a newline, or is too long for any line
    """

    path: pathlib.Path
    number: int
    raw: bytes
    whole: bool


def origins(directory: pathlib.Path) -> list[pathlib.Path]:
    """Return the directories of a ledger's origins, by name.

    :raises LedgerUnreadable: when there is no such directory
    """
    return _directories(directory)


def sealed(origin: pathlib.Path) -> list[pathlib.Path]:
    """Return the directories of an origin's sealed chains, by domain.

    :raises LedgerUnreadable: when they cannot be listed
    """
    inside = origin / SEALED
    return _directories(inside) if inside.is_dir() else []


def chains(directory: pathlib.Path) -> list[ChainFiles]:
    """Return every chain of a ledger; an origin's sealed ones follow its own.

    :raises LedgerUnreadable: when they cannot be listed
    """
    found = []
    for origin in origins(directory):
        found.append(ChainFiles(origin.name, origin))
        found += [
            ChainFiles(f"{origin.name}/{one.name}", one, one.name)
            for one in sealed(origin)
        ]
    return found


def segments(chain: pathlib.Path) -> list[Segment]:
    """Return the files of the chain in a directory, in the order of its seq.

    What comes later may be there already, and more may be added to the last.

    :raises LedgerUnreadable: when they cannot be listed
    """
    found = []
    for path in _names(chain):
        if not _SEGMENT.fullmatch(path.name):
            continue
        try:
            seen = path.stat()
        except OSError:  # a moment ago it was there
            continue
        if stat.S_ISREG(seen.st_mode):  # a pipe would have no end
            packed = path.suffix == _COMPRESSED
            size = None if packed else seen.st_size
            found.append(Segment(path, _first(path), size))
    plain = {one.path.name for one in found}
    return sorted(
        # while a file is being compressed there are both
        (
            one
            for one in found
            if one.size is not None or one.path.stem not in plain
        ),
        key=lambda one: (one.first, len(one.path.name), one.path.name),
    )


def lines(segment: Segment) -> Iterator[Line]:
    """Return the lines that a file had when it was listed, one after another.

    :raises LedgerUnreadable: when it cannot be read, or not to its end
    """
    path = _where(segment)
    number = 0
    try:
        with _opened(path) as file:
            size = None if path.suffix == _COMPRESSED else segment.size
            most = unpacked_most(path) if size is None else None
            for raw, whole in split(file, size):
                number += 1
                if most is not None and file.tell() > most:
                    raise LedgerUnreadable(
                        f"{path}: is not read beyond line {number}: it "
                        f"unpacks to more than {most} bytes"
                    )
                yield Line(path, number, raw, whole)
    except (OSError, EOFError, zlib.error) as exc:
        said = exc.strerror if isinstance(exc, OSError) else None
        raise LedgerUnreadable(
            f"{path}: cannot be read beyond line {number}: "
            f"{said or 'it is damaged'}"
        ) from None


def _where(segment: Segment) -> pathlib.Path:
    """Return where a file is that may have been renamed or compressed."""
    if not segment.path.exists():
        for one in segments(segment.path.parent):
            if one.first == segment.first:
                return one.path
    return segment.path


def chain_lines(found: Iterable[Segment]) -> Iterator[Line]:
    """Return the lines of all these files.

    :raises LedgerUnreadable: when one cannot be read, or not to its end
    """
    for segment in found:
        yield from lines(segment)


def _first(path: pathlib.Path) -> int:
    """Return the seq that a file begins with, by its name or its lines."""
    named = _NAMED.fullmatch(path.name)
    if named is not None:
        return int(named[1])
    signs: collections.Counter[int] = collections.Counter()
    try:
        with _opened(path) as file:
            for place in range(_VOTERS):
                raw = file.readline(entry.LINE_MAX + 1).rstrip(b"\n")
                found = entry.head(raw)
                if found is not None and found.seq > place:
                    signs[found.seq - place] += 1
    except (OSError, EOFError, zlib.error):
        pass  # whoever reads it is told
    return signs.most_common(1)[0][0] if signs else 0


def _opened(path: pathlib.Path) -> IO[bytes] | gzip.GzipFile:
    if path.suffix == _COMPRESSED:
        return gzip.open(path)
    return path.open("rb", buffering=_READ_BYTES)


def _directories(directory: pathlib.Path) -> list[pathlib.Path]:
    return [path for path in _names(directory) if path.is_dir()]


def _names(directory: pathlib.Path) -> list[pathlib.Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as exc:
        raise LedgerUnreadable(f"{directory}: {exc.strerror}") from None
