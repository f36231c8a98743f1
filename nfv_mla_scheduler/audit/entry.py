# SPDX-License-Identifier: Apache-2.0
"""One entry of a chain: a bounded line of JSON that holds its predecessor.

Pure.  What is hashed are the bytes of the line without its newline, as they
are in the file: nothing has to be written the same way twice.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant

LINE_MAX = 16384
NAME_MAX = 255
DEPTH_MAX = 6
#: The predecessor of the first entry.
NOTHING = "0" * 64

_ROOM_FOR_REST = 64
_END = "}\n"
_AS_THEY_ARE = frozenset((str, int, bool, type(None)))
# Whatever an entry holds, it begins so.
_HEAD = re.compile(
    rb'\{"seq":([1-9][0-9]{0,17}),"prev":"([0-9a-f]{64})","at":"([^"\\]{1,40})"'
    rb',"origin":"([^"\\]{1,255})","process":"([^"\\]{0,255})"'
    rb',"kind":"([a-z][a-z-]{0,63})","fields":\{'
)


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """How an entry begins.

    :ivar seq: 1 for the first of a chain
    :ivar prev: SHA-256 of the entry before it, hexadecimal
    :ivar at: when it happened, as it is written
    :ivar origin: of the chain
    """

    seq: int
    prev: str
    at: str
    origin: str
    kind: str


def encode(
    seq: int,
    prev: str,
    at: Instant,
    origin: str,
    process: str,
    kind: str,
    fields: Mapping[str, Any],
) -> bytes:
    """Return an entry as a line of at most ``LINE_MAX`` bytes, and a newline.

    Fields that do not fit are left out from the first such on, and
    ``omitted`` among them says how many; fields that cannot be written at all
    are left out together.

    :param process: in which it happened, as a reader knows it
    """
    try:
        begin = _begin(seq, prev, utc(at), origin, process, kind)
    except Exception:  # a name that is none
        begin = _begin(seq, prev, utc(at), origin, "unknown", kind)
    room = LINE_MAX - len(begin) - len(_END)
    try:
        members = plain(fields)
        said = _dumped(members)
        if len(said) > room:
            said = _dumped(_shortened(members, room))
    except Exception:  # whatever a stranger's value does when it is read
        said = '{"omitted":"all"}'
    return f"{begin}{said}{_END}".encode("ascii")


def _begin(
    seq: int, prev: str, at: str, origin: str, process: str, kind: str
) -> str:
    return (
        f'{{"seq":{seq},"prev":"{prev}","at":"{at}","origin":"'
        f'{_word(origin)}","process":"{_word(process)}","kind":"{kind}",'
        '"fields":'
    )


def digest(line: bytes) -> str:
    """Return the hash of an entry, by its line without the newline."""
    return hashlib.sha256(line).hexdigest()


def head(line: bytes) -> Head | None:
    """Return how an entry begins; None: it is none.

    Of what follows nothing is known: whoever needs it parses it.
    """
    found = _HEAD.match(line)
    if found is None or not line.endswith(b"}}"):
        return None
    seq, prev, at, origin, _, kind = found.groups()
    try:
        return Head(
            int(seq),
            prev.decode(),
            at.decode(),
            origin.decode(),
            kind.decode(),
        )
    except UnicodeDecodeError:
        return None


def parse(line: bytes) -> dict[str, Any] | None:
    """Return an entry as its members; None: it is none."""
    if head(line) is None:
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def utc(instant: Instant) -> str:
    """Return ``instant`` in ISO 8601, to the millisecond."""
    try:
        # As datetime does it, whose microseconds are rounded.
        part, second = math.modf(instant)
        micros = round(part * 1e6)
        if 0 <= micros < 1_000_000 and second >= 0:
            return f"{_second(second)}.{micros // 1000:03d}Z"
        time = datetime.datetime.fromtimestamp(instant, datetime.UTC)
    except Exception:  # whatever somebody has taken for a time
        return _no_time(instant)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _no_time(instant: object) -> str:
    """Return what stands in the place of a time that is none."""
    try:
        return _word(bounded(instant, 40)) or "?"
    except Exception:  # not even to be looked at
        return "?"


@functools.lru_cache(maxsize=64)
def _second(second: float) -> str:
    time = datetime.datetime.fromtimestamp(second, datetime.UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def instant(text: str) -> Instant:
    """Return the instant that ``utc`` has written; 0: it is none."""
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` as JSON can hold it."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is dict and depth < DEPTH_MAX:  # nearly all others
        return {
            (_name(name) if type(name) is str else bounded(name, NAME_MAX)): (
                one if type(one) in _AS_THEY_ARE else plain(one, depth + 1)
            )
            for name, one in value.items()
        }
    return _plain(value, depth)


@functools.lru_cache(maxsize=1024)
def _name(text: str) -> str:
    """Return the name of a field; there are few of them."""
    return bounded(text, NAME_MAX)


def _plain(value: Any, depth: int) -> Any:
    """Return what is rare as JSON can hold it."""
    if isinstance(value, bool | int | str):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, enum.Enum):
        return plain(value.value, depth)
    if depth < DEPTH_MAX:
        if isinstance(value, Mapping):
            return {
                bounded(name, NAME_MAX): plain(one, depth + 1)
                for name, one in value.items()
            }
        if isinstance(value, set | frozenset):
            return sorted(bounded(one, NAME_MAX) for one in value)
        if isinstance(value, list | tuple):
            return [plain(one, depth + 1) for one in value]
    elif isinstance(value, Mapping | set | frozenset | list | tuple):
        return "..."  # what is in it may be as deep as it likes
    return bounded(value, NAME_MAX)


@functools.lru_cache(maxsize=256)
def _word(text: str) -> str:
    """Return a name as it stands in a head: there nothing is escaped."""
    said = bounded(text, NAME_MAX)
    return re.sub(r"[^ !#-\[\]-~]", "?", said)


def _shortened(fields: Mapping[str, Any], room: int) -> dict[str, Any]:
    """Return the first fields, as many as there is room for."""
    found: dict[str, Any] = {}
    room -= len("{}") + _ROOM_FOR_REST
    for name, value in fields.items():
        room -= len(_dumped({name: value}))
        if room < 0:
            break
        found[name] = value
    found["omitted"] = len(fields) - len(found)
    return found


_dumped = json.JSONEncoder(separators=(",", ":")).encode
