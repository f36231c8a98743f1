# SPDX-License-Identifier: Apache-2.0
"""An entry in the words of CADF 1.0 (DMTF DSP0262).

Pure: values only.  Whoever exports makes events of them.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit.cadf_rows import ACTIONS
from nfv_mla_scheduler.audit.cadf_rows import FAILURE
from nfv_mla_scheduler.audit.cadf_rows import OTHER
from nfv_mla_scheduler.audit.cadf_rows import ROWS
from nfv_mla_scheduler.audit.cadf_rows import SUCCESS
from nfv_mla_scheduler.audit.cadf_rows import UNKNOWN
from nfv_mla_scheduler.audit.cadf_rows import Part
from nfv_mla_scheduler.audit.cadf_rows import Row
from nfv_mla_scheduler.audit.cadf_rows import Type
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.shown import Shown
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NEVER

#: Ids of what has none are UUIDs of version 5 below this one.
NAMESPACE = uuid.UUID("d137c02a-6673-41f0-9dff-5864bc3a0f1d")
ATTACHED = "mime:application/json"
REASON = "nfv-mla:code"
REASON_MAX = 240
BEGINNING = "1970-01-01T00:00:00.000+00:00"

_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """Somebody or something.

    :ivar type: of CADF's taxonomy of resources
    """

    id: str
    type: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """All that an event of CADF has to say.

    :ivar time: as DSP0262 writes it, with the distance from UTC
    :ivar reason: a code; of every event but those of monitoring
    :ivar measure: value and unit; of those of monitoring only
    """

    id: str
    kind: str
    type: Type
    time: str
    action: str
    outcome: str
    initiator: Resource
    target: Resource
    observer: Resource
    reason: str | None
    measure: tuple[float, str, str] | None
    attachments: Mapping[str, Mapping[str, Any]]


_OUTCOMES = {"done": SUCCESS, "unsure": UNKNOWN, "": UNKNOWN}

_SERVICE = "service/security"
_TYPES = {
    Part.PROCESS: _SERVICE,
    Part.PROJECT: "data/security/project",
    Part.PERSON: "data/security/account/user",
    Part.SERVER: "compute/machine",
    Part.POLICY: "data/security/policy",
    Part.RESULTS: "data/security",
    Part.AUTHORITY: _SERVICE,
    Part.LEDGER: "data/file/log",
}
_HOST = "compute/node"
# Where codes stand, the first that is there.
_CODES = (
    *("outcome", "code", "codes", "refusals", "counts"),
    *("finding", "why", "topic"),
)


def is_exported(shown: Shown) -> bool:
    """Whether there is anything to export of an entry."""
    return shown.kind != EventKind.SEALED.value


def record(shown: Shown) -> Record:
    """Return what an entry says, in the words of CADF."""
    row = _row(shown.kind)
    observer = Resource(id_of("origin", shown.origin), _SERVICE, shown.origin)
    monitors = row.type is Type.MONITOR
    return Record(
        id=str(uuid.uuid5(NAMESPACE, place(shown))),
        kind=shown.kind,
        type=row.type,
        time=_time(shown),
        action=row.action or _action(shown.fields),
        outcome=row.outcome
        or _OUTCOMES.get(_word(shown.fields, "outcome"), FAILURE),
        initiator=_part(row.initiator, shown, observer),
        target=_part(row.target, shown, observer),
        observer=observer,
        reason=None if monitors else _reason(shown),
        measure=_measure(row, shown.fields) if monitors else None,
        attachments={"ledger": _whence(shown), "fields": shown.fields},
    )


def place(shown: Shown) -> str:
    """Return where an entry is: its event has an id made of that."""
    domain = f"/{shown.domain}" if shown.domain is not None else ""
    within = f".{shown.place}" if shown.place else ""
    return f"{shown.origin}{domain}#{shown.seq}{within}"


def id_of(what: str, name: str) -> str:
    """Return an id for what a name means; a UUID is its own."""
    if _UUID.fullmatch(name):
        return name
    return str(uuid.uuid5(NAMESPACE, f"{what}:{name}"))


def _row(kind: str) -> Row:
    try:
        return ROWS.get(EventKind(kind), OTHER)
    except ValueError:
        return OTHER


def _time(shown: Shown) -> str:
    if shown.time == NEVER:
        return BEGINNING
    return shown.at.removesuffix("Z") + "+00:00" * shown.at.endswith("Z")


def _action(fields: Mapping[str, Any]) -> str:
    ask = _word(fields, "ask")
    action = ACTIONS.get(ask, "update")
    plain = re.fullmatch(r"[A-Za-z-]{1,32}", ask) is not None
    return f"{action}/{ask}" if plain and ask != action else action


def _part(part: Part, shown: Shown, process: Resource) -> Resource:
    """Return who or what a part is, where an entry names it."""
    fields = shown.fields
    if part is Part.SUBJECT:
        return _subject(shown, process)
    if part is Part.SERVER:
        server = _word(fields, "server")
        return _named(part, server) if server else _subject(shown, process)
    if part is Part.LEDGER:
        return _named(part, shown.origin)
    if part in (Part.POLICY, Part.RESULTS):
        return _named(part, _word(fields, "digest") or part.value)
    keys = {
        Part.PROJECT: ("by_project", "project"),
        Part.PERSON: ("by",),
        Part.AUTHORITY: ("authority", "name"),
    }
    for key in keys.get(part, ()):
        if name := _word(fields, key):
            return _named(part, name)
    return process


def _subject(shown: Shown, process: Resource) -> Resource:
    fields = shown.fields
    if name := _word(fields, "server"):
        return _named(Part.SERVER, name)
    if name := _word(fields, "host"):
        return Resource(id_of("host", name), _HOST, name)
    if name := _word(fields, "provider"):
        return Resource(id_of("provider", name), _HOST, name)
    if name := _word(fields, "authority"):
        return _named(Part.AUTHORITY, name)
    if name := _word(fields, "name"):
        what = _word(fields, "topic") or "name"
        return Resource(id_of(what, name), UNKNOWN, name)
    return process


def _named(part: Part, name: str) -> Resource:
    return Resource(id_of(part.value, name), _TYPES[part], name)


def _word(fields: Mapping[str, Any], key: str) -> str:
    found = fields.get(key)
    return bounded(found, 255) if isinstance(found, str) else ""


def _reason(shown: Shown) -> str:
    """Return the codes that say why; the kind where there are none."""
    for key in _CODES:
        found = shown.fields.get(key)
        if isinstance(found, Mapping | list):
            found = ",".join(bounded(each) for each in found)
        if isinstance(found, str) and found:
            return bounded(found, REASON_MAX)
    return shown.kind


def _measure(row: Row, fields: Mapping[str, Any]) -> tuple[float, str, str]:
    """Return a value, its unit and what it is of."""
    if row.measure is not None:
        name, unit = row.measure
        found = fields.get(name)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return found, unit, name
    return 1, "event", "events"


def _whence(shown: Shown) -> dict[str, Any]:
    """Return what leads from an event back to the ledger."""
    found: dict[str, Any] = {
        "origin": shown.origin,
        "domain": shown.domain,
        "seq": shown.seq,
        "place": shown.place or None,
        "hash": shown.hash,
        "at": shown.at,
        "process": shown.process,
    }
    return {key: value for key, value in found.items() if value is not None}
