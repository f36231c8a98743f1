# SPDX-License-Identifier: Apache-2.0
"""Programs of ours as processes, with their logs in files."""

from __future__ import annotations

import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Self

WAIT_S = 60.0
_END_S = 15.0


class Program:
    """``python -m MODULE --config-file FILE``, until it is left.

    :param log: a file for what it says
    """

    def __init__(
        self, module: str, options: pathlib.Path, log: pathlib.Path
    ) -> None:
        self._log = log
        with open(log, "wb") as file:
            self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", module, "--config-file", str(options)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def port(self) -> int:
        """Wait until it says where it listens, and return the port."""
        self.wait(lambda: re.search(r"answers at port \d+", self.said))
        found = re.search(r"answers at port (\d+)", self.said)
        assert found is not None
        return int(found[1])

    def wait(self, done: Callable[[], object], pause_s: float = 0.02) -> None:
        """Wait until something is so.

        :raises RuntimeError: when it never is, or the program has ended
        """
        end = time.monotonic() + WAIT_S
        while not done():
            ended = self._child.poll() is not None
            if ended or time.monotonic() > end:
                what = "has ended" if ended else "never came to it"
                raise RuntimeError(f"{self._log.stem} {what}: {self.said}")
            time.sleep(pause_s)
