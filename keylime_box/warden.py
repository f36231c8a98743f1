# SPDX-License-Identifier: Apache-2.0
"""The parent of every process of a box, and what clears up after it.

A process of its own, started as a script and of the standard library alone.
It starts what the box asks for, each in a session of its own, ends groups of
processes, and as soon as the box closes its end of the socket or dies, even by
SIGKILL, ends everything and removes the box's directories.

One message a datagram, JSON, answered by one; the file that is to be a new
process's standard input goes with the request.  The warden's own standard
input is its socket.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LARGEST_MESSAGE = 256 * 1024
_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Warden:
    """Every process that was started, by the id of its group."""

    def __init__(self, directories: list[str]) -> None:
        self._directories = directories
        self._running: set[int] = set()
        self._ended: dict[int, int] = {}
        self.answers: dict[str, Callable[[dict[str, Any], list[int]], Any]] = {
            "start": self._start,
            "signal": self._signal,
            "poll": self._poll,
            "end": self._end,
        }

    def _start(self, asked: dict[str, Any], files: list[int]) -> int:
        with open(asked["log"], "ab") as log:
            started = subprocess.Popen(
                asked["argv"],
                env=asked["env"],
                cwd=asked["cwd"],
                stdin=files[0] if files else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._running.add(started.pid)
        return started.pid

    def _signal(self, asked: dict[str, Any], _files: list[int]) -> None:
        if asked["pid"] in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(asked["pid"], asked["signal"])

    def _poll(self, asked: dict[str, Any], _files: list[int]) -> int | None:
        self._reap()
        return self._ended.get(asked["pid"])

    def _end(self, asked: dict[str, Any], _files: list[int]) -> None:
        """End a group: first kindly for as long as was said, then not."""
        group = asked["pid"]
        if group not in self._running:
            return
        until = time.monotonic() + asked["grace_s"]
        if asked["grace_s"] > 0:
            self._kill(group, signal.SIGTERM)
            while self._lives(group) and time.monotonic() < until:
                time.sleep(0.005)
        self._kill(group, signal.SIGKILL)
        while self._lives(group):
            time.sleep(0.002)
        self._running.discard(group)

    def _kill(self, group: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)

    def _lives(self, group: int) -> bool:
        self._reap()
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        return True

    def _reap(self) -> None:
        # Orphans of a server come to us too: we are their subreaper.
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._running:
                self._ended[pid] = os.waitstatus_to_exitcode(status)

    def clear(self) -> None:
        """End everything, whatever it is, and remove the directories."""
        for group in self._running:
            self._kill(group, signal.SIGKILL)
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                for child in _children():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                time.sleep(0.002)
        for directory in self._directories:
            shutil.rmtree(directory, ignore_errors=True)


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children") as listed:
        return [int(pid) for pid in listed.read().split()]


def serve(channel: socket.socket, box_pid: int, warden: Warden) -> None:
    """Answer the box until it closes its end or is gone."""
    box = os.pidfd_open(box_pid)
    poller = select.poll()
    poller.register(channel, select.POLLIN)
    poller.register(box, select.POLLIN)
    while True:
        ready = {number for number, _ in poller.poll()}
        if channel.fileno() not in ready:
            return
        message, files, _, _ = socket.recv_fds(channel, LARGEST_MESSAGE, 8)
        if not message:
            return
        try:
            asked = json.loads(message)
            said = {"said": warden.answers[asked["ask"]](asked, files)}
        except Exception as exc:
            said = {"failed": f"{type(exc).__name__}: {exc}"}
        finally:
            for number in files:
                os.close(number)
        channel.send(json.dumps(said).encode())


def main(box_pid: int, directories: list[str]) -> None:
    """Serve, then clear up, however the serving ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    warden = Warden(directories)
    with socket.socket(fileno=os.dup(0)) as channel:
        try:
            if os.getppid() == box_pid:
                serve(channel, box_pid, warden)
        finally:
            warden.clear()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
