# SPDX-License-Identifier: Apache-2.0
"""Real processes: labs as authorities, and collectors that ask them."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import yaml

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.lab import directory as lab_files
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.publish import publish
from nfv_mla_scheduler.results.values import ResultsDocument
from tests.authorities.certificates import make_ca
from tests.unit.collector.site import AUTHORITIES
from tests.unit.collector.site import HOSTS
from tests.unit.collector.site import Site

ROOT = pathlib.Path(__file__).parents[2]
WAIT_S = 30.0
HERE = "127.0.0.1"


class Process:
    """A process of ours, whose output is kept line by line."""

    def __init__(self, module: str, *words: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._child.pid
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.lines.append(line)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    @property
    def runs(self) -> bool:
        return self._child.poll() is None

    def end(self, number: int = signal.SIGTERM, wait_s: float = 15.0) -> int:
        """Send a signal, and return the exit status."""
        if self.runs:
            self._child.send_signal(number)
        return self.wait(wait_s)

    def wait(self, wait_s: float = WAIT_S) -> int:
        """Wait for the end, and return the exit status."""
        try:
            status = self._child.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(WAIT_S)
            raise
        finally:
            self._reader.join(WAIT_S)
        assert self._child.stdout is not None
        self._child.stdout.close()
        return status


class Lab:
    """An authority for development, in a process of its own."""

    def __init__(self, path: pathlib.Path, name: str) -> None:
        self.files = lab_files.make(path, HOSTS, name, now=time.time())
        self._ready = path.parent / f"{name}.ready"
        self._process = self._start(0)
        url = self._ready.read_text().split()[-1]
        self.port = int(url.rpartition(":")[2])

    def _start(self, port: int) -> Process:
        process = Process(
            "nfv_mla_scheduler.cmd.lab",
            "run",
            str(self.files.path),
            *("--port", str(port)),
            *("--ready-file", str(self._ready)),
        )
        end = time.monotonic() + WAIT_S
        while not self._ready.exists():
            assert process.runs, process.said
            assert time.monotonic() < end, process.said
            time.sleep(0.02)
        return process

    def end(self) -> None:
        self._process.end()

    def start(self) -> None:
        """Start it again, where it was before."""
        self._process = self._start(self.port)

    @property
    def options(self) -> list[str]:
        """The lines of its group in a collector's options."""
        files = self.files
        return [
            f"url = {lab_files.url(HERE, self.port)}{lab_files.RESULTS}",
            f"ca_file = {files.ca}",
            f"cert_file = {files.client}",
            f"key_file = {lab_files.key_of(files.client)}",
            f"keys_file = {files.jwk_set}",
            "timeout_s = 5",
        ]

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change what it says of hosts."""
        found = yaml.safe_load(self.files.attesters.read_text())
        change(found)
        publish(self.files.attesters, yaml.safe_dump(found).encode())


class CollectorTestCase(unittest.TestCase):
    """Two labs, and a site whose policy names both."""

    def setUp(self) -> None:
        super().setUp()
        self.site = Site.of(self, "lab")
        self.labs: dict[str, Lab] = {}
        for name in AUTHORITIES:
            lab = Lab(self.site.directory / f"lab-{name}", name)
            self.labs[name] = lab
            self.addCleanup(lab.end)
        self.loader = Loader()

    def options(
        self, name: str = "collector-a", *lines: str, **kwargs: Any
    ) -> pathlib.Path:
        more: Mapping[str, Sequence[str]] = {
            name: lab.options for name, lab in self.labs.items()
        }
        return self.site.options(name, *lines, more=more, **kwargs)

    def start(
        self, name: str = "collector-a", *lines: str, **kwargs: Any
    ) -> Process:
        """Start a collector that ends with the test."""
        path = self.options(name, *lines, **kwargs)
        process = Process(
            "nfv_mla_scheduler.cmd.collector_service",
            *("--config-file", str(path)),
        )
        self.addCleanup(process.end)
        return process

    def wait(self, done: Callable[[], Any], what: object = "") -> Any:
        """Wait until something is so, and return it."""
        end = time.monotonic() + WAIT_S
        while not (found := done()):
            if time.monotonic() > end:
                said = what.said if isinstance(what, Process) else what
                self.fail(f"it never came to that: {said}")
            time.sleep(0.02)
        return found

    def document(
        self, path: pathlib.Path | None = None
    ) -> ResultsDocument | None:
        """Return what a scheduler reads, if it takes anything."""
        path = path or self.site.results_file
        try:
            return self.site.read(path.read_bytes(), self.loader)
        except (FileNotFoundError, ResultsRefused):
            return None

    def both(self) -> ResultsDocument | None:
        """Return the document once both labs are in it."""
        document = self.document()
        if document is None or set(document.results) != set(AUTHORITIES):
            return None
        return document if all(document.results.values()) else None


class Https:
    """What it takes to serve over HTTPS, and to come as a client."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        directory = pathlib.Path(self._directory.name)
        ca = make_ca()
        self.ca = ca.write(directory)
        self.server = ca.issue_server(directory, HERE)
        self.client = ca.issue_client(directory)

    def close(self) -> None:
        self._directory.cleanup()

    @property
    def lines(self) -> tuple[str, ...]:
        """Options of the collector."""
        return (
            f"listen = {HERE}:0",
            f"tls_cert_file = {self.server.cert_file}",
            f"tls_key_file = {self.server.key_file}",
            f"tls_client_ca_file = {self.ca}",
        )

    def port(self, process: Process) -> int | None:
        """Return where a collector listens, once it has said so."""
        found = re.search(r"answers at port (\d+)", process.said)
        return int(found[1]) if found else None

    def asks(self, port: int) -> Client:
        """Return a client of the collector at that port."""
        tls = Tls(self.ca, self.client.cert_file, self.client.key_file)
        return Client(
            f"https://{HERE}:{port}/",
            tls,
            deadline_s=20.0,
            max_bytes=2**24,
        )

    def words(self, port: int) -> list[str]:
        """Return how ``nfv-mla collector`` is told to come."""
        return [
            *("--url", f"https://{HERE}:{port}"),
            *("--ca", str(self.ca)),
            *("--cert", str(self.client.cert_file)),
            *("--key", str(self.client.key_file)),
        ]
