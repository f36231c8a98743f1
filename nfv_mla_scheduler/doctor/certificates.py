# SPDX-License-Identifier: Apache-2.0
"""Certificates in files: until when they are valid.  Reads those files."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable

from cryptography import x509

from nfv_mla_scheduler.doctor.findings import Verdict
from nfv_mla_scheduler.doctor.findings import failed
from nfv_mla_scheduler.doctor.findings import warning
from nfv_mla_scheduler.doctor.side import Unreadable
from nfv_mla_scheduler.doctor.side import read
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import DAY_S

BYTES_MAX = 2**20
SOON_DAYS = 30
LAST_DAYS = 1
_ADVICE = "renew it; it is read again when the file changes"


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A file of certificates, and what it is for.

    :ivar bundle: any one of several may be used, as in a file of CAs; else
        all of them are needed, as in a chain
    """

    what: str
    path: pathlib.Path
    bundle: bool = False


def lives(named: Iterable[Named], now: Instant) -> list[Verdict]:
    """Return what is wrong, or soon will be, with these certificates."""
    found = []
    for one in named:
        verdict = _life(one, now)
        if verdict is not None:
            found.append(verdict)
    return found


def _life(one: Named, now: Instant) -> Verdict | None:
    try:
        data = read(one.path, BYTES_MAX)
        certificates = x509.load_pem_x509_certificates(data)
    except Unreadable as exc:
        return failed(f"{one.what}: {exc}", "put the certificate there")
    except ValueError:
        return failed(
            f"{one.what}: {one.path}: holds no certificate in PEM",
            "put the certificate there",
        )
    starts = [c.not_valid_before_utc.timestamp() for c in certificates]
    ends = [c.not_valid_after_utc.timestamp() for c in certificates]
    end = max(ends) if one.bundle else min(ends)
    start = min(starts) if one.bundle else max(starts)
    left = (end - now) / DAY_S
    if start > now:
        return failed(f"{one.what}: {one.path} is not valid yet", _ADVICE)
    if left <= 0:
        return failed(f"{one.what}: {one.path} has expired", _ADVICE)
    if left <= SOON_DAYS:
        verdict = failed if left <= LAST_DAYS else warning
        return verdict(
            f"{one.what}: {one.path} expires in {left:.1f} days", _ADVICE
        )
    return None
