# SPDX-License-Identifier: Apache-2.0
"""Requirements that are looked at to see what a policy lets through.

Pure.  What a host could take is asked, not what a server brings: the
application is taken to do its part, where only an image tells whether it
does.  Hosts alike share a decision, so that many are judged in little time.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Protocol

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.closures import closed_hosts
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.decisions import Decisions
from nfv_mla_scheduler.judge.elsewhere import Elsewhere
from nfv_mla_scheduler.judge.elsewhere import Surroundings
from nfv_mla_scheduler.judge.follow import Followers
from nfv_mla_scheduler.judge.follow import room_on_all
from nfv_mla_scheduler.judge.grounds import Asks
from nfv_mla_scheduler.judge.grounds import AsksNothing
from nfv_mla_scheduler.judge.grounds import Refused
from nfv_mla_scheduler.judge.judge import malformed_refusals
from nfv_mla_scheduler.judge.ruling import expiries
from nfv_mla_scheduler.judge.ruling import situation
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Decision
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.application import IDEAL
from nfv_mla_scheduler.policy.application import IDEAL_IMAGE
from nfv_mla_scheduler.policy.application import read_application
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.demand import Demand
from nfv_mla_scheduler.policy.demand import bind
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.keys import is_ours
from nfv_mla_scheduler.policy.profiles import profile_needs
from nfv_mla_scheduler.policy.requirement import Requirement
from nfv_mla_scheduler.policy.requirement import meet
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.results.records import Shape
from nfv_mla_scheduler.results.view import Snapshot


class Kind(enum.Enum):
    """What a requirement that is looked at comes from."""

    PROFILE = "profile"
    POOL = "pool"
    FLOOR = "floor"
    FLAVOR = "flavor"


@dataclasses.dataclass(frozen=True, slots=True)
class Considered:
    """One requirement that is looked at.

    :ivar name: of profile, pool or flavor; of a floor, the project's id
    :ivar extra_specs: of a flavor
    """

    kind: Kind
    name: str
    extra_specs: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Sitting(Protocol):
    """Decides about hosts for one requirement."""

    def decision(self, uuid: str, host: str, now: Instant) -> Decision:
        """Return the decision about one host, with every reason."""


def considered(
    policies: tuple[Policy, ...], flavors: Mapping[str, Mapping[str, str]]
) -> Iterator[Considered]:
    """Yield what is worth looking at under these policies, in a fixed order.

    :param flavors: name -> extra specs; those that ask for nothing are left
        out
    """
    for name in sorted({n for policy in policies for n in policy.profiles}):
        yield Considered(Kind.PROFILE, name)
    for name in sorted({n for policy in policies for n in policy.pools}):
        yield Considered(Kind.POOL, name)
    floors = {
        project.project_id
        for policy in policies
        for project in policy.projects.values()
        if project.floor is not None
    }
    for name in sorted(floors):
        yield Considered(Kind.FLOOR, name)
    for name, extra_specs in sorted(flavors.items()):
        if any(is_ours(key) for key in extra_specs):
            yield Considered(Kind.FLAVOR, name, extra_specs)


class Bench:
    """Judges by one snapshot, which has a policy, for one scheduler."""

    def __init__(self, snapshot: Snapshot, bearings: Bearings) -> None:
        assert snapshot.policy is not None
        self.policy = snapshot.policy
        self.snapshot = snapshot
        self._bearings = bearings
        self._followers = Followers(bearings)

    def sit(self, what: Considered) -> Sitting:
        """Return what decides about hosts for ``what``."""
        try:
            if what.kind is Kind.PROFILE:
                return self._asks(self._profile(what.name))
            if what.kind is Kind.POOL:
                ask = Ask(Source.FLAVOR, pools=frozenset({what.name}))
                return self._asks(self._bound(Requirement(_only(ask), IDEAL)))
            if what.kind is Kind.FLAVOR:
                return self._flavor(what.extra_specs)
            return self._floor(what.name)
        except Malformed as exc:
            return Refused(malformed_refusals(exc))

    def _profile(self, name: str) -> Demand:
        """Return what a host has to meet for a profile's sake alone."""
        profile = self.policy.profiles.get(name)
        if profile is None:
            message = "the policy knows no such name"
            raise Malformed((Problem(f"{PREFIX}profile", message, name),))
        needs = profile_needs(profile, self.policy, self.snapshot.catalogue)
        requirement = Requirement(frozenset(), IDEAL)
        return Demand(requirement, tuple(needs), (), (), None, NEVER)

    def _flavor(self, extra_specs: Mapping[str, str]) -> Sitting:
        ask = read_ask(Source.FLAVOR, extra_specs, self.snapshot.catalogue)
        application = read_application(extra_specs, IDEAL_IMAGE)
        requirement = meet((ask,), application)
        if not requirement.demands:
            return AsksNothing({})
        return self._asks(self._bound(requirement))

    def _floor(self, project_id: str) -> Sitting:
        closed = closed_hosts(
            self.policy,
            self.snapshot.catalogue,
            project_id,
            self._bearings.management_domain,
        )
        project = self.policy.projects.get(project_id)
        floor = project.floor if project else None
        if floor is None or not floor.demands:
            return AsksNothing(closed)
        application = IDEAL
        if floor.conceals is not None:
            application = dataclasses.replace(IDEAL, conceals=floor.conceals)
        requirement = Requirement(_only(floor), application, project_id)
        return self._asks(self._bound(requirement), closed)

    def _bound(self, requirement: Requirement) -> Demand:
        return bind(requirement, self.policy, self.snapshot.catalogue)

    def _asks(self, demand: Demand, closed: Closed | None = None) -> Sitting:
        decisions = SharedDecisions(demand, self._bearings, closed)
        around = Surroundings(
            self._followers, room_on_all(self.snapshot), None
        )
        elsewhere = Elsewhere(demand, self.snapshot, around)
        return Asks(decisions, elsewhere, self.snapshot)


class SharedDecisions(Decisions):
    """Decisions that are explained once for hosts that are alike.

    Hosts of one shape in the same situation have the same refusals.  How long
    an admission holds is not worked out: it lapses at once.
    """

    def __init__(
        self,
        demand: Demand,
        bearings: Bearings,
        closed: Closed | None = None,
    ) -> None:
        super().__init__(demand, bearings, closed)
        self._known: dict[tuple[Shape, tuple[int, ...]], Decision] = {}

    def decision(
        self, uuid: str, host: str, snapshot: Snapshot, now: Instant
    ) -> Decision:
        record = snapshot.records.get(uuid)
        if record is None or record.binding.host != host:
            return super().decision(uuid, host, snapshot, now)
        ruling = self._ruling(record.shape, snapshot)
        age = self._bearings.boot_max_age_s
        lives = expiries(ruling, record, snapshot, age)
        key = (record.shape, situation(ruling, lives, now))
        known = self._known.get(key)
        if known is None:
            known = super().decision(uuid, host, snapshot, now)
            self._known[key] = known
        return Decision(
            host,
            known.refusals,
            now if known.admitted else FOREVER,
            known.waived,
            known.would_refuse,
        )


def _only(ask: Ask) -> frozenset[Ask]:
    return frozenset({ask} if ask.demands else ())
