# SPDX-License-Identifier: Apache-2.0
"""An entry as one line for people.

Pure.  Whatever an entry holds may be an attacker's: what comes out is bounded
and has no control characters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.audit import checkpoint
from nfv_mla_scheduler.audit import entry
from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.shown import Shown
from nfv_mla_scheduler.errors import bounded

LINE_MAX = 1000
VALUE_MAX = 240

_WHO = ("server", "project", "candidates", "counts", "waivers", "request")
_STEP = ("step", "ask", "server", "host", "provider", "trait", "mark")
# Of these kinds, what matters, in this order; of the others, everything.
_TOLD: Mapping[str, tuple[str, ...]] = {
    EventKind.REQUEST_REFUSED.value: _WHO,
    EventKind.WOULD_REFUSE.value: _WHO,
    EventKind.WAIVER_USED.value: _WHO,
    EventKind.BREAK_GLASS_USED.value: _WHO,
    EventKind.STEP_INTENDED.value: _STEP,
    EventKind.STEP_DONE.value: (*_STEP, "outcome", "text"),
}
# Where there is a text, it says all that is in the other fields.
_BY_TEXT = ("topic", "name", "text", "reason", "by")
_TEXTUAL = frozenset(
    kind.value
    for kind in (
        EventKind.FINDING,
        EventKind.FINDING_OVER,
        EventKind.MARK_TAMPERED,
        EventKind.LOCK_REPLACED,
        EventKind.COPIED,
        EventKind.GUARD_HELD,
        EventKind.GUARD_RELEASED,
    )
)
_TIMES = frozenset(("since", "until", "halt_by", "at"))
_QUOTED = frozenset(' "=')


def line(shown: Shown) -> str:
    """Return an entry as one line for people."""
    words = [shown.at, shown.origin]
    if shown.domain is not None:
        words.append(f"sealed:{shown.domain}")
    words.append(shown.kind)
    words.extend(
        f"{_bare(name)}={_quoted(said)}"
        for name, value in _told(shown).items()
        if (said := _said(name, value))
    )
    return bounded(" ".join(words), LINE_MAX)


def _told(shown: Shown) -> Mapping[str, Any]:
    """Return what there is to say of an entry, in order."""
    fields = shown.fields
    if shown.kind == EventKind.CHECKPOINT.value:
        signed = checkpoint.read(fields.get("signed"), ())
        return {"through": signed.checkpoint.seq} if signed else {}
    if shown.kind == EventKind.SEALED_HEADS.value:
        heads = fields.get("heads")
        return {"heads": _seqs(heads)} if isinstance(heads, Mapping) else {}
    if shown.kind == EventKind.SEALED.value:
        return {"bytes": len(str(fields.get("jwe", "")))}
    if shown.kind in _TEXTUAL and fields.get("text"):
        return _of(fields, _BY_TEXT)
    told = _TOLD.get(shown.kind)
    return fields if told is None else _of(fields, (*told, "omitted"))


def _of(fields: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def _seqs(heads: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: head.get("seq") if isinstance(head, Mapping) else None
        for name, head in heads.items()
    }


def _said(name: str, value: Any, depth: int = 0) -> str:
    """Return a value as people read it; empty: there is nothing to say."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _TIMES and isinstance(value, int | float):
        return entry.utc(value)
    if isinstance(value, float):
        return f"{value:g}" if math.isfinite(value) else str(value)
    if depth < entry.DEPTH_MAX:
        if isinstance(value, Mapping):
            return ", ".join(
                f"{_said('', each, depth + 1)} {bounded(key)}"
                if name == "counts"
                else f"{bounded(key)}: {_said(key, each, depth + 1)}"
                for key, each in list(value.items())[:VALUE_MAX]
            )
        if isinstance(value, list | tuple):
            said = (_said("", each, depth + 1) for each in value[:VALUE_MAX])
            return ", ".join(said)
    return bounded(value, VALUE_MAX)


def _bare(name: str) -> str:
    """Return a name that needs no quotes."""
    return "".join("?" if c in _QUOTED else c for c in bounded(name))


def _quoted(said: str) -> str:
    """Return a value so that nobody takes part of it for another."""
    said = bounded(said, VALUE_MAX)
    if _QUOTED.isdisjoint(said):
        return said
    return '"' + said.replace('"', "'") + '"'
