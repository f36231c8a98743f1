# SPDX-License-Identifier: Apache-2.0
"""What is next for each server with a finding, were nobody to hold it.

Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.marking.standing import Standing
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.planning.playbooks import steps_for
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.planning.reached import Reached
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.situation import closed_hosts
from nfv_mla_scheduler.monitor.planning.situation import let_off
from nfv_mla_scheduler.monitor.planning.spent import SKEW_S
from nfv_mla_scheduler.monitor.steps import Step

URGENCY = {kind: number for number, kind in enumerate(Kind)}
NEVER_EVICTS = (Kind.OUTAGE, Kind.COPIED, Kind.TAMPERED)
# What works out what is next for a server: ``progress.progress``.
Advance = Callable[
    [Standing, tuple[Step, ...], Instant, Mapping[Step, float]], Next
]


@dataclasses.dataclass(frozen=True, slots=True)
class Due:
    """A server with a finding, as it stands, and what is next for it.

    :ivar late: whether nothing but a halt of its guest is in time any more,
        by its mark, or by what this process has tried
    :ivar begun: whether it was acted upon before
    :ivar reached: where it is on its way
    """

    finding: Finding
    server: Server
    mark: Mark | None
    next: Next
    somewhere: bool
    late: bool
    begun: bool
    reached: Reached

    @property
    def urgency(self) -> tuple[int, str]:
        """By which these are sorted."""
        return URGENCY[self.finding.kind], self.server.uuid


def dues_of(
    it: Situation, marks: Mapping[str, Mark], advance: Advance
) -> Iterator[Due]:
    """Yield what is next for each that is acted upon, or would be.

    One with our mark that is only permissively found is not: it is let go.
    """
    closed = closed_hosts(it)
    released = let_off(it, marks)
    for uuid, finding in it.verdict.servers.items():
        server = it.picture.servers.get(uuid)
        if server is None or not _evicts(finding) or uuid in released:
            continue
        standing = _standing(it, finding, server, marks.get(uuid))
        steps = _steps(it, finding, server.host in closed)
        after = advance(standing, steps, it.now, it.deadlines_s)
        limits_s = {**DEADLINES_S, **it.deadlines_s}
        reached = Reached(standing, steps, it.now, limits_s)
        yield Due(
            finding,
            server,
            standing.mark,
            after,
            standing.somewhere,
            late=finding.halts
            and reached.running
            and reached.late
            and _lasts(it, reached),
            begun=standing.mark is not None
            or standing.acted.first is not None,
            reached=reached,
        )


def _lasts(it: Situation, reached: Reached) -> bool:
    """Whether it has really gone on for as long as makes a halt late.

    A clock that is set forward must not make everybody late at once.
    """
    within_s = reached.it.finding.conduct.halt_within_s
    spare_s = min(reached.deadlines_s[Step.STOP], within_s / 4)
    age_s = it.ages_s.get(reached.it.server.uuid)
    return age_s is None or age_s >= within_s - spare_s


def acted_upon(finding: Finding) -> bool:
    """Whether a finding is answered by more than words."""
    return _evicts(finding) and not finding.permissive


def _evicts(finding: Finding) -> bool:
    return finding.evicts and finding.kind not in NEVER_EVICTS


def _steps(it: Situation, finding: Finding, closed: bool) -> tuple[Step, ...]:
    """Return the playbook for a finding, as far as there are means."""
    found = steps_for(finding, it.policy, it.catalogue, closed)
    if it.can_power_off:
        return found
    return tuple(step for step in found if step is not Step.POWER_OFF)


def _standing(
    it: Situation, finding: Finding, server: Server, mark: Mark | None
) -> Standing:
    node = it.picture.nodes.get(server.host)
    usual = Lock.NONE if mark is None else Lock.OURS
    moves = it.picture.migrations.get(server.uuid, ())
    acted = it.acted.get(server.uuid, Acted())
    return Standing(
        finding=finding,
        server=server,
        lock=it.locks.get(server.uuid, usual),
        mark=mark,
        migration=_move(
            moves, mark.since if mark else acted.first, it.user_id
        ),
        somewhere=it.somewhere.get(server.uuid, False),
        source_up=node is None or (node.up and not node.forced_down),
        host_off=server.host in it.hosts_off,
        revertible=server.uuid in it.revertible,
        acted=acted,
    )


def _move(
    moves: tuple[Migration, ...], since: Instant | None, user_id: str
) -> Migration | None:
    """Return a server's newest move since it was first acted upon.

    Somebody else's that is over is no step of ours: least of all the one by
    which it was forced to where it is.
    """
    those = [
        move
        for move in moves
        if move.course is Course.UNDER_WAY
        or (
            since is not None
            and move.created >= since - SKEW_S
            and (not user_id or move.user_id in ("", user_id))
        )
    ]
    return max(those, key=lambda m: (m.created, m.number), default=None)
