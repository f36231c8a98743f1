# SPDX-License-Identifier: Apache-2.0
"""Find a driver by its name among those that are installed.

Entry points of the group ``nfv_mla_scheduler.authority``; others may add to
it by packages of their own.
"""

from __future__ import annotations

from typing import Any

import stevedore
from stevedore.exception import NoMatches

from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

NAMESPACE = "nfv_mla_scheduler.authority"


def installed() -> tuple[str, ...]:
    """Return the names of all drivers that are installed."""
    manager: Any = stevedore.ExtensionManager(NAMESPACE, invoke_on_load=False)
    return tuple(sorted(manager.names()))


def driver(name: str) -> type[Authority]:
    """Return the driver of that name.

    :raises SettingsError: when there is none, or it cannot be loaded
    """
    try:
        found: Any = stevedore.DriverManager(
            NAMESPACE,
            name,
            invoke_on_load=False,
            warn_on_missing_entrypoint=False,
        ).driver
    except NoMatches:
        known = ", ".join(installed()) or "none"
        raise SettingsError(
            f"there is no authority driver {bounded(name)!r}; installed: "
            f"{known}"
        ) from None
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
    return found
