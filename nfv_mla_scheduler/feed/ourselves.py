# SPDX-License-Identifier: Apache-2.0
"""What we know of ourselves: the self terms, and what a monitor tells.

Touches the file in which a monitor says how it stands, and nothing else.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.judge import dirty
from nfv_mla_scheduler.judge.dirty import DirtyHosts
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json

# A monitor renews its status every 10 seconds.
STATUS_AGE_MAX_S = 60.0
# Which hosts were dirty holds for as long once nobody says so any more.
DIRTY_KEPT_S = 3600.0
BYTES_MAX = 4 * 2**20
#: The term of the catalogue.
LEDGER = "ledger-writable"
# The arming in which a monitor halts what it finds.
ACTS = "all"


def own_state(
    ledger: bool | None = None, monitor: bool | None = None
) -> Mapping[str, bool | None]:
    """Return what holds of ourselves; None: nobody can judge it yet.

    :param ledger: whether the ledger takes entries
    :param monitor: whether a monitor runs, and halts what it finds
    """
    return {
        LEDGER: ledger,
        "monitor-alive": monitor,
        "receipts-served": None,
    }


class MonitorStatus:
    """Tells by a monitor's status file how that monitor stands.

    One thread reads the file, by :meth:`alive`; any may ask what it said.

    :param path: None: nobody says where it is
    :param max_skew_s: how far the monitor's clock may be ahead
    """

    def __init__(self, path: pathlib.Path | None, max_skew_s: float) -> None:
        self._file = None if path is None else WatchedFile(path, BYTES_MAX)
        self._max_skew_s = max_skew_s
        self._acts = False
        self._cycle_at: Instant | None = None
        # which hosts are dirty, and when that was said
        self._dirty: tuple[DirtyHosts, Instant] = dirty.NONE, NEVER

    def alive(self, now: Instant) -> bool | None:
        """Return whether its last cycle is recent, and it halts servers.

        :returns: None when there is no file to tell by
        """
        if self._file is None:
            return None
        try:
            data = self._file.changed()
            if data is not None:
                self._read(strict_json.parse(data, "the monitor's status"))
        except (Unread, ResultsRefused):
            # which hosts were dirty holds for a while
            self._acts, self._cycle_at = False, None
        if not self._acts or self._cycle_at is None:
            return False
        return self._recent(self._cycle_at, now)

    def dirty(self, now: Instant) -> DirtyHosts:
        """Return the hosts that are not clean, by the file as last read.

        What was said last holds for an hour while the file is missing, cannot
        be read or is not written any more: a disk that is full opens no host,
        and a monitor that is gone keeps none closed for ever.  What it does
        besides is no condition.
        """
        known, said_at = self._dirty
        return known if abs(now - said_at) <= DIRTY_KEPT_S else dirty.NONE

    def _recent(self, at: Instant, now: Instant) -> bool:
        return -self._max_skew_s <= now - at <= STATUS_AGE_MAX_S

    def _read(self, status: Any) -> None:
        self._acts, self._cycle_at = False, None
        if not isinstance(status, dict):
            return
        self._dirty = _dirty(status, self._dirty)
        cycle = status.get("cycle")
        at = cycle.get("at") if isinstance(cycle, dict) else None
        if strict_json.is_number(at):
            self._cycle_at = float(at)
        self._acts = status.get("act") == ACTS


def _dirty(
    status: dict[str, Any], before: tuple[DirtyHosts, Instant]
) -> tuple[DirtyHosts, Instant]:
    """Return which hosts are dirty by a status, and when that was said.

    What does not say when it was written says nothing.  A monitor that has
    begun and not looked yet (null) knows of none: what was said before it
    began still holds.
    """
    now, said = status.get("now"), status.get("dirty")
    if not strict_json.is_number(now):
        return before
    if said is None:
        return before[0], float(now)
    tags: dict[str, list[str]] = {}
    for each in said if isinstance(said, list) else ():
        if isinstance(each, dict) and strict_json.is_name(each.get("node")):
            tag = each.get("for")
            if not (isinstance(tag, str) and dirty.TAG.fullmatch(tag)):
                # it fits nobody, so that the host is open to nobody
                tag = ""
            tags.setdefault(each["node"], []).append(tag)
    return DirtyHosts(tags), float(now)
