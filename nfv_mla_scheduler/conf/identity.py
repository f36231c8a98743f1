# SPDX-License-Identifier: Apache-2.0
"""Which package and which configuration a process runs with, for records.

Touches options that are registered, and what is installed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable

from oslo_config import cfg

Groups = Iterable[tuple[str, Iterable[cfg.Opt]]]


def version() -> str:
    """Return the version of this package."""
    try:
        return importlib.metadata.version("nfv-mla-scheduler")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def digest(conf: cfg.ConfigOpts, groups: Groups) -> str:
    """Return which values options have: SHA-256, hexadecimal.

    Over one line ``group.option=value`` for each option, sorted, where the
    value is in JSON.  Options that are secret are left out.  The same for the
    same values, wherever they come from.

    :param groups: name -> options, which are registered on ``conf``
    :raises cfg.Error: when a value cannot be read
    """
    lines = sorted(
        f"{group}.{option.dest}={_value(conf[group][option.dest])}\n"
        for group, options in groups
        for option in options
        if not option.secret
    )
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


def _value(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
