# SPDX-License-Identifier: Apache-2.0
"""One request before the judge: which candidates, and why not the others.

Pure.  A case is cheap and lives for one request; what is remembered belongs
to the judge.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable
from collections.abc import Sequence

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.judge.decisions import C
from nfv_mla_scheduler.judge.dirty import NOT_CLEAN
from nfv_mla_scheduler.judge.grounds import Ground
from nfv_mla_scheduler.judge.strangers import Candidate
from nfv_mla_scheduler.judge.summaries import Summary
from nfv_mla_scheduler.judge.unmet import Unmet
from nfv_mla_scheduler.judge.unmet import alone
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.results.view import Snapshot


class Case:
    """One request, ready to be decided for any number of hosts.

    :param dirty: hosts that are not clean for the server's sake, by Nova's
        names of them and by the UUIDs of their compute nodes
    :param source: where it is now, and may stay
    :ivar malformed: what cannot be read of what it asks for; no host is
        right then, and no waiver helps
    """

    def __init__(
        self,
        ground: Ground,
        snapshot: Snapshot,
        project_id: str,
        server: str,
        malformed: Malformed | None = None,
        dirty: frozenset[str] = frozenset(),
        source: str | None = None,
    ) -> None:
        self.malformed = malformed
        self._ground = ground
        self._snapshot = snapshot
        self._project_id = project_id
        self._server = server
        self._dirty = dirty
        self._source = source

    def admitted(self, candidates: Sequence[C], now: Instant) -> list[C]:
        """Return the candidates that the server may be placed on."""
        chosen = self._ground.admitted(candidates, now)
        if self._dirty:
            chosen = [c for c in chosen if not self._unclean(c.uuid, c.host)]
        if not self._snapshot.break_glass or len(chosen) == len(candidates):
            return chosen
        taken = {id(candidate) for candidate in chosen}
        return [
            c
            for c in candidates
            if id(c) in taken or self._broken_glass(c.uuid, c.host, now)
        ]

    def decision(self, uuid: str, host: str, now: Instant) -> Decision:
        """Return the decision about one host, with every reason.

        Says the same as :meth:`admitted`: a host is among the admitted if
        and only if its decision has no refusal.
        """
        decision = self._ground.decision(uuid, host, now)
        if self._unclean(uuid, host):
            decision = dataclasses.replace(
                decision,
                refusals=(*decision.refusals, NOT_CLEAN),
                until=FOREVER,
            )
        glass = self._broken_glass(uuid, host, now)
        if glass is None or decision.admitted:
            return decision
        return dataclasses.replace(
            decision,
            refusals=(),
            waived=decision.waived + decision.refusals,
            until=glass.until,
        )

    def unmet(self, uuid: str, host: str, now: Instant) -> tuple[Unmet, ...]:
        """Return what one host does not meet, with every way it could.

        All of it is permissive if and only if the host is admitted.
        """
        if self._broken_glass(uuid, host, now) is not None:
            return ()
        unmet = self._ground.unmet(uuid, host, now)
        if self._unclean(uuid, host):
            return (*unmet, alone(NOT_CLEAN))
        return unmet

    def tally(
        self, candidates: Iterable[Candidate], now: Instant
    ) -> collections.Counter[str]:
        """Return how many of ``candidates`` fall to which refusal code."""
        counts: collections.Counter[str] = collections.Counter()
        for c in candidates:
            if self._broken_glass(c.uuid, c.host, now) is None:
                counts.update(self._refused(c, now))
        return counts

    def softened(
        self, admitted: Iterable[Candidate], now: Instant
    ) -> collections.Counter[Summary]:
        """Return what was set aside to admit, and for how many hosts."""
        found = self._ground.softened(admitted, now)
        return collections.Counter(each for each in found if not each.refused)

    def broken_glass(
        self, admitted: Iterable[Candidate], now: Instant
    ) -> tuple[BreakGlass, ...]:
        """Return the break-glass waivers that let any candidate in."""
        if not self._snapshot.break_glass:
            return ()
        used: dict[BreakGlass, None] = {}
        for c in admitted:
            glass = self._broken_glass(c.uuid, c.host, now)
            if glass is not None and self._refused(c, now):
                used[glass] = None
        return tuple(used)

    def assurance(
        self, candidates: Sequence[Candidate], now: Instant
    ) -> list[float]:
        """Return how well each admitted host is known, from 0 to 1."""
        return self._ground.assurance(candidates, now)

    @property
    def may_be_softened(self) -> bool:
        """Whether anything could have been set aside, at a glance."""
        policy = self._snapshot.policy
        if self.malformed is not None:
            return False
        if self._snapshot.break_glass:
            return True
        if policy is None:
            return False
        permissive = policy.permissive
        return bool(
            policy.waivers
            or permissive.pools
            or permissive.profiles
            or permissive.projects
        )

    @property
    def sealed_for(self) -> str | None:
        """The trust domain that keeps what is said of the server to itself.

        None: there is none such, or no policy that would say so.
        """
        policy = self._snapshot.policy
        project = policy.projects.get(self._project_id) if policy else None
        if policy is None or project is None or project.trust_domain is None:
            return None
        key = policy.trust_domains.get(project.trust_domain)
        return None if key is None else project.trust_domain

    def _refused(self, c: Candidate, now: Instant) -> tuple[str, ...]:
        """Return the codes to which a host falls, but for broken glass."""
        refused = self._ground.summary(c.uuid, c.host, now).refused
        if self._unclean(c.uuid, c.host):
            return (*refused, NOT_CLEAN.code.value)
        return refused

    def _unclean(self, uuid: str, host: str) -> bool:
        """Whether the server may not come to a host before it is clean."""
        dirty = self._dirty
        return (
            bool(dirty)
            and (uuid in dirty or host in dirty)
            and host != self._source
        )

    def _broken_glass(
        self, uuid: str, host: str, now: Instant
    ) -> BreakGlass | None:
        if self.malformed is not None:
            return None
        bound = self._snapshot.uuids.get(host, uuid)
        names = {
            BreakGlassTarget.SERVER: self._server,
            # a waiver for a host is not for what only goes by its name
            BreakGlassTarget.HOST: host if uuid == bound else None,
            BreakGlassTarget.PROJECT: self._project_id,
        }
        in_force = [
            glass
            for glass in self._snapshot.break_glass
            if glass.name == names[glass.target]
            and glass.since <= now < glass.until
        ]
        return max(in_force, key=lambda glass: glass.until, default=None)
