# SPDX-License-Identifier: Apache-2.0
"""What servers may ask for: for each key, values that mean something."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import RESOURCES
from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import Draft

Asking = Callable[[Draft, Random], str]
ASKS: dict[str, Asking] = {}
HINTS = frozenset(key.name for key in KEYS if key.hint)
SOURCES = ("flavor", "hint", "floor")


def ask(draft: Draft, name: str, source: str, rnd: Random) -> str:
    """Ask for one key of KEYS; return the key that was written."""
    written = name
    if "{" in name:
        written = f"capability.{rnd.choice(list(CATALOGUE.capabilities))}"
        value = _capability(written.partition(".")[2], rnd)
    else:
        value = ASKS[name](draft, rnd)
    put(draft, source, written, value)
    return written


def put(draft: Draft, source: str, key: str, value: str) -> None:
    """Write a key into flavor, hints or floor."""
    if source == "floor":
        draft.floor[key] = value
    elif source == "hint":
        draft.hints[f"nfv_mla:{key}"] = value.split(",")
    else:
        draft.extra_specs[f"nfv_mla:{key}"] = value


def _asks(name: str) -> Callable[[Asking], Asking]:
    def keep(function: Asking) -> Asking:
        ASKS[name] = function
        return function

    return keep


def _some(rnd: Random, names, most=2) -> str:
    names = sorted(names)
    return ", ".join(rnd.sample(names, min(len(names), rnd.randint(1, most))))


@_asks("profile")
def _profile(draft: Draft, rnd: Random) -> str:
    names = [*draft.profiles, *draft.profiles]
    if "own" in draft.profiles:
        names += 9 * ["own"] + 3 * [h for h in draft.aliases if h == "k7"]
    return rnd.choice(names) if rnd.random() < 0.97 else "nobody"


@_asks("host_class")
def _host_class(draft: Draft, rnd: Random) -> str:
    return _some(rnd, [c.value for c in HostClass])


@_asks("pool")
def _pool(draft: Draft, rnd: Random) -> str:
    names = {*draft.pools, *(h for h in draft.aliases if h != "k7")}
    return _some(rnd, names or {"pool-1"}) if rnd.random() < 0.97 else "lost"


def _location(regions: tuple[str, ...]) -> Asking:
    def value(draft: Draft, rnd: Random) -> str:
        names = rnd.sample(regions, rnd.choice((1, 1, 2, 3)))
        return ",".join(rnd.choice(("", "", "!")) + name for name in names)

    return value


ASKS["location.jurisdiction"] = _location(
    ("DE", "DE", "EU", "DE-BE", "DE-BY", "FR", "CH")
)
ASKS["location.geographic"] = _location(
    ("berlin", "berlin", "europe", "berlin-east", "paris")
)
ASKS["location.logical"] = _location(("core", "rack-1", "rack-2"))


def _capability(name: str, rnd: Random) -> str:
    capability = CATALOGUE.capabilities[name]
    concealed = name == "concealed-resource-usage"
    known = capability.keys if concealed else capability.values
    if rnd.random() < 0.4 or not known:
        return "required"
    return _some(rnd, known, 3)


@_asks("authority")
def _authority(draft: Draft, rnd: Random) -> str:
    return _some(rnd, draft.authorities) if rnd.random() < 0.97 else "nobody"


@_asks("max_age")
def _max_age(draft: Draft, rnd: Random) -> str:
    return rnd.choice(("20", "40", "60", "61", "3600", "5"))


@_asks("follow")
def _follow(draft: Draft, rnd: Random) -> str:
    name = _profile(draft, rnd)
    at = rnd.choice(("", *(f"@{axis.value}" for axis in FollowAxis)))
    return name + at


@_asks("provision")
def _provision(draft: Draft, rnd: Random) -> str:
    return _some(rnd, ("signed-image", "encrypted-image"))


@_asks("conceals")
def _conceals(draft: Draft, rnd: Random) -> str:
    return rnd.choice((_some(rnd, RESOURCES, 6), ",".join(RESOURCES)))


@_asks("copy")
def _copy(draft: Draft, rnd: Random) -> str:
    return rnd.choice([rule.value for rule in CopyRule])


def explicit(draft: Draft, source: str, rnd: Random) -> None:
    """Name the axes that the profiles of a source want named."""
    written = {
        "flavor": draft.extra_specs.get("nfv_mla:profile", ""),
        "hint": ",".join(draft.hints.get("nfv_mla:profile", ())),
        "floor": draft.floor.get("profile", ""),
    }[source]
    for name in written.split(","):
        profile = draft.profiles.get(draft.aliases.get(name.strip(), name))
        axis = profile.location_explicit if profile else None
        if axis is not None and rnd.random() < 0.9:
            put(draft, source, f"location.{axis.value}", _home(axis))


def _home(axis: Axis) -> str:
    return {"jurisdiction": "DE", "geographic": "europe", "logical": "core"}[
        axis.value
    ]
