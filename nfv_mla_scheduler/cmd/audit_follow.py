# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla audit follow``: entries as they come, until somebody ends it."""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import os
import select
import signal
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nfv_mla_scheduler.audit.reading.following import Following
from nfv_mla_scheduler.audit.reading.timeline import Reader
from nfv_mla_scheduler.audit.reading.timeline import chains
from nfv_mla_scheduler.audit.reading.timeline import merged
from nfv_mla_scheduler.audit.shown import Shown
from nfv_mla_scheduler.cmd.audit_place import misused
from nfv_mla_scheduler.cmd.audit_place import place
from nfv_mla_scheduler.cmd.audit_place import place_arguments
from nfv_mla_scheduler.cmd.audit_reading import reader
from nfv_mla_scheduler.cmd.audit_reading import reading_arguments
from nfv_mla_scheduler.cmd.audit_reading import say
from nfv_mla_scheduler.cmd.audit_reading import say_left
from nfv_mla_scheduler.cmd.audit_show import UNVERIFIED
from nfv_mla_scheduler.cmd.audit_show import print_arguments
from nfv_mla_scheduler.cmd.audit_show import written
from nfv_mla_scheduler.errors import SettingsError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

INTERVAL_S = 0.5
LAST = 10

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def register(commands: Subparsers) -> None:
    """Add ``follow`` to the commands of ``audit``."""
    follow = commands.add_parser(
        "follow",
        help="print entries as they come",
        description="Print the newest entries and then others as they come, "
        "of all origins, until it is interrupted.  Nothing is verified.",
    )
    place_arguments(follow)
    reading_arguments(follow)
    follow.add_argument(
        "--last",
        type=int,
        choices=range(1001),
        default=LAST,
        metavar="N",
        help="begin with so many of those that are there (default: "
        "%(default)s)",
    )
    print_arguments(follow)
    follow.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print entries until a signal comes, or nobody reads any more.

    :raises BrokenPipeError: nobody does
    """
    reading = reader(args, args.all)
    try:
        directory = place(args)
    except SettingsError as exc:
        return misused("follow", exc)
    chains(directory)  # says it if there is no ledger
    following = Following(directory, reading.wants)
    with contextlib.closing(following), _signalled() as signalled:
        say("follow", UNVERIFIED)
        found: Iterable[Shown] = collections.deque(
            _come(following, reading), args.last
        )
        while True:
            for each in found:
                print(written(each, args.json))
            sys.stdout.flush()
            if _ended(signalled, 0 if following.behind else INTERVAL_S):
                break
            found = _come(following, reading)
    say_left("follow", reading.left)
    return 0


def _come(following: Following, reading: Reader) -> Iterator[Shown]:
    """Yield the entries that have come, by their times."""
    return merged(
        [each for line in lines for each in reading.read(line)]
        for _, lines in following.look()
    )


@contextlib.contextmanager
def _signalled() -> Iterator[int]:
    """Give a descriptor that can be read once a signal has come.

    None interrupts a line that is being printed.
    """
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    was = [signal.signal(each, lambda *_: None) for each in _SIGNALS]
    waker = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(waker)
        for each, handler in zip(_SIGNALS, was, strict=True):
            signal.signal(each, handler)
        os.close(ours)
        os.close(theirs)


def _ended(signalled: int, timeout_s: float) -> bool:
    """Wait, and return whether a signal has come.

    :raises BrokenPipeError: whoever reads what is printed has gone away
    """
    poll = select.poll()
    poll.register(signalled, select.POLLIN)
    with contextlib.suppress(io.UnsupportedOperation):
        poll.register(sys.stdout.fileno(), 0)
    for fd, _ in poll.poll(timeout_s * 1000):
        if fd != signalled:
            raise BrokenPipeError
        return True
    return False
