# SPDX-License-Identifier: Apache-2.0
"""Find a driver by its name among those that are installed.

Entry points of the group ``nfv_mla_scheduler.authority``; others may add to
it by packages of their own.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

import stevedore

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

NAMESPACE = "nfv_mla_scheduler.authority"


def installed() -> tuple[str, ...]:
    """Return the names of all drivers that are installed.

    None is loaded for that: one that cannot be loaded is installed too.
    """
    found = importlib.metadata.entry_points(group=NAMESPACE)
    return tuple(sorted(found.names))


def driver(name: str) -> type[Authority]:
    """Return the driver of that name.

    :raises SettingsError: when there is none, or it cannot be loaded
    """
    known = installed()
    if name not in known:
        raise SettingsError(
            f"there is no authority driver {bounded(name)!r}; installed: "
            f"{', '.join(known) or 'none'}"
        )
    try:
        found: Any = stevedore.DriverManager(
            NAMESPACE, name, invoke_on_load=False
        ).driver
    except Exception as exc:
        raise SettingsError(
            f"the authority driver {bounded(name)!r} cannot be loaded: "
            f"{bounded(exc, 120)}"
        ) from exc
    if not (isinstance(found, type) and issubclass(found, Authority)):
        raise SettingsError(
            f"{bounded(name)!r} is no authority driver: not a subclass of "
            "nfv_mla_scheduler.authority.template.Authority"
        )
    missing = ", ".join(sorted(found.__abstractmethods__))
    if missing:
        raise SettingsError(
            f"the authority driver {bounded(name)!r} is not finished: it "
            f"lacks {bounded(missing)}"
        )
    return found
