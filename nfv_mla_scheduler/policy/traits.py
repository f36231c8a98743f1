# SPDX-License-Identifier: Apache-2.0
"""Names of pools as Placement traits, one to one.

Standard library only.  Every compute's credentials can read traits: give the
handle of a pool that has one, and never a profile (5.0.3).  Traits make
placement fast; only results make it true.
"""

from __future__ import annotations

import re

from nfv_mla_scheduler.model import NAME_PATTERN

PREFIX = "CUSTOM_NFV_MLA_POOL_"
LENGTH_MAX = 255


def trait_of(name: str) -> str:
    """Return the trait that stands for a pool's name or handle.

    :raises ValueError: when it is no name, or too long for a trait
    """
    trait = PREFIX + name.upper().replace("-", "_")
    if not re.fullmatch(NAME_PATTERN, name) or len(trait) > LENGTH_MAX:
        raise ValueError(f"no trait can stand for {name[:64]!r}")
    return trait


def name_of(trait: str) -> str | None:
    """Return the name that a trait stands for; None when it is not ours."""
    name = trait.removeprefix(PREFIX).lower().replace("_", "-")
    if not re.fullmatch(NAME_PATTERN, name) or len(trait) > LENGTH_MAX:
        return None
    return name if trait_of(name) == trait else None
