# SPDX-License-Identifier: Apache-2.0
"""The verifier and the registrar: start them, stop them, kill them."""

import ssl
import time
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

from keylime_box.errors import BoxError
from keylime_box.installation import ROOT
from keylime_box.processes import Process
from keylime_box.rest import Rest

START_S = 90
STOP_S = 15
LOOK_S = 0.05
# A verifier in push mode says that this page is gone.
_UP = (200, 410)


class Server:
    """One server of Keylime's, which keeps its port and its database.

    :ivar url: where a relying party asks it
    """

    def __init__(
        self,
        name: str,
        url: str,
        log: Path,
        launch: Callable[[], Process],
        tls: ssl.SSLContext,
    ) -> None:
        self.name = name
        self.url = url
        self.rest = Rest(url, tls)
        self._log = log
        self._launch = launch
        self._process: Process | None = None

    def launch(self) -> None:
        """Start it, without waiting."""
        if self._process is not None:
            raise BoxError(f"the {self.name} runs already")
        self._process = self._launch()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        self.await_answer()

    def await_answer(self) -> None:
        """Wait until it answers.

        :raises BoxError: it ended, or took too long, with its log's end
        """
        until = time.monotonic() + START_S
        while True:
            try:
                if self.rest.ask("GET", "/version")[0] in _UP:
                    return
            except OSError:
                pass
            ended = self._process and self._process.exit_code()
            if ended is not None or time.monotonic() > until:
                raise BoxError(
                    f"the {self.name} did not start: {self._log_end()}"
                )
            time.sleep(LOOK_S)

    def stop(self) -> None:
        """Let it end in order: it drains what is under way."""
        self._end(STOP_S)

    def kill(self) -> None:
        """End it at once."""
        self._end(0)

    def pause(self) -> None:
        """Let it hang: it takes connections and answers none."""
        self.process.suspend()

    def resume(self) -> None:
        """Let it go on."""
        self.process.resume()

    @property
    def process(self) -> Process:
        """What runs."""
        if self._process is None:
            raise BoxError(f"the {self.name} does not run")
        return self._process

    def _end(self, grace_s: float) -> None:
        self.process.end(grace_s)
        self._process = None

    def _log_end(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return " | ".join(lines[-5:])


def environment(state: Path, temporary: Path) -> Mapping[str, str]:
    """Return all that a server of Keylime's gets to see of one."""
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(temporary),
        # The sockets of its processes among themselves; short, on purpose.
        "TMPDIR": str(temporary),
        "KEYLIME_DIR": str(state),
        "KEYLIME_VERIFIER_CONFIG": str(state / "verifier.conf"),
        "KEYLIME_REGISTRAR_CONFIG": str(state / "registrar.conf"),
        "KEYLIME_LOGGING_CONFIG": str(state / "logging.conf"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        # tpm2-tss says on standard error whatever it tries in vain.
        "TSS2_LOG": "all+none",
    }
