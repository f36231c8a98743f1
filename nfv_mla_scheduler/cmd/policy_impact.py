# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla policy impact``: what a new policy would refuse or let in."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from nfv_mla_scheduler.cmd.explain_arguments import config_arguments
from nfv_mla_scheduler.cmd.explain_arguments import format_argument
from nfv_mla_scheduler.cmd.explain_arguments import pair
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import read_instant

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register_impact(commands: Subparsers) -> None:
    """Add ``impact`` to the commands of ``policy``."""
    command = commands.add_parser(
        "impact",
        help="say which hosts a new policy would refuse or let in",
        description="Judge every host by the policy in force and by a new "
        "one, with the same results, and say what changes: members of pools, "
        "hosts for each profile, pool, floor and flavor, and the capacity "
        "that is left.  An application is taken to do its part.  Signatures "
        "of policies in files are not looked at, and nothing is written.",
        epilog="Exit status: 0 nothing is newly refused, 3 something is, 1 "
        "it cannot be told, 2 wrong usage.",
    )
    command.add_argument(
        "new", metavar="NEW", help="a policy in YAML, or an envelope"
    )
    config_arguments(command)
    command.add_argument(
        "--old",
        metavar="FILE",
        help="compare with this policy (default: the one that is in force by "
        "the configuration)",
    )
    command.add_argument(
        "--results",
        metavar="FILE",
        help="judge by this results document (default: by what the "
        "configuration names)",
    )
    command.add_argument(
        "--key",
        metavar="PEM",
        help="the public key that signed --results (default: the keys of the "
        "collectors that each policy names)",
    )
    command.add_argument(
        "--flavors",
        metavar="FILE",
        help="as 'openstack flavor list --long -f json' prints them",
    )
    command.add_argument(
        "--extra-spec",
        dest="extra_specs",
        action="append",
        default=[],
        type=pair,
        metavar="KEY=VALUE",
        help="of one more flavor, which has all that are given",
    )
    command.add_argument(
        "--management-domain",
        type=_name,
        metavar="NAME",
        help="of the scheduler that places (default: management_domain of "
        "the configuration)",
    )
    command.add_argument(
        "--at",
        type=_instant,
        metavar="TIME",
        help="judge as of this time, like 2027-01-31 or 2027-01-31T12:00:00Z "
        "(default: now); results of the configuration are taken to be as "
        "fresh then as they are now, those of --results are taken as they "
        "are",
    )
    command.add_argument(
        "--all", action="store_true", help="leave nothing out of the text"
    )
    format_argument(command)
    command.set_defaults(run=run_impact)


def run_impact(args: argparse.Namespace) -> int:
    """Print what a new policy would change."""
    # whoever signs policies may lack what is needed to judge
    from nfv_mla_scheduler.cmd import policy_impact_run

    return policy_impact_run.run(args)


def _name(text: str) -> str:
    if not re.fullmatch(NAME_PATTERN, text):
        raise argparse.ArgumentTypeError(
            "has to be lower-case letters, digits and single dashes"
        )
    return text


def _instant(text: str) -> Instant:
    found = read_instant(text)
    if found is None:
        raise argparse.ArgumentTypeError(
            "has to be a time in UTC like 2027-01-31 or 2027-01-31T12:00:00Z"
        )
    return found
