# SPDX-License-Identifier: Apache-2.0
"""Hosts that the policy does not bind, or not by the names that Nova has.

Pure.  Nothing is known of them, so that they meet no need; they are let
through only while nothing that is asked for is enforced at all.
"""

from __future__ import annotations

from typing import Protocol

from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.closures import closing
from nfv_mla_scheduler.judge.closures import shut
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.demand import Demand
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

    @property
    def host(self) -> str:
        """Nova's name of it."""

    @property
    def uuid(self) -> str:
        """UUID of its compute node."""


class Strangers:
    """Decides about such hosts for one demand.

    :param closed: see ``Decisions``
    """

    def __init__(self, demand: Demand, closed: Closed | None) -> None:
        self._all_permissive_until = demand.all_permissive_until
        self._closed = closed or {}

    def any_admitted(self, snapshot: Snapshot, now: Instant) -> bool:
        """Whether they are let through, but where they are closed."""
        policy = snapshot.policy
        return (
            policy is not None
            and min(self._all_permissive_until, policy.expires_at) > now
        )

    def admits(self, candidate: Candidate, now: Instant) -> bool:
        """Whether one of them is, while any is."""
        return not shut(self._closed, candidate.uuid, candidate.host, now)

    def decision(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> Decision:
        """Return the decision about one of them, with every reason."""
        unknown = MISMATCH if host in snapshot.uuids else UNBOUND
        found = closing(self._closed, uuid, host)
        refusals = [c.refusal for c in found if c.permissive_until <= now]
        would = [c.refusal for c in found if c.permissive_until > now]
        admits = self.any_admitted(snapshot, now)
        (would if admits else refusals).append(unknown)
        until = self._all_permissive_until if admits else FOREVER
        return Decision(
            host, tuple(refusals), until, would_refuse=tuple(would)
        )
