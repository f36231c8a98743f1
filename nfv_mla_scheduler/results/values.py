# SPDX-License-Identifier: Apache-2.0
"""The shape of attestation results: what an authority said, and when.

Claims stand apart from freshness: claims rarely change, times always do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import Instant

Claims = Mapping[str, Claim]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What one authority claims about one attester, without the time of it.

    Compared by identity: the loader hands out the same object again for as
    long as nothing in it has changed, and what is judged of it stays judged.

    :ivar claims: capability -> claim; equal sets are one object
    :ivar boot: identity of the boot under which the boot-time claims were
        attested; ``None``: the authority cannot tell boots apart
    :ivar boot_attested_at: when the boot-time claims were attested
    :ivar faulty: something in it cannot be taken, so that nothing in it
        carries anything; what it contradicts it still does, since silence
        must not help
    :ivar key: digest of that key of its TPM by which it was attested and
        that the policy pins, as the driver found; empty: it compared none
    """

    authority: str
    attester: str
    claims: Claims
    boot: str | None
    boot_attested_at: Instant
    faulty: bool = False
    key: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Freshness:
    """When an authority last appraised an attester, and which boot it saw.

    :ivar until: when the authority's own word ends (``exp`` of a token), from
        which on nothing in the result carries anything
    """

    at: Instant
    boot: str | None
    until: Instant = FOREVER


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ResultsDocument:
    """Everything that a collector published at one moment, verified.

    :ivar body_digest: SHA-256 of the part that holds the claims
    :ivar results: authority -> attester id -> result
    :ivar freshness: authority -> attester id -> when
    :ivar problems: results that carry nothing or are not heard, or claims of
        capabilities that are not known here, and why; nothing else is lost
    """

    collector: str
    issued_at: Instant
    body_digest: str
    results: Mapping[str, Mapping[str, Result]]
    freshness: Mapping[str, Mapping[str, Freshness]]
    problems: tuple[Problem, ...]
