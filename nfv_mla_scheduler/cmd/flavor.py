# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla flavor``: what belongs into flavors besides our own keys."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nfv_mla_scheduler.cmd.explain_arguments import config_arguments
from nfv_mla_scheduler.cmd.explain_arguments import pair
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy.keys import PREFIX

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register(subparsers: Subparsers) -> None:
    """Add ``flavor`` and its sub-command to the command line."""
    flavor = subparsers.add_parser(
        "flavor",
        help="say what a flavor should hold besides nfv_mla extra specs",
        description="Say what a flavor should hold besides nfv_mla extra "
        "specs.",
    )
    commands = flavor.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    command = commands.add_parser(
        "traits",
        help="say which traits a flavor should require",
        description="Say which traits a flavor with these extra specs should "
        "require, so that Placement looks only among hosts that may comply: "
        "it returns at most 1000 hosts, and where all of these are others, a "
        "server finds none.  The monitor gives the traits to hosts.  They "
        "make placement fast; whether a host complies is judged by results. "
        "Ask again when the policy changes.  Nova is not asked, and nothing "
        "is written.",
        epilog="Exit status: 0 the traits are printed, 1 it cannot be told, "
        "2 wrong usage, 3 no trait can be required, or one of several.",
    )
    command.add_argument(
        "extra_specs",
        nargs="+",
        type=_extra_spec,
        metavar=f"{PREFIX}KEY=VALUE",
        help="of the flavor",
    )
    config_arguments(command)
    command.add_argument(
        "--policy",
        metavar="FILE",
        help="by this policy, in YAML or in an envelope, rather than by the "
        "one in force; signatures are not looked at",
    )
    command.add_argument(
        "--flavor",
        default="FLAVOR",
        metavar="NAME",
        help="the flavor's name in what is printed (default: %(default)s)",
    )
    command.add_argument(
        "--format",
        choices=("openstack", "json"),
        default="openstack",
        help="commands to type, or one JSON document (default: %(default)s)",
    )
    command.set_defaults(run=run_traits)


def run_traits(args: argparse.Namespace) -> int:
    """Print which traits a flavor should require."""
    # all that reads policies is loaded by who needs it
    from nfv_mla_scheduler.cmd import flavor_run

    return flavor_run.run(args)


def _extra_spec(text: str) -> tuple[str, str]:
    key, value = pair(text)
    if not key.startswith(PREFIX):
        raise argparse.ArgumentTypeError(
            f"{bounded(key)!r} is no key of ours, which begin with {PREFIX}"
        )
    return key, value
