# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit checkpoint``: what to keep elsewhere of a ledger.

Exit status: 0 done, 1 the ledger is not whole or not signed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from typing import TYPE_CHECKING

from nfv_mla_scheduler.audit.reading import kept
from nfv_mla_scheduler.audit.reading.report import Report
from nfv_mla_scheduler.cmd.audit_place import misused
from nfv_mla_scheduler.cmd.audit_trust import FAILED
from nfv_mla_scheduler.cmd.audit_trust import MISUSES
from nfv_mla_scheduler.cmd.audit_trust import trust_arguments
from nfv_mla_scheduler.cmd.audit_trust import verified
from nfv_mla_scheduler.cmd.audit_verify_text import text
from nfv_mla_scheduler.cmd.policy_files import write_file
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: Subparsers) -> None:
    """Add ``checkpoint`` to the commands of ``audit``."""
    command = commands.add_parser(
        "checkpoint",
        help="print the newest checkpoints, to keep elsewhere",
        description="Verify the ledger, and write the newest checkpoint of "
        "each origin, one on each line.  Keep it where those who can write "
        "the ledger cannot: 'audit verify --checkpoint' finds with it what "
        "was cut off or written anew since.  Files of several days or hosts "
        "may be put into one.  A ledger that is not whole, or "
        "not signed, gives none.",
        epilog="Exit status: 0 done, 1 tampered with, unreadable or not "
        "signed, 2 wrong usage.",
    )
    trust_arguments(command, key_needed=True)
    command.add_argument(
        "--output",
        metavar="FILE",
        help="a new file (default: standard output)",
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the checkpoints; 1 if there is none to trust."""
    try:
        if args.output and pathlib.Path(args.output).exists():
            raise SettingsError(
                f"{args.output}: exists already; what was kept is not replaced"
            )
        report = verified(args)
    except MISUSES as exc:
        return misused("checkpoint", exc)
    return _write(report, args.output)


def _write(report: Report, output: str | None) -> int:
    if not report.whole:
        for line in text(report):
            print(line, file=sys.stderr)
        return FAILED
    common = [one for one in report.chains if one.domain is None]
    for chain in common:
        if chain.newest is None:
            origin = bounded(chain.origin, 255)
            print(f"{origin}: has no checkpoint that holds", file=sys.stderr)
    found = [one.newest for one in common if one.newest is not None]
    if not found:
        return FAILED
    data = kept.written(found)
    if output:
        write_file(output, data, replace=False)
    else:
        sys.stdout.write(data.decode("ascii"))
    return 0
