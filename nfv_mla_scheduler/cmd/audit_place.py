# SPDX-License-Identifier: Apache-2.0
"""Which ledger a command is about: a directory, or a service's own.

Touches configuration files.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from oslo_config import cfg

from nfv_mla_scheduler.audit.reading import files
from nfv_mla_scheduler.cmd import monitor_conf
from nfv_mla_scheduler.conf import GROUP
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

MISUSED = 2

# Services of which one directory may hold all chains of a host.
_SERVICES = (("nova", "nova-scheduler"), ("nfv-mla", "nfv-mla-collector"))


def place_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments that :func:`place` looks at."""
    command.add_argument(
        "directory",
        nargs="?",
        type=pathlib.Path,
        metavar="DIR",
        help="of the ledger (default: what [nfv_mla] audit_dir names)",
    )
    command.add_argument(
        "--config-file",
        action="append",
        metavar="FILE",
        help="where audit_dir is, if DIR is not given (default: where "
        "nova-scheduler, the collector or the monitor looks)",
    )


def place(args: argparse.Namespace) -> pathlib.Path:
    """Return the directory of a ledger.

    :raises SettingsError: when neither names one, or there is none
    :raises LedgerUnreadable: when it cannot be listed
    """
    found = _named(args)
    if not found.is_dir():
        there = "is no directory" if found.exists() else "does not exist"
        raise SettingsError(f"{found}: {there}")
    if files.segments(found):
        raise SettingsError(
            f"{found}: is the directory of one origin; name the one above it"
        )
    return found


def misused(command: str, why: Exception) -> int:
    """Say in one line how a command was misused; return its status."""
    line = bounded(f"nfv-mla audit {command}: {why}", LINE_MAX)
    print(line, file=sys.stderr)
    return MISUSED


def _named(args: argparse.Namespace) -> pathlib.Path:
    if args.directory is not None:
        given: pathlib.Path = args.directory
        return given
    for each in [args.config_file] if args.config_file else _usual():
        conf = monitor_conf.read_conf(cfg.ConfigOpts(), each)
        named: str = conf[GROUP.name].audit_dir
        if named:
            return pathlib.Path(named)
    raise SettingsError(
        "[nfv_mla] audit_dir is not set: name the ledger's directory, or a "
        "configuration with --config-file"
    )


def _usual() -> list[list[str]]:
    """Return the files of each service that has any."""
    found = [cfg.find_config_files(*service) for service in _SERVICES]
    return [each for each in (*found, monitor_conf.usual_files()) if each]
