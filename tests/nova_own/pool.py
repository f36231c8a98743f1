# SPDX-License-Identifier: Apache-2.0
"""Keep a few worker processes busy with Nova's own tests.

A worker that dies, or that is silent for longer than any test may take, is
replaced, and the test that it had is noted as failed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import queue
import selectors
import subprocess
import sys
import tempfile
import threading
import time
import typing as ty

from tests.nova_own import bootstrap

ROOT = pathlib.Path(__file__).resolve().parents[2]

#: Nova's own tox gives each functional test as long as this.
TEST_TIMEOUT_S = 160
#: The test's own alarm should ring first: it says where the test hung.
SILENCE_S = TEST_TIMEOUT_S + 40
#: Of what a worker wrote to standard error, the end is what tells.
LAST_WORDS_BYTES = 4000


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test."""

    test: str
    outcome: str
    detail: str
    seconds: float
    #: Where the test function is defined, which may be another class.
    function: str = ""
    #: How often filters ran during it, by the name of the first of them.
    filter_runs: dict[str, int] = dataclasses.field(default_factory=dict)


class WorkerLost(Exception):
    """A worker died or said nothing for too long."""


class Worker:
    """One process that runs tests, seen from its parent."""

    def __init__(self, injection: str | None) -> None:
        env = dict(os.environ, OS_TEST_TIMEOUT=str(TEST_TIMEOUT_S))
        env.pop(bootstrap.INJECTION, None)
        if injection:
            env[bootstrap.INJECTION] = injection
        # What outlives a test is not to lie where that test cleans up.
        self._directory = tempfile.TemporaryDirectory(prefix="nova-own-")
        env["TMPDIR"] = self._directory.name
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nova_own.worker"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe("stdout"), selectors.EVENT_READ)
        self._buffer = b""

    def ask(self, command: str) -> dict[str, ty.Any]:
        try:
            stdin = self._pipe("stdin")
            stdin.write(command.encode() + b"\n")
            stdin.flush()
        except BrokenPipeError as exc:
            raise WorkerLost(self._last_words()) from exc
        return self._answer()

    def kill(self) -> None:
        self._selector.close()
        self._process.kill()
        self._process.wait()
        self._pipe("stdout").close()
        self._stderr.close()
        self._directory.cleanup()

    def _last_words(self) -> str:
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - LAST_WORDS_BYTES))
        return "the worker has died: " + self._stderr.read().decode(
            errors="replace"
        )

    def _pipe(self, name: str) -> ty.IO[bytes]:
        return ty.cast(ty.IO[bytes], getattr(self._process, name))

    def _answer(self) -> dict[str, ty.Any]:
        deadline = time.monotonic() + SILENCE_S
        while b"\n" not in self._buffer:
            if not self._selector.select(deadline - time.monotonic()):
                raise WorkerLost(f"no answer within {SILENCE_S} s")
            data = os.read(self._pipe("stdout").fileno(), 65536)
            if not data:
                raise WorkerLost(self._last_words())
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return ty.cast(dict[str, ty.Any], json.loads(line))


class Arm:
    """All tests of some modules, under one injection or none."""

    def __init__(self, injection: str | None, workers: int) -> None:
        self._injection = injection
        self._workers = workers
        self._lock = threading.Lock()
        self.outcomes: dict[str, Outcome] = {}

    def run(
        self, tests: ty.Iterable[str], report: ty.Callable[[Outcome], None]
    ) -> None:
        todo: queue.SimpleQueue[str] = queue.SimpleQueue()
        for test in tests:
            todo.put(test)
        threads = [
            threading.Thread(target=self._work, args=(todo, report))
            for _ in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(
        self,
        todo: queue.SimpleQueue[str],
        report: ty.Callable[[Outcome], None],
    ) -> None:
        worker = Worker(self._injection)
        while True:
            try:
                test = todo.get_nowait()
            except queue.Empty:
                break
            try:
                outcome = Outcome(**worker.ask(f"run {test}"))
            except WorkerLost as exc:
                outcome = Outcome(test, "failed", str(exc), 0)
                worker.kill()
                worker = Worker(self._injection)
            with self._lock:
                self.outcomes[test] = outcome
                report(outcome)
        worker.kill()


def tests_of(modules: ty.Iterable[str]) -> list[str]:
    """Return the ids of every test of these modules."""
    worker = Worker(None)
    try:
        return [
            test
            for module in modules
            for test in worker.ask(f"list {module}")["tests"]
        ]
    finally:
        worker.kill()
