# SPDX-License-Identifier: Apache-2.0
"""What may be said of a sealed trust domain, also to itself.

Pure.  Ids and codes, times and numbers, and each by a name that is listed
here: an interception is given away by more than its target's name, and
whoever may read the domain's entries need not know it (GR NFV-SEC 009, Tables
6 and 8).
"""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit.entry import utc
from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.audit.port import Event
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant

#: Of one entry, in bytes: each fits into a block, beside a note of drops.
ENTRY_MAX = 3072

_WHO = """
server project host hosts servers provider subject node_uuid aggregate
from to at before after
"""
_FOUND = """
request action candidates counts refusals codes code finding axis kind topic
permissive evicts soft terms waived waivers officer by_project profile profiles
pool authority authorities attester what trait traits
"""
_DONE = """
step ask outcome mark migration task state lost via rank wave held why
failing of count tries deadline since until halt_by
"""
_BY = """
policy_version policy_digest results_age_s generation version digest dropped
"""
#: What may be said of a sealed domain, by the names of fields.
FIELDS = frozenset(f"{_WHO} {_FOUND} {_DONE} {_BY}".split())

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+=-]{0,127}")
_DEPTH_MAX = 4


def encode(event: Event) -> bytes:
    """Return what a block may hold of ``event``, in ``ENTRY_MAX`` bytes.

    Fields that are not in ``FIELDS`` are left out; ``omitted`` counts those
    that are, and whose values are no codes or do not fit.
    """
    line: dict[str, Any] = {
        "at": utc(event.at),
        "process": bounded(event.origin, 128),
        "kind": event.kind.value,
    }
    fields: dict[str, Any] = {}
    omitted = 0
    room = ENTRY_MAX - len(_dumped({**line, "fields": {"omitted": 10**6}}))
    for name in event.fields:
        if name not in FIELDS:
            continue
        try:
            told = _told(event.fields[name])
            size = len(_dumped({name: told}))
        except Exception:  # whatever a stranger's value does when it is read
            size = ENTRY_MAX
        if size > room:
            omitted += 1
            continue
        room -= size
        fields[name] = told
    if omitted:
        fields["omitted"] = omitted
    return _dumped({**line, "fields": fields})


def encode_drops(
    count: int, since: Instant, at: Instant, process: str
) -> bytes:
    """Return an entry that says how many others there are not."""
    fields: dict[str, JSON] = {"dropped": count, "since": utc(since)}
    return encode(Event(EventKind.EVENTS_DROPPED, at, process, fields))


def _told(value: Any, depth: int = 0) -> Any:
    """Return a value if it is made of codes and numbers.

    :raises ValueError: it is not
    """
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        if value and not _CODE.fullmatch(value):
            raise ValueError("no code")
        return value
    if depth < _DEPTH_MAX:
        if isinstance(value, Mapping):
            return _told_mapping(value, depth + 1)
        if isinstance(value, set | frozenset):
            return sorted(_told(item, depth + 1) for item in value)
        if isinstance(value, list | tuple):
            return [_told(item, depth + 1) for item in value]
    raise ValueError("no code")


def _told_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    """Return counts by their codes, and of the rest what has a known name."""
    told = {}
    for name, item in value.items():
        if not _CODE.fullmatch(name):
            raise ValueError("no code")
        if name in FIELDS or isinstance(item, bool | int | float):
            told[name] = _told(item, depth)
    return told


def _dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
