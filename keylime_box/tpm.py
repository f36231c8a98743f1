# SPDX-License-Identifier: Apache-2.0
"""A software TPM: swtpm, in a process of its own, with its state in files."""

import time
from collections.abc import Mapping
from pathlib import Path

from keylime_box.errors import BoxError
from keylime_box.ports import LOOPBACK
from keylime_box.processes import Process
from keylime_box.processes import Processes

_START_S = 30
_STOP_S = 5


class SoftwareTpm:
    """A TPM that is powered on.

    :param directory: its state; a new one is a new TPM
    :param port: and the next one
    """

    def __init__(
        self,
        processes: Processes,
        environment: Mapping[str, str],
        directory: Path,
        port: int,
    ) -> None:
        directory.mkdir(exist_ok=True)
        self._port = port

        def start(*argv: str) -> Process:
            return processes.start(
                argv, env=environment, cwd=directory, log=log
            )

        log = directory / "swtpm.log"
        at = f"type=tcp,bindaddr={LOOPBACK},port="
        self._start = start
        self._process = start(
            *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={directory}"),
            *("--server", f"{at}{port}", "--ctrl", f"{at}{port + 1}"),
            *("--flags", "not-need-init,startup-clear"),
        )
        until = time.monotonic() + _START_S
        while not _listens(port + 1):
            ended = self._process.exit_code() is not None
            if ended or time.monotonic() > until:
                raise BoxError(f"swtpm did not start: {log.read_text()}")
            time.sleep(0.01)

    def end(self) -> None:
        """Take the power away, in order: it keeps its clock."""
        told = self._start("tpm2_shutdown", "--clear", "-T", tcti(self._port))
        until = time.monotonic() + _STOP_S
        while told.exit_code() is None and time.monotonic() < until:
            time.sleep(0.01)
        told.end()
        self._process.end(grace_s=_STOP_S)


def tcti(port: int) -> str:
    """Return how tpm2-tss reaches the TPM at a port."""
    return f"swtpm:host={LOOPBACK},port={port}"


def _listens(port: int) -> bool:
    # Not by connecting: swtpm serves one at a time.
    wanted = f":{port:04X} 00000000:0000 0A"
    return wanted in Path("/proc/net/tcp").read_text()
