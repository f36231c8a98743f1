# SPDX-License-Identifier: Apache-2.0
"""Monitors in processes of their own, told cycle by cycle what to do.

Starts processes, and ends those that it has started.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import typing as ty

import fixtures

from tests.faults import zygote
from tests.faults.zygote import Start

ROOT = pathlib.Path(__file__).parents[2]
#: For anything that takes tenths of a second.
LONG_S = 60.0


class Died(Exception):
    """A monitor was killed before it had done what it was told."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cycle:
    """What a monitor said of one cycle; see ``zygote.py``.

    :ivar graces: servers of hosts that have not yet been silent for long
    """

    failures: list[list[str]]
    outcomes: list[list[str]]
    missing: list[str]
    threads: int
    found: dict[str, str] = dataclasses.field(default_factory=dict)
    tampered: list[str] = dataclasses.field(default_factory=list)
    graces: list[str] = dataclasses.field(default_factory=list)
    does: list[str] = dataclasses.field(default_factory=list)
    held: list[list[str]] = dataclasses.field(default_factory=list)
    waits: list[str] = dataclasses.field(default_factory=list)
    not_halted: list[str] = dataclasses.field(default_factory=list)
    suspects: list[str] = dataclasses.field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether there was something to do, to wait for, or to look for."""
        return bool(self.does or self.waits or self.failures or self.missing)

    def holds(self, subjects: ty.Collection[str], *whys: str) -> bool:
        """Whether something of these is held for one of these reasons."""
        return any(who in subjects and why in whys for who, why in self.held)


class Zygote(fixtures.Fixture):
    """The process from which monitors are forked, for a class of tests."""

    def _setUp(self) -> None:  # noqa: N802
        self._process = subprocess.Popen(
            # By its path: it must not import Nova, which this package does.
            [sys.executable, "-P", zygote.__file__],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self._end)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if said != "ready\n":
            raise AssertionError(f"no monitor can be started: {said!r}")

    def fork(self, start: Start) -> None:
        """Have one monitor started."""
        pipe = self._process.stdin
        assert pipe is not None
        pipe.write(json.dumps(dataclasses.asdict(start)) + "\n")
        pipe.flush()

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.kill()
        self._process.wait()


class Monitor:
    """One monitor, in a process of its own."""

    def __init__(
        self, zygote: Zygote, directory: pathlib.Path, conf: pathlib.Path
    ) -> None:
        """Start it.

        :param directory: for its log, to which it adds
        """
        path = directory / "monitor.socket"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(LONG_S)
            self.log = directory / "monitor.log"
            zygote.fork(Start(str(path), str(conf), str(self.log)))
            self._peer, _ = listener.accept()
        self._peer.settimeout(LONG_S)
        self._lines = self._peer.makefile("rw", encoding="utf-8")
        self.pid = int(self._lines.readline())

    def cycle(self, ahead_s: float) -> Cycle:
        """Have it run one cycle.

        :param ahead_s: by which its clocks are ahead of ours
        :raises Died: when it was killed before that was over
        """
        try:
            self._lines.write(json.dumps({"ahead_s": ahead_s}) + "\n")
            self._lines.flush()
            line = self._lines.readline()
        except ConnectionError:
            line = ""
        if not line:
            raise Died
        told: dict[str, ty.Any] = json.loads(line)
        if "fault" in told:
            raise AssertionError(told["fault"])
        return Cycle(**told)

    def kill(self) -> None:
        """Kill it, and wait until it is gone: nobody else waits for it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            deadline = time.monotonic() + LONG_S
            while time.monotonic() < deadline:
                os.kill(self.pid, 0)
                time.sleep(0.001)
            raise AssertionError(f"process {self.pid} outlives SIGKILL")

    def end(self) -> None:
        """Kill it, unless that was done, and wait until it is gone."""
        self.kill()
        with contextlib.suppress(OSError, ValueError):
            while self._peer.recv(4096):
                pass
        with contextlib.suppress(OSError):
            self._lines.close()
        self._peer.close()
