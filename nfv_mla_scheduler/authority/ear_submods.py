# SPDX-License-Identifier: Apache-2.0
"""The appraisals in a token: a status, and what it must not keep quiet.

Pure.  draft-ietf-rats-ear, section 3: every attester is a submod, with a
status and the trustworthiness vector that the status sums up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority import ear_tiers
from nfv_mla_scheduler.authority.ear_profile import Spelling
from nfv_mla_scheduler.authority.ear_profile import check_spelling
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.ear_names import SUBMODS as SUBMODS


@dataclasses.dataclass(frozen=True, slots=True)
class Submod:
    """One appraisal, with all claims in it."""

    status: Status
    vector: ear_tiers.Vector
    content: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Appraised:
    """The appraisals of a token, and the worst status of all.

    :ivar whole: what the token says of the whole; ``None``: nothing
    """

    status: Status
    submods: Mapping[str, Submod]
    whole: Status | None = None


def read_submods(content: Mapping[str, Any], spelling: Spelling) -> Appraised:
    """Return the appraisals of a token.

    :raises TokenRefused: NO_SUBMODS, PROFILE, BAD_STATUS or STATUS_TOO_GOOD
    """
    raw = content.get(SUBMODS)
    if type(raw) is not dict or not raw:
        raise TokenRefused(
            TokenCode.NO_SUBMODS, "submods must be an object with appraisals"
        )
    submods = {
        name: _read_submod(entry, spelling, f"submods.{name}")
        for name, entry in raw.items()
    }
    status = ear_tiers.worst(submod.status for submod in submods.values())
    whole = None
    if spelling.status in content:
        whole = ear_tiers.read_status(
            content[spelling.status], spelling.status
        )
        if ear_tiers.is_better(whole, status):
            raise _too_good(spelling.status, whole, "a submod", status)
        status = whole
    return Appraised(status, submods, whole)


def _read_submod(raw: Any, spelling: Spelling, where: str) -> Submod:
    if type(raw) is not dict:
        raise TokenRefused(
            TokenCode.NO_SUBMODS, f"{bounded(where)} is no appraisal"
        )
    check_spelling(raw, spelling, where)
    if spelling.status not in raw:
        raise ear_tiers.bad_status(where, f"lacks {spelling.status}")
    status = ear_tiers.read_status(raw[spelling.status], where)
    vector: ear_tiers.Vector = {}
    if spelling.vector in raw:
        vector = ear_tiers.read_vector(raw[spelling.vector], where)
    for name, value in vector.items():
        entry = ear_tiers.TIERS[value]
        if ear_tiers.hides(status, entry):
            raise _too_good(where, status, bounded(name), entry)
    return Submod(status, vector, raw)


def _too_good(
    where: str, status: Status, what: str, worse: Status
) -> TokenRefused:
    return TokenRefused(
        TokenCode.STATUS_TOO_GOOD,
        f"{bounded(where)}: the status is {status.value}, although {what} is "
        f"{worse.value}",
    )
