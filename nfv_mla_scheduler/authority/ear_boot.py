# SPDX-License-Identifier: Apache-2.0
"""What tells one boot of an attester from another.  Pure.

RFC 9711, sections 4.2.12 and 4.2.13: bootcount and bootseed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.results import strict_json

CLAIMS = ("bootcount", "bootseed")

# A longer name goes by its digest: it travels with every result.
NAME_BYTES_MAX = 64

_SEED = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def boots_of(content: Mapping[str, Any], where: str) -> list[str]:
    """Return what tells one boot from another (RFC 9711, 4.2.12, 4.2.13)."""
    boots = []
    if "bootcount" in content:
        count = content["bootcount"]
        if type(count) is not int or not strict_json.is_number(count):
            raise TokenRefused(
                TokenCode.BAD_CLAIM,
                f"{bounded(where)}bootcount must be a whole number from 0 to "
                "2**53",
            )
        boots.append(f"{where}count={count}")
    if "bootseed" in content:
        seed = content["bootseed"]
        if type(seed) is not str or not _SEED.fullmatch(seed):
            raise TokenRefused(
                TokenCode.BAD_CLAIM,
                f"{bounded(where)}bootseed must be base64url without padding",
            )
        boots.append(f"{where}seed={seed}")
    return boots


def boot_name(boots: Sequence[str]) -> str:
    """Return one name for all that tells a boot from others."""
    name = ",".join(boots)
    data = name.encode("utf-8", "surrogatepass")
    if strict_json.is_name(name) and len(data) <= NAME_BYTES_MAX:
        return name
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
