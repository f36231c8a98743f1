# SPDX-License-Identifier: Apache-2.0
"""Processes of a box, as the box sees them: the warden starts and ends them.

What stands here runs in the user's process, and forks there once, for the
warden itself.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keylime_box import warden
from keylime_box.errors import BoxError


class Processes:
    """The channel to a warden of our own.

    :param removed: directories that the warden removes at the end
    """

    def __init__(self, removed: Sequence[Path]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._warden = subprocess.Popen(
                [
                    # Isolated and without site: it starts in 20 ms.
                    *(sys.executable, "-I", "-S", warden.__file__),
                    str(os.getpid()),
                    *map(str, removed),
                ],
                stdin=theirs.fileno(),
                start_new_session=True,
            )
        self._channel = ours
        self._lock = threading.Lock()

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        stdin: int | None = None,
    ) -> "Process":
        """Start a process in a session of its own.

        :param stdin: a descriptor for its standard input
        """
        pid = self.ask(
            () if stdin is None else (stdin,),
            ask="start",
            argv=list(argv),
            env=dict(env),
            cwd=str(cwd),
            log=str(log),
        )
        return Process(self, pid)

    def ask(self, files: Sequence[int] = (), **asked: Any) -> Any:
        """Ask the warden, and return what it says."""
        with self._lock:
            try:
                socket.send_fds(
                    self._channel, [json.dumps(asked).encode()], list(files)
                )
                said = self._channel.recv(warden.LARGEST_MESSAGE)
            except OSError as exc:
                raise BoxError("the box is closed") from exc
        if not said:
            raise BoxError("the box's warden is gone")
        answer = json.loads(said)
        if "failed" in answer:
            raise BoxError(f"{asked['ask']}: {answer['failed']}")
        return answer["said"]

    def close(self) -> None:
        """End everything and wait until nothing is left."""
        self._channel.close()
        self._warden.wait()


class Process:
    """One process, and all that it started in turn."""

    def __init__(self, processes: Processes, pid: int) -> None:
        self._processes = processes
        self.pid = pid

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        code: int | None = self._processes.ask(ask="poll", pid=self.pid)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        self._processes.ask(ask="signal", pid=self.pid, signal=int(number))

    def suspend(self) -> None:
        """Let the whole group hang."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def end(self, grace_s: float = 0) -> None:
        """End the whole group; kindly for that long, and by force then."""
        self._processes.ask(ask="end", pid=self.pid, grace_s=grace_s)
