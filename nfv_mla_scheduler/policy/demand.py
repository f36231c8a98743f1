# SPDX-License-Identifier: Apache-2.0
"""Bind a requirement to the policy: what exactly a host has to meet.

Pure.  Each ask of the requirement becomes needs of its own, none of which
another ask can soften; so whatever is added only narrows.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.application import Application
from nfv_mla_scheduler.policy.binder import Binder
from nfv_mla_scheduler.policy.profiles import profile_needs
from nfv_mla_scheduler.policy.requirement import Requirement
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.standard.values import Catalogue


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """A requirement, bound to one policy: everything to be met, one by one.

    :ivar needs: all of which have to be met
    :ivar preferred: needs that only make a host the better
    :ivar follows: profiles that must be able to follow; names, not handles
    :ivar trust_domain: of the server's project; None: it has none
    :ivar permissive_until: until when the project is permissive
    """

    requirement: Requirement
    needs: tuple[Need, ...]
    preferred: tuple[Need, ...]
    follows: tuple[Follow, ...]
    trust_domain: str | None
    permissive_until: Instant

    @property
    def all_permissive_until(self) -> Instant:
        """Until when nothing that is asked for is enforced anywhere.

        A host of which nothing is known meets no need, so that it is refused
        for the sake of each of them.
        """
        needs = (need.permissive_until for need in self.needs)
        return max(self.permissive_until, min(needs, default=NEVER))


def bind(
    requirement: Requirement, policy: Policy, catalogue: Catalogue
) -> Demand:
    """Return what ``requirement`` means under ``policy``.

    :raises Malformed: when it names what the policy does not know, or lacks
        what a profile needs to be told; no host is right for it
    """
    project = policy.projects.get(requirement.project_id)
    permissive = policy.permissive.projects.get(requirement.project_id, NEVER)
    problems: list[Problem] = []
    needs: list[Need] = []
    preferred: list[Need] = []
    follows: set[Follow] = set()
    for ask in sorted(requirement.asks, key=lambda a: a.source.value):
        binder = Binder(ask, policy, catalogue, problems)
        needs.extend(binder.needs())
        preferred.extend(binder.preferred())
        follows.update(binder.follows())
    if problems:
        raise Malformed(tuple(problems))
    return Demand(
        requirement=requirement,
        needs=tuple(dict.fromkeys(needs)),
        preferred=tuple(dict.fromkeys(preferred)),
        follows=tuple(
            sorted(follows, key=lambda f: (f.profile, f.axis.value))
        ),
        trust_domain=project.trust_domain if project else None,
        permissive_until=permissive,
    )


def profile_demand(
    profile: str, policy: Policy, catalogue: Catalogue
) -> Demand:
    """Return what a host has to meet for a profile's sake alone.

    Used for profiles that follow: whatever the following application itself
    contributes is taken as given, since it is not there to be asked.
    """
    needs = [
        dataclasses.replace(need, groups=_host_part(need.groups))
        for need in profile_needs(policy.profiles[profile], policy, catalogue)
    ]
    return Demand(
        Requirement(frozenset(), _NOBODY), tuple(needs), (), (), None, NEVER
    )


_NOBODY = Application()


def _host_part(
    groups: tuple[tuple[Term, ...], ...],
) -> tuple[tuple[Term, ...], ...]:
    return tuple(
        tuple(t for t in group if t.subject is not Subject.APPLICATION)
        for group in groups
    )
