# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla explain``: which hosts would take a server, and why not others."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nfv_mla_scheduler.cmd.explain_arguments import config_arguments
from nfv_mla_scheduler.cmd.explain_arguments import format_argument
from nfv_mla_scheduler.cmd.explain_arguments import pair

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register(subparsers: Subparsers) -> None:
    """Add ``explain`` to the command line."""
    command = subparsers.add_parser(
        "explain",
        help="say which hosts would take a server, and why the others not",
        description="Judge a server that is asked for here as nova-scheduler "
        "would, by the same configuration, and say for each host that the "
        "policy binds whether it is admitted, or every reason why not, and "
        "what would have to change.  Nova is not asked, nothing is placed, "
        "and nothing is written.",
        epilog="Exit status: 0 at least one host admits the server, 1 none "
        "does, or it cannot be told, 2 wrong usage.",
    )
    config_arguments(command)
    _asked_arguments(command)
    _shown_arguments(command)
    command.set_defaults(run=run_explain)


def _asked_arguments(command: argparse.ArgumentParser) -> None:
    asked = command.add_argument_group("what the server asks for")
    asked.add_argument(
        "--flavor",
        metavar="FILE",
        help="as 'openstack flavor show -f json' prints it, or a JSON object "
        "of extra specs",
    )
    asked.add_argument(
        "--extra-spec",
        dest="extra_specs",
        action="append",
        default=[],
        type=pair,
        metavar="KEY=VALUE",
        help="of the flavor, instead of or beside --flavor",
    )
    asked.add_argument(
        "--image",
        metavar="FILE",
        help="as 'openstack image show -f json' prints it",
    )
    asked.add_argument(
        "--property",
        dest="properties",
        action="append",
        default=[],
        type=pair,
        metavar="KEY=VALUE",
        help="of the image, instead of or beside --image",
    )
    asked.add_argument(
        "--from-volume",
        action="store_true",
        help="it boots from a volume, so that its image is not verified",
    )
    asked.add_argument(
        "--hint",
        dest="hints",
        action="append",
        default=[],
        type=pair,
        metavar="KEY=VALUE",
        help="a scheduler hint of the request",
    )
    asked.add_argument(
        "--project",
        metavar="ID",
        help="whose server it is: its floor and trust domain count",
    )
    asked.add_argument(
        "--source-host",
        metavar="NAME",
        help="the host that it is on, for a move",
    )


def _shown_arguments(command: argparse.ArgumentParser) -> None:
    shown = command.add_argument_group("what is shown")
    shown.add_argument(
        "--host",
        dest="hosts",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one, in full; may be given several times",
    )
    shown.add_argument(
        "--no-room",
        dest="full",
        action="append",
        default=[],
        metavar="HOST",
        help="a host without room for what has to follow (nfv_mla:follow); "
        "all others are taken to have some",
    )
    shown.add_argument(
        "--all-refusals",
        action="store_true",
        help="every host, every refusal, nothing left out",
    )
    format_argument(shown)


def run_explain(args: argparse.Namespace) -> int:
    """Print what would become of a request."""
    # all that judges is loaded by who judges, and not for a help text
    from nfv_mla_scheduler.cmd import explain_run

    return explain_run.run(args)
