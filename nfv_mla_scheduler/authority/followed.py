# SPDX-License-Identifier: Apache-2.0
"""A file that may change while it is in use.

Read whenever somebody wants to know what it says: it is small, and a time
stamp can miss the second of two changes.  What cannot be taken does not
replace what was taken before.
"""

from __future__ import annotations

import logging
import os
import pathlib
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

LOG = logging.getLogger(__name__)

BYTES_MAX = 2**20

_PATH_MAX = 100
# A named pipe must not keep us waiting for somebody who writes to it.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

Content = TypeVar("Content")


class Followed(Generic[Content]):
    """A file, and what it says; the last that could be taken."""

    def __init__(
        self,
        option: str,
        path: pathlib.Path,
        read: Callable[[bytes], Content],
        group: str,
    ) -> None:
        """Read the file for the first time.

        :param option: that names the file
        :param read: raises an error of ours when it cannot take the bytes
        :param group: of the option, for the log
        :raises SettingsError: naming the option
        """
        self._option = option
        self._path = path
        self._read = read
        self._group = group
        self._seen = _bytes(path)
        self._refused = False
        try:
            self._content = self._take(self._seen)
        except NfvMlaError as exc:
            raise SettingsError(self._about(str(exc))) from exc

    def now(self) -> Content:
        """Return what the file says; the same object while it says the same.

        What is wrong with it is logged once, and that it is mended as well.
        """
        seen = _bytes(self._path)
        if seen == self._seen:
            return self._content
        self._seen = seen
        try:
            self._content = self._take(seen)
        except NfvMlaError as exc:
            self._refused = True
            LOG.error(
                "nfv-mla keeps what it knew, [%s] %s",
                self._group,
                self._about(str(exc)),
            )
        else:
            change = "took up again" if self._refused else "took up a change:"
            self._refused = False
            LOG.info(
                "nfv-mla %s [%s] %s", change, self._group, self._about("")
            )
        return self._content

    def _take(self, seen: bytes | str) -> Content:
        if isinstance(seen, str):
            raise SettingsError(seen)
        return self._read(seen)

    def _about(self, why: str) -> str:
        said = f"{self._option}: {bounded(self._path, _PATH_MAX)}"
        return f"{said}: {why}" if why else said


def _bytes(path: pathlib.Path) -> bytes | str:
    """Return what a file holds, or why it cannot be read."""
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(BYTES_MAX + 1)
        finally:
            os.close(descriptor)
    except OSError as exc:
        return exc.strerror or "cannot be read"
    if len(data) > BYTES_MAX:
        return f"is larger than {BYTES_MAX} bytes"
    return data
