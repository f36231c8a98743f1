# SPDX-License-Identifier: Apache-2.0
"""The decisions on one requirement, host by host, kept while they hold.

Pure but for its memory; many threads may use one object.  An entry holds as
long as its moment lies ahead and the snapshot still has the very record that
was judged.  A refusal for want of fresh claims is tried again whenever there
is a new generation; any other refusal holds until its record changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple
from typing import Protocol
from typing import TypeVar

from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.closures import Closure
from nfv_mla_scheduler.judge.closures import closing
from nfv_mla_scheduler.judge.closures import closures
from nfv_mla_scheduler.judge.closures import shut
from nfv_mla_scheduler.judge.explain import decide
from nfv_mla_scheduler.judge.resolve import resolve
from nfv_mla_scheduler.judge.resolve import resolve_preferred
from nfv_mla_scheduler.judge.ruling import Ruling
from nfv_mla_scheduler.judge.ruling import expiries
from nfv_mla_scheduler.judge.ruling import rule
from nfv_mla_scheduler.judge.ruling import situation
from nfv_mla_scheduler.judge.ruling import until
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.results.records import HostRecord
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.view import Snapshot

UNBOUND = Refusal(
    RefusalCode.HOST_UNBOUND,
    "binding",
    "5.0.3",
    detail="the policy binds no such host",
)
MISMATCH = Refusal(
    RefusalCode.BINDING_MISMATCH,
    "binding",
    "5.0.3",
    detail="host name and compute node are not those that the policy binds",
)


class Candidate(Protocol):
    """A host as Nova's scheduler or a caller without Nova knows it."""

    host: str
    uuid: str


_SUMMARIES_MAX = 4096
# How long to believe, for logs and records, what was set aside for a host.
_SOFTENED_S = 5.0

C = TypeVar("C", bound=Candidate)


@dataclasses.dataclass(frozen=True, slots=True)
class Bearings:
    """What the judge has to know about where it stands.

    :ivar management_domain: of the scheduler that asks
    :ivar boot_max_age_s: how long a boot is believed to go on
    """

    management_domain: str = ""
    boot_max_age_s: float = 86400.0


class Summary(NamedTuple):
    """A decision without its host: what many hosts have in common."""

    refused: tuple[str, ...]
    would_refuse: tuple[str, ...]
    waived: tuple[str, ...]


class _Entry(NamedTuple):
    """What is remembered of one host.

    :ivar softened: what a waiver or permissive mode set aside, if any did
    :ivar generation: in which a refusal was last tried
    """

    lapse: Instant
    record: HostRecord
    host: str
    admitted: bool
    softened: Summary | None = None
    generation: int = -1


def summarise(decision: Decision) -> Summary:
    """Return the codes of a decision, and the waivers that it rests on."""
    return Summary(
        _codes(decision.refusals),
        _codes(decision.would_refuse),
        tuple(
            dict.fromkeys(
                f"{r.profile} {r.requirement}".strip() or r.code.value
                for r in decision.waived
            )
        ),
    )


def _codes(refusals: tuple[Refusal, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.code.value for r in refusals))


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
        self._closed = closed
        self._bearings = bearings
        self._rulings: dict[Shape, Ruling] = {}
        self._entries: dict[str, _Entry] = {}
        self._summaries: dict[tuple[Shape, tuple[int, ...]], Summary] = {}

    def admitted(
        self, candidates: Iterable[C], snapshot: Snapshot, now: Instant
    ) -> list[C]:
        """Return the candidates on which the server may be placed now."""
        entry_of = self._entries.get
        record_of = snapshot.records.get
        unknown = self._admits_unknown(snapshot, now)
        chosen = []
        for candidate in candidates:
            uuid = candidate.uuid
            entry = entry_of(uuid)
            if (
                entry is None
                or entry[0] <= now
                or entry[1] is not record_of(uuid)
            ):
                entry = self._judge(uuid, snapshot, now)
            if entry is None or entry[2] != candidate.host:
                if unknown and not shut(
                    self._closed or {}, uuid, candidate.host, now
                ):
                    chosen.append(candidate)
            elif entry[3]:
                chosen.append(candidate)
        return chosen

    def lapse(self, uuid: str, snapshot: Snapshot, now: Instant) -> Instant:
        """Return until when a host is admitted; ``NEVER`` if it is not."""
        entry = self._entries.get(uuid)
        if (
            entry is None
            or entry.lapse <= now
            or entry.record is not snapshot.records.get(uuid)
        ):
            entry = self._judge(uuid, snapshot, now)
        return entry.lapse if entry and entry.admitted else NEVER

    def decision(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> Decision:
        """Return the decision about one host, with every reason."""
        record = snapshot.records.get(uuid)
        if record is None or record.binding.host != host:
            return self._unknown(uuid, host, snapshot, now)
        return decide(
            self._ruling(record.shape, snapshot),
            record,
            snapshot,
            self._bearings.boot_max_age_s,
            now,
        )

    def _admits_unknown(self, snapshot: Snapshot, now: Instant) -> bool:
        policy = snapshot.policy
        return (
            policy is not None
            and min(self.demand.all_permissive_until, policy.expires_at) > now
        )

    def _unknown(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> Decision:
        """Decide about a host that the policy does not bind, or not so."""
        unknown = MISMATCH if host in snapshot.uuids else UNBOUND
        found = closing(self._closed or {}, uuid, host)
        refusals = [c.refusal for c in found if c.permissive_until <= now]
        would = [c.refusal for c in found if c.permissive_until > now]
        admits = self._admits_unknown(snapshot, now)
        (would if admits else refusals).append(unknown)
        until = self.demand.all_permissive_until if admits else FOREVER
        return Decision(
            host, tuple(refusals), until, would_refuse=tuple(would)
        )

    def summary(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> Summary:
        """Return what :meth:`decision` says, for less work."""
        record = snapshot.records.get(uuid)
        if record is None or record.binding.host != host:
            return summarise(self.decision(uuid, host, snapshot, now))
        ruling = self._ruling(record.shape, snapshot)
        age = self._bearings.boot_max_age_s
        lives = expiries(ruling, record, snapshot, age)
        return self._summary(ruling, record, snapshot, lives, now)

    def softened(
        self, candidate: Candidate, snapshot: Snapshot, now: Instant
    ) -> Summary | None:
        """Return what was set aside to admit a host, as last judged."""
        entry = self._entries.get(candidate.uuid)
        if entry is None or entry.host != candidate.host:
            return summarise(
                self._unknown(candidate.uuid, candidate.host, snapshot, now)
            )
        return entry.softened

    def preferred(self, uuid: str, snapshot: Snapshot) -> float:
        """Return the share of what is merely preferred that a host has."""
        record = snapshot.records.get(uuid)
        if record is None:
            return 0.0
        return self._ruling(record.shape, snapshot).preferred

    def _summary(
        self,
        ruling: Ruling,
        record: HostRecord,
        snapshot: Snapshot,
        lives: list[Instant],
        now: Instant,
    ) -> Summary:
        key = (record.shape, situation(ruling, lives, now))
        summary = self._summaries.get(key)
        if summary is None:
            age = self._bearings.boot_max_age_s
            summary = summarise(decide(ruling, record, snapshot, age, now))
            if len(self._summaries) >= _SUMMARIES_MAX:
                self._summaries.clear()
            self._summaries[key] = summary
        return summary

    def _judge(
        self, uuid: str, snapshot: Snapshot, now: Instant
    ) -> _Entry | None:
        record = snapshot.records.get(uuid)
        if record is None:
            return None
        old = self._entries.get(uuid)
        if (
            old is not None
            and old.record is record
            and old.generation == snapshot.generation
            and not old.admitted
        ):
            return old
        entry = self._new_entry(record, snapshot, now)
        self._entries[uuid] = entry
        return entry

    def _new_entry(
        self, record: HostRecord, snapshot: Snapshot, now: Instant
    ) -> _Entry:
        ruling = self._ruling(record.shape, snapshot)
        age = self._bearings.boot_max_age_s
        lives = expiries(ruling, record, snapshot, age)
        host = record.binding.host
        lapse = until(ruling, lives)
        if lapse <= now:
            # what fresher claims cannot mend needs not be tried again
            again = FOREVER if ruling.hopeless else NEVER
            return _Entry(
                again, record, host, False, None, snapshot.generation
            )
        if not ruling.excuses:
            return _Entry(lapse, record, host, True)
        strict = until(ruling, lives, excused=False)
        if strict > now:
            return _Entry(strict, record, host, True)
        softened = self._summary(ruling, record, snapshot, lives, now)
        # what is set aside changes without the admission changing
        again = min(lapse, now + _SOFTENED_S)
        return _Entry(again, record, host, True, softened)

    def _ruling(self, shape: Shape, snapshot: Snapshot) -> Ruling:
        ruling = self._rulings.get(shape)
        if ruling is None:
            policy = snapshot.policy
            assert policy is not None
            demand = self.demand
            ruling = rule(
                resolve(demand, shape, snapshot),
                self._closures(shape, snapshot),
                policy.expires_at,
                resolve_preferred(demand, shape, snapshot),
            )
            if len(self._rulings) > 2 * len(snapshot.shapes) + 64:
                self._rulings.clear()
            self._rulings[shape] = ruling
        return ruling

    def _closures(
        self, shape: Shape, snapshot: Snapshot
    ) -> tuple[Closure, ...]:
        policy = snapshot.policy
        if self._closed is None or policy is None:
            return ()
        return closures(
            policy,
            snapshot.catalogue,
            shape.pools,
            self.demand.trust_domain,
            self._bearings.management_domain,
        )
