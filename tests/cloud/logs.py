# SPDX-License-Identifier: Apache-2.0
"""Keep Nova quiet and remember what our own loggers say.

Touches the root logger's handlers and levels while a cloud runs.
"""

from __future__ import annotations

import logging
import threading

import fixtures

#: The logger of the package under test.
OURS = "nfv_mla_scheduler"


class Remembered(logging.Handler):
    """Keeps every record of one logger and of those below it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._guard = threading.Lock()
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        with self._guard:
            self._records.append(record)

    def lines(self, level: int = logging.DEBUG) -> list[str]:
        """Return the messages of at least this level, oldest first."""
        with self._guard:
            return [
                record.getMessage()
                for record in self._records
                if record.levelno >= level
            ]

    def forget(self) -> None:
        with self._guard:
            self._records.clear()


class QuietLogs(fixtures.Fixture):
    """Undo what Nova's fixtures do to logging, for as long as they run.

    They keep everything from INFO on in memory, and format every DEBUG
    record to no purpose but to see that it can be.
    """

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level
        self.ours = Remembered()

    def _setUp(self) -> None:  # noqa: N802
        root = logging.getLogger()
        for handler in list(root.handlers):
            # Their own cleanup tolerates that it is gone.
            if type(handler).__name__ == "NullHandler":
                root.removeHandler(handler)
        self.addCleanup(root.setLevel, root.level)
        root.setLevel(self._level)
        logger = logging.getLogger(OURS)
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(self.ours)
        self.addCleanup(logger.removeHandler, self.ours)
