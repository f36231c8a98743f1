# SPDX-License-Identifier: Apache-2.0
"""Turn what one source asks for into needs, in the words of the policy.

Pure.  Names that the policy does not know are problems, and never ignored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.keys import RESOURCES
from nfv_mla_scheduler.policy.profiles import profile_needs
from nfv_mla_scheduler.policy.profiles import subject_of
from nfv_mla_scheduler.policy.values import Ask
from nfv_mla_scheduler.policy.values import Follow
from nfv_mla_scheduler.policy.values import Need
from nfv_mla_scheduler.policy.values import Place
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import PoolChoice
from nfv_mla_scheduler.policy.values import Source
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Profile

# What 5.1.3 asks of host and application together, by nfv_mla:provision.
_PROVISION = {
    "signed-image": "integrity",
    "encrypted-image": "confidentiality",
}


class Binder:
    """Turns one ask into needs; collects what is wrong with it."""

    def __init__(
        self,
        ask: Ask,
        policy: Policy,
        catalogue: Catalogue,
        problems: list[Problem],
    ) -> None:
        self._ask = ask
        self._policy = policy
        self._catalogue = catalogue
        self._problems = problems
        self._profiles = tuple(self._known_profiles(sorted(ask.profiles)))

    def needs(self) -> Iterator[Need]:
        """Yield every need of this ask, its maximum age applied to all."""
        limit = self._ask.max_age_s
        for need in self._all_needs():
            if limit is None:
                yield need
            else:
                yield dataclasses.replace(
                    need, max_age_s=_least(need.max_age_s, limit)
                )

    def preferred(self) -> Iterator[Need]:
        """Yield what its profiles merely prefer."""
        for profile in self._profiles:
            yield from profile_needs(
                profile, self._policy, self._catalogue, preferred=True
            )

    def follows(self) -> Iterator[Follow]:
        """Yield what has to be able to follow, by the profile's own name."""
        for follow in self._ask.follows:
            name = self._name("follow", follow.profile, self._policy.profiles)
            if name is not None:
                yield Follow(name, follow.axis)

    def _all_needs(self) -> Iterator[Need]:
        for profile in self._profiles:
            yield from profile_needs(profile, self._policy, self._catalogue)
        yield from self._pool_needs()
        for place in sorted(self._ask.places, key=lambda p: p.axis.value):
            yield from self._place_need(place)
        yield from self._capability_needs()
        yield from self._authority_needs()
        yield from self._age_needs()
        yield from self._provision_needs()
        for follow in self._ask.follows:
            yield from self._follow_need(follow)

    def _known_profiles(self, names: list[str]) -> Iterator[Profile]:
        for given in names:
            name = self._name("profile", given, self._policy.profiles)
            if name is None:
                continue
            profile = self._policy.profiles[name]
            axis = profile.location_explicit
            if axis is not None and not any(
                place.axis is axis and place.inside
                for place in self._ask.places
            ):
                self._wrong(
                    "profile",
                    f"needs {PREFIX}location.{axis.value} beside it",
                    given,
                )
            yield profile

    def _pool_needs(self) -> Iterator[Need]:
        if self._ask.host_classes:
            choices = [
                choice
                for pool in self._policy.pools.values()
                for choice in self._as_class(pool.name, pool.host_class)
            ]
            yield Need("host_class", "7.2", (), pools=tuple(choices))
        if self._ask.pools:
            names = [
                self._name("pool", pool, self._policy.pools)
                for pool in sorted(self._ask.pools)
            ]
            choices = [PoolChoice(name) for name in names if name]
            yield Need("pool", "7.2.2", (), pools=tuple(choices))

    def _as_class(
        self, pool: str, host_class: HostClass
    ) -> Iterator[PoolChoice]:
        """Yield the ways in which a pool serves as a class asked for."""
        if host_class in self._ask.host_classes:
            yield PoolChoice(pool)
        elif (
            host_class is HostClass.POOLED_RESTRICTED
            and HostClass.POOLED_RESTRICTED_CONCEALED in self._ask.host_classes
        ):
            # 7.2.2.0: type 1 serves as type 2 where the application itself
            # conceals what the host does not.
            yield PoolChoice(pool, conceal=RESOURCES)

    def _place_need(self, place: Place) -> Iterator[Need]:
        regions = self._policy.regions.get(place.axis)
        for region in sorted(place.inside | place.outside):
            if regions is None or region not in regions:
                self._wrong(
                    f"location.{place.axis.value}",
                    "the policy knows no such region",
                    region,
                )
        term = Term(
            Subject.HOST,
            "location",
            key=place.axis.value,
            any_of=place.inside,
            none_of=place.outside,
            grade=self._location_grade(),
        )
        yield Need("location", "5.1.6", ((term,),))

    def _location_grade(self) -> Grade:
        """Declared counts only if all profiles of this ask accept it."""
        accepted = bool(self._profiles) and all(
            "location" in profile.accept_declared for profile in self._profiles
        )
        return Grade.DECLARED if accepted else Grade.BOOT

    def _capability_needs(self) -> Iterator[Need]:
        for wanted in self._ask.capabilities:
            capability = self._catalogue.capabilities[wanted.capability]
            subject = subject_of(capability)
            keys: list[str | None] = [*sorted(wanted.keys)]
            for key in keys or [None]:
                term = Term(
                    subject, capability.name, key=key, any_of=wanted.any_of
                )
                yield Need(capability.name, capability.clause, ((term,),))

    def _authority_needs(self) -> Iterator[Need]:
        for name in sorted(self._ask.authorities):
            if self._name("authority", name, self._policy.authorities):
                term = Term(Subject.HOST, "attestation", authority=name)
                yield Need("authority", "5.3.3", ((term,),))

    def _age_needs(self) -> Iterator[Need]:
        limit = self._ask.max_age_s
        if limit is None:
            return
        cadences = {
            name: authority.cadence_s
            for name, authority in self._policy.authorities.items()
        }
        named = self._ask.authorities & set(cadences)
        slowest = max((cadences[name] for name in named), default=None)
        if slowest is None:
            slowest = min(cadences.values(), default=0)
        if limit < 2 * slowest:
            self._wrong(
                "max_age",
                f"is below twice the authority's cadence of {slowest} s",
                str(limit),
            )
        term = Term(Subject.HOST, "attestation", grade=Grade.RUN_TIME)
        yield Need("max_age", "5.1.2", ((term,),))

    def _provision_needs(self) -> Iterator[Need]:
        for kind in sorted(self._ask.provision):
            host = Term(
                Subject.HOST,
                "secure-provisioning",
                any_of=frozenset({_PROVISION[kind]}),
            )
            image = Term(Subject.APPLICATION, kind)
            yield Need("provision", "5.1.3", ((host, image),))

    def _follow_need(self, follow: Follow) -> Iterator[Need]:
        """What is shared must be known of the host in the first place."""
        if follow.axis in (FollowAxis.POOL, FollowAxis.HOST):
            return
        term = Term(
            Subject.HOST,
            "location",
            key=follow.axis.value,
            grade=self._location_grade(),
        )
        yield Need("follow", "5.1.6", ((term,),))

    def _name(
        self, key: str, given: str, known: Mapping[str, object]
    ) -> str | None:
        """Return the policy's own name for a name or handle."""
        name = self._policy.aliases.get(given, given)
        if name in known:
            return name
        self._wrong(key, "the policy knows no such name", given)
        return None

    def _wrong(self, key: str, message: str, value: str) -> None:
        where = f"{PREFIX}{key}"
        if self._ask.source is Source.FLOOR:
            where = f"floor of the project: {where}"
        self._problems.append(Problem(where, message, bounded(value)))


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)
