# SPDX-License-Identifier: Apache-2.0
"""Read what one source asks for: a floor, a flavor, or a request's hints.

Pure.  Whatever does not parse is an error that names the key and the value;
nothing in our namespace is ever ignored.  Names that only the policy knows
(pools, regions, authorities, profiles) are checked when the ask is bound to
it, in ``demand.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.keys import SECONDS_MAX
from nfv_mla_scheduler.policy.keys import VALUE_LENGTH_MAX
from nfv_mla_scheduler.policy.keys import Key
from nfv_mla_scheduler.policy.keys import find
from nfv_mla_scheduler.policy.keys import is_ours
from nfv_mla_scheduler.policy.keys import split
from nfv_mla_scheduler.policy.keys import value_pattern
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.policy.values import Place
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.policy.values import Wanted
from nfv_mla_scheduler.standard.values import Catalogue

PROBLEMS_MAX = 32
KEYS_MAX = 64
_VALUE_PATTERNS = {key.name: re.compile(value_pattern(key)) for key in KEYS}


class _Fault(Exception):
    """A value that cannot be read; never leaves this module."""


def read_ask(
    source: Source,
    values: Mapping[str, Any],
    catalogue: Catalogue,
    prefix: str = PREFIX,
) -> Ask:
    """Return what ``values`` ask for.

    :param values: key -> value; a hint's value may be a list of strings,
        which means the same as its items with commas between them
    :param prefix: what our keys begin with; other keys are not ours.  A
        policy's floor writes its keys without one.
    :raises Malformed: naming everything that is wrong, each with its value
    """
    fields: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in _ours(values, prefix, problems):
        try:
            if not name.startswith(prefix):
                raise _Fault(f"is no key of ours, which begin with {prefix}")
            key, parameter = _key(source, name[len(prefix) :])
            items = _items(key, value)
            field, parsed = _READERS[key.stem](items, parameter, catalogue)
        except _Fault as fault:
            problems.append(Problem(bounded(name), str(fault), _shown(value)))
            continue
        _merge(fields, field, parsed)
    if problems:
        raise Malformed(tuple(problems[:PROBLEMS_MAX]))
    return Ask(source, **fields)


def _ours(
    values: Mapping[str, Any], prefix: str, problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    ours = [
        name
        for name in values
        if (is_ours(name) if prefix else isinstance(name, str))
    ]
    if len(ours) > KEYS_MAX:
        message = f"more than {KEYS_MAX} keys of this namespace"
        problems.append(Problem(prefix, message, str(len(ours))))
        return
    for name in sorted(ours):
        yield name, values[name]


def _key(source: Source, name: str) -> tuple[Key, str]:
    found = find(name)
    if found is None:
        raise _Fault("there is no such key")
    key, parameter = found
    if source is Source.HINT and not key.hint:
        raise _Fault("cannot be asked for by a scheduler hint")
    return key, parameter


def _items(key: Key, value: object) -> tuple[str, ...]:
    """Return the items of a value, each matching the key's pattern."""
    texts = value if isinstance(value, list | tuple) else [value]
    if not texts or len(texts) > key.items_max:
        raise _Fault(f"needs 1 to {key.items_max} values")
    items: list[str] = []
    for text in texts:
        if not isinstance(text, str):
            text = _number(key, text)
        if len(text) > VALUE_LENGTH_MAX:
            raise _Fault(f"is longer than {VALUE_LENGTH_MAX} characters")
        if not _VALUE_PATTERNS[key.name].fullmatch(text):
            raise _Fault(f"is not of the form of {key.example!r}")
        items.extend(split(text))
    if len(items) > key.items_max:
        raise _Fault(f"has more than {key.items_max} values")
    if key.several == "one" and len(items) > 1:
        raise _Fault("takes one value")
    return tuple(items)


def _number(key: Key, value: object) -> str:
    """Return a number as text: a floor in the policy may write max_age so."""
    if key.name == "max_age" and type(value) is int:
        return str(value)
    raise _Fault("is not text")


def _shown(value: object) -> str:
    """Return what was written, bounded; nothing of what has no short form."""
    if isinstance(value, list | tuple):
        return bounded(", ".join(_shown(item) for item in value[:4]))
    if isinstance(value, str | int | float):
        return bounded(value)
    return "null" if value is None else ""


def _merge(fields: dict[str, Any], field: str, parsed: Any) -> None:
    """Add a parsed value; keys that share a field are joined."""
    if isinstance(parsed, frozenset) and field in fields:
        parsed = fields[field] | parsed
    fields[field] = parsed


_Parsed = tuple[str, Any]
_Reader = Callable[[tuple[str, ...], str, Catalogue], _Parsed]


def _names(field: str) -> _Reader:
    def read(items: tuple[str, ...], _: str, __: Catalogue) -> _Parsed:
        return field, frozenset(items)

    return read


def _host_class(items: tuple[str, ...], _: str, __: Catalogue) -> _Parsed:
    return "host_classes", frozenset(HostClass(item) for item in items)


def _place(axis: Axis) -> _Reader:
    def read(items: tuple[str, ...], _: str, __: Catalogue) -> _Parsed:
        outside = frozenset(i[1:] for i in items if i.startswith("!"))
        inside = frozenset(i for i in items if not i.startswith("!"))
        if inside & outside:
            raise _Fault("asks for a region and excludes it")
        return "places", frozenset({Place(axis, inside, outside)})

    return read


def _capability(
    items: tuple[str, ...], name: str, catalogue: Catalogue
) -> _Parsed:
    capability = catalogue.capabilities.get(name)
    if capability is None:
        raise _Fault("there is no such capability")
    if capability.subjects == ("self",):
        raise _Fault("is not a capability that a host proves")
    if name == "location":
        raise _Fault("is asked for by nfv_mla:location.AXIS")
    if items == ("required",):
        return "capabilities", frozenset({Wanted(name)})
    keyed = name == "concealed-resource-usage"
    known = capability.keys if keyed else capability.values
    unknown = [item for item in items if item not in known]
    if unknown:
        allowed = ", ".join(("required", *known))
        raise _Fault(f"has an unknown value; there are: {allowed}")
    chosen = frozenset(items)
    wanted = (
        Wanted(name, keys=chosen) if keyed else Wanted(name, any_of=chosen)
    )
    return "capabilities", frozenset({wanted})


def _max_age(items: tuple[str, ...], _: str, __: Catalogue) -> _Parsed:
    seconds = int(items[0])
    if seconds > SECONDS_MAX:
        raise _Fault(f"is more than {SECONDS_MAX} seconds")
    return "max_age_s", seconds


def _follow(items: tuple[str, ...], _: str, __: Catalogue) -> _Parsed:
    follows = set()
    for item in items:
        profile, _at, axis = item.partition("@")
        follows.add(
            Follow(profile, FollowAxis(axis or FollowAxis.JURISDICTION.value))
        )
    return "follows", frozenset(follows)


def _copy(items: tuple[str, ...], _: str, __: Catalogue) -> _Parsed:
    return "copy", CopyRule(items[0])


_READERS: dict[str, _Reader] = {
    "profile": _names("profiles"),
    "host_class": _host_class,
    "pool": _names("pools"),
    "location.geographic": _place(Axis.GEOGRAPHIC),
    "location.logical": _place(Axis.LOGICAL),
    "location.jurisdiction": _place(Axis.JURISDICTION),
    "capability.": _capability,
    "authority": _names("authorities"),
    "max_age": _max_age,
    "follow": _follow,
    "provision": _names("provision"),
    "conceals": _names("conceals"),
    "copy": _copy,
}
