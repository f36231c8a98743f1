# SPDX-License-Identifier: Apache-2.0
"""What ``attesters.yaml`` says, as frozen values.  Pure."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.model import Status


class Wrong(enum.Enum):
    """What a token can have wrong with it; each is a token of its own."""

    KEY = "key"
    UNKNOWN_KID = "unknown-kid"
    ALG_NONE = "alg-none"
    HS256 = "hs256"
    OTHER_ATTESTER = "other-attester"
    NO_ATTESTER = "no-attester"
    OTHER_ISSUER = "other-issuer"
    OTHER_AUDIENCE = "other-audience"
    OTHER_PROFILE = "other-profile"
    NO_VERIFIER = "no-verifier"
    NO_IAT = "no-iat"
    NO_SUBMODS = "no-submods"
    UNKNOWN_STATUS = "unknown-status"
    STATUS_TOO_GOOD = "status-too-good"
    BAD_CLAIM = "bad-claim"
    CLAIM_TWICE = "claim-twice"
    DEEP = "deep"
    OVERSIZED = "oversized"
    NO_TOKEN = "no-token"  # noqa: S105  a word, not a secret


class Fault(enum.Enum):
    """What an answer over HTTP can have wrong with it."""

    REDIRECT = "redirect"
    WRONG_TYPE = "wrong-type"
    NOT_JSON = "not-json"
    ENDLESS = "endless"
    DRIPPING = "dripping"
    TRUNCATED = "truncated"
    HANG_UP = "hang-up"


@dataclasses.dataclass(frozen=True, slots=True)
class Knobs:
    """How this authority misbehaves.  By default it does not.

    :ivar slow_s: how late it answers, in seconds
    :ivar silent: whether it never answers
    :ivar expired: whether tokens have run out when they are issued
    :ivar replayed: whether it goes on with the token that it issued when this
        was set
    :ivar ahead_s: how far its clock is ahead, in seconds; negative: behind
    :ivar status: the HTTP status of its answers, 400 to 599; 0: as it should
        be
    """

    slow_s: float = 0.0
    silent: bool = False
    wrong: Wrong | None = None
    expired: bool = False
    replayed: bool = False
    ahead_s: float = 0.0
    fault: Fault | None = None
    status: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Attester:
    """One host as this authority knows it.

    :ivar claims: as they travel (``results/claim_sets.py``)
    :ivar status: of the whole appraisal
    :ivar vector: the trust vector, category -> value
    :ivar boot: ``bootcount`` and ``bootseed`` of EAT, or neither
    :ivar location: ``location`` of EAT; empty: none
    :ivar knobs: its own, where it has none, those for all
    """

    name: str
    claims: Mapping[str, Any]
    status: Status
    vector: Mapping[str, int]
    boot: Mapping[str, Any]
    location: Mapping[str, float]
    knobs: Knobs


@dataclasses.dataclass(frozen=True, slots=True)
class Roster:
    """Everything that ``attesters.yaml`` says.

    :ivar profile: of tokens (``results/ear_names.py``), hence their spelling
    :ivar issuer: ``iss`` of tokens; empty: they have none
    :ivar lifetime_s: of a token, in whole seconds
    :ivar knobs: those for all
    """

    profile: str
    issuer: str
    lifetime_s: int
    knobs: Knobs
    attesters: Mapping[str, Attester]
