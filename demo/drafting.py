# SPDX-License-Identifier: Apache-2.0
"""How a policy of the demo is written: text, filled into a template."""

from __future__ import annotations

import datetime
import pathlib
import typing as ty
from collections.abc import Mapping
from collections.abc import Sequence

if ty.TYPE_CHECKING:
    from demo.world import Host

_DAY_S = 86400
_HOLDS_DAYS = 120


def filled(template: pathlib.Path, replaced: Mapping[str, str]) -> str:
    """Return a template with the rest of it put in, without its comment."""
    _comment, _, text = template.read_text(encoding="utf-8").partition(
        "format:"
    )
    text = f"format:{text}"
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def bound(
    host: Host,
    now: float,
    attesters: Mapping[str, str],
    keys: Sequence[str] = (),
) -> str:
    """Return how the policy binds a host, with what it declares of it.

    :param attesters: authority -> under what name it knows the host
    :param keys: the digests of those that attest it; none: any key will do
    """
    until = utc(now + _HOLDS_DAYS * _DAY_S)
    known = ", ".join(f"{who}: {name}" for who, name in attesters.items())
    lines = [
        f"  {host.name}:",
        f"    node_uuid: {host.compute.uuid}",
        f"    attesters: {{{known}}}",
        *([f"    pinned_keys: [{', '.join(keys)}]"] if keys else []),
        "    declared:",
    ]
    for capability, values in host.declared:
        given = "" if values == "[]" else f"values: {values}, "
        lines.append(
            f"    - {{capability: {capability}, {given}"
            f"reference: AUD-7, until: {until}}}"
        )
    return "\n".join(lines) + "\n"


def utc(at: float) -> str:
    """Return a moment as a policy has it."""
    moment = datetime.datetime.fromtimestamp(int(at), datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
