# SPDX-License-Identifier: Apache-2.0
"""The values that every part of this package speaks.

Standard library only, and pure: no clock, no network, no configuration.
Instants are seconds since the epoch in UTC, as ``float``; every function that
needs to know the time takes it as an argument.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping

NAMESPACE = "nfv_mla"
NAME_PATTERN = "[a-z0-9]+(?:-[a-z0-9]+)*"
REGION_PATTERN = "[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"

Instant = float
FOREVER: Instant = math.inf
NEVER: Instant = -math.inf


class Grade(enum.Enum):
    """How well a claim is supported, weakest first (Table 10)."""

    DECLARED = "declared"
    BOOT = "boot"
    RUN_TIME = "run-time"

    @property
    def rank(self) -> int:
        """Position in the order of strength; not a wire value."""
        return _GRADE_ORDER.index(self)


_GRADE_ORDER = (Grade.DECLARED, Grade.BOOT, Grade.RUN_TIME)


class Status(enum.Enum):
    """An authority's word on one claim; the tiers of an EAR, by name."""

    NONE = "none"
    AFFIRMING = "affirming"
    WARNING = "warning"
    CONTRAINDICATED = "contraindicated"


class Subject(enum.Enum):
    """Whom a term is about: clause 6 names each measure's subject."""

    HOST = "host"
    APPLICATION = "app"
    SITE = "site"
    SELF = "self"


class Level(enum.Enum):
    """A mark of Table 11."""

    CORE = "core"
    MAY = "may"
    NONE = "none"


class HostClass(enum.Enum):
    """The approaches of clause 7.2, pooled-restricted in its two types."""

    SINGLE_RESTRICTED = "single-restricted"
    POOLED_RESTRICTED = "pooled-restricted"
    POOLED_RESTRICTED_CONCEALED = "pooled-restricted-concealed"
    SECURE_EXECUTION = "secure-execution"


class Axis(enum.Enum):
    """The three ways of saying where a host is (5.1.6)."""

    GEOGRAPHIC = "geographic"
    LOGICAL = "logical"
    JURISDICTION = "jurisdiction"


class FollowAxis(enum.Enum):
    """What a function and its follower have to share (4.5.2, 4.6.2, 8.2)."""

    JURISDICTION = "jurisdiction"
    GEOGRAPHIC = "geographic"
    LOGICAL = "logical"
    POOL = "pool"
    HOST = "host"


class CopyRule(enum.Enum):
    """Who may copy a server's state (6.10), strictest first."""

    DENY = "deny"
    SAME_PROJECT = "same-project"
    ALLOW = "allow"


class Strength(enum.Enum):
    """How a profile takes a requirement that Table 9 marks."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    CONDITIONAL = "conditional"


class RefusalCode(enum.Enum):
    """Why a host is refused: the one vocabulary of log, ledger and people."""

    MALFORMED = "malformed"
    NO_POLICY = "no-policy"
    POLICY_EXPIRED = "policy-expired"
    UNAVAILABLE = "unavailable"
    HOST_UNBOUND = "host-unbound"
    BINDING_MISMATCH = "binding-mismatch"
    POOL_EXCLUSIVE = "pool-exclusive"
    MANAGEMENT_DOMAIN = "management-domain"
    NOT_CLEAN = "not-clean"
    MOVE_NOT_ALLOWED = "move-not-allowed"
    NOT_IN_POOL = "not-in-pool"
    NO_CLAIM = "no-claim"
    STALE = "stale"
    BOOT_ENDED = "boot-ended"
    GRADE_TOO_WEAK = "grade-too-weak"
    VALUE_MISMATCH = "value-mismatch"
    WARNING = "warning"
    CONTRAINDICATED = "contraindicated"
    DOUBTED = "doubted"
    AUTHORITY_SILENT = "authority-silent"
    APPLICATION_LACKS = "application-lacks"
    NOT_JUDGED = "not-judged"
    SELF_UNMET = "self-unmet"
    NOTHING_FOLLOWS = "nothing-follows"


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """One thing that has to hold, about one subject.

    :ivar name: a capability of the catalogue, or the name of an application
        or self term
    :ivar key: of a keyed capability (a resource, an axis, a medium) the key
        that is meant; ``None``: any
    :ivar any_of: at least one of these values; empty: any value, or none
    :ivar all_of: all of these values
    :ivar none_of: none of these values; for a location, no overlap with them
    :ivar grade: the weakest grade that counts; ``None``: the catalogue's
        least for this capability
    :ivar authority: the one authority that must say it; ``None``: any that
        the policy lets vouch for it
    :ivar silence_counts: holds also when nobody claims the capability, so
        that the term only keeps certain values away
    """

    subject: Subject
    name: str
    key: str | None = None
    any_of: frozenset[str] = frozenset()
    all_of: frozenset[str] = frozenset()
    none_of: frozenset[str] = frozenset()
    grade: Grade | None = None
    authority: str | None = None
    silence_counts: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """One capability inside an authority's result, or a declared fact.

    :ivar values: for a keyed capability, key -> values; otherwise the one
        key ``""``.  A capability without values has an empty mapping.
    """

    capability: str
    status: Status
    grade: Grade
    values: Mapping[str, frozenset[str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a host is not admitted.

    :ivar capability: the capability, self or application term, or key
    :ivar clause: of GR NFV-SEC 009
    :ivar authority: whose word decided; empty when nobody's did
    :ivar detail: for operators, bounded; names no host
    """

    code: RefusalCode
    capability: str = ""
    clause: str = ""
    authority: str = ""
    detail: str = ""
    requirement: str = ""
    profile: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one server on one host, with every reason.

    :ivar refusals: all of them, not the first one; empty: admitted
    :ivar until: the moment at which this decision lapses and has to be made
        anew; an admission never outlasts the claims that carry it
    :ivar waived: refusals that a waiver in force sets aside
    :ivar would_refuse: refusals that permissive mode only says aloud
    """

    host: str
    refusals: tuple[Refusal, ...]
    until: Instant
    waived: tuple[Refusal, ...] = ()
    would_refuse: tuple[Refusal, ...] = ()

    @property
    def admitted(self) -> bool:
        """Whether the server may be placed there now."""
        return not self.refusals
