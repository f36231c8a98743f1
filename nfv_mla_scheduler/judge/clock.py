# SPDX-License-Identifier: Apache-2.0
"""Put the times of one generation into rulings, for one host after the other.

Pure.  Comes to the same as ``ruling.until`` with ``ruling.expiries``, for
less: what one voice alone has to carry is looked up once and compared, and
only what several could carry is weighed.
"""

from __future__ import annotations

from nfv_mla_scheduler.judge.ruling import Ruling
from nfv_mla_scheduler.judge.ruling import boot_expiry
from nfv_mla_scheduler.judge.ruling import expiries
from nfv_mla_scheduler.judge.ruling import first_end
from nfv_mla_scheduler.judge.ruling import of_choices
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.view import Snapshot


class Clock:
    """Tells until when hosts are admitted.  Lives for one request."""

    __slots__ = ("_boot_max_age_s", "snapshot")

    def __init__(self, snapshot: Snapshot, boot_max_age_s: float) -> None:
        self.snapshot = snapshot
        self._boot_max_age_s = boot_max_age_s

    def lapse(self, ruling: Ruling, record: HostRecord) -> Instant:
        """Return until when a host is admitted, by waivers if need be."""
        freshness = self.snapshot.freshness
        results = record.results
        lapse = ruling.ends
        for voice, run_s, boot_s in ruling.duties:
            result = results[voice]
            times = freshness.get(result.authority)
            row = None if times is None else times.rows.get(result.attester)
            if times is None or row is None:
                return NEVER
            at, until = times.at[row], times.until[row]
            if at + run_s < lapse:
                lapse = at + run_s
            if until < lapse:
                lapse = until
            if boot_s is not None:
                ends = boot_expiry(
                    result, at, times.boot[row], boot_s, self._boot_max_age_s
                )
                if ends < lapse:
                    lapse = ends
        if ruling.several or ruling.choices:
            lives = self.lives(ruling, record)
            lapse = first_end(ruling.several, lives, lapse)
            lapse = of_choices(ruling.choices, lives, lapse)
        return lapse

    def lives(self, ruling: Ruling, record: HostRecord) -> list[Instant]:
        """Return until when each of the ruling's atoms lives on a host."""
        age = self._boot_max_age_s
        return expiries(ruling, record, self.snapshot, age)
