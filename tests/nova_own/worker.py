# SPDX-License-Identifier: Apache-2.0
"""Run Nova's own tests in this process, one by one, as a parent asks.

Reads ``list MODULE`` and ``run MODULE:Class.test`` from standard input until
that ends, and answers each with one JSON line on the standard output that it
was started with; what the tests themselves print goes to standard error.
"""

# The names of unittest.TestResult's methods are not ours to choose.
# ruff: noqa: N802

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import sys
import time
import typing as ty
import unittest

from tests.nova_own import bootstrap

#: Of a failure's text, the end is what tells.
DETAIL_CHARS = 6000

Send = ty.Callable[[dict[str, ty.Any]], None]


class Outcomes(unittest.TestResult):
    """Send one line about one test, whatever becomes of it."""

    def __init__(
        self, test_id: str, runs: bootstrap.FilterRuns, send: Send
    ) -> None:
        super().__init__()
        self._test_id = test_id
        self._runs = runs
        self._send = send
        self._started = 0.0
        self._runs_before = runs.copy()
        self._outcome = ""
        self._detail = ""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started = time.monotonic()

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self._send(
            {
                "test": self._test_id,
                # A test that reports nothing has not shown anything.
                "outcome": self._outcome or "failed",
                "detail": self._detail[-DETAIL_CHARS:],
                "seconds": round(time.monotonic() - self._started, 2),
                "function": _function(test),
                "filter_runs": dict(self._runs - self._runs_before),
            }
        )

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._note("passed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._note("skipped", reason)

    def addError(self, test: unittest.TestCase, err: ty.Any) -> None:
        self._note("failed", self._text(err, test))

    def addFailure(self, test: unittest.TestCase, err: ty.Any) -> None:
        self._note("failed", self._text(err, test))

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: ty.Any,
    ) -> None:
        self._note("passed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._note("failed", "passed, but is marked as expected to fail")

    def _note(self, outcome: str, detail: str = "") -> None:
        # A test may report more than once, its clean-up too: the worst stays.
        if self._outcome != "failed":
            self._outcome = outcome
            self._detail = detail

    def _text(self, err: ty.Any, test: unittest.TestCase) -> str:
        return str(
            self._exc_info_to_string(  # type: ignore[attr-defined]
                err, test
            )
        )


def _function(test: unittest.TestCase) -> str:
    # Of a bound method, what matters is where it was written.
    method = getattr(test, test.id().rpartition(".")[2])
    return f"{method.__module__}.{method.__qualname__}"


def test_ids(module: str) -> list[str]:
    """Return every test of a module, as ``module:Class.test``."""
    found = []
    classes = vars(importlib.import_module(module)).values()
    for cls in classes:
        if not isinstance(cls, type) or cls.__module__ != module:
            continue
        if issubclass(cls, unittest.TestCase):
            names = unittest.defaultTestLoader.getTestCaseNames(cls)
            found += [f"{module}:{cls.__name__}.{name}" for name in names]
    return found


def run_test(test_id: str, runs: bootstrap.FilterRuns, send: Send) -> None:
    """Run one test, given as ``module:Class.test``."""
    module, _, rest = test_id.partition(":")
    class_name, _, test = rest.partition(".")
    cls = getattr(importlib.import_module(module), class_name)
    cls(test).run(Outcomes(test_id, runs, send))


@functools.cache
def _freeze() -> None:
    """Spare later collections what the first test has left: modules."""
    gc.collect()
    gc.freeze()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def send(message: dict[str, ty.Any]) -> None:
        answers.write(json.dumps(message) + "\n")

    runs = bootstrap.install()
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "list":
            send({"tests": test_ids(argument)})
        else:
            run_test(argument, runs, send)
            _freeze()
    answers.flush()
    # Threads that a failed test left behind must not keep us.
    os._exit(0)


if __name__ == "__main__":
    main()
