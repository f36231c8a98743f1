# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy``: write, sign, check, read and compare policies."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nfv_mla_scheduler.cmd import policy_impact
from nfv_mla_scheduler.cmd import policy_init
from nfv_mla_scheduler.cmd import policy_read
from nfv_mla_scheduler.cmd import policy_sign
from nfv_mla_scheduler.cmd.policy_files import passphrase_argument

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

HOURS_MAX = 24


def register(subparsers: Subparsers) -> None:
    """Add ``policy`` and its sub-commands to the command line."""
    policy = subparsers.add_parser(
        "policy",
        help="write, sign, check and read policies",
        description="Write, sign, check, read and compare policies.  A policy "
        "is YAML inside an envelope that a threshold of security officers "
        "has signed.",
    )
    commands = policy.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    _register_init(commands)
    _register_lint(commands)
    _register_sign(commands)
    _register_verify(commands)
    _register_show(commands)
    _register_diff(commands)
    policy_impact.register_impact(commands)
    _register_break_glass(commands)


def _register_init(commands: Subparsers) -> None:
    command = commands.add_parser(
        "init",
        help="make keys and a signed starter policy, for development",
        description="Make the key pairs of two officers and of a collector, "
        "and a starter policy that both officers have signed.  Where it "
        "matters, each officer makes a key alone, on a machine of their own, "
        "with openssl; see the guide for officers.",
    )
    command.add_argument("directory", metavar="DIR", help="new, or empty")
    command.add_argument(
        "--operator",
        default="operator",
        metavar="NAME",
        help="the trust domain of whoever runs this cloud "
        "(default: %(default)s)",
    )
    command.add_argument(
        "--encrypt",
        action="store_true",
        help="encrypt the officers' private keys under a passphrase",
    )
    passphrase_argument(command)
    command.set_defaults(run=policy_init.run_init)


def _register_lint(commands: Subparsers) -> None:
    command = commands.add_parser(
        "lint",
        help="list everything wrong with a policy, all at once",
        description="List every problem as FILE:LINE: path: message (value), "
        "and what looks odd as a warning.  The status is 1 if there are "
        "problems; warnings do not count.  Signatures are not looked at: "
        "'verify' does that.",
    )
    _file_argument(command)
    command.set_defaults(run=policy_read.run_lint)


def _register_sign(commands: Subparsers) -> None:
    command = commands.add_parser(
        "sign",
        help="sign a policy, or add a signature to one",
        description="Put a policy into an envelope and sign it; or add a "
        "signature to an envelope that a colleague has signed already, maybe "
        "elsewhere.  What is signed is shown first.  A policy with problems "
        "is not signed.",
    )
    command.add_argument(
        "file",
        metavar="FILE",
        help="a policy in YAML, or an envelope to add a signature to",
    )
    _key_arguments(command)
    command.add_argument(
        "--out",
        metavar="ENVELOPE",
        help="where to write it (default: FILE with the suffix .json; an "
        "envelope is replaced by itself with the signature added)",
    )
    command.add_argument(
        "--force",
        action="store_true",
        help="sign although there are problems; nobody will accept it",
    )
    command.set_defaults(run=policy_sign.run_sign)


def _register_verify(commands: Subparsers) -> None:
    command = commands.add_parser(
        "verify",
        help="say who signed an envelope, and whether it would be accepted",
        description="Say which of the officers signed an envelope, and "
        "whether a scheduler with this root of trust would accept it now.  "
        "Whether an older version was accepted before, only the scheduler "
        "knows.",
    )
    command.add_argument("file", metavar="ENVELOPE")
    _root_arguments(command)
    command.set_defaults(run=policy_read.run_verify)


def _register_show(commands: Subparsers) -> None:
    command = commands.add_parser(
        "show",
        help="print what a policy says",
        description="Print what a policy says, as tables.  Signatures are "
        "not looked at: 'verify' does that.",
    )
    _file_argument(command)
    command.set_defaults(run=policy_read.run_show)


def _register_diff(commands: Subparsers) -> None:
    command = commands.add_parser(
        "diff",
        help="print what a new policy changes, and what it weakens",
        description="Print the differences between two policies by what they "
        "mean: + added, - removed, ~ changed.  What lets more pass than "
        "before is marked WEAKER.",
    )
    command.add_argument("old", metavar="OLD", help="YAML or an envelope")
    command.add_argument("new", metavar="NEW", help="YAML or an envelope")
    command.set_defaults(run=policy_read.run_diff)


def _register_break_glass(commands: Subparsers) -> None:
    command = commands.add_parser(
        "break-glass",
        help="sign a waiver of everything, for one thing and some hours",
        description="Sign a waiver that lets one server, one host or one "
        f"project through for at most {HOURS_MAX} hours.  One officer of the "
        "root signs it; each use is recorded.",
    )
    target = command.add_mutually_exclusive_group(required=True)
    target.add_argument("--server", metavar="UUID")
    target.add_argument("--host", metavar="NAME")
    target.add_argument("--project", metavar="ID")
    command.add_argument(
        "--hours",
        type=_hours,
        required=True,
        metavar="N",
        help=f"how long it lasts from now, 1 to {HOURS_MAX}",
    )
    command.add_argument("--reason", required=True, metavar="TEXT")
    command.add_argument("--out", required=True, metavar="ENVELOPE")
    _key_arguments(command)
    _root_arguments(command)
    command.set_defaults(run=policy_sign.run_break_glass)


def _hours(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= HOURS_MAX:
        raise argparse.ArgumentTypeError(f"has to be 1 to {HOURS_MAX}")
    return int(text)


def _file_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file", metavar="FILE", help="a policy in YAML, or an envelope"
    )


def _key_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--key",
        required=True,
        metavar="PEM",
        help="your private key",
    )
    passphrase_argument(command)


def _root_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--officer-key",
        dest="officer_keys",
        required=True,
        nargs="+",
        action="extend",
        metavar="PEM",
        help="public keys of the officers, as in officer_keys of nova.conf",
    )
    command.add_argument(
        "--threshold",
        type=int,
        default=2,
        metavar="N",
        help="how many of them have to sign a policy, as in "
        "officer_threshold of nova.conf (default: %(default)s)",
    )
