# SPDX-License-Identifier: Apache-2.0
"""What the requests of the bench ask for, as flavors' extra specs.  Pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping

from bench.estate import REGIONS
from bench.rules import LEAST_AGE_S
from bench.rules import MAX_AGE_S
from bench.rules import PROFILE
from bench.rules import WAIVED

Specs = Mapping[str, str]

#: A profile of a dozen needs, a TPM, and a place.
MAIN: Specs = {
    "nfv_mla:profile": PROFILE,
    "nfv_mla:capability.tpm": "hardware",
    "nfv_mla:location.jurisdiction": "EU",
}
#: What somebody asks for who has never heard of us.
NOTHING: Specs = {"hw:cpu_policy": "shared", "hw_rng:allowed": "True"}
# For Nova's own filters; every host has what they ask for.
AGGREGATES: Specs = {
    "aggregate_instance_extra_specs:region": "<or> eu <or> us",
    "aggregate_instance_extra_specs:tier": ">= 1",
}
CAPABILITIES: Specs = {"capabilities:hypervisor_type": "QEMU"}
#: So many of many tenants, in turn, and a new generation of results after
#: so many requests.
REQUIREMENTS = 100
PER_GENERATION = 10


def never_seen(waived: bool = False) -> Iterator[Specs]:
    """Yield requirements of which no two are equal, harmless as they are.

    :param waived: of a profile of which part is waived
    """
    profile = WAIVED if waived else PROFILE
    for max_age_s in range(LEAST_AGE_S, MAX_AGE_S):
        yield {
            **MAIN,
            "nfv_mla:profile": profile,
            "nfv_mla:max_age": str(max_age_s),
        }


def many() -> tuple[Specs, ...]:
    """Return requirements as the flavors of many tenants have them."""
    found: list[Specs] = []
    for number in range(REQUIREMENTS):
        specs = {
            "nfv_mla:max_age": str(LEAST_AGE_S + number),
            "nfv_mla:location.jurisdiction": _PLACES[number % len(_PLACES)],
        }
        if number % 2:
            specs["nfv_mla:profile"] = PROFILE
        if number % 4 < 3:
            specs["nfv_mla:capability.tpm"] = "hardware"
        if number % 5 == 0:
            specs["nfv_mla:authority"] = "inspector"
        found.append(specs)
    return tuple(found)


_PLACES = ("EU", "!US", *REGIONS[:3])
