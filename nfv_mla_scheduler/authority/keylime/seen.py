# SPDX-License-Identifier: Apache-2.0
"""Whether an agent may have been enrolled anew since it was seen last.

Pure.  Whoever is enrolled anew begins to count anew, and may have another TPM;
nothing else in a verifier's record has to differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from typing import Any

_COUNT = "attestation_count"
_TIMES_AND_COUNTS = (
    _COUNT,
    "last_received_quote",
    "last_successful_attestation",
)
_PERIOD = re.compile("([1-9][0-9]{0,8})s", re.ASCII)
# Where a verifier does not say, or says less than a second.
_PERIOD_LEAST_S = 0.1
# One that is reactivated without need is asked twice as often.
_FASTER = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """An agent that passes, as one answer of a verifier has it.

    :ivar record: what tells the record from others, but for times and counts
    :ivar count: how many attestations have succeeded
    :ivar period_s: between two of them
    :ivar asked_at: when the verifier was asked, by the monotonic clock
    :ivar answered_at: when it had answered
    """

    record: str
    count: int
    period_s: float
    asked_at: float
    answered_at: float

    def follows(self, before: Seen) -> bool:
        """Whether it certainly is of the same enrolment.

        It is when it has succeeded more often than a new one could have in
        the time between.
        """
        if self.record != before.record or self.count < before.count:
            return False
        apart_s = self.answered_at - before.asked_at
        return self.count > _FASTER * (apart_s / self.period_s + 1)


def seen(raw: Mapping[str, Any], asked_at: float, answered_at: float) -> Seen:
    """Return how a record that can be read shows an agent."""
    return Seen(
        fingerprint(raw),
        raw[_COUNT] or 0,
        _period_s(raw.get("attestation_period")),
        asked_at,
        answered_at,
    )


def fingerprint(raw: Mapping[str, Any]) -> str:
    """Return what tells a record from others, but for times and counts."""
    kept = {k: v for k, v in raw.items() if k not in _TIMES_AND_COUNTS}
    data = repr(sorted(kept.items())).encode("utf-8", "replace")
    return hashlib.sha256(data).hexdigest()


def _period_s(said: Any) -> float:
    """Return the time between two attestations, at least."""
    found = _PERIOD.fullmatch(said) if type(said) is str else None
    return float(found[1]) if found else _PERIOD_LEAST_S
