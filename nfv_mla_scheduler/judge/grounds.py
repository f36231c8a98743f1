# SPDX-License-Identifier: Apache-2.0
"""On what ground a request is judged: three kinds, one interface.

Pure.  A request that can meet nobody's approval, one that asks for nothing,
and one that asks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Protocol

from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.closures import closing
from nfv_mla_scheduler.judge.closures import shut
from nfv_mla_scheduler.judge.decisions import C
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.judge.elsewhere import Elsewhere
from nfv_mla_scheduler.judge.strangers import Candidate
from nfv_mla_scheduler.judge.summaries import Summary
from nfv_mla_scheduler.judge.summaries import summarise
from nfv_mla_scheduler.judge.unmet import Unmet
from nfv_mla_scheduler.judge.unmet import alone
from nfv_mla_scheduler.judge.unmet import plainly
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.results.view import Snapshot


class Ground(Protocol):
    """Decides about hosts for one request."""

    def admitted(self, candidates: Sequence[C], now: Instant) -> list[C]:
        """Return the candidates that the server may be placed on."""

    def decision(self, uuid: str, host: str, now: Instant) -> Decision:
        """Return the decision about one host, with every reason."""

    def unmet(self, uuid: str, host: str, now: Instant) -> tuple[Unmet, ...]:
        """Return what one host does not meet, with every way it could."""

    def summary(self, uuid: str, host: str, now: Instant) -> Summary:
        """Return what :meth:`decision` says, for less work on many hosts."""

    def softened(
        self, admitted: Iterable[Candidate], now: Instant
    ) -> list[Summary]:
        """Return what was set aside to admit hosts, of those where it was."""

    def assurance(
        self, candidates: Sequence[Candidate], now: Instant
    ) -> list[float]:
        """Return how well each admitted host is known, from 0 to 1."""


class Refused:
    """Every host is refused for the same reasons; with none, none is."""

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        self._refusals = refusals

    def admitted(self, candidates: Sequence[C], now: Instant) -> list[C]:
        return [] if self._refusals else list(candidates)

    def decision(self, uuid: str, host: str, now: Instant) -> Decision:
        return Decision(host, self._refusals, FOREVER)

    def unmet(self, uuid: str, host: str, now: Instant) -> tuple[Unmet, ...]:
        return tuple(plainly(self.decision(uuid, host, now)))

    def summary(self, uuid: str, host: str, now: Instant) -> Summary:
        return summarise(self.decision(uuid, host, now))

    def softened(
        self, admitted: Iterable[Candidate], now: Instant
    ) -> list[Summary]:
        return []

    def assurance(
        self, candidates: Sequence[Candidate], now: Instant
    ) -> list[float]:
        return [0.0 for _ in candidates]


class AsksNothing:
    """Only hosts that are closed to the server are refused.

    :param closed: Nova's host name -> the rules that close it
    :param lenient: whether any of these rules may be permissive
    """

    def __init__(self, closed: Closed, lenient: bool = True) -> None:
        self._closed = closed
        self._lenient = lenient

    def admitted(self, candidates: Sequence[C], now: Instant) -> list[C]:
        closed = self._closed
        if not closed:
            return list(candidates)
        return [
            c
            for c in candidates
            if (c.host not in closed and c.uuid not in closed)
            or not shut(closed, c.uuid, c.host, now)
        ]

    def decision(self, uuid: str, host: str, now: Instant) -> Decision:
        found = closing(self._closed, uuid, host)
        refusals = tuple(c.refusal for c in found if c.permissive_until <= now)
        excused = [c for c in found if c.permissive_until > now]
        ends = [] if refusals else [c.permissive_until for c in excused]
        return Decision(
            host,
            refusals,
            min(ends, default=FOREVER),
            would_refuse=tuple(c.refusal for c in excused),
        )

    def unmet(self, uuid: str, host: str, now: Instant) -> tuple[Unmet, ...]:
        return tuple(plainly(self.decision(uuid, host, now)))

    def summary(self, uuid: str, host: str, now: Instant) -> Summary:
        return summarise(self.decision(uuid, host, now))

    def softened(
        self, admitted: Iterable[Candidate], now: Instant
    ) -> list[Summary]:
        closed = self._closed
        if not closed or not self._lenient:
            return []
        return [
            self.summary(c.uuid, c.host, now)
            for c in admitted
            if c.host in closed or c.uuid in closed
        ]

    def assurance(
        self, candidates: Sequence[Candidate], now: Instant
    ) -> list[float]:
        # a server that asks for nothing does not care
        return [0.0 for _ in candidates]


class Asks:
    """Hosts have to meet a demand, and the rules that rest on others."""

    def __init__(
        self, decisions: Decisions, elsewhere: Elsewhere, snapshot: Snapshot
    ) -> None:
        self._decisions = decisions
        self._elsewhere = elsewhere
        self._snapshot = snapshot

    def admitted(self, candidates: Sequence[C], now: Instant) -> list[C]:
        chosen = self._decisions.admitted(candidates, self._snapshot, now)
        elsewhere = self._elsewhere
        if not elsewhere.matters:
            return chosen
        return [
            c
            for c in chosen
            if not elsewhere.refusals(c.uuid, c.host, now)
            or elsewhere.permissive_until(c.uuid) > now
        ]

    def decision(self, uuid: str, host: str, now: Instant) -> Decision:
        decision = self._decisions.decision(uuid, host, self._snapshot, now)
        elsewhere = self._elsewhere
        further = elsewhere.refusals(uuid, host, now)
        if further and elsewhere.permissive_until(uuid) <= now:
            return dataclasses.replace(
                decision, refusals=decision.refusals + further, until=FOREVER
            )
        until = (
            elsewhere.permissive_until(uuid)
            if further
            else elsewhere.followed_until(uuid, now)
        )
        return dataclasses.replace(
            decision,
            until=min(decision.until, until)
            if decision.admitted
            else decision.until,
            would_refuse=decision.would_refuse + further,
        )

    def unmet(self, uuid: str, host: str, now: Instant) -> tuple[Unmet, ...]:
        permissive = self._elsewhere.permissive_until(uuid) > now
        return (
            *self._decisions.unmet(uuid, host, self._snapshot, now),
            *(
                alone(refusal, permissive)
                for refusal in self._elsewhere.refusals(uuid, host, now)
            ),
        )

    def summary(self, uuid: str, host: str, now: Instant) -> Summary:
        if self._elsewhere.matters:
            return summarise(self.decision(uuid, host, now))
        return self._decisions.summary(uuid, host, self._snapshot, now)

    def softened(
        self, admitted: Iterable[Candidate], now: Instant
    ) -> list[Summary]:
        if not self._elsewhere.matters:
            return self._decisions.softened(admitted, self._snapshot, now)
        found = [self.summary(c.uuid, c.host, now) for c in admitted]
        return [each for each in found if each.would_refuse or each.waived]

    def assurance(
        self, candidates: Sequence[Candidate], now: Instant
    ) -> list[float]:
        return self._decisions.assurance(candidates, self._snapshot, now)
