# SPDX-License-Identifier: Apache-2.0
"""What servers ask for, each content kept once.

Pure.  Most servers of a cloud have one of a few hundred flavors and images:
100,000 servers, of which each has an ``Ask`` of its own, would take four
times the memory, and be judged one by one.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from typing import Any
from typing import TypeVar
from typing import cast

from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.fields import mapping
from nfv_mla_scheduler.monitor.cloud.fields import number
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.policy.asking import KEYS_MAX
from nfv_mla_scheduler.policy.keys import VALUE_LENGTH_MAX
from nfv_mla_scheduler.policy.keys import is_ours

_T = TypeVar("_T")

_SIZES = ("vcpus", "ram", "disk", "ephemeral", "swap")
_OVERRIDE = "resources:"
# More than any key of ours has, in characters and in values.
_NAME_MAX = 512
_ITEMS_MAX = 512
# What a compute node itself has; others may be below it, or shared.
_OF_NODES = ("VCPU", "PCPU", "MEMORY_MB", "DISK_GB")


class Asks:
    """The contents met so far.

    Threads may share it: at worst, two that are equal are both kept.  What no
    server has asked for between two calls of :meth:`turn` is forgotten.
    """

    def __init__(self) -> None:
        self._now: dict[object, Any] = {}
        self._before: dict[object, Any] = {}

    def __len__(self) -> int:
        return len(self._now)

    def turn(self) -> None:
        """Begin anew: everything is about to be listed."""
        self._before, self._now = self._now, {}

    def text(self, value: str) -> str:
        """Return a text equal to ``value``, always the same object."""
        return self._kept(value, value)

    def ask(
        self, flavor: object, properties: object, hints: object, volume: bool
    ) -> Ask:
        """Return what a server asks for.

        :raises Unreadable: naming what is wrong
        """
        flavor = mapping(flavor, "flavor")
        specs = mapping(flavor.get("extra_specs"), "flavor.extra_specs")
        image = {} if volume else mapping(properties, "image.properties")
        hints = {} if hints is None else mapping(hints, "scheduler_hints")
        ours = _ours(hints) if hints else {}
        sizes = tuple(flavor.get(name) for name in _SIZES)
        # By order as well, which costs nothing; seldom differs, and if so,
        # what is equal is found below.
        key = (
            tuple(specs.items()),
            tuple(image.items()),
            _digest(ours),
            sizes,
            volume,
        )
        try:
            found = self._now.get(key)
        except TypeError:
            found = None  # a list or object where a text should be
        if found is None:
            found = self._find(flavor, specs, image, ours, volume)
            self._now[key] = found
        return cast(Ask, found)

    def _find(
        self,
        flavor: Mapping[str, Any],
        specs: Mapping[str, Any],
        image: Mapping[str, Any],
        hints: Mapping[str, Any],
        volume: bool,
    ) -> Ask:
        kept_specs = self._texts(specs, "flavor.extra_specs")
        kept_image = self._texts(image, "image.properties")
        amounts = amounts_of(flavor, kept_specs, volume)
        parts = (
            id(kept_specs),
            id(kept_image),
            _digest(hints),
            tuple(sorted(amounts.items())),
            volume,
        )
        ask = Ask(
            kept_specs,
            kept_image,
            self._kept(("hints", parts[2]), hints),
            self._kept(("amounts", parts[3]), amounts),
            volume,
        )
        return self._kept(parts, ask)

    def _texts(self, value: Mapping[str, Any], name: str) -> Mapping[str, str]:
        for key, text in value.items():
            if type(text) is not str:
                raise Unreadable(f"{name}.{key}", "text", text)
        ordered = {sys.intern(key): self.text(value[key]) for key in value}
        parts = (tuple(sorted(value.items())), name)
        return self._kept(parts, ordered)

    def _kept(self, key: object, value: _T) -> _T:
        """Return what is kept under ``key``, at first ``value``."""
        found = self._now.get(key)
        if found is None:
            found = self._before.get(key, value)
            self._now[key] = found
        return cast(_T, found)


def _ours(hints: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the hints that the judge reads, of whatever size.

    Anybody may give a server 64 KB of them.  What is too long or of the wrong
    form is refused whatever it says, hence need not be kept whole.
    """
    names = sorted(name for name in hints if is_ours(name))
    return {
        name[:_NAME_MAX]: _short(hints[name]) for name in names[: KEYS_MAX + 1]
    }


def _short(value: object) -> object:
    if isinstance(value, list):
        return [_short_item(item) for item in value[:_ITEMS_MAX]]
    return _short_item(value)


def _short_item(value: object) -> object:
    if isinstance(value, str):
        return value[: VALUE_LENGTH_MAX + 1]
    return value if isinstance(value, int | float) else {}


def _digest(hints: Mapping[str, Any]) -> bytes:
    if not hints:
        return b""
    text = repr(sorted(hints.items()))
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def amounts_of(
    flavor: Mapping[str, Any], specs: Mapping[str, str], volume: bool
) -> dict[str, int]:
    """Return what a compute node must have left for a server.

    As Nova's ``ResourceRequest`` works it out, but for what providers below a
    compute node have (encrypted memory, virtual GPUs): a provider would have
    to have all of it by itself.
    """
    cpus, memory, disk, ephemeral, swap = (
        number(flavor, name) for name in _SIZES
    )
    dedicated = specs.get("hw:cpu_policy") == "dedicated"
    amounts = {
        "PCPU" if dedicated else "VCPU": cpus,
        "MEMORY_MB": memory,
        "DISK_GB": (0 if volume else disk) + ephemeral + -(-swap // 1024),
    }
    for key, text in specs.items():
        name = key.removeprefix(_OVERRIDE)
        if name == key or not (text.isascii() and text.isdigit()):
            continue
        if name in _OF_NODES or name.startswith("CUSTOM_"):
            amounts[name] = int(text[:10])
    return {name: amount for name, amount in amounts.items() if amount}
