# SPDX-License-Identifier: Apache-2.0
"""Faults that are to happen to calls, and the names by which calls count."""

from __future__ import annotations

import dataclasses
import enum
import re
import threading
from collections.abc import Mapping


class Break(enum.Enum):
    """How a connection breaks."""

    # half of the answer arrives
    HALF = "half"
    # nothing of the answer arrives
    SILENT = "silent"


@dataclasses.dataclass(slots=True)
class Fault:
    """What happens to calls whose name has ``pattern`` in it.

    :ivar pattern: regular expression; see :func:`call_name`
    :ivar after: how many such calls go well before
    :ivar times: to how many it happens; None: to all
    :ivar done: whether what was asked for is done all the same
    :ivar status: answered instead; 0: what it would be
    :ivar delay_s: before anything is answered
    """

    pattern: re.Pattern[str]
    after: int = 0
    times: int | None = 1
    done: bool = False
    status: int = 0
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None
    delay_s: float = 0.0
    how: Break | None = None


class Faults:
    """Those that are still to happen; may be asked by several threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, name: str) -> Fault | None:
        """Return what is to happen to this call; the oldest that fits."""
        with self._lock:
            for fault in self._faults:
                if not fault.pattern.search(name):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_TRAIT = re.compile(r"(?<=traits/)[A-Z0-9_]+")
_NUMBER = re.compile(r"(?<=migrations/)\d+")


def call_name(method: str, path: str, body: object) -> str:
    """Return how a call is counted: ``POST compute/servers/{id}/action lock``.

    :param path: from the API's name on, without a query
    """
    for pattern, word in (
        (_ID, "{id}"),
        (_TRAIT, "{trait}"),
        (_NUMBER, "{number}"),
    ):
        path = pattern.sub(word, path)
    name = f"{method} {path}"
    if path.endswith("/action") and isinstance(body, dict):
        name += " " + " ".join(str(key) for key in body)
    return name
