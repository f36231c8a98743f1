# SPDX-License-Identifier: Apache-2.0
"""Find and read the configuration that nova-scheduler has.

Touches configuration files.  Nova is not imported: only our own options are
known here, and those of others are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from oslo_config import cfg

from nfv_mla_scheduler import conf as options
from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

_PROJECT, _PROGRAM = "nova", "nova-scheduler"


def read_conf(paths: Sequence[str]) -> cfg.ConfigOpts:
    """Return the configuration in these files.

    :param paths: none: those that nova-scheduler would read by itself
    :raises SettingsError: when there are none, or one cannot be read
    """
    conf = cfg.ConfigOpts()
    options.register(conf)
    try:
        conf(
            [],
            project=_PROJECT,
            prog=_PROGRAM,
            default_config_files=list(paths) or None,
        )
    except cfg.ConfigFilesNotFoundError as exc:
        names = ", ".join(exc.config_files)
        raise SettingsError(f"{names}: there is no such file") from None
    except cfg.ConfigFilesPermissionDeniedError as exc:
        names = ", ".join(exc.config_files)
        raise SettingsError(
            f"{names}: cannot be read; use the account of nova-scheduler"
        ) from None
    except cfg.ConfigFileParseError as exc:
        # its own message would show the line, secrets included
        line = re.match(r"at \S*:(\d+),", exc.msg or "")
        where = f", line {line[1]}" if line else ""
        raise SettingsError(
            f"{exc.config_file}{where}: is no configuration file that can be "
            "read"
        ) from None
    except cfg.Error as exc:
        raise SettingsError(bounded(exc, 200)) from None
    if not conf.config_file:
        raise SettingsError(
            "there is no nova.conf where nova-scheduler looks for it; name it "
            "with --config-file"
        )
    return conf


def read_settings(paths: Sequence[str]) -> Settings:
    """Return our options, as nova-scheduler would read them.

    :raises SettingsError: naming the option or file at fault
    """
    return options.settings(read_conf(paths))
