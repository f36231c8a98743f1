# SPDX-License-Identifier: Apache-2.0
"""Traits of resource providers, read and written as a compute could."""

from __future__ import annotations

import typing as ty

from tests.cloud import client
from tests.functional import world

_PREFIX = "CUSTOM_NFV_MLA_"


def ours(admin: client.Client, host: str) -> set[str]:
    """Return the traits with our prefix that a host's provider has."""
    shown = _of(admin, host)["traits"]
    return {trait for trait in shown if trait.startswith(_PREFIX)}


def give(admin: client.Client, host: str, traits: ty.Collection[str]) -> None:
    """Let a host's provider have these, and no others with our prefix."""
    shown = _of(admin, host)
    others = [t for t in shown["traits"] if not t.startswith(_PREFIX)]
    wanted = sorted({*others, *traits})
    if wanted == sorted(shown["traits"]):
        return
    for trait in traits:
        _ask(admin, "PUT", f"/traits/{trait}")
    _ask(admin, "PUT", _path(host), {**shown, "traits": wanted})


def _of(admin: client.Client, host: str) -> client.Json:
    return _ask(admin, "GET", _path(host))


def _path(host: str) -> str:
    return f"/resource_providers/{world.compute(host).uuid}/traits"


def _ask(
    admin: client.Client, method: str, path: str, body: ty.Any = None
) -> client.Json:
    return ty.cast(
        client.Json,
        admin.request(
            method, path, body, service="placement", microversion="1.39"
        ),
    )
