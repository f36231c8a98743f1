# SPDX-License-Identifier: Apache-2.0
"""Fields of a JSON answer, each checked.  Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.unread import Faults

WORD_MAX = 255
_T = TypeVar("_T")

is_uuid = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch


class Unreadable(Exception):
    """A part of an answer is not what it should be.

    :ivar fault: which one and how, bounded
    """

    def __init__(self, name: str, wanted: str, found: object) -> None:
        self.fault = bounded(
            f"{name} is no {wanted}: {bounded(repr(found), 40)}", 120
        )
        super().__init__(self.fault)


def mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a JSON object."""
    if type(value) is not dict:
        raise Unreadable(name, "object", value)
    return value


def items(answer: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list in ``answer`` that has this name."""
    value = answer.get(name)
    if type(value) is not list:
        raise Unreadable(name, "list", value)
    return value


def word(raw: Mapping[str, Any], name: str) -> str:
    """Return a short text that must not be empty."""
    value = raw.get(name)
    if type(value) is not str or not 0 < len(value) <= WORD_MAX:
        raise Unreadable(name, "short text", value)
    return value


def optional(raw: Mapping[str, Any], name: str) -> str:
    """Return a short text; ``null`` is an empty one."""
    value = raw.get(name)
    if value is None:
        return ""
    if type(value) is not str or len(value) > WORD_MAX:
        raise Unreadable(name, "short text", value)
    return value


def identifier(raw: Mapping[str, Any], name: str) -> str:
    """Return a UUID."""
    value = raw.get(name)
    if type(value) is not str or not is_uuid(value):
        raise Unreadable(name, "UUID", value)
    return value


def each(
    listed: Iterable[object], read: Callable[[object], _T], faults: Faults
) -> list[_T]:
    """Return those that can be read; the others are counted."""
    found = []
    for raw in listed:
        try:
            found.append(read(raw))
        except Unreadable as exc:
            faults.add(exc.fault)
    return found


def readable_id(raw: object, name: str = "id") -> str:
    """Return the UUID of what may be unreadable otherwise; empty: none."""
    value = raw.get(name) if type(raw) is dict else None
    return value if type(value) is str and is_uuid(value) else ""


def number(raw: Mapping[str, Any], name: str) -> int:
    """Return an integer that is not negative."""
    value = raw.get(name)
    if type(value) is not int or value < 0:
        raise Unreadable(name, "number", value)
    return value


def truth(raw: Mapping[str, Any], name: str) -> bool:
    """Return a boolean."""
    value = raw.get(name)
    if type(value) is not bool:
        raise Unreadable(name, "boolean", value)
    return value


def instant(raw: Mapping[str, Any], name: str) -> Instant:
    """Return a time; one without a zone is UTC, as everywhere in Nova."""
    value = raw.get(name)
    try:
        moment = _read(value)  # type: ignore[arg-type]
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        raise Unreadable(name, "time", value) from None


_read = datetime.datetime.fromisoformat
