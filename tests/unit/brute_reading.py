# SPDX-License-Identifier: Apache-2.0
"""What a request asks for, read the slow way.

A part of the brute-force judge (``brute_force.py``): written from the
reference page, without the package's own parsers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.policy.values import Place
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.policy.values import Wanted

PREFIX = "nfv_mla:"
KEYED = "concealed-resource-usage"
RESOURCES = ("ram", "cpu", "storage", "network", "cache", "offload")
NOT_IN_HINTS = ("host_class", "max_age", "provision", "conceals", "copy")
WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
VARIANT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)?")
REGION = re.compile(r"!?[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
SECONDS = re.compile(r"[1-9][0-9]{0,7}")
SECONDS_MAX = 31_536_000
LENGTH_MAX = 255
ITEMS_MAX = 32


class Unreadable(Exception):
    """A source cannot be read."""


def read(source, values, catalogue) -> Ask:
    """Return what one source asks for.

    :raises Unreadable: for anything of ours that is not exactly right
    """
    found = {"places": set(), "capabilities": set()}
    for name, value in values.items():
        if not isinstance(name, str):
            continue
        if not name.startswith(PREFIX):
            if _meant_for_us(name):
                raise Unreadable(name)
            continue
        _read_key(source, name.removeprefix(PREFIX), value, catalogue, found)
    return Ask(
        source,
        **{
            key: frozenset(value) if isinstance(value, set) else value
            for key, value in found.items()
        },
    )


def _meant_for_us(name) -> bool:
    written = name.strip().lower()
    for joint in ("_", "-", " ", ""):
        rest = written.removeprefix(f"nfv{joint}mla")
        if rest != written and rest.lstrip()[:1] in (":", "."):
            return rest.lstrip() != ""
    return False


def _read_key(source, name, value, catalogue, found) -> None:
    stem, _, parameter = name.partition(".")
    if source is Source.HINT and (
        stem in NOT_IN_HINTS or stem == "capability"
    ):
        raise Unreadable(name)
    texts = list(_texts(source, value))
    items = [item for text in texts for item in _items(text)]
    if not items or len(items) > (4 if name == "follow" else ITEMS_MAX):
        raise Unreadable(name)
    if stem == "location" and parameter in {a.value for a in Axis}:
        every(REGION, items)
        inside = frozenset(i for i in items if i[0] != "!")
        outside = frozenset(i[1:] for i in items if i[0] == "!")
        if inside & outside:
            raise Unreadable(name)
        found["places"].add(Place(Axis(parameter), inside, outside))
    elif stem == "capability" and parameter in catalogue.capabilities:
        found["capabilities"].add(_wanted(parameter, items, catalogue))
    elif name == "profile":
        found["profiles"] = set(every(VARIANT, items))
    elif name == "pool":
        found["pools"] = set(every(WORD, items))
    elif name == "authority":
        found["authorities"] = set(every(WORD, items))
    elif name == "host_class":
        found["host_classes"] = {
            HostClass(i) for i in one_of(HostClass, items)
        }
    elif name == "max_age":
        if len(texts) != 1 or not SECONDS.fullmatch(texts[0]):
            raise Unreadable(name)
        if int(texts[0]) > SECONDS_MAX:
            raise Unreadable(name)
        found["max_age_s"] = int(texts[0])
    elif name == "follow":
        found["follows"] = {_follow(item) for item in items}
    elif name == "provision":
        choices = {"signed-image", "encrypted-image"}
        if not set(items) <= choices:
            raise Unreadable(name)
        found["provision"] = set(items)
    elif name == "conceals":
        if not set(items) <= set(RESOURCES):
            raise Unreadable(name)
        found["conceals"] = set(items)
    elif name == "copy":
        if len(texts) != 1:
            raise Unreadable(name)
        found["copy"] = CopyRule(*one_of(CopyRule, texts))
    else:
        raise Unreadable(name)


def _texts(source, value) -> Iterator[str]:
    """A flavor has strings, a hint lists of them."""
    if isinstance(value, str):
        values = [value]
    elif source is Source.HINT and isinstance(value, list | tuple):
        values = list(value)
    else:
        raise Unreadable(source)
    for text in values:
        if not isinstance(text, str) or len(text) > LENGTH_MAX:
            raise Unreadable(source)
        yield text


def _items(text) -> list[str]:
    return [item.strip(" ") for item in text.split(",")]


def every(pattern, items) -> list[str]:
    for item in items:
        if not pattern.fullmatch(item):
            raise Unreadable(item)
    return items


def one_of(choices, items) -> list[str]:
    for item in items:
        if item not in {choice.value for choice in choices}:
            raise Unreadable(item)
    return items


def _wanted(name, items, catalogue) -> Wanted:
    capability = catalogue.capabilities[name]
    if name == "location" or capability.subjects == ("self",):
        raise Unreadable(name)
    if items == ["required"]:
        return Wanted(name)
    known = capability.keys if name == KEYED else capability.values
    if not set(items) <= set(known):
        raise Unreadable(name)
    if name == KEYED:
        return Wanted(name, keys=frozenset(items))
    return Wanted(name, any_of=frozenset(items))


def _follow(item) -> Follow:
    profile, at, axis = item.partition("@")
    every(VARIANT, [profile])
    if not at:
        axis = "jurisdiction"
    one_of(FollowAxis, [axis])
    return Follow(profile, FollowAxis(axis))
