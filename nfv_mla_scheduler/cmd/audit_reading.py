# SPDX-License-Identifier: Apache-2.0
"""Which entries of a ledger are to be read: arguments of several commands.

Touches key files, and prints.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import sys
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nfv_mla_scheduler.audit.port import EventKind
from nfv_mla_scheduler.audit.reading.timeline import Left
from nfv_mla_scheduler.audit.reading.timeline import Opener
from nfv_mla_scheduler.audit.reading.timeline import Reader
from nfv_mla_scheduler.audit.sealing import BlockUnreadable
from nfv_mla_scheduler.audit.sealing import SealKey
from nfv_mla_scheduler.audit.sealing import open_block
from nfv_mla_scheduler.audit.sealing import read_opening_key
from nfv_mla_scheduler.audit.shown import Wanted
from nfv_mla_scheduler.cmd.policy_files import passphrase
from nfv_mla_scheduler.cmd.policy_files import passphrase_argument
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.instants import read_instant
from nfv_mla_scheduler.policy.officers import Passphrase
from nfv_mla_scheduler.policy.root import PEM_MAX

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_KINDS = tuple(kind.value for kind in EventKind)


def reading_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments that :func:`reader` looks at."""
    which = command.add_argument_group("which entries")
    which.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="NAME",
        help="of this origin, such as ctl-1.nova-scheduler.0; may be given "
        "several times",
    )
    which.add_argument(
        "--kind",
        action="append",
        default=[],
        type=_kind,
        metavar="KIND",
        help="of this kind, such as request-refused; may be given several "
        "times",
    )
    for option, metavar in (
        ("--server", "UUID"),
        ("--project", "ID"),
        ("--host", "NAME"),
    ):
        which.add_argument(option, metavar=metavar, help="that name it")
    for option, text in (("--since", "from then on"), ("--until", "before")):
        which.add_argument(
            option,
            type=_instant,
            metavar="TIME",
            help=f"{text}: in UTC, like 2027-01-31 or 2027-01-31T12:00:00Z, "
            "or how long ago, like 2h",
        )
    command.add_argument(
        "--seal-key",
        action="append",
        default=[],
        type=pathlib.Path,
        metavar="FILE",
        help="private key of a trust domain, PEM: open what is sealed for "
        "it; may be given several times",
    )
    passphrase_argument(command)


def reader(args: argparse.Namespace, steady: bool) -> Reader:
    """Return what reads the entries that are asked for.

    :param steady: also those that come whatever happens
    :raises KeyFileError: when a key cannot be read
    """
    named = (args.server and args.server.lower(), args.project, args.host)
    return Reader(
        Wanted(
            frozenset(args.kind),
            frozenset(args.origin),
            tuple(name for name in named if name),
            args.since,
            args.until,
            steady,
        ),
        _opener(args.seal_key, passphrase(args)),
        Left(),
    )


def say(command: str, said: str) -> None:
    """Say something about what was read, beside it."""
    print(f"nfv-mla audit {command}: {said}", file=sys.stderr)


def say_left(command: str, left: Left) -> bool:
    """Say what was passed over; whether every file could be read."""
    if left.lines:
        say(command, f"{_count(left.lines, 'line')} passed over: no entries")
    if left.blocks:
        count = _count(left.blocks, "sealed block")
        say(command, f"{count} passed over: not for the keys that are given")
    for fault in left.faults:
        say(command, bounded(fault, LINE_MAX))
    return not left.faults


def printable(line: str) -> str:
    """Return a line as far as standard output can take it."""
    encoding = sys.stdout.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _opener(paths: Sequence[pathlib.Path], ask: Passphrase) -> Opener | None:
    """Return what opens sealed blocks; None: without a key nothing does."""
    keys = [_read_key(path, ask) for path in paths]
    if not keys:
        return None

    def opened(jwe: str) -> Sequence[Mapping[str, Any]] | None:
        try:
            return open_block(jwe, keys)
        except BlockUnreadable:
            return None

    return opened


def _read_key(path: pathlib.Path, ask: Passphrase) -> SealKey:
    with open(path, "rb") as file:
        pem = file.read(PEM_MAX + 1)
    if len(pem) > PEM_MAX or b"PRIVATE KEY" not in pem:
        raise KeyFileError(f"{path}: holds no private key in PEM")
    secret = ask(f"Passphrase of {path}: ") if b"ENCRYPTED" in pem else None
    return read_opening_key(pem, str(path), secret)


def _kind(text: str) -> str:
    if text not in _KINDS:
        raise argparse.ArgumentTypeError(
            f"{bounded(text)!r} is no kind of entry"
        )
    return text


def _instant(text: str) -> Instant:
    ago = re.fullmatch(r"([0-9]{1,6})([smhd])", text, re.ASCII)
    if ago is not None:
        return time.time() - int(ago[1]) * _UNITS[ago[2]]
    found = read_instant(text)
    if found is None:
        raise argparse.ArgumentTypeError(
            "has to be a time in UTC like 2027-01-31 or 2027-01-31T12:00:00Z, "
            "or how long ago, like 2h"
        )
    return found
