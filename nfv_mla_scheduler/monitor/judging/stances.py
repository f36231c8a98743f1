# SPDX-License-Identifier: Apache-2.0
"""What a server asks for, as far as a monitor has to know it.

Pure.  What a host has to meet is the judge's; here is how a finding is to be
answered, and what may be copied.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.monitor.findings import Conduct
from nfv_mla_scheduler.monitor.judging.copies import CopyLimits
from nfv_mla_scheduler.monitor.judging.copies import copy_limits
from nfv_mla_scheduler.monitor.picture import Ask as Asked
from nfv_mla_scheduler.policy.asking import read_ask
from nfv_mla_scheduler.policy.keys import is_ours
from nfv_mla_scheduler.policy.profiles import profile_needs
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.results.view import Snapshot
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Profile

# secure clean-up, as Table 9 names it
CLEAN_UP = "5.2.8"


@dataclasses.dataclass(frozen=True, slots=True)
class Stance:
    """What all who may ask for a server want of a monitor.

    :ivar demands: whether anything is asked that a host has to meet; what
        cannot be read is taken to ask for something
    :ivar sensitive: names of those of its profiles that need the hosts which
        it leaves to be cleaned (5.2.8)
    """

    demands: bool = False
    conduct: Conduct = dataclasses.field(default_factory=Conduct)
    copies: CopyLimits = dataclasses.field(default_factory=CopyLimits)
    sensitive: frozenset[str] = frozenset()


NOTHING = Stance()


def may_ask(asked: Asked, project_id: str, snapshot: Snapshot) -> bool:
    """Whether a server may ask for anything, at a glance."""
    policy = snapshot.policy
    if policy is not None and project_id in policy.projects:
        return True
    return any(map(is_ours, asked.extra_specs)) or any(
        map(is_ours, asked.hints)
    )


def stance_of(asked: Asked, project_id: str, snapshot: Snapshot) -> Stance:
    """Return what is asked for a project's server."""
    policy = snapshot.policy
    asks: list[Ask] = []
    demands = False
    sources: tuple[tuple[Source, Mapping[str, object]], ...] = (
        (Source.FLAVOR, asked.extra_specs),
        (Source.HINT, asked.hints),
    )
    for source, values in sources:
        try:
            asks.append(read_ask(source, values, snapshot.catalogue))
        except Malformed:
            demands = True
    project = policy.projects.get(project_id) if policy else None
    if project is not None and project.floor is not None:
        asks.append(project.floor)
    profiles = _profiles(asks, policy, snapshot)
    return Stance(
        demands or any(ask.demands for ask in asks),
        conduct_of(profiles),
        copy_limits(asks, profiles),
        _sensitive(profiles, policy, snapshot),
    )


def conduct_of(profiles: Iterable[Profile]) -> Conduct:
    """Return how some profiles together want a finding answered (5.3.2)."""
    stated = [profile.conduct for profile in profiles]
    within = [
        float(conduct["halt_within_s"])
        for conduct in stated
        if "halt_within_s" in conduct
    ]
    return Conduct(
        any(conduct.get("first") == "stop" for conduct in stated),
        min(within, default=Conduct().halt_within_s),
        any(conduct.get("nowhere") == "stop" for conduct in stated),
    )


def clean_up_needs(
    profile: Profile, policy: Policy, catalogue: Catalogue
) -> tuple[Need, ...]:
    """Return what a profile needs of a host when a server leaves it."""
    return tuple(
        need
        for need in profile_needs(profile, policy, catalogue)
        if need.requirement == CLEAN_UP
    )


def _sensitive(
    profiles: Iterable[Profile], policy: Policy | None, snapshot: Snapshot
) -> frozenset[str]:
    if policy is None:
        return frozenset()
    return frozenset(
        profile.name
        for profile in profiles
        if clean_up_needs(profile, policy, snapshot.catalogue)
    )


def _profiles(
    asks: Iterable[Ask], policy: Policy | None, snapshot: Snapshot
) -> list[Profile]:
    """Return the profiles that are asked for, by name or handle.

    Without a policy the standard's own, so that nobody loses what they ask
    for with the policy.
    """
    known = snapshot.catalogue.profiles if policy is None else policy.profiles
    aliases = {} if policy is None else policy.aliases
    names = sorted({name for ask in asks for name in ask.profiles})
    found = [known.get(aliases.get(name, name)) for name in names]
    return [profile for profile in found if profile is not None]
