# SPDX-License-Identifier: Apache-2.0
"""What becomes of the open ledgers when a process forks, and when it ends.

Standard library only.
"""

from __future__ import annotations

import atexit
import os
import weakref
from typing import Protocol


class Open(Protocol):
    """Something that belongs to one process."""

    def after_fork(self) -> None:
        """Leave to the parent what belongs to it."""

    def close(self) -> None:
        """Write what there is to write."""


_OPEN: weakref.WeakSet[Open] = weakref.WeakSet()


def keep(opened: Open) -> None:
    """Tell it of forks and of the end, as long as somebody uses it."""
    _OPEN.add(opened)


def _after_fork() -> None:
    for opened in list(_OPEN):
        opened.after_fork()


def _at_exit() -> None:
    for opened in list(_OPEN):
        opened.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
