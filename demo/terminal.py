# SPDX-License-Identifier: Apache-2.0
"""What a demo has of its terminal: a screen, and Ctrl-C."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

from demo.interrupts import INTERRUPTS
from demo.screen import WIDTH
from demo.screen import Screen

FAILED, INTERRUPTED = 1, 130


def new_screen(*, plain: bool) -> Screen:
    """Return a screen as wide as the terminal.

    :param plain: without colour even on a terminal
    """
    colour = sys.stdout.isatty() and not plain
    return Screen(
        sys.stdout,
        colour=colour and "NO_COLOR" not in os.environ,
        width=shutil.get_terminal_size((WIDTH, 0)).columns,
    )


def status_of(run: Callable[[], int]) -> int:
    """Run a demo; return its exit status, however it ends."""
    try:
        return run()
    except KeyboardInterrupt:
        INTERRUPTS.catch()
        print("\ninterrupted; nothing is left behind")
        return INTERRUPTED
    except BrokenPipeError:
        # the reader has seen enough; flushing at the end would fail again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
