# SPDX-License-Identifier: Apache-2.0
"""The place of one monitor: a lock in ``state_dir``, so that one runs there.

Touches the lock file.  A process that is forked from the one that has the
lock has it as well; it is gone when the last of them ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

LOCK = pathlib.PurePath("monitor", "monitor.lock")
_OPTION = "[nfv_mla] state_dir"
_PID_MAX = 20


def runs(state_dir: pathlib.Path) -> bool:
    """Whether a monitor has the place; takes it from nobody.

    The lock is asked for in the shared mode, which another one that looks
    does not mind, and is given back at once.
    """
    try:
        file = os.open(state_dir / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # not ours to see
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


class Place:
    """The lock of one monitor."""

    def __init__(self, state_dir: pathlib.Path) -> None:
        """Take the place.

        :raises SettingsError: when another monitor has it, or there can be no
            lock
        """
        path = state_dir / LOCK
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, flags, 0o600)
        except OSError as exc:
            reason = exc.strerror or "cannot be opened"
            raise SettingsError(f"{_OPTION}: {path}: {reason}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.pread(self._file, _PID_MAX, 0).decode("ascii", "replace")
            os.close(self._file)
            raise SettingsError(
                f"{_OPTION}: another monitor (process "
                f"{bounded(pid.strip() or '?', _PID_MAX)}) runs with "
                f"{state_dir}"
            ) from None
        # Whoever is refused is told whom to look for.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Leave the place to others."""
        os.close(self._file)
