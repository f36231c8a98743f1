# SPDX-License-Identifier: Apache-2.0
"""The shape of the catalogue: frozen values, no rules and no files.

Standard library only.  ``catalogue.py`` fills them from ``catalogue.yaml``.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Grade
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Level
from nfv_mla_scheduler.model import Strength
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term

Group = tuple[Term, ...]
EVERY_KEY = "*"


class Management(enum.Enum):
    """Which scheduler may place on hosts of a class (7.2)."""

    OWN_DOMAIN_ONLY = "own-domain-only"
    SHARED_RESTRICTED = "shared-restricted"
    SHARED = "shared"


class Moves(enum.Enum):
    """Where a host class lets a server move (7.2)."""

    LISTED_SET = "listed-set-with-officer-consent"
    OWN_POOL = "own-pool"
    OWN_POOLS = "own-pools"
    SAME_CLASS = "compliant-host-of-same-class"


class Dedication(enum.Enum):
    """To whom hosts of a class belong."""

    TRUST_DOMAIN = "trust-domain"
    POLICY = "policy"
    NOBODY = "none"


@dataclasses.dataclass(frozen=True, slots=True)
class Capability:
    """A measure of clause 6, or a capability that clauses 5 and 7 add.

    :ivar static: Table 10: not expected to change during normal operation;
        ``None`` where the table does not apply
    :ivar boot_only: Table 10: attestable at boot only; ``None`` likewise
    :ivar min_grade: the weakest grade at which a claim of it counts
    :ivar values: the values that a claim may have; empty: none are defined
    :ivar keys: what a claim is split by (resources, axes, media)
    :ivar levels: its row of Table 11; empty for what clause 6 does not list
    :ivar open_values: its values are named elsewhere (regions, by the policy)
    """

    name: str
    clause: str
    title: str
    subjects: tuple[str, ...]
    static: bool | None
    boot_only: bool | None
    min_grade: Grade
    values: tuple[str, ...]
    keys: tuple[str, ...]
    levels: Mapping[HostClass, Level]
    open_values: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class StandardRequirement:
    """A requirement of clause 5 and the capabilities that meet it.

    :ivar groups: any one of them suffices; in a requirement with ``per_key``
        a term with the key ``*`` (:data:`EVERY_KEY`) is meant per key: ask
        :meth:`expanded`
    :ivar per_key: the need is repeated for each of these keys
    :ivar further_groups: a second condition, any one of these groups, which
        holds for profiles that also have one of ``further_if``
    :ivar why: the clauses that the mapping rests on; the mapping is ours
    """

    name: str
    title: str
    groups: tuple[Group, ...]
    per_key: tuple[str, ...]
    further_if: tuple[str, ...]
    further_groups: tuple[Group, ...]
    why: str

    def expanded(self) -> tuple[tuple[str | None, tuple[Group, ...]], ...]:
        """Return (key, groups) for each condition that has to be met.

        One for each of ``per_key``, with ``*`` replaced by that key in host
        and application terms alike; or a single one with the key ``None``.
        """
        if not self.per_key:
            return ((None, self.groups),)
        return tuple(
            (key, tuple(_with_key(group, key) for group in self.groups))
            for key in self.per_key
        )


def _with_key(group: Group, key: str) -> Group:
    return tuple(
        dataclasses.replace(term, key=key) if term.key == EVERY_KEY else term
        for term in group
    )


@dataclasses.dataclass(frozen=True, slots=True)
class ClassRules:
    """What a host class is and does (7.2, Table 11).

    :ivar terms: what a host must prove to be of this class: the core
        measures of its column, and what its clause adds
    :ivar rank: privilege, 1 the least; scarcity weighs by it
    :ivar differs: clauses of Table 11 in which this type of pool differs from
        the column that it shares (7.2.2.1, 7.2.2.2)
    """

    host_class: HostClass
    clause: str
    title: str
    terms: Group
    management: Management
    telemetry: str
    dedicated_to: Dedication
    moves: Moves
    live_migrate: bool
    rank: int
    differs: Mapping[str, Level] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Profile:
    """A use case of clause 4, as the standard has it or a policy adjusts it.

    :ivar requirements: what Table 9 marks for it
    :ivar strength: exceptions to ``required``
    :ivar max_age_s: how old a run-time claim may be; ``None``: the
        authority's own maximum
    :ivar boot_claim_max_age_s: how old a boot-time claim may be at most
    :ivar values: per capability, the only values that count
    :ivar refuse_values: per capability, values that disqualify a host
    :ivar add: further needs: (name, clause, groups)
    :ivar location_axes: the axes on which the host's location must be known
    :ivar location_explicit: the axis that whoever names the profile must
        also name; ``None``: nothing needs naming
    :ivar accept_declared: capabilities for which the declared grade counts
    :ivar vouchers_min: how many authorities must vouch
    :ivar external_voucher: trust from outside the operator's domain is
        needed: an authority there, or a hardware TPM pinned in the policy
    :ivar conduct: what later parts read (halting, logging, disclosure, ...)
    :ivar prefer: capabilities that make a host the better choice; for
        weighers only
    :ivar conditional_measures: measures that some functions of this kind
        need: whoever describes the function names them
    :ivar unneeded_measures: measures that the notes call unlikely or not
        required
    """

    name: str
    clause: str
    title: str
    requirements: tuple[str, ...]
    strength: Mapping[str, Strength]
    max_age_s: int | None
    boot_claim_max_age_s: int | None
    values: Mapping[str, frozenset[str]]
    refuse_values: Mapping[str, frozenset[str]]
    add: tuple[tuple[str, str, tuple[Group, ...]], ...]
    location_axes: tuple[Axis, ...]
    location_explicit: Axis | None
    accept_declared: frozenset[str]
    vouchers_min: int
    external_voucher: bool
    conduct: Mapping[str, Any]
    handle: str | None = None
    prefer: tuple[str, ...] = ()
    conditional_measures: tuple[str, ...] = ()
    unneeded_measures: tuple[str, ...] = ()

    def strength_of(self, requirement: str) -> Strength:
        """Return how this profile takes one of its ``requirements``."""
        return self.strength.get(requirement, Strength.REQUIRED)


@dataclasses.dataclass(frozen=True, slots=True)
class Table12Row:
    """Elements that Table 12 names, and the profiles that we suggest."""

    profile: str
    elements: tuple[str, ...]
    node_class: str = ""
    technology: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Anomaly:
    """A slip in the text, and what we take instead."""

    where: str
    what: str
    take: str


class Carry(enum.Enum):
    """What of a server may travel from a host that failed to another."""

    NONE = "none"
    DISK = "disk"
    ALL = "all"


@dataclasses.dataclass(frozen=True, slots=True)
class FailureAxis:
    """A kind of failure, and how it is answered by default (5.3.2).

    :ivar capabilities: that fail in this way; none: it is about results that
        do not come, see ``when``
    :ivar after_s: for how long it has to last before it is answered
    :ivar steps: of :data:`standard.failure.STEPS`, in their order
    """

    name: str
    capabilities: tuple[str, ...]
    carry: Carry
    steps: tuple[str, ...]
    when: str = ""
    after_s: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Catalogue:
    """GR NFV-SEC 009 V1.3.1 as frozen values.

    :ivar use_cases: the seven profiles that are columns of Table 9, in its
        order; the variants of clause 4.3 are ours
    :ivar application_keys: of the application terms that take a key, the keys
    """

    capabilities: Mapping[str, Capability]
    requirements: Mapping[str, StandardRequirement]
    classes: Mapping[HostClass, ClassRules]
    profiles: Mapping[str, Profile]
    self_terms: Mapping[str, str]
    application_terms: Mapping[str, str]
    table12: tuple[Table12Row, ...]
    anomalies: tuple[Anomaly, ...]
    axes_of_failure: Mapping[str, FailureAxis]
    use_cases: tuple[str, ...] = ()
    application_keys: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )

    def least_grade(self, term: Term) -> Grade:
        """Return the weakest grade of a claim that meets ``term``."""
        if term.grade is not None:
            return term.grade
        if term.subject is Subject.SITE:
            return Grade.DECLARED
        return self.capabilities[term.name].min_grade
