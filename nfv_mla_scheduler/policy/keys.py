# SPDX-License-Identifier: Apache-2.0
"""KEYS: every key with which a server can ask for something.

Standard library only, since nova-api loads it with the validators.  The one
table makes the parser (``asking.py``), Nova's validators
(``scheduler/extra_specs.py``) and the reference page.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.model import NAMESPACE
from nfv_mla_scheduler.model import REGION_PATTERN
from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import HostClass

PREFIX = f"{NAMESPACE}:"
VALUE_LENGTH_MAX = 255
ITEMS_MAX = 32
# Each costs a look at every host, for every request.
FOLLOWS_MAX = 4
SECONDS_MAX = 31_536_000


class Syntax(enum.Enum):
    """How the values of a key are written."""

    NAMES = "names"
    CHOICES = "choices"
    CHOICE = "choice"
    REGIONS = "regions"
    CAPABILITY = "capability"
    SECONDS = "seconds"
    FOLLOW = "follow"


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One key of the namespace ``nfv_mla``.

    :ivar name: without the namespace; may hold one ``{placeholder}``
    :ivar several: what more than one value means, ``any`` or ``all``
    :ivar clause: of GR NFV-SEC 009
    :ivar hint: whether a request may also ask for it by a scheduler hint
    :ivar choices: the closed vocabulary of a CHOICE or CHOICES key
    :ivar example: a value that is right
    """

    name: str
    syntax: Syntax
    several: str
    clause: str
    hint: bool
    help: str
    example: str
    choices: tuple[str, ...] = ()

    @property
    def items_max(self) -> int:
        """How many values it may have."""
        return FOLLOWS_MAX if self.syntax is Syntax.FOLLOW else ITEMS_MAX

    @property
    def pattern(self) -> str:
        """Regular expression that a whole value matches."""
        return _PATTERNS[self.syntax](self.choices)

    @property
    def stem(self) -> str:
        """The name up to its placeholder; the whole name if it has none."""
        return self.name.split("{", 1)[0]


def _listed(item: str) -> str:
    return rf" *{item} *(?:, *{item} *)*"


_AXES = "|".join(axis.value for axis in FollowAxis)
_PATTERNS: Mapping[Syntax, Callable[[tuple[str, ...]], str]] = {
    Syntax.NAMES: lambda _: _listed(NAME_PATTERN),
    Syntax.REGIONS: lambda _: _listed(f"!?{REGION_PATTERN}"),
    Syntax.CAPABILITY: lambda _: _listed(NAME_PATTERN),
    Syntax.SECONDS: lambda _: "[1-9][0-9]{0,7}",
    Syntax.FOLLOW: lambda _: _listed(
        rf"(?:{NAME_PATTERN})(?:\.{NAME_PATTERN})?(?:@(?:{_AXES}))?"
    ),
    Syntax.CHOICE: lambda choices: "|".join(map(re.escape, choices)),
    Syntax.CHOICES: lambda choices: _listed(
        f"(?:{'|'.join(map(re.escape, choices))})"
    ),
}
# The standard's profiles have variants: sensitive-application-function
# .cryptographic.  Handles and the operator's own names have no dot.
_PROFILE = rf"(?:{NAME_PATTERN})(?:\.{NAME_PATTERN})?"
_PROFILES = _listed(_PROFILE)

RESOURCES = ("ram", "cpu", "storage", "network", "cache", "offload")

KEYS: tuple[Key, ...] = (
    Key(
        "profile",
        Syntax.NAMES,
        "all",
        "4, 5.0.5",
        True,
        "Profiles, or their opaque handles, that the host has to satisfy.",
        "lawful-interception",
    ),
    Key(
        "host_class",
        Syntax.CHOICES,
        "any",
        "7.2",
        False,
        "Classes of host, any of which will do.",
        "secure-execution",
        tuple(c.value for c in HostClass),
    ),
    Key(
        "pool",
        Syntax.NAMES,
        "any",
        "7.2.2",
        True,
        "Pools, or their opaque handles, any of which will do.",
        "key-stores",
    ),
    *(
        Key(
            f"location.{axis}",
            Syntax.REGIONS,
            "any",
            "5.1.6",
            True,
            f"{help}, any of which will do; !X keeps it out of X.  The policy "
            "names the regions, and says which lie inside which.",
            example,
        )
        for axis, help, example in (
            (
                "geographic",
                "Places on the map, such as cities or sites, in which the "
                "host has to stand",
                "berlin, hamburg",
            ),
            (
                "logical",
                "Parts of the network or of the data centre, such as zones "
                "or racks, to which the host has to belong",
                "core, !rack-7",
            ),
            (
                "jurisdiction",
                "Areas of law, such as countries or states, under which the "
                "host has to be",
                "DE, !DE-BY",
            ),
        )
    ),
    Key(
        "capability.{capability}",
        Syntax.CAPABILITY,
        "any",
        "6",
        False,
        "'required', or the values of which the host has to prove any; of "
        "concealed-resource-usage: the resources, all of them.",
        "required",
    ),
    Key(
        "authority",
        Syntax.NAMES,
        "all",
        "5.1.1, 5.3.3",
        True,
        "Authorities, all of which have to vouch for the host.",
        "keylime-fra",
    ),
    Key(
        "max_age",
        Syntax.SECONDS,
        "one",
        "5.1.2",
        False,
        "How old a run-time claim may be, in seconds; not below twice the "
        "cadence of the authority.",
        "60",
    ),
    Key(
        "follow",
        Syntax.FOLLOW,
        "all",
        "4.5.2, 4.6.2, 8.2",
        True,
        "A profile that has to be able to follow: the server goes only where "
        "a host with room that satisfies this profile shares its "
        "jurisdiction, or what stands behind @.",
        "lawful-interception@jurisdiction",
    ),
    Key(
        "provision",
        Syntax.CHOICES,
        "all",
        "5.1.3",
        False,
        "How the server has to be provisioned.",
        "signed-image",
        ("signed-image", "encrypted-image"),
    ),
    Key(
        "conceals",
        Syntax.CHOICES,
        "all",
        "6.14, 7.2.2.0",
        False,
        "Resources whose use the application itself conceals.  This is what "
        "it offers, not what it asks for.",
        "cpu, network",
        RESOURCES,
    ),
    Key(
        "copy",
        Syntax.CHOICE,
        "one",
        "6.10",
        False,
        "Who may copy the server's state: snapshots, backups, rescue.",
        "deny",
        tuple(rule.value for rule in CopyRule),
    ),
)

_BY_NAME: Mapping[str, Key] = {
    key.name: key for key in KEYS if "{" not in key.name
}
_BY_STEM = tuple(key for key in KEYS if "{" in key.name)


# What was meant for us: a slip in the prefix must not make a server ask for
# nothing.
_MEANT_FOR_US = re.compile(r"\s*nfv[-_ ]?mla\s*[:.].*", re.I | re.S)


def is_ours(name: object) -> bool:
    """Whether a flavor key or hint is ours, or is meant to be."""
    return isinstance(name, str) and bool(_MEANT_FOR_US.fullmatch(name))


def find(name: str) -> tuple[Key, str] | None:
    """Return the key that ``name`` is written for, and its parameter.

    :param name: without the namespace
    :returns: key and what stands for its placeholder (``""`` if it has
        none), or None when no such key exists
    """
    key = _BY_NAME.get(name)
    if key is not None:
        return key, ""
    for key in _BY_STEM:
        parameter = name.removeprefix(key.stem)
        if parameter != name and re.fullmatch(NAME_PATTERN, parameter):
            return key, parameter
    return None


def value_pattern(key: Key) -> str:
    """Return the pattern of a key's value, variants of profiles included."""
    return _PROFILES if key.name == "profile" else key.pattern


def split(text: str) -> tuple[str, ...]:
    """Return the items of a comma-separated value, without blanks."""
    return tuple(item.strip() for item in text.split(","))
