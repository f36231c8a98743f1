# SPDX-License-Identifier: Apache-2.0
"""How much a ledger takes, and how often it does what.  Pure."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much, and how often.

    :ivar queue_size: how many events may wait to be written
    :ivar checkpoint_interval_s: how often the chain is signed
    :ivar seal_interval_s: between two blocks of a sealed domain
    :ivar segment_bytes: how large a file grows
    :ivar retry_s: how long to wait after what failed
    :ivar checkpoint_entries: after so many the chain is signed at once
    :ivar sync_interval_s: so long an entry may be lost in a power cut, unless
        somebody waits for it
    """

    queue_size: int = 10000
    checkpoint_interval_s: float = 60.0
    seal_interval_s: float = 5.0
    segment_bytes: int = 64 * 2**20
    retry_s: float = 1.0
    checkpoint_entries: int = 4096
    sync_interval_s: float = 1.0
