# SPDX-License-Identifier: Apache-2.0
"""What we can prove about ourselves: the self terms of the catalogue.

Touches the file in which a monitor says how it stands, and nothing else.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.feed.watched import WatchedFile
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import strict_json

# A monitor renews its status every 10 seconds.
STATUS_AGE_MAX_S = 60.0
BYTES_MAX = 4 * 2**20
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
        "ledger-writable": ledger,
        "monitor-alive": monitor,
        # no driver compares a host's TPM key with the one that is pinned
        "pinned-tpm": None,
        "receipts-served": None,
    }


class MonitorStatus:
    """Tells by a monitor's status file whether that monitor is alive.

    :param path: None: nobody says where it is
    :param max_skew_s: how far the monitor's clock may be ahead
    """

    def __init__(self, path: pathlib.Path | None, max_skew_s: float) -> None:
        self._file = None if path is None else WatchedFile(path, BYTES_MAX)
        self._max_skew_s = max_skew_s
        self._acts = False
        self._cycle_at: Instant | None = None

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
            self._acts, self._cycle_at = False, None
        if not self._acts or self._cycle_at is None:
            return False
        age_s = now - self._cycle_at
        return -self._max_skew_s <= age_s <= STATUS_AGE_MAX_S

    def _read(self, status: Any) -> None:
        self._acts, self._cycle_at = False, None
        if not isinstance(status, dict):
            return
        cycle = status.get("cycle")
        at = cycle.get("at") if isinstance(cycle, dict) else None
        if isinstance(at, int | float) and not isinstance(at, bool):
            self._cycle_at = float(at)
        self._acts = status.get("act") == ACTS
