# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla monitor``: see how the monitor stands, and have a say.

The words of the command line; ``monitor_said.py`` writes what people say,
``monitor_status.py`` prints.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from nfv_mla_scheduler.cmd import monitor_status
from nfv_mla_scheduler.cmd.monitor_said import run_pause
from nfv_mla_scheduler.cmd.monitor_said import run_release_authority
from nfv_mla_scheduler.cmd.monitor_said import run_release_policy
from nfv_mla_scheduler.cmd.monitor_said import run_release_server
from nfv_mla_scheduler.cmd.monitor_said import run_surrender
from nfv_mla_scheduler.errors import bounded

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def register(subparsers: Subparsers) -> None:
    """Add ``monitor`` and its sub-commands to the command line."""
    monitor = subparsers.add_parser(
        "monitor",
        help="see how the monitor stands, and have a say",
        description="The process that notices what stops complying.",
    )
    commands = monitor.add_subparsers(
        title="commands", dest="action", metavar="COMMAND", required=True
    )
    monitor_status.register(commands)
    _register_release(commands)
    _register_pause(commands)
    _register_surrender(commands)


def _register_release(commands: Subparsers) -> None:
    release = commands.add_parser(
        "release",
        help="let go on what the guard holds",
        description="Let go on what the guard holds until a person has "
        "looked: a suspect authority, the findings of a new policy, or one "
        "server.",
    )
    whom = release.add_subparsers(
        title="what is held", dest="whom", metavar="WHAT", required=True
    )
    authority = whom.add_parser(
        "authority", help="believe an authority that is a suspect"
    )
    authority.add_argument("name", metavar="NAME", help="as the policy has it")
    policy = whom.add_parser(
        "policy", help="act upon what is found by a new policy's rules"
    )
    server = whom.add_parser(
        "server", help="act upon what is found about one server"
    )
    server.add_argument("name", metavar="UUID", type=_server)
    for command in (authority, server):
        command.add_argument(
            "--for",
            dest="for_s",
            type=_duration_s,
            default=86400,
            metavar="TIME",
            help="how long that holds: a number with s, m, h or d, 7d at "
            "most (default: 1d)",
        )
    for command, run in (
        (authority, run_release_authority),
        (policy, run_release_policy),
        (server, run_release_server),
    ):
        _reason_argument(command, required=True)
        _conf_argument(command)
        command.set_defaults(run=run)


def _register_pause(commands: Subparsers) -> None:
    pause = commands.add_parser(
        "pause",
        help="have no new step begun for some time",
        description="Have no new step begun for some time; it ends by itself. "
        "What has begun is gone on with by Nova.",
    )
    which = pause.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--for",
        dest="for_s",
        type=_duration_s,
        metavar="TIME",
        help="a number with s, m, h or d, such as 2h; 24h at most",
    )
    which.add_argument(
        "--end", action="store_true", help="go on before it has passed"
    )
    _reason_argument(pause, required=False)
    _conf_argument(pause)
    pause.set_defaults(run=run_pause)


def _register_surrender(commands: Subparsers) -> None:
    surrender = commands.add_parser(
        "surrender",
        help="take back all that the monitor left in Nova and Placement",
        description="Remove our traits, locks and fences. Stop the monitor "
        "first. It may be run again.",
    )
    surrender.add_argument(
        "--start",
        action="store_true",
        help="also start the servers that the monitor has halted",
    )
    _reason_argument(surrender, required=True)
    _conf_argument(surrender)
    surrender.set_defaults(run=run_surrender)


def _reason_argument(command: argparse.ArgumentParser, required: bool) -> None:
    command.add_argument(
        "--reason",
        required=required,
        default="",
        type=_reason if required else str,
        metavar="TEXT",
        help="for those who ask later",
    )


def _conf_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config-file",
        action="append",
        metavar="FILE",
        help="of the monitor (default: where the monitor looks for it)",
    )


def _duration_s(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text, re.ASCII)
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(
            f"{bounded(text)!r} is no time: a number with s, m, h or d"
        )
    return float(int(found[1]) * _UNITS[found[2]])


def _server(text: str) -> str:
    if not _UUID.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError(
            f"{bounded(text)!r} is no UUID of a server"
        )
    return text.lower()


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must say something")
    return text
