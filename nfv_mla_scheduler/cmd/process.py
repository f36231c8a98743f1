# SPDX-License-Identifier: Apache-2.0
"""What the programs that run as services have in common at their start."""

from __future__ import annotations

import sys
from collections.abc import Callable

from oslo_config import cfg

from nfv_mla_scheduler.conf import identity
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

FAILED = 1
MISUSED = 2
# What may be wrong with options and files.
EXPECTED = (NfvMlaError, cfg.Error, OSError)


def guarded(program: str, run: Callable[[], int]) -> int:
    """Return the exit status of ``run``; nothing is raised.

    An error is one line on standard error.
    """
    try:
        return run()
    except EXPECTED as exc:
        return failed(program, reason(exc))
    except SystemExit as exc:  # the parser has said why, or printed the help
        return exc.code if isinstance(exc.code, int) else MISUSED


def reason(exc: Exception) -> str:
    """Return in one line why options or files cannot be used.

    :param exc: one of ``EXPECTED``
    """
    if isinstance(exc, cfg.ConfigFileParseError):
        # its own message would show the line, secrets included
        said = f"options: {exc.config_file} cannot be parsed"
    elif isinstance(exc, cfg.Error):
        said = f"options: {exc}"
    elif isinstance(exc, OSError):
        where = f"{exc.filename}: " if exc.filename else ""
        said = f"{where}{exc.strerror or 'cannot be used'}"
    else:
        said = str(exc)
    return bounded(said, LINE_MAX)


def failed(program: str, message: str) -> int:
    """Say in one line why a program ends; return its exit status."""
    print(f"{program}: {bounded(message, LINE_MAX)}", file=sys.stderr)
    return FAILED


def version() -> str:
    """Return the version of this package."""
    return identity.version()
