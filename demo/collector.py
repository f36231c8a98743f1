# SPDX-License-Identifier: Apache-2.0
"""The demo's collector: ``nfv-mla-collector`` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import typing as ty
from collections.abc import Iterable

from demo import world
from tests.cloud.site import COLLECTOR
from tests.cloud.site import OFFICERS
from tests.cloud.site import Site

_MODULE = "nfv_mla_scheduler.cmd.collector_service"
_ENDS_S = 10.0


class Section(ty.Protocol):
    """An authority that is to be asked: its part of the configuration."""

    @property
    def name(self) -> str:
        """As the policy has it."""

    def options(self) -> str:
        """Return the lines that say how to ask it."""


class Collector:
    """Asks authorities each second, and publishes what they say."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._process: subprocess.Popen[bytes] | None = None
        self._log = site.directory / "collector.log"
        self._conf = site.directory / "collector.conf"
        self._status = site.directory / "collector-status.json"

    def configure(self, authorities: Iterable[Section]) -> None:
        """Write its configuration; they must have been started once."""
        asked = tuple(authorities)
        keys = ", ".join(str(self._site.public_key(n)) for n in OFFICERS)
        text = f"""\
[nfv_mla]
policy_file = {self._site.policy_file}
officer_keys = {keys}
state_dir = {self._site.directory / "collector-state"}
audit_dir = {self._site.audit_dir}
audit_key_file = {self._site.audit_key}
audit_checkpoint_interval_s = {world.SIGNED_EVERY_S}

[nfv_mla_collector]
name = {COLLECTOR}
key_file = {self._site.directory / COLLECTOR}.key
results_file = {self._site.results_file}
status_file = {self._status}
authorities = {", ".join(each.name for each in asked)}
publish_interval_s = 0.1

"""
        text += "\n".join(each.options() for each in asked)
        self._conf.write_text(text, encoding="utf-8")

    @property
    def conf(self) -> pathlib.Path:
        return self._conf

    def start(self) -> None:
        """Publish from now on."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", _MODULE]
        command += ["--config-file", str(self._conf)]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def stop(self) -> None:
        """Publish no more; what is published stays where it is."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ended(self) -> str:
        """Return what it said last if it ended by itself; else nothing."""
        process = self._process
        if process is None or process.poll() is None:
            return ""
        return (self.lines() or ["without a word"])[-1]

    def lines(self) -> list[str]:
        """Return the lines of its log."""
        try:
            return self._log.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def said(self, *words: str, since: int = 0) -> list[str]:
        """Return the lines of its log in which all of these words are."""
        return [
            line
            for line in self.lines()[since:]
            if all(word in line for word in words)
        ]

    def status(self) -> dict[str, ty.Any]:
        """Return how it stands with its authorities, by its own word."""
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, ty.Any] = json.loads(self._status.read_bytes())
            return found
        return {}
