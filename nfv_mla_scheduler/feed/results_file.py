# SPDX-License-Identifier: Apache-2.0
"""A results document in a file that a collector replaces.

Touches that file.
"""

from __future__ import annotations

from nfv_mla_scheduler.feed.watched import WatchedFile


class ResultsFile(WatchedFile):
    """Where documents come from when they come from a file."""

    what = "the file"

    def judged(self, data: bytes, good: bool) -> None:
        """Do nothing: a file is always read as a whole."""

    def close(self) -> None:
        """Do nothing: the file is never held open."""
