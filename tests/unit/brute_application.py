# SPDX-License-Identifier: Apache-2.0
"""What the application supplies, read the slow way.

A part of the brute-force judge (``brute_force.py``).  Only ``True`` as Nova
reads it counts as true; where flavor and image speak of the same thing, both
have to say so.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nfv_mla_scheduler.policy.values import Source

SIGNATURE = ("", "_hash_method", "_key_type", "_certificate_uuid")


@dataclasses.dataclass(frozen=True)
class Application:
    """Which application terms hold, and what the application conceals."""

    terms: frozenset[str]
    conceals: frozenset[str]


def application_of(request: Any, asks: Any) -> Application:
    """Return what a request's flavor and image supply."""
    specs, image = request.extra_specs, request.image
    terms = set()
    if all(image.get(f"img_signature{part}") for part in SIGNATURE):
        terms.add("signed-image")
    if _both(specs, image, "ephemeral_encryption"):
        terms.add("encrypted-volume")
        if image.get("hw_ephemeral_encryption_secret_uuid"):
            terms.add("encrypted-image")
    if _both(specs, image, "mem_encryption"):
        models = {
            specs.get("hw:mem_encryption_model"),
            image.get("hw_mem_encryption_model"),
        } - {None, ""}
        if models in ({"amd-sev-snp"}, {"intel-tdx"}):
            terms.add("full-enclave-guest")
    if _yes(specs.get("hw_rng:allowed", "True")):
        terms.add("rng-device")
    if specs.get("pci_passthrough:alias") or specs.get("accel:device_profile"):
        terms.add("direct-device")
    return Application(frozenset(terms), _conceals(asks))


def _conceals(asks: Any) -> frozenset[str]:
    by_source = {ask.source: ask.conceals for ask in asks}
    offered = by_source.get(Source.FLAVOR) or frozenset()
    floor = by_source.get(Source.FLOOR)
    return offered if floor is None else offered & floor


def _both(specs: Any, image: Any, name: str) -> bool:
    said = [specs.get(f"hw:{name}"), image.get(f"hw_{name}")]
    said = [value for value in said if value is not None]
    return bool(said) and all(map(_yes, said))


def _yes(value: object) -> bool:
    return str(value).strip().lower() in ("1", "t", "true", "on", "y", "yes")
