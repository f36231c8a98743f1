# SPDX-License-Identifier: Apache-2.0
"""What changes have in common, and the list of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.unit.drafts import CATALOGUE
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft

Change = Callable[[Draft, Random], None]
CHANGES: dict[str, Change] = {}
# How often a change is drawn, if not once in a while.
OFTEN = {
    "profile": 6,
    "pool": 3,
    "values": 3,
    "status": 3,
    "declared": 3,
    "permissive": 2,
    "waiver": 2,
    "claim_missing": 2,
    "third_authority": 2,
}
# What profiles ask about is worth changing more often than the rest.
WEIGHTY = (
    "attestation",
    "attestation",
    "tpm",
    "location",
    "location",
    "memory-inspection",
    "execution-enclave",
    "secure-logging",
    "concealed-resource-usage",
)


def change(function: Change) -> Change:
    CHANGES[function.__name__] = function
    return function


def until(rnd: Random) -> float:
    """Return an end that is past, right now, soon or far."""
    return NOW + rnd.choice((-1000, -1, 0, 1, 30, 500, 50_000, 50_000))


def values_for(rnd: Random, name: str) -> dict[str, frozenset[str]]:
    """Return any values that a claim of this capability may have."""
    capability = CATALOGUE.capabilities[name]
    if name == "location":
        return {
            axis: frozenset(rnd.sample(regions, rnd.choice((1, 1, 1, 2))))
            for axis, regions in _REGIONS.items()
            if rnd.random() < 0.9
        }
    known = capability.values

    def some() -> frozenset[str]:
        return frozenset(rnd.sample(known, rnd.randint(0, len(known))))

    if capability.keys:
        return {key: some() for key in capability.keys if rnd.random() < 0.8}
    return {"": some()} if known else {}


_REGIONS = {
    "jurisdiction": ["EU", "DE", "DE-BE", "DE-BY", "FR", "CH", "XX"],
    "geographic": ["europe", "berlin", "berlin-east", "paris"],
    "logical": ["core", "rack-1", "rack-2"],
}
