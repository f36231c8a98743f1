# SPDX-License-Identifier: Apache-2.0
"""What is known of departures, in a file that outlives the process.

Touches that file.  It names servers and profiles, and nobody but the monitor
has to read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.monitor.cleaning.account import NOBODY
from nfv_mla_scheduler.monitor.cleaning.account import Book
from nfv_mla_scheduler.monitor.cleaning.account import Departure
from nfv_mla_scheduler.monitor.cleaning.account import Stay
from nfv_mla_scheduler.monitor.holding import file as holds_file
from nfv_mla_scheduler.results import strict_json

FILE = pathlib.PurePath("monitor", "departures.json")
DAMAGED = ".damaged"
VERSION = 1
BYTES_MAX = 64 * 2**20


class CleanUpFault(NfvMlaError):
    """What is known of departures cannot be read or written."""

    code = "departures"


def place(state_dir: str | os.PathLike[str]) -> pathlib.Path:
    """Return where the file is."""
    return pathlib.Path(state_dir) / FILE


def read(path: pathlib.Path) -> Book:
    """Return what the file says; nothing at the first start.

    :raises CleanUpFault: when it cannot be read, or is damaged
    """
    try:
        return _parse(WatchedFile(path, BYTES_MAX).changed() or b"")
    except Missing:
        return Book()
    except Unread as exc:
        said = exc.reason
    except ResultsRefused as exc:
        said = str(exc)
    raise CleanUpFault(bounded(f"{path}: {said}", 200))


def write(path: pathlib.Path, book: Book) -> None:
    """Put ``book`` in the place of the file, in one step.

    :raises CleanUpFault: when that cannot be done
    """
    data = json.dumps(_members(book), separators=(",", ":")).encode()
    try:
        if len(data) > BYTES_MAX:
            raise CleanUpFault(f"{path}: there is no room for more")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        holds_file.replace(path, data)
    except OSError as exc:
        reason = exc.strerror or "I/O error"
        raise CleanUpFault(f"{path}: {reason}") from None


def set_aside(path: pathlib.Path) -> None:
    """Keep a file that cannot be read, for people, under another name."""
    with contextlib.suppress(OSError):
        os.replace(path, path.with_name(path.name + DAMAGED))


def _members(book: Book) -> Mapping[str, Any]:
    return {
        "version": VERSION,
        "stays": {
            uuid: [stay.project_id, sorted(stay.profiles), sorted(stay.nodes)]
            for uuid, stay in book.stays.items()
        },
        "moves": dict(book.moves),
        "departures": [
            [each.node, each.project_id, sorted(each.profiles), each.since]
            for each in book.departures
        ],
    }


def _parse(data: bytes) -> Book:
    """:raises ResultsRefused: when it is not what we write."""
    raw = strict_json.parse(data, "departures")
    names = ("version", "stays", "moves", "departures")
    it = strict_json.fields(raw, "departures", names)
    if it["version"] != VERSION:
        raise strict_json.invalid("version", "is not known", it["version"])
    stays = strict_json.mapping(it["stays"], "stays")
    moves = strict_json.mapping(it["moves"], "moves")
    _names([*stays, *moves, *moves.values()], "stays")
    return Book(
        {uuid: _stay(each) for uuid, each in stays.items()},
        moves,
        tuple(
            _departure(each)
            for each in strict_json.array(it["departures"], "departures")
        ),
    )


def _stay(raw: Any) -> Stay:
    project, profiles, nodes = _row(raw, "stays", 3)
    _names([project], "stays")
    return Stay(
        project, _names(profiles, "stays"), _names(nodes, "stays"), seen=False
    )


def _departure(raw: Any) -> Departure:
    node, project, profiles, since = _row(raw, "departures", 4)
    _names([node], "departures")
    if project != NOBODY:
        _names([project], "departures")
    return Departure(
        node,
        project,
        _names(profiles, "departures"),
        strict_json.number(since, "departures"),
    )


def _row(raw: Any, path: str, length: int) -> list[Any]:
    row = strict_json.array(raw, path)
    if len(row) != length:
        raise strict_json.invalid(path, "has a row of another length")
    return row


def _names(raw: Any, path: str) -> frozenset[str]:
    found = strict_json.array(raw, path)
    for name in found:
        if not strict_json.is_name(name):
            raise strict_json.invalid(path, "has an unfit name", name)
    return frozenset(found)
