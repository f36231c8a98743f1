# SPDX-License-Identifier: Apache-2.0
"""The decisions on one requirement, host by host, kept while they hold.

Pure but for its memory; many threads may use one object.  What is remembered
belongs to a host's record, which is a new object whenever the host changed.
An admission holds as long as its moment lies ahead.  A refusal for want of
fresh claims is tried again whenever there is a new generation; any other
refusal holds until its record changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TypeVar

from nfv_mla_scheduler.judge.clock import Clock
from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.explain import decide
from nfv_mla_scheduler.judge.explain import unmet
from nfv_mla_scheduler.judge.ruling import Ruling
from nfv_mla_scheduler.judge.ruling import until
from nfv_mla_scheduler.judge.rulings import Rulings
from nfv_mla_scheduler.judge.strangers import Candidate
from nfv_mla_scheduler.judge.strangers import Strangers
from nfv_mla_scheduler.judge.summaries import Summaries
from nfv_mla_scheduler.judge.summaries import Summary
from nfv_mla_scheduler.judge.summaries import summarise
from nfv_mla_scheduler.judge.unmet import Unmet
from nfv_mla_scheduler.judge.unmet import plainly
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.view import Snapshot

# How long to believe, for logs and records, what was set aside for a host,
# while fresher claims may come and make that less.
_SOFTENED_S = 5.0
_LAPSED = 0.0
# A decision that holds this much longer counts as half as fresh as can be.
_FRESH_S = 60.0


C = TypeVar("C", bound=Candidate)


@dataclasses.dataclass(frozen=True, slots=True)
class Bearings:
    """What the judge has to know about where it stands.

    :ivar management_domain: of the scheduler that asks
    :ivar boot_max_age_s: how long a boot is believed to go on
    """

    management_domain: str = ""
    boot_max_age_s: float = 86400.0


class Decisions:
    """Decides for one demand under one epoch of snapshots.

    :param closed: the hosts that are closed to the project's servers; None:
        whose a host is does not matter, only what it proves
    """

    def __init__(
        self,
        demand: Demand,
        bearings: Bearings,
        closed: Closed | None = None,
    ) -> None:
        self.demand = demand
        self._bearings = bearings
        self._rulings = Rulings(demand, closed, bearings.management_domain)
        self._strangers = Strangers(demand, closed)
        self._summaries = Summaries(bearings.boot_max_age_s)
        # Until when a host is admitted, NEVER for one that is refused for
        # good; the generation in which another one was refused; what was set
        # aside to admit it.
        self._until: dict[HostRecord, Instant] = {}
        self._refused: dict[HostRecord, int] = {}
        self._softened: dict[HostRecord, Summary] = {}

    def admitted(
        self, candidates: Iterable[C], snapshot: Snapshot, now: Instant
    ) -> list[C]:
        """Return the candidates on which the server may be placed now."""
        record_of = snapshot.records.get
        until_of = self._until.get
        clock = self._clock(snapshot)
        strangers = self._strangers.any_admitted(snapshot, now)
        chosen = []
        for candidate in candidates:
            record = record_of(candidate.uuid)
            if record is not None:
                lapse = until_of(record, _LAPSED)
                if NEVER < lapse <= now:
                    lapse = self._judge(record, clock, now)
                if lapse > now and record.host == candidate.host:
                    chosen.append(candidate)
                    continue
                if not strangers or record.host == candidate.host:
                    continue
            if strangers and self._strangers.admits(candidate, now):
                chosen.append(candidate)
        self._rulings.settle()
        return chosen

    def lapse(self, uuid: str, snapshot: Snapshot, now: Instant) -> Instant:
        """Return until when a host is admitted; ``NEVER`` if it is not."""
        record = snapshot.records.get(uuid)
        if record is None:
            return NEVER
        lapse = self._until.get(record, _LAPSED)
        if NEVER < lapse <= now:
            lapse = self._judge(record, self._clock(snapshot), now)
        return lapse

    def decision(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> Decision:
        """Return the decision about one host, with every reason."""
        record = snapshot.records.get(uuid)
        if record is None or record.host != host:
            return self._strangers.decision(uuid, host, snapshot, now)
        return decide(
            self._ruling(record.shape, snapshot),
            record,
            snapshot,
            self._bearings.boot_max_age_s,
            now,
        )

    def unmet(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> tuple[Unmet, ...]:
        """Return what one host does not meet, with every way it could."""
        record = snapshot.records.get(uuid)
        if record is None or record.host != host:
            return tuple(plainly(self.decision(uuid, host, snapshot, now)))
        return unmet(
            self._ruling(record.shape, snapshot),
            record,
            snapshot,
            self._bearings.boot_max_age_s,
            now,
        )

    def summary(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> Summary:
        """Return what :meth:`decision` says, for less work."""
        record = snapshot.records.get(uuid)
        if record is None or record.host != host:
            return summarise(self.decision(uuid, host, snapshot, now))
        ruling = self._ruling(record.shape, snapshot)
        lives = self._clock(snapshot).lives(ruling, record)
        return self._summaries.of(ruling, record, snapshot, lives, now)

    def softened(
        self, candidates: Iterable[Candidate], snapshot: Snapshot, now: Instant
    ) -> list[Summary]:
        """Return what was set aside to admit some hosts, as last judged.

        :returns: nothing of those for which nothing was
        """
        if not self._softened and not self._strangers.any_admitted(
            snapshot, now
        ):
            return []
        found = []
        for c in candidates:
            record = snapshot.records.get(c.uuid)
            if record is None or record.host != c.host:
                found.append(self.summary(c.uuid, c.host, snapshot, now))
            elif record in self._softened:
                found.append(self._softened[record])
        return found

    def assurance(
        self, candidates: Sequence[Candidate], snapshot: Snapshot, now: Instant
    ) -> list[float]:
        """Return how well each host is known that was admitted, from 0 to 1.

        A third each: how long the decision still holds, that nothing was set
        aside for it, and the share of what is preferred that it has.
        """
        record_of, until_of = snapshot.records.get, self._until.get
        records = [record_of(candidate.uuid) for candidate in candidates]
        lapses = [until_of(r, _LAPSED) if r else _LAPSED for r in records]
        if (
            min(lapses, default=FOREVER) > now
            and not self._softened
            and not self.demand.preferred
            and not snapshot.break_glass
            and not self._strangers.any_admitted(snapshot, now)
        ):
            # as _assurance() says, for hosts that differ in their times only
            soon, third = _FRESH_S - now, _FRESH_S / 3
            return [1.0 - third / (lapse + soon) for lapse in lapses]
        return [self._assurance(c, snapshot, now) for c in candidates]

    def _assurance(
        self, candidate: Candidate, snapshot: Snapshot, now: Instant
    ) -> float:
        record = snapshot.records.get(candidate.uuid)
        if record is None:
            return 0.0
        left_s = self.lapse(candidate.uuid, snapshot, now) - now
        fresh = 0.0
        if left_s > 0:
            fresh = 1.0 - _FRESH_S / (left_s + _FRESH_S)
        clean = record.host == candidate.host and record not in self._softened
        ruling = self._ruling(record.shape, snapshot)
        return (fresh + clean + ruling.preferred) / 3

    def _judge(
        self, record: HostRecord, clock: Clock, now: Instant
    ) -> Instant:
        """Return until when a host is admitted; ``NEVER`` if it is not."""
        generation = clock.snapshot.generation
        if self._refused.get(record) == generation:
            return NEVER
        ruling = self._ruling(record.shape, clock.snapshot)
        if ruling.hopeless:
            # what fresher claims cannot mend needs not be tried again
            self._until[record] = NEVER
            return NEVER
        if ruling.excuses:
            lapse = self._excused(ruling, record, clock, now)
        else:
            lapse = clock.lapse(ruling, record)
        if lapse > now:
            self._until[record] = lapse
            return lapse
        self._refused[record] = generation
        self._until.pop(record, None)
        self._softened.pop(record, None)
        return NEVER

    def _excused(
        self, ruling: Ruling, record: HostRecord, clock: Clock, now: Instant
    ) -> Instant:
        """Return until when a host is admitted, and note what is set aside."""
        lives = clock.lives(ruling, record)
        strict = until(ruling, lives, excused=False)
        if strict > now:
            self._softened.pop(record, None)
            return strict
        lapse = until(ruling, lives)
        if lapse <= now:
            return lapse
        self._softened[record] = self._summaries.of(
            ruling, record, clock.snapshot, lives, now
        )
        # What is set aside may change without the admission changing: when
        # something ends, or something that has ended is renewed.
        ends = [t for t in (*lives, *ruling.dates) if t > now]
        if len(ends) < len(lives) + len(ruling.dates):
            ends.append(now + _SOFTENED_S)
        return min(lapse, *ends)

    def _clock(self, snapshot: Snapshot) -> Clock:
        self._forget(snapshot)
        return Clock(snapshot, self._bearings.boot_max_age_s)

    def _ruling(self, shape: Shape, snapshot: Snapshot) -> Ruling:
        return self._rulings.of(shape, snapshot)

    def _forget(self, snapshot: Snapshot) -> None:
        """Forget records of the past, when they become many."""
        most = 2 * len(snapshot.records) + 64
        if len(self._until) + len(self._refused) <= most:
            return
        kept = frozenset(snapshot.records.values())
        for known in (self._until, self._refused, self._softened):
            for record in list(known):
                if record not in kept:
                    known.pop(record, None)
