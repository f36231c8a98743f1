# SPDX-License-Identifier: Apache-2.0
"""The parts of a cycle, tried one after the other; what fails is kept.

Touches the log, for faults of our own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Mapping
from typing import TypeVar

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.cycle_report import Failure
from nfv_mla_scheduler.monitor.cycle_report import Part

LOG = logging.getLogger(__name__)

TEXT_MAX = 160
T = TypeVar("T")


class Tries:
    """Tries one part after the other, and keeps why any failed."""

    def __init__(self) -> None:
        self._failures: dict[Part, Failure] = {}

    @property
    def failures(self) -> tuple[Failure, ...]:
        return tuple(self._failures.values())

    def failed(self, part: Part, code: str, text: str) -> None:
        self._failures.setdefault(
            part, Failure(part, code, bounded(text, TEXT_MAX))
        )

    def take(self, part: Part, do: Callable[[], T]) -> T | None:
        """Return what ``do`` does; None: it failed."""
        try:
            return do()
        except NfvMlaError as exc:
            self.failed(part, exc.code, str(exc))
        except Exception as exc:
            # a fault of our own: where it is has to be found
            LOG.debug("nfv-mla monitor cannot %s", part.value, exc_info=True)
            self.failed(part, "fault", f"{type(exc).__name__}: {exc}")
        return None


class RoomOnce:
    """Asks for each kind of room once in a cycle; None: nobody knows."""

    def __init__(
        self,
        ask: Callable[[Mapping[str, int]], frozenset[str]],
        tries: Tries,
    ) -> None:
        self._ask = ask
        self._tries = tries
        self._known: dict[
            tuple[tuple[str, int], ...], frozenset[str] | None
        ] = {}

    def __call__(self, amounts: Mapping[str, int]) -> frozenset[str] | None:
        key = tuple(sorted(amounts.items()))
        if key not in self._known:
            self._known[key] = self._tries.take(
                Part.ROOM, lambda: self._ask(dict(key))
            )
        return self._known[key]
