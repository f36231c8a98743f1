# SPDX-License-Identifier: Apache-2.0
"""The file of what people said, and of what is held.

Touches one small file, and a lock beside it.  The running monitor and the
commands of people both change it: each change reads, changes and writes under
the lock.  A file that cannot be read holds everything but fences: whoever can
damage it must not thereby set anything going.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.holding import file as holds_file
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.holding.holds import HoldsFault
from nfv_mla_scheduler.monitor.holding.holds import Word
from nfv_mla_scheduler.results import strict_json

FILE = pathlib.PurePath("monitor", "holds.json")
VERSION = 1
BYTES_MAX = 2**18
ENTRIES_MAX = 256
REASON_MAX = 200
T = TypeVar("T")


def place(state_dir: str | os.PathLike[str]) -> pathlib.Path:
    """Return where the file is."""
    return pathlib.Path(state_dir) / FILE


def read(path: pathlib.Path) -> Holds:
    """Return what the file says; nothing at the first start.

    What cannot be read has a ``fault``, and is nothing that can be written.
    """
    try:
        data = WatchedFile(path, BYTES_MAX).changed() or b""
        return _parse(data)
    except Missing:
        return Holds()
    except Unread as exc:
        said = exc.reason
    except ResultsRefused as exc:
        said = str(exc)
    return Holds(fault=bounded(f"{path}: {said}", 200))


def write(path: pathlib.Path, holds: Holds) -> None:
    """Put ``holds`` in the place of the file, in one step.

    :raises HoldsFault: when that cannot be done
    """
    if holds.fault:
        raise HoldsFault(holds.fault)
    members = {"version": VERSION, **dataclasses.asdict(holds)}
    del members["fault"]
    data = json.dumps(members, indent=1, sort_keys=True).encode() + b"\n"
    try:
        # What cannot be read again would hold everything from then on.
        _parse(data)
        if len(data) > BYTES_MAX:
            raise HoldsFault(f"{path}: there is no room for more")
        holds_file.replace(path, data)
    except ResultsRefused as exc:
        raise HoldsFault(str(exc)) from None
    except OSError as exc:
        raise _fault(path, exc) from None


def change(path: pathlib.Path, alter: Callable[[Holds], Holds]) -> Holds:
    """Read, change and write under the lock; return what is there then.

    :raises HoldsFault: when it cannot be read, or not be written
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with holds_file.locked(path):
            before = read(path)
            if before.fault:
                raise HoldsFault(before.fault)
            after = alter(before)
            if after != before:
                write(path, after)
            return after
    except holds_file.Locked:
        raise HoldsFault(f"{path}: is locked by another process") from None
    except OSError as exc:
        raise _fault(path, exc) from None


def _parse(data: bytes) -> Holds:
    """:raises ResultsRefused: when it is not what we write."""
    raw = strict_json.parse(data, "holds")
    names = ("paused", "suspects", "braked", "authorities", "servers")
    it = strict_json.fields(raw, "holds", ("version", *names, "settled"))
    if it["version"] != VERSION:
        raise strict_json.invalid("version", "is not known", it["version"])
    return Holds(
        None if it["paused"] is None else _read_word(it["paused"], "paused"),
        _read_entries(it["suspects"], "suspects", _read_at),
        _read_entries(it["braked"], "braked", _read_at),
        _read_entries(it["authorities"], "authorities", _read_word),
        _read_entries(it["servers"], "servers", _read_word),
        _read_entries(it["settled"], "settled", _read_at),
    )


def _read_entries(
    raw: Any, path: str, each: Callable[[Any, str], T]
) -> Mapping[str, T]:
    found = strict_json.mapping(raw, path)
    if len(found) > ENTRIES_MAX:
        raise strict_json.invalid(path, f"has more than {ENTRIES_MAX} entries")
    for name in found:
        if not strict_json.is_name(name):
            raise strict_json.invalid(path, "has an unfit name", name)
    return {name: each(value, path) for name, value in found.items()}


def _read_at(raw: Any, path: str) -> Instant:
    if not strict_json.is_number(raw):
        raise strict_json.invalid(path, "must be seconds since 1970", raw)
    return float(raw)


def _read_word(raw: Any, path: str) -> Word:
    it = strict_json.fields(raw, path, ("until", "reason", "by", "at"))
    for name in ("reason", "by"):
        if type(it[name]) is not str or len(it[name]) > REASON_MAX:
            raise strict_json.invalid(path, f"has an unfit {name}")
    return Word(
        _read_at(it["until"], path), it["reason"], it["by"],
        _read_at(it["at"], path),
    )  # fmt: skip


def _fault(path: pathlib.Path, exc: OSError) -> HoldsFault:
    return HoldsFault(f"{path}: {exc.strerror or 'I/O error'}")
