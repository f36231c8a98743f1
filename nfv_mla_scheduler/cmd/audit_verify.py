# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit verify``: whether anybody has tampered with a ledger.

Exit status: 0 it is whole, 1 it is not, or not signed, or cannot be read, 2
wrong usage.
``audit_verify_text.py`` says what was found.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from nfv_mla_scheduler.cmd.audit_place import misused
from nfv_mla_scheduler.cmd.audit_reading import printable
from nfv_mla_scheduler.cmd.audit_trust import FAILED
from nfv_mla_scheduler.cmd.audit_trust import MISUSES
from nfv_mla_scheduler.cmd.audit_trust import trust_arguments
from nfv_mla_scheduler.cmd.audit_trust import verified
from nfv_mla_scheduler.cmd.audit_verify_text import members
from nfv_mla_scheduler.cmd.audit_verify_text import text

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register(commands: Subparsers) -> None:
    """Add ``verify`` to the commands of ``audit``."""
    command = commands.add_parser(
        "verify",
        help="say whether anybody has tampered with the ledger",
        description="Read every chain of the ledger, and say what was "
        "changed, removed, inserted, reordered, forked or written anew, and "
        "where.  Public keys are enough; sealed entries stay sealed.  What "
        "follows the last checkpoint (the unsigned tail) can be cut off "
        "unseen, and whoever has the signing key can write all anew: both "
        "show against a checkpoint that was kept elsewhere.  A process may "
        "go on writing meanwhile.",
        epilog="Exit status: 0 whole, 1 tampered with, unreadable or, with "
        "--key, not signed, 2 wrong usage.",
    )
    trust_arguments(command, key_needed=False)
    command.add_argument(
        "--json", action="store_true", help="print it as a JSON document"
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is found; 1 if the ledger is not whole."""
    try:
        report = verified(args)
    except MISUSES as exc:
        return misused("verify", exc)
    if args.json:
        print(json.dumps(members(report), indent=2))
    else:
        for line in text(report):
            print(printable(line))
    return 0 if report.whole else FAILED
