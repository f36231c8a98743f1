# SPDX-License-Identifier: Apache-2.0
"""What the programs that run as services have in common at their start."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable

from oslo_config import cfg

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

FAILED = 1
MISUSED = 2


def guarded(program: str, run: Callable[[], int]) -> int:
    """Return the exit status of ``run``; nothing is raised.

    An error is one line on standard error.
    """
    try:
        return run()
    except NfvMlaError as exc:
        return failed(program, str(exc))
    except cfg.ConfigFileParseError as exc:
        # its own message would show the line, secrets included
        return failed(program, f"options: {exc.config_file} cannot be parsed")
    except cfg.Error as exc:
        return failed(program, f"options: {exc}")
    except SystemExit as exc:  # the parser has said why, or printed the help
        return exc.code if isinstance(exc.code, int) else MISUSED
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename else ""
        return failed(program, f"{where}{exc.strerror or 'cannot be used'}")


def failed(program: str, message: str) -> int:
    """Say in one line why a program ends; return its exit status."""
    print(f"{program}: {bounded(message, LINE_MAX)}", file=sys.stderr)
    return FAILED


def version() -> str:
    """Return the version of this package."""
    try:
        return importlib.metadata.version("nfv-mla-scheduler")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
