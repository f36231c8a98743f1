# SPDX-License-Identifier: Apache-2.0
"""All that a plan depends on, and what may be done at all just now.

Values, and pure.  Whether what is planned is then done (``--dry-run``) is not
told here, so that it cannot make a difference.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Container
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.values import Catalogue


class Arming(enum.Enum):
    """What may be done at all (``[monitor] act``)."""

    NONE = "none"
    FENCE = "fence"
    ALL = "all"


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """All that a plan depends on.

    :ivar marks: ours, verified, of servers and of hosts
    :ivar locks: server's UUID -> whose lock it has; absent: none
    :ivar somewhere: server's UUID -> whether another host would take it
    :ivar revertible: UUIDs of servers that wait to be confirmed, and would be
        admitted where a revert brings them
    :ivar unbuilt: server's UUID -> whether it was evacuated to be rebuilt, and
        is not rebuilt yet; absent: not known
    :ivar evidence: Nova's host name -> how new the results are by which it
        was judged; absent: there are none
    :ivar deadlines_s: step -> by when its effect has to show
    :ivar traits: whether traits are mirrored
    :ivar jumped: whether a clock has jumped of late
    :ivar starting: whether we have not yet seen enough to act
    :ivar stale: whether the picture is too old for anything but fences
    :ivar hosts_off: Nova's names of hosts known, out of band, to be off
    :ivar can_power_off: whether there is a command for it
    :ivar user_id: who we are
    :ivar acted: server's UUID -> what we asked of it, by Nova's record; of
        those whose finding is acted upon
    :ivar there: UUIDs of servers that Placement as well has where Nova does,
        and of whose moves Nova has a record; nobody else is released
    :ivar residents: UUIDs of servers that are where they were when this
        process first looked
    :ivar before: UUIDs of servers that were found before the policy was
    :ivar ages_s: server's UUID -> for how long it has been acted upon, by a
        clock that nobody sets; absent: by the clock
    """

    now: Instant
    policy: Policy
    catalogue: Catalogue
    picture: Picture
    verdict: Verdict
    marks: Marks
    locks: Mapping[str, Lock]
    somewhere: Mapping[str, bool]
    evidence: Mapping[str, Instant]
    holds: Holds
    deadlines_s: Mapping[Step, float]
    user_id: str
    act: Arming = Arming.NONE
    traits: bool = True
    jumped: bool = False
    starting: bool = False
    stale: bool = False
    hosts_off: frozenset[str] = frozenset()
    can_power_off: bool = False
    revertible: frozenset[str] = frozenset()
    unbuilt: Mapping[str, bool] = dataclasses.field(default_factory=dict)
    acted: Mapping[str, Acted] = dataclasses.field(default_factory=dict)
    there: Container[str] = frozenset()
    residents: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    ages_s: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def expired(self) -> bool:
        """Whether the policy says nothing any more."""
        return self.now >= self.policy.expires_at

    @property
    def incomplete(self) -> bool:
        """Whether part of the cloud may be other than the picture is."""
        return self.picture.partial or self.stale

    @property
    def unsettled(self) -> Why | None:
        """Why it is too early to conclude much from what is seen."""
        if self.starting:
            return Why.STARTING
        return Why.CLOCK_JUMPED if self.jumped else None


def closed_to_hosts(it: Situation) -> Why | None:
    """Return why no host is fenced or released now; None: some may be.

    A file of holds that cannot be read stops no fence: nobody is evicted by
    one.
    """
    if it.act is Arming.NONE:
        return Why.ACT_NONE
    if it.holds.pauses(it.now) and not it.holds.fault:
        return Why.PAUSED
    if it.expired:
        return Why.POLICY_EXPIRED
    return None


def closed_to_servers(it: Situation) -> Why | None:
    """Return why nothing is done to any server now; None: something may."""
    if it.act is Arming.NONE:
        return Why.ACT_NONE
    if it.act is Arming.FENCE:
        return Why.ACT_FENCE
    if it.holds.pauses(it.now):
        return Why.PAUSED
    if it.expired:
        return Why.POLICY_EXPIRED
    return Why.PARTIAL if it.stale else None


def closed_hosts(it: Situation) -> frozenset[str]:
    """Return the hosts that are found bad themselves: all else may be left on.

    One that is only permissively bad is not.  Our fence alone says so as long
    as nothing newer clears its host, which has no results while it is off.
    """
    found = {
        host
        for host, finding in it.verdict.hosts.items()
        if finding.fences and not finding.permissive
    }
    for name, mark in it.marks.nodes.items():
        node = it.picture.nodes.get(name)
        # Marks lose the fraction of their second.
        if node and it.evidence.get(node.host, NEVER) < mark.at + 1.0:
            found.add(node.host)
    return frozenset(found)


def let_off(it: Situation, marks: Mapping[str, Mark]) -> frozenset[str]:
    """Return whom we hold for what is only permissively found by now.

    :param marks: ours, of servers
    """
    return frozenset(
        uuid
        for uuid in marks
        if uuid in it.picture.servers
        and it.picture.servers[uuid].locked
        and uuid in it.verdict.servers
        and it.verdict.servers[uuid].permissive
    )


def our_marks(it: Situation) -> Mapping[str, Mark]:
    """Return server's UUID -> its mark, where the lock is ours as well.

    An owner may lock with a mark that we once gave.  What cannot be proven
    ours is marked all the same; only what cannot be undone has to wait.
    """
    return {
        uuid: mark
        for uuid, mark in it.marks.servers.items()
        if it.locks.get(uuid, Lock.OURS) in (Lock.OURS, Lock.UNPROVEN)
    }
