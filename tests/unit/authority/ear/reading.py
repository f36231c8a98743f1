# SPDX-License-Identifier: Apache-2.0
"""What the tests of reading tokens share: keys that sign fast, and answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.authority import ear_keys
from nfv_mla_scheduler.authority import ear_token
from nfv_mla_scheduler.authority.ear_reader import EarReader
from nfv_mla_scheduler.authority.values import Collected
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.model import Axis
from nfv_mla_scheduler.policy.regions import Regions
from nfv_mla_scheduler.standard.catalogue import load
from tests.vectors.ear_making import NOW
from tests.vectors.ear_making import dotted
from tests.vectors.ear_making import key_set
from tests.vectors.ear_making import token

SKEW_S = 60.0
KEYS = ear_keys.read_keys(json.dumps(key_set("ed", "p256")).encode())
REGIONS = {Axis.JURISDICTION: Regions({"DE": None})}
TPM = {"status": "affirming", "grade": "boot", "values": ["hardware"]}


def rules(**more: Any) -> ear_token.Rules:
    return ear_token.Rules(load(), REGIONS, SKEW_S, **more)


def inquiry(*attesters: str, **more: Any) -> Inquiry:
    found: dict[str, Any] = {"regions": REGIONS, "max_skew_s": SKEW_S}
    return Inquiry(attesters, **{**found, **more})


def signed(**claims: Any) -> bytes:
    """Return a good token with these claims, ``...`` takes one away."""
    return token(dotted(**claims), "ed").encode()


def about(attester: str, **claims: Any) -> bytes:
    return signed(sub=attester, **claims)


def reader(**more: Any) -> EarReader:
    return EarReader("acme", KEYS, load(), **more)


def answer(
    one: EarReader,
    tokens: Iterable[bytes],
    now: float = NOW,
    asked: Inquiry | None = None,
    complete: bool = True,
) -> Collected:
    return one.read(tokens, asked or inquiry(), now, complete)
