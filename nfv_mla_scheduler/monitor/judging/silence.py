# SPDX-License-Identifier: Apache-2.0
"""Silence about one host: who says nothing of it, and speaks of others.

Pure but for the memory of the watch; both clocks are arguments.  A host that
is rooted may silence its agent, so that this must not help it.  An authority
that is silent about everybody is an outage, and no host's fault.  The two are
told apart by the authority's own times: after it has died, it speaks of no
other host later than the moment at which its word about this one lapsed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.view import Snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class Silence:
    """An authority that is silent about one host, and fresh for another.

    :ivar uuid: of the compute node that it is silent about
    :ivar since: when its last word lapsed; ``NEVER``: that cannot be told,
        since it has none, or it is of a boot that has ended
    :ivar newest: when it last spoke of another bound host
    :ivar heard: whether it ever spoke of this one
    """

    uuid: str
    authority: str
    since: Instant
    newest: Instant
    heard: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class _Newest:
    """The newest word of an authority about any bound host, and another's."""

    uuid: str = ""
    at: Instant = NEVER
    next_at: Instant = NEVER


class Listening:
    """Who is fresh for whom, by one snapshot at one moment."""

    def __init__(self, snapshot: Snapshot, now: Instant) -> None:
        self._snapshot = snapshot
        self._now = now
        self._newest: dict[str, _Newest] = {}

    def until(self, authority: str, record: HostRecord) -> Instant:
        """Return until when an authority is fresh for a host.

        By the maximum age that the policy gives it.  ``NEVER``: it has said
        nothing of that host.
        """
        policy = self._snapshot.policy
        times = self._snapshot.freshness.get(authority)
        attester = record.binding.attesters.get(authority)
        if policy is None or times is None or attester is None:
            return NEVER
        fresh = times.find(attester)
        if fresh is None:
            return NEVER
        age = policy.authorities[authority].max_age_s
        return min(fresh.at + age, fresh.until)

    def silence(
        self,
        authority: str,
        uuid: str,
        since: Instant,
        limit_s: float,
        heard: bool = True,
    ) -> Silence | None:
        """Return an authority's silence about a host; None: it is an outage.

        :param limit_s: how old a word may be, for being fresh for others
        """
        newest = self._of(authority)
        at = newest.next_at if newest.uuid == uuid else newest.at
        if at + limit_s <= self._now:
            return None
        return Silence(uuid, authority, since, at, heard)

    def _of(self, authority: str) -> _Newest:
        found = self._newest.get(authority)
        if found is None:
            found = self._newest[authority] = self._listen(authority)
        return found

    def _listen(self, authority: str) -> _Newest:
        """Look through all the authority's bound hosts, once a cycle."""
        times = self._snapshot.freshness.get(authority)
        bound = self._snapshot.bound.get(authority)
        if times is None or not bound:
            return _Newest()
        rows, ends = times.rows, times.until
        ages = [
            (times.at[row], uuid)
            for attester, uuid in bound.items()
            if (row := rows.get(attester)) is not None
            and ends[row] > self._now
        ]
        if not ages:
            return _Newest()
        at, uuid = max(ages)
        others = (age for age, other in ages if other != uuid)
        return _Newest(uuid, at, max(others, default=NEVER))


class Watch:
    """How long each silence has lasted, by two clocks.

    By the authority's own times, which no clock of ours moves, and by the
    monotonic clock of this process, which no authority moves.  It is forgotten
    as soon as it is no longer so; a restart begins it anew.
    """

    def __init__(self) -> None:
        self._known: Mapping[object, tuple[float, Instant]] = {}
        self._seen: dict[object, tuple[float, Instant]] = {}
        self._monotonic = 0.0

    def look(self, monotonic: float) -> None:
        """Begin to look: what is not seen until :meth:`settle` is over."""
        self._monotonic = monotonic
        self._seen = {}

    def settle(self) -> None:
        """End a look."""
        self._known = self._seen

    def overdue(
        self, silence: Silence, after_s: float, cadence_s: float
    ) -> bool:
        """Whether a silence, which is seen now, has outlasted its grace.

        Where nothing tells when it began, an authority that has just begun
        to speak is given the time to come round to every host.
        """
        key = (silence.uuid, silence.authority, silence.since)
        first = self._known.get(key) or self._seen.get(key)
        first = first or (self._monotonic, silence.newest)
        self._seen[key] = first
        if self._monotonic - first[0] < after_s:
            return False
        if silence.since > NEVER:
            return silence.newest - silence.since >= after_s
        return silence.newest - first[1] >= max(after_s, 2 * cadence_s)
