# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit``: verify the ledger, read it, and take it elsewhere."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nfv_mla_scheduler.cmd import audit_checkpoint
from nfv_mla_scheduler.cmd import audit_export
from nfv_mla_scheduler.cmd import audit_follow
from nfv_mla_scheduler.cmd import audit_show
from nfv_mla_scheduler.cmd import audit_verify

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register(subparsers: Subparsers) -> None:
    """Add ``audit`` and its sub-commands to the command line."""
    audit = subparsers.add_parser(
        "audit",
        help="verify the audit ledger, read it, and take it elsewhere",
        description="The audit ledger: what was refused, placed, found and "
        "done, in chains in which a change shows.",
    )
    commands = audit.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    audit_verify.register(commands)
    audit_checkpoint.register(commands)
    audit_show.register(commands)
    audit_follow.register(commands)
    audit_export.register(commands)
