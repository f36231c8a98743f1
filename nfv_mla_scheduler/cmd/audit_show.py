# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit show``: the entries of a ledger, one readable line each."""

from __future__ import annotations

import argparse
import collections
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nfv_mla_scheduler.audit.reading.timeline import timeline
from nfv_mla_scheduler.audit.shown import Shown
from nfv_mla_scheduler.audit.shown import members
from nfv_mla_scheduler.audit.shown_text import line
from nfv_mla_scheduler.cmd.audit_place import misused
from nfv_mla_scheduler.cmd.audit_place import place
from nfv_mla_scheduler.cmd.audit_place import place_arguments
from nfv_mla_scheduler.cmd.audit_reading import printable
from nfv_mla_scheduler.cmd.audit_reading import reader
from nfv_mla_scheduler.cmd.audit_reading import reading_arguments
from nfv_mla_scheduler.cmd.audit_reading import say
from nfv_mla_scheduler.cmd.audit_reading import say_left
from nfv_mla_scheduler.errors import SettingsError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

FAILED = 1
UNVERIFIED = (
    "what follows is not verified here: nfv-mla audit verify tells whether "
    "it is genuine"
)


def register(commands: Subparsers) -> None:
    """Add ``show`` to the commands of ``audit``."""
    show = commands.add_parser(
        "show",
        help="print entries, of all origins together",
        description="Print entries of all origins by their times, the newest "
        "last.  Nothing is verified.  Heartbeats, checkpoints and what is "
        "sealed are left out unless asked for.  Exit status: 0 done, 1 not "
        "everything could be read, 2 wrong usage.",
    )
    place_arguments(show)
    reading_arguments(show)
    show.add_argument(
        "--limit",
        type=_number,
        metavar="N",
        help="the newest N only (default: all)",
    )
    print_arguments(show)
    show.set_defaults(run=run)


def print_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say how entries are printed."""
    command.add_argument(
        "--all",
        action="store_true",
        help="also heartbeats, checkpoints and sealed blocks",
    )
    command.add_argument(
        "--json",
        action="store_true",
        help="each entry as a JSON object, one in each line",
    )


def run(args: argparse.Namespace) -> int:
    """Print the entries of a ledger."""
    reading = reader(args, args.all)
    try:
        directory = place(args)
    except SettingsError as exc:
        return misused("show", exc)
    found: Iterable[Shown] = timeline(directory, reading)
    say("show", UNVERIFIED)
    if args.limit is not None:
        found = collections.deque(found, args.limit)
    for each in found:
        print(written(each, args.json))
    return 0 if say_left("show", reading.left) else FAILED


def written(entry: Shown, as_json: bool) -> str:
    """Return an entry as it is printed."""
    if as_json:
        return json.dumps(members(entry), separators=(",", ":"))
    return printable(line(entry))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < len(text) < 10:
        raise argparse.ArgumentTypeError("has to be a number of entries")
    return int(text)
