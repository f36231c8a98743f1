# SPDX-License-Identifier: Apache-2.0
"""Find and read the configuration of the monitor.

Touches configuration files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from oslo_config import cfg

from nfv_mla_scheduler import conf as common
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

PROJECT = "nfv-mla"
PROGRAM = "nfv-mla-monitor"
# Where it is when it is not where oslo.config looks.
USUAL = "/etc/nfv-mla/monitor.conf"
NO_FILE = (
    f"there is no configuration of {PROGRAM} ({USUAL}); name it with "
    "--config-file"
)


def usual_files() -> list[str]:
    """Return the files that are read when none is named."""
    found: list[str] = cfg.find_config_files(PROJECT, PROGRAM)
    if not found and os.path.exists(USUAL):
        return [USUAL]
    return found


def read_conf(
    conf: cfg.ConfigOpts, paths: Sequence[str] | None
) -> cfg.ConfigOpts:
    """Return ``conf``, with the options of ``[nfv_mla]``, read from files.

    :param paths: None: those that the monitor would read by itself
    :raises SettingsError: when there are none, or one cannot be read
    """
    common.register(conf)
    files = list(paths) if paths else usual_files()
    if not files:
        raise SettingsError(NO_FILE)
    try:
        conf([], project=PROJECT, prog=PROGRAM, default_config_files=files)
    except cfg.ConfigFilesNotFoundError as exc:
        names = ", ".join(exc.config_files)
        raise SettingsError(f"{names}: there is no such file") from None
    except cfg.ConfigFilesPermissionDeniedError as exc:
        names = ", ".join(exc.config_files)
        raise SettingsError(
            f"{names}: cannot be read; use the account of {PROGRAM}"
        ) from None
    except cfg.ConfigFileParseError as exc:
        # its own message would show the line, secrets included
        raise SettingsError(f"{exc.config_file}: cannot be parsed") from None
    except cfg.Error as exc:
        raise SettingsError(bounded(exc, 200)) from None
    return conf
