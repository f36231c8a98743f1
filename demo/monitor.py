# SPDX-License-Identifier: Apache-2.0
"""The demo's monitor: ``nfv-mla-monitor`` in a process of its own.

It reaches Nova over HTTP, with credentials of its own, as it would anywhere.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import typing as ty
from collections.abc import Iterator
from collections.abc import Mapping

from demo import world
from demo.power import Power
from nfv_mla_scheduler.cmd import main as command_line
from tests.cloud.site import Site

_MODULE = "nfv_mla_scheduler.cmd.monitor_service"
_ENDS_S = 15.0
_KEY_BYTES = 32
_OPTIONS = {
    "auth_type": "OS_AUTH_TYPE",
    "auth_url": "OS_AUTH_URL",
    "username": "OS_USERNAME",
    "password": "OS_PASSWORD",
    "project_name": "OS_PROJECT_NAME",
    "user_domain_id": "OS_USER_DOMAIN_ID",
    "project_domain_id": "OS_PROJECT_DOMAIN_ID",
    "region_name": "OS_REGION_NAME",
}


class Monitor:
    """Looks each second, and acts as the policy says."""

    def __init__(self, site: Site, power: Power) -> None:
        self._site = site
        self._power = power
        self._process: subprocess.Popen[bytes] | None = None
        self._log = site.directory / "monitor.log"
        self._state = site.directory / "monitor-state"
        self.conf = site.directory / "monitor.conf"
        self.key = secrets.token_bytes(_KEY_BYTES)

    def configure(self, environment: Mapping[str, str]) -> None:
        """Write its configuration and its key.

        :param environment: the OS_* variables of its account
        """
        directory = self._site.directory
        key = directory / "marks.key"
        key.touch(0o600)
        key.write_bytes(self.key)
        shared = self._site.options(
            management_domain="acme",
            state_dir=str(self._state),
            audit_checkpoint_interval_s=world.SIGNED_EVERY_S,
        )
        own = {name: environment[key] for name, key in _OPTIONS.items()} | {
            "act": "all",
            "mark_key_files": str(key),
            "interval_s": "1",
            "stop_deadline_s": "10",
            "power_off_command": ",".join(self._power.off),
            "power_status_command": ",".join(self._power.status),
        }
        lines = ["[nfv_mla]"]
        for name, value in shared.items():
            said = ",".join(value) if isinstance(value, list) else value
            lines.append(f"{name} = {said}")
        lines += ["", "[monitor]", *(f"{k} = {v}" for k, v in own.items())]
        self.conf.write_text("\n".join((*lines, "")), encoding="utf-8")
        self.conf.chmod(0o600)

    @property
    def log(self) -> pathlib.Path:
        return self._log

    @property
    def runs(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._process is not None

    def start(self) -> None:
        """Watch from now on."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", _MODULE]
        command += ["--config-file", str(self.conf)]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def stop(self) -> None:
        """Watch no more; what it did stays in Nova."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def forget(self) -> None:
        """Remove what people have released, and its last good policy."""
        shutil.rmtree(self._state, ignore_errors=True)

    def ended(self) -> str:
        """Return what it said last if it ended by itself; else nothing."""
        process = self._process
        if process is None or process.poll() is None:
            return ""
        return (self.lines() or ["without a word"])[-1]

    def lines(self) -> list[str]:
        """Return the lines of its log."""
        try:
            text = self._log.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return text[: text.rfind("\n") + 1].splitlines()

    def said(self, *words: str, since: int = 0) -> list[str]:
        """Return what it said with all of these words, without the time."""
        return [
            "monitor: " + line.partition("nfv-mla monitor: ")[2]
            for line in self.lines()[since:]
            if "nfv-mla monitor: " in line
            and all(word in line for word in words)
        ]

    def status(self) -> dict[str, ty.Any]:
        """Return how everything stands, by its own word."""
        with contextlib.suppress(OSError, ValueError):
            path = self._state / "monitor-status.json"
            found: dict[str, ty.Any] = json.loads(path.read_bytes())
            return found
        return {}

    def command(self, words: str, columns: int) -> tuple[int, str]:
        """Run a command of ``nfv-mla monitor``.

        :param columns: of the terminal that it is to print for
        :returns: its exit status, and what it printed
        """
        argv = ["monitor", *shlex.split(words)]
        argv += ["--config-file", str(self.conf)]
        with (
            _as_wide(columns),
            contextlib.redirect_stdout(io.StringIO()) as said,
            contextlib.redirect_stderr(said),
        ):
            status = command_line.main(argv)
        return status, said.getvalue()


@contextlib.contextmanager
def _as_wide(columns: int) -> Iterator[None]:
    """Have what runs in this process think that the terminal is so wide."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
