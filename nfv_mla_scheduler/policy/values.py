# SPDX-License-Identifier: Apache-2.0
"""The shape of a policy: frozen values, already checked.

``document.py`` makes them from the signed bytes, or refuses those as a whole.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import CopyRule
from nfv_mla_scheduler.model import FollowAxis
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.standard.values import Profile


class Source(enum.Enum):
    """Who asks: the project's floor, the flavor, or the request's hints."""

    FLOOR = "floor"
    FLAVOR = "flavor"
    HINT = "hint"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a server wants to be on one axis (5.1.6)."""

    axis: Axis
    inside: frozenset[str]
    outside: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """A capability that is asked for by name (6)."""

    capability: str
    any_of: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Follow:
    """The profile that must be able to follow, and what is shared with it."""

    profile: str
    axis: FollowAxis


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """What one source asks for, parsed: one field for each key of KEYS.

    Several values of ``pools`` and ``host_classes`` mean any of them; of
    ``profiles``, ``authorities``, ``follows`` and ``provision`` all of them.
    """

    source: Source
    profiles: frozenset[str] = frozenset()
    host_classes: frozenset[HostClass] = frozenset()
    pools: frozenset[str] = frozenset()
    places: frozenset[Place] = frozenset()
    capabilities: frozenset[Wanted] = frozenset()
    authorities: frozenset[str] = frozenset()
    max_age_s: int | None = None
    follows: frozenset[Follow] = frozenset()
    provision: frozenset[str] = frozenset()
    conceals: frozenset[str] | None = None
    copy: CopyRule | None = None

    @property
    def demands(self) -> bool:
        """Whether it asks for anything that a host has to meet."""
        return self != Ask(self.source, conceals=self.conceals, copy=self.copy)


@dataclasses.dataclass(frozen=True, slots=True)
class Authority:
    """An attestation authority: what its word is worth here.

    :ivar vouches: the capabilities for which its claims count
    :ivar cadence_s: how often it attests a host anew
    :ivar max_age_s: how old its run-time claims may be
    :ivar may_evict: whether its evidence alone may halt a server
    """

    name: str
    trust_domain: str
    vouches: frozenset[str]
    cadence_s: int
    max_age_s: int
    may_evict: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Collector:
    """Who may sign results documents, and for which authorities.

    :ivar public_key: PEM, SubjectPublicKeyInfo
    """

    name: str
    public_key: str
    authorities: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True)
class DeclaredFact:
    """What the policy itself vouches for, by reference and until a date."""

    claim: Claim
    reference: str
    until: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Binding:
    """A host: under which names Nova and the authorities know it.

    :ivar host: Nova's host name
    :ivar node_uuid: of its compute node, the Placement provider's UUID
    :ivar attesters: authority -> attester id there
    :ivar pinned_keys: digests of EK or AK, ``sha256:...``
    """

    host: str
    node_uuid: str
    attesters: Mapping[str, str]
    pinned_keys: tuple[str, ...]
    declared: tuple[DeclaredFact, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Pool:
    """Hosts of one class (7.2.2): listed here, members while they prove it.

    :ivar prove: what its members must prove beyond their class
    :ivar exclusive_to: trust domains whose servers alone may be there;
        ``None``: everybody's
    :ivar management_domains: whose schedulers may place there, where its
        class leaves that to some
    :ivar moves_to: hosts that a server may move to from a single-restricted
        host; being listed in a signed policy is the officers' consent
    """

    name: str
    host_class: HostClass
    members: frozenset[str]
    prove: tuple[Term, ...]
    exclusive_to: frozenset[str] | None
    management_domains: frozenset[str]
    moves_to: frozenset[str]
    handle: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Waiver:
    """A requirement that a profile does without, for a reason, for a time."""

    profile: str
    requirement: str
    reason: str
    reference: str
    until: Instant


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """A Keystone project: its floor, and the trust domain it belongs to."""

    project_id: str
    floor: Ask | None
    trust_domain: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Permissive:
    """What is permissive, and until when."""

    pools: Mapping[str, Instant]
    profiles: Mapping[str, Instant]
    projects: Mapping[str, Instant]


@dataclasses.dataclass(frozen=True, slots=True)
class Guard:
    """Limits within which the monitor may act."""

    evictions_per_minute: int
    evictions_at_once: int
    per_host: int
    per_project: int
    suspect_share_percent: int


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """The officers' rules, whole and checked.

    :ivar digest: SHA-256 of the signed payload, hexadecimal
    :ivar operator: the trust domain of whoever runs this cloud
    :ivar aliases: handle -> name of a profile or pool
    :ivar bases: profile of the operator's own -> the standard's behind it
    :ivar footprints: profile -> resource class -> amount: the room that one
        server of a followed profile takes
    :ivar signers: ids of the officers' keys whose signatures held; none where
        nobody looked
    """

    version: int
    digest: str
    issued_at: Instant
    expires_at: Instant
    operator: str
    trust_domains: Mapping[str, str | None]
    authorities: Mapping[str, Authority]
    collectors: Mapping[str, Collector]
    hosts: Mapping[str, Binding]
    regions: Mapping[Axis, Regions]
    pools: Mapping[str, Pool]
    profiles: Mapping[str, Profile]
    aliases: Mapping[str, str]
    waivers: tuple[Waiver, ...]
    projects: Mapping[str, Project]
    permissive: Permissive
    site: tuple[DeclaredFact, ...]
    playbooks: Mapping[str, tuple[str, ...]]
    guard: Guard
    footprints: Mapping[str, Mapping[str, int]]
    bases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    signers: tuple[str, ...] = dataclasses.field(default=(), compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class PoolChoice:
    """A pool of which a host may be a proven member to meet a need.

    :ivar conceal: resources that host or application must conceal besides,
        for a type 1 pool that serves as type 2 (7.2.2.0)
    """

    pool: str
    conceal: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """Something that must be met: in at least one group every term holds.

    :ivar requirement: what a waiver names: a clause of Table 9 (``5.2.1``),
        or the capability or key that asks (``tpm``, ``pool``)
    :ivar clause: where the standard speaks of it
    :ivar groups: any one group suffices; none at all: never met
    :ivar pools: instead of groups: the pools any of which will do
    :ivar profile: the profile that brings the need; ``None``: asked directly
    :ivar max_age_s: how old a run-time claim may be for it; ``None``: what
        its authority allows
    :ivar boot_max_age_s: how old a boot-time claim may be at most
    :ivar waived_until: until when the policy waives it
    :ivar permissive_until: until when its profile is permissive
    """

    requirement: str
    clause: str
    groups: tuple[tuple[Term, ...], ...]
    pools: tuple[PoolChoice, ...] | None = None
    profile: str | None = None
    max_age_s: int | None = None
    boot_max_age_s: int | None = None
    waived_until: Instant = NEVER
    permissive_until: Instant = NEVER


class BreakGlassTarget(enum.Enum):
    """What a break-glass waiver is for."""

    SERVER = "server"
    HOST = "host"
    PROJECT = "project"


@dataclasses.dataclass(frozen=True, slots=True)
class BreakGlass:
    """A waiver of everything, by one officer, for one thing, for hours."""

    target: BreakGlassTarget
    name: str
    reason: str
    officer: str
    since: Instant
    until: Instant
