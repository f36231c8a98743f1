# SPDX-License-Identifier: Apache-2.0
"""Start a monitor in a process of its own, and have it run cycles.

``subject.py`` is what runs there.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any
from typing import Self

_MODULE = "bench.monitor.subject"
_WAIT_S = 20.0


class Subject:
    """A monitor, which does what it is asked to and no more.

    :param options: its file of options
    :param flags: ``--dry-run``
    """

    def __init__(self, options: pathlib.Path, *flags: str) -> None:
        self._log = options.with_suffix(".log")
        with open(self._log, "wb") as log:
            self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", _MODULE, str(options), *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        try:
            self._child.wait(_WAIT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()

    def cycle(self) -> dict[str, Any]:
        """Run one cycle, and return what ``subject.told`` says of it."""
        return self._ask("cycle")

    def listing_s(self) -> float:
        """List everything, and return the seconds of CPU that it took."""
        return float(self._ask("listing")["cpu_s"])

    def wanted_traits(self) -> dict[str, list[str]]:
        """Return which providers should have which traits."""
        found: dict[str, list[str]] = self._ask("traits")
        return found

    def profile(self) -> str:
        """Run one cycle under a profiler, and return what it says."""
        return str(self._ask("profile")["text"])

    def _ask(self, what: str) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(what + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            said = self._log.read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"the monitor has ended: {said[-2000:]}")
        found: dict[str, Any] = json.loads(line)
        return found
