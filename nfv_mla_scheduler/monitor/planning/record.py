# SPDX-License-Identifier: Apache-2.0
"""What is kept of Nova's record of what was done to a server.

Pure.  Its owner can have any number of deeds recorded, of those that a lock
does not keep them from: copies, for one.  Only what tells whose a lock is and
what was asked is kept, and from when on that is all there was.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.port import DEEDS_MAX
from nfv_mla_scheduler.monitor.port import Deed

# By Nova's words (nova.compute.instance_actions).
_KEPT = frozenset(
    {
        *("lock", "unlock", "start", "stop"),
        *("live-migration", "migrate", "evacuate", "rebuild"),
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """What was done to a server, as far as it matters.

    :ivar deeds: oldest first
    :ivar begins: what was done before may be missing; ``NEVER``: nothing is
    """

    deeds: tuple[Deed, ...]
    begins: Instant = NEVER


def record_of(
    deeds: tuple[Deed, ...],
    back_to: Instant = NEVER,
    before: Record | None = None,
) -> Record:
    """Return the record that follows from what was read.

    :param deeds: as ``port.Reader.deeds`` returned them for ``back_to``
    :param before: what was known; all that was done until ``back_to``
    """
    begins = NEVER
    if len(deeds) >= DEEDS_MAX and deeds[0].at >= back_to:
        begins, before = deeds[0].at, None
    known = before or Record(())
    # One that has failed since then has a message now.
    kept = {_key(d): d for d in known.deeds}
    kept |= {_key(d): d for d in deeds if d.action in _KEPT}
    found = tuple(kept.values())
    if len(found) > DEEDS_MAX:
        found = found[-DEEDS_MAX:]
        return Record(found, found[0].at)
    return Record(found, max(begins, known.begins))


def _key(deed: Deed) -> tuple[str, str, Instant]:
    return deed.request_id, deed.action, deed.at
