# SPDX-License-Identifier: Apache-2.0
"""The status and the trust vector that fit a set of claims.  Pure.

An EAR sums up what an authority found in the eight categories of
draft-ietf-rats-ar4si, section 3.1, and in one status that is no better than
the worst of them.  Which capability belongs to which category is our choice.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import Claims

CATEGORIES: Mapping[str, str] = {
    "attestation": "instance-identity",
    "tpm": "instance-identity",
    "measured-boot": "executables",
    "secured-boot": "executables",
    "software-integrity": "executables",
    "secure-provisioning": "executables",
    "read-only-partitions": "file-system",
    "write-only-partitions": "file-system",
    "hardware-inventory": "hardware",
    "hsm": "hardware",
    "entropy-source": "hardware",
    "execution-enclave": "runtime-opaque",
    "concealed-resource-usage": "runtime-opaque",
    "self-encrypting-storage": "storage-opaque",
    "secure-storage": "storage-opaque",
    "secure-clean-up": "storage-opaque",
    "location": "sourced-data",
}
OTHER = "configuration"

# The generic value of each tier: draft-ietf-rats-ar4si, section 3.2.
TIERS: Mapping[Status, int] = {
    Status.NONE: 0,
    Status.AFFIRMING: 2,
    Status.WARNING: 32,
    Status.CONTRAINDICATED: 96,
}

# How much each says against a host.
_WORST_LAST = (
    Status.NONE,
    Status.AFFIRMING,
    Status.WARNING,
    Status.CONTRAINDICATED,
)
# How much each promises of it, most first.
_BEST_FIRST = (
    Status.AFFIRMING,
    Status.NONE,
    Status.WARNING,
    Status.CONTRAINDICATED,
)


def status_of(claims: Claims) -> Status:
    """Return the worst that is claimed; NONE when nothing is."""
    return _worst(claim.status for claim in claims.values())


def vector_of(claims: Claims, status: Status) -> dict[str, int]:
    """Return category -> value, of the categories that something is said of.

    In each the worst claim counts, but nothing that ``status`` would hide.
    """
    found: dict[str, Status] = {}
    for claim in claims.values():
        category = CATEGORIES.get(claim.capability, OTHER)
        known = found.get(category, Status.NONE)
        found[category] = _worst((known, claim.status))
    return {
        category: TIERS[tier]
        for category in sorted(found)
        if (tier := _no_worse(found[category], status)) is not Status.NONE
    }


def _worst(statuses: Iterable[Status]) -> Status:
    return max(statuses, key=_WORST_LAST.index, default=Status.NONE)


def _no_worse(tier: Status, status: Status) -> Status:
    if tier is Status.NONE:
        return tier
    return min(tier, status, key=_BEST_FIRST.index)
