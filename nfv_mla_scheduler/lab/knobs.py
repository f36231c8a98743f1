# SPDX-License-Identifier: Apache-2.0
"""Read the knobs of ``attesters.yaml``: how the lab misbehaves.  Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.lab.place import Place
from nfv_mla_scheduler.lab.values import Fault
from nfv_mla_scheduler.lab.values import Knobs
from nfv_mla_scheduler.lab.values import Wrong

SLOW_MAX_S = 3600
AHEAD_MAX_S = 31_536_000


def read_knobs(place: Place, for_all: Knobs) -> Knobs:
    """Return the knobs among the keys of a mapping.

    :param for_all: those that hold where the mapping does not say
    :raises DocumentError: naming path and line
    """
    found: dict[str, Any] = {}
    for name, read in KNOBS.items():
        if place.has(name):
            found |= read(place.at(name))
    return dataclasses.replace(for_all, **found)


def _slow(place: Place) -> dict[str, Any]:
    return {"slow_s": place.number(0, SLOW_MAX_S)}


def _ahead(place: Place) -> dict[str, Any]:
    return {"ahead_s": place.number(-AHEAD_MAX_S, AHEAD_MAX_S)}


def _flag(place: Place) -> dict[str, Any]:
    return {str(place.path[-1]): place.flag()}


def _wrong(place: Place) -> dict[str, Any]:
    return {"wrong": None if place.value is None else place.word(Wrong)}


def _answers(place: Place) -> dict[str, Any]:
    """Return what ``answers`` says: a word, ``{status: N}`` or null."""
    if isinstance(place.value, dict):
        place.only(("status",))
        return {"fault": None, "status": place.at("status").whole(400, 599)}
    fault = None if place.value is None else place.word(Fault)
    return {"fault": fault, "status": 0}


KNOBS: Mapping[str, Callable[[Place], dict[str, Any]]] = {
    "slow_s": _slow,
    "silent": _flag,
    "wrong": _wrong,
    "expired": _flag,
    "replayed": _flag,
    "ahead_s": _ahead,
    "answers": _answers,
}
