# SPDX-License-Identifier: Apache-2.0
"""The tiers of an attestation result, and which of two is the worse.

Pure.  draft-ietf-rats-ar4si, section 3.2: the numbers of the tiers are names
and not an order.  ``none`` says nothing: it cannot contradict, and it must not
stand for something that does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.ear_names import ENTRIES as ENTRIES
from nfv_mla_scheduler.results.worse import is_better as is_better
from nfv_mla_scheduler.results.worse import worst as worst

_BY_NAME = {status.value: status for status in Status}
_BY_NUMBER = {
    0: Status.NONE,
    2: Status.AFFIRMING,
    32: Status.WARNING,
    96: Status.CONTRAINDICATED,
}
# How much it says against an attester: here silence says nothing.
_AGAINST = {
    Status.NONE: 0,
    Status.AFFIRMING: 0,
    Status.WARNING: 1,
    Status.CONTRAINDICATED: 2,
}

Vector = Mapping[str, int]


def _tier(value: int) -> Status:
    if -1 <= value <= 1:
        return Status.NONE
    if -32 <= value <= 31:
        return Status.AFFIRMING
    if -96 <= value <= 95:
        return Status.WARNING
    return Status.CONTRAINDICATED


TIERS: Mapping[int, Status] = {v: _tier(v) for v in range(-128, 128)}


def hides(status: Status, entry: Status) -> bool:
    """Whether a status keeps quiet what an entry below it says against."""
    return _AGAINST[status] < _AGAINST[entry]


def read_status(raw: Any, where: str) -> Status:
    """Return a status that travels as a name or as a number.

    :raises TokenRefused: BAD_STATUS
    """
    found = None
    if type(raw) is str:
        found = _BY_NAME.get(raw)
    elif type(raw) is int:
        found = _BY_NUMBER.get(raw)
    if found is None:
        raise bad_status(
            where,
            f"{strict_json.shown(raw)!r} is no status: "
            + ", ".join(_BY_NAME)
            + " or 0, 2, 32, 96",
        )
    return found


def read_vector(raw: Any, where: str) -> Vector:
    """Return a trustworthiness vector; entries not known stay in it.

    :raises TokenRefused: BAD_STATUS for an entry that is no whole number from
        -128 to 127
    """
    if type(raw) is not dict:
        raise bad_status(where, "the trustworthiness vector is no object")
    for name, value in raw.items():
        if type(value) is not int or value not in TIERS:
            raise bad_status(
                where,
                f"{bounded(name)} is {strict_json.shown(value)!r}, and must "
                "be a whole number from -128 to 127",
            )
    return raw


def bad_status(where: str, message: str) -> TokenRefused:
    """Return the refusal of a status or entry that is none."""
    return TokenRefused(TokenCode.BAD_STATUS, f"{bounded(where)}: {message}")
