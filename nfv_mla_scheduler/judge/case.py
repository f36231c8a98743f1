# SPDX-License-Identifier: Apache-2.0
"""One request before the judge: which candidates, and why not the others.

Pure.  A case is cheap and lives for one request; what is remembered belongs
to the judge.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.judge.closures import Closure
from nfv_mla_scheduler.judge.closures import pools_permissive_until
from nfv_mla_scheduler.judge.decisions import C
from nfv_mla_scheduler.judge.decisions import Candidate
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.judge.decisions import Summary
from nfv_mla_scheduler.judge.decisions import summarise
from nfv_mla_scheduler.judge.follow import Followers
from nfv_mla_scheduler.judge.follow import Room
from nfv_mla_scheduler.judge.follow import nothing_follows
from nfv_mla_scheduler.judge.follow import shared_by
from nfv_mla_scheduler.judge.moves import Destinations
from nfv_mla_scheduler.judge.moves import destinations
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.requirement import Requirement
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.results.view import Snapshot

NO_POLICY = Refusal(
    RefusalCode.NO_POLICY,
    "policy",
    "5.3.2",
    detail="no signed policy has been accepted yet",
)

# A decision that still holds for as long as this is half as fresh as can be.
_FRESH_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """What a case is judged by.

    :ivar closed: Nova's host name -> the rules that close it to servers of
        this project
    :ivar source: the host that a moving server is on
    """

    snapshot: Snapshot
    closed: Mapping[str, tuple[Closure, ...]]
    followers: Followers
    room: Room
    source: str | None
    server: str
    project_id: str
    refuse_all_without_policy: bool


class Case:
    """One request, ready to be decided for any number of hosts."""

    def __init__(
        self,
        opening: Opening,
        requirement: Requirement | None = None,
        decisions: Decisions | None = None,
        malformed: Malformed | None = None,
    ) -> None:
        self.requirement = requirement
        self.malformed = malformed
        self._opening = opening
        self._decisions = decisions
        self._destinations = self._moves()
        self._ways: dict[Follow, frozenset[str]] = {}

    @property
    def demands(self) -> bool:
        """Whether anything is asked for, or tried to be."""
        if self.malformed is not None:
            return True
        return self.requirement is not None and self.requirement.demands

    def admitted(self, candidates: Sequence[C], now: Instant) -> list[C]:
        """Return the candidates that the server may be placed on."""
        opening = self._opening
        if self.malformed is not None:
            return []
        chosen = self._by_rules(candidates, now)
        if opening.snapshot.break_glass and len(chosen) < len(candidates):
            taken = {candidate.uuid for candidate in chosen}
            chosen = [
                c
                for c in candidates
                if c.uuid in taken or self._broken_glass(c.host, now)
            ]
        return chosen

    def decision(self, uuid: str, host: str, now: Instant) -> Decision:
        """Return the decision about one host, with every reason.

        Says the same as :meth:`admitted`: a host is among the admitted if
        and only if its decision has no refusal.
        """
        decision = self._explained(uuid, host, now)
        glass = self._broken_glass(host, now)
        if glass is None or self.malformed is not None or decision.admitted:
            return decision
        return dataclasses.replace(
            decision,
            refusals=(),
            waived=decision.waived + decision.refusals,
            until=glass.until,
        )

    def tally(
        self, candidates: Iterable[Candidate], now: Instant
    ) -> collections.Counter[str]:
        """Return how many of ``candidates`` fall to which refusal code."""
        counts: collections.Counter[str] = collections.Counter()
        for candidate in candidates:
            counts.update(self._codes(candidate, now))
        return counts

    def softened(
        self, admitted: Iterable[Candidate], now: Instant
    ) -> collections.Counter[Summary]:
        """Return what was set aside to admit, and for how many hosts."""
        counts: collections.Counter[Summary] = collections.Counter()
        for candidate in admitted:
            summary = self._softened(candidate, now)
            if summary is not None:
                counts[summary] += 1
        return counts

    def assurance(
        self, candidates: Iterable[Candidate], now: Instant
    ) -> list[float]:
        """Return for each candidate how well it is known, from 0 to 1.

        A third each: how long the decision still holds, that nothing was set
        aside for it, and the share of what is preferred that it has.  A
        server that asks for nothing does not care.
        """
        if self._decisions is None:
            return [0.0 for _ in candidates]
        snapshot = self._opening.snapshot
        weights = []
        for candidate in candidates:
            left = self.lapse(candidate.uuid, now) - now
            fresh = left / (left + _FRESH_S) if left > 0 else 0.0
            if math.isinf(left):
                fresh = 1.0 if left > 0 else 0.0
            softened = self._decisions.softened(candidate, snapshot, now)
            clean = 1.0 if softened is None else 0.0
            preferred = self._decisions.preferred(candidate.uuid, snapshot)
            weights.append((fresh + clean + preferred) / 3)
        return weights

    @property
    def may_be_softened(self) -> bool:
        """Whether anything could have been set aside, at a glance."""
        snapshot = self._opening.snapshot
        policy = snapshot.policy
        if policy is None or self.malformed is not None:
            return False
        permissive = policy.permissive
        return bool(
            policy.waivers
            or snapshot.break_glass
            or permissive.pools
            or permissive.profiles
            or permissive.projects
        )

    @property
    def sealed(self) -> bool:
        """Whether the server's trust domain keeps its entries to itself."""
        policy = self._opening.snapshot.policy
        if policy is None:
            return False
        project = policy.projects.get(self._opening.project_id)
        if project is None or project.trust_domain is None:
            return False
        return policy.trust_domains.get(project.trust_domain) is not None

    def lapse(self, uuid: str, now: Instant) -> Instant:
        """Return until when an admitted host stays so, as far as is known."""
        if self._decisions is None:
            return FOREVER
        return self._decisions.lapse(uuid, self._opening.snapshot, now)

    def _codes(self, candidate: Candidate, now: Instant) -> tuple[str, ...]:
        """As :meth:`decision` has them, for less work on many hosts."""
        uuid, host = candidate.uuid, candidate.host
        if self._decisions is None:
            return summarise(self.decision(uuid, host, now)).refused
        if self._broken_glass(host, now) is not None:
            return ()
        snapshot = self._opening.snapshot
        summary = self._decisions.summary(uuid, host, snapshot, now)
        further = self._further(uuid, host, now)
        if not further or self._excused_until(uuid) > now:
            return summary.refused
        codes = (*summary.refused, *(r.code.value for r in further))
        return tuple(dict.fromkeys(codes))

    def _softened(self, candidate: Candidate, now: Instant) -> Summary | None:
        uuid, host = candidate.uuid, candidate.host
        if self._decisions is None:
            if host not in self._opening.closed:
                return None
        elif not (
            self._opening.snapshot.break_glass
            or self._destinations
            or self._decisions.demand.follows
        ):
            return self._decisions.softened(
                candidate, self._opening.snapshot, now
            )
        summary = summarise(self.decision(uuid, host, now))
        return summary if summary.would_refuse or summary.waived else None

    def _moves(self) -> Destinations | None:
        opening = self._opening
        policy = opening.snapshot.policy
        if opening.source is None or self._decisions is None or not policy:
            return None
        catalogue = opening.snapshot.catalogue
        return destinations(policy, catalogue, opening.source)

    def _by_rules(self, candidates: Sequence[C], now: Instant) -> list[C]:
        opening = self._opening
        if opening.snapshot.policy is None:
            refused = self.demands or opening.refuse_all_without_policy
            return [] if refused else list(candidates)
        if self._decisions is None:
            closed = self._opening.closed
            if not closed:
                return list(candidates)
            return [
                c
                for c in candidates
                if c.host not in closed or not _shut(closed[c.host], now)
            ]
        chosen = self._decisions.admitted(candidates, opening.snapshot, now)
        if self._destinations is None and not self._decisions.demand.follows:
            return chosen
        return [
            c
            for c in chosen
            if not self._further(c.uuid, c.host, now)
            or self._excused_until(c.uuid) > now
        ]

    def _explained(self, uuid: str, host: str, now: Instant) -> Decision:
        snapshot = self._opening.snapshot
        if self.malformed is not None:
            return Decision(host, self._malformed_refusals(), FOREVER)
        if snapshot.policy is None:
            refuse_all = self._opening.refuse_all_without_policy
            refused = self.demands or refuse_all
            return Decision(host, (NO_POLICY,) if refused else (), FOREVER)
        if self._decisions is None:
            return self._by_closures(host, now)
        decision = self._decisions.decision(uuid, host, snapshot, now)
        further = self._further(uuid, host, now)
        if not further:
            return decision
        if self._excused_until(uuid) > now:
            return dataclasses.replace(
                decision, would_refuse=decision.would_refuse + further
            )
        return dataclasses.replace(
            decision, refusals=decision.refusals + further, until=FOREVER
        )

    def _malformed_refusals(self) -> tuple[Refusal, ...]:
        assert self.malformed is not None
        return tuple(
            Refusal(
                RefusalCode.MALFORMED,
                problem.path,
                "5.3.2",
                detail=f"{problem.message}: {problem.value!r}",
            )
            for problem in self.malformed.problems
        )

    def _by_closures(self, host: str, now: Instant) -> Decision:
        found = self._opening.closed.get(host, ())
        return Decision(
            host,
            tuple(c.refusal for c in found if c.permissive_until <= now),
            FOREVER,
            would_refuse=tuple(
                c.refusal for c in found if c.permissive_until > now
            ),
        )

    def _further(
        self, uuid: str, host: str, now: Instant
    ) -> tuple[Refusal, ...]:
        """Refusals that rest on where the server and others are."""
        found = []
        moves = self._destinations
        if moves is not None and host not in moves.hosts:
            found.append(moves.refusal)
        assert self._decisions is not None
        record = self._opening.snapshot.records.get(uuid)
        for follow in self._decisions.demand.follows:
            ways = self._ways_of(follow, now)
            if record is None or ways.isdisjoint(
                shared_by(record, follow.axis, self._opening.snapshot)
            ):
                found.append(nothing_follows(follow))
        return tuple(found)

    def _ways_of(self, follow: Follow, now: Instant) -> frozenset[str]:
        ways = self._ways.get(follow)
        if ways is None:
            opening = self._opening
            ways = opening.followers.ways(
                follow, opening.snapshot, opening.room, now
            )
            self._ways[follow] = ways
        return ways

    def _excused_until(self, uuid: str) -> Instant:
        """Until when what rests on other hosts is only said aloud here."""
        assert self._decisions is not None
        until = self._decisions.demand.permissive_until
        record = self._opening.snapshot.records.get(uuid)
        policy = self._opening.snapshot.policy
        if record is None or policy is None:
            return until
        pools = record.shape.pools
        return max(until, pools_permissive_until(policy, pools))

    def _broken_glass(self, host: str, now: Instant) -> BreakGlass | None:
        opening = self._opening
        names = {
            BreakGlassTarget.SERVER: opening.server,
            BreakGlassTarget.HOST: host,
            BreakGlassTarget.PROJECT: opening.project_id,
        }
        for glass in opening.snapshot.break_glass:
            if glass.name == names[glass.target] and (
                glass.since <= now < glass.until
            ):
                return glass
        return None


def _shut(found: tuple[Closure, ...], now: Instant) -> bool:
    return any(closure.permissive_until <= now for closure in found)
