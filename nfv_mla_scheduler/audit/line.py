# SPDX-License-Identifier: Apache-2.0
"""An audit event as one bounded line of JSON.

Pure.  Whatever the fields hold, what comes out is one line of ASCII that any
JSON parser reads.
"""

from __future__ import annotations

import datetime
import enum
import json
import math
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant

LINE_MAX = 16384
NAME_MAX = 255
DEPTH_MAX = 6

_ROOM_FOR_REST = 64


def encode(event: Event, pid: int) -> bytes:
    """Return ``event`` as a line of at most ``LINE_MAX`` bytes.

    Fields that do not fit are left out from the first such on, and
    ``omitted`` says how many; fields that cannot be written at all are left
    out together.
    """
    line: dict[str, Any] = {
        "at": utc(event.at),
        "kind": event.kind.value,
        "origin": bounded(event.origin, NAME_MAX),
        "pid": pid,
    }
    try:
        line["fields"] = _plain(event.fields, 0)
        encoded = _dumped(line)
        if len(encoded) > LINE_MAX:
            encoded = _dumped(_shortened(line))
    except Exception:  # whatever a stranger's value does when it is read
        encoded = _dumped({**line, "fields": {}, "omitted": "all"})
    return encoded


def utc(instant: Instant) -> str:
    """Return ``instant`` in ISO 8601, to the millisecond."""
    try:
        time = datetime.datetime.fromtimestamp(instant, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return str(instant)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shortened(line: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    bare = {**line, "fields": fields}
    room = LINE_MAX - len(_dumped(bare)) - _ROOM_FOR_REST
    for name, value in line["fields"].items():
        room -= len(_dumped({name: value}))
        if room < 0:
            break
        fields[name] = value
    bare["omitted"] = len(line["fields"]) - len(fields)
    return bare


def _dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _plain(value: Any, depth: int) -> Any:
    """Return ``value`` as JSON can hold it."""
    if value is None or isinstance(value, bool | int | str):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, enum.Enum):
        return _plain(value.value, depth)
    if depth < DEPTH_MAX:
        if isinstance(value, Mapping):
            return {
                bounded(key, NAME_MAX): _plain(entry, depth + 1)
                for key, entry in value.items()
            }
        if isinstance(value, set | frozenset):
            return sorted(bounded(entry, NAME_MAX) for entry in value)
        if isinstance(value, list | tuple):
            return [_plain(entry, depth + 1) for entry in value]
    return bounded(value, NAME_MAX)
