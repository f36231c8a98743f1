# SPDX-License-Identifier: Apache-2.0
"""The newest results document, the few before it, and those who wait for it.

Touches nothing but memory; for any number of threads.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import threading
import time

from nfv_mla_scheduler.results import delta

OLDER_MAX = 8
OLDER_BYTES_MAX = 64 * 2**20


@dataclasses.dataclass(frozen=True, slots=True)
class Issue:
    """A document as it was published.

    :ivar tag: SHA-256 of the document, hexadecimal
    """

    tag: str
    data: bytes


class Shelf:
    """Holds what was published last, and of what came before a bounded part.

    :param older_max: how many older documents are held at most
    :param older_bytes_max: how many bytes they may have together
    """

    def __init__(
        self,
        older_max: int = OLDER_MAX,
        older_bytes_max: int = OLDER_BYTES_MAX,
    ) -> None:
        self._older_max = older_max
        self._older_bytes_max = older_bytes_max
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._newest: Issue | None = None
        self._older: collections.OrderedDict[str, bytes]
        self._older = collections.OrderedDict()
        # tag of an older document -> the way from it to the newest
        self._deltas: dict[str, bytes | None] = {}
        self._deltas_to = ""
        self._closed = False

    def put(self, data: bytes) -> None:
        """Make ``data`` the newest document; wakes all who wait for one."""
        issue = Issue(hashlib.sha256(data).hexdigest(), data)
        with self._changed:
            before = self._newest
            if before is not None and before.tag == issue.tag:
                return
            self._newest = issue
            self._older.pop(issue.tag, None)
            if before is not None:
                self._older[before.tag] = before.data
            while self._older and not self._fits():
                self._older.popitem(last=False)
            self._changed.notify_all()

    def _fits(self) -> bool:
        size = sum(map(len, self._older.values()))
        few = len(self._older) <= self._older_max
        return few and size <= self._older_bytes_max

    def newest(self) -> Issue | None:
        """Return the newest document; None: there never was one."""
        with self._changed:
            return self._newest

    def wait_other(self, tag: str | None, timeout_s: float) -> Issue | None:
        """Return the newest document as soon as its tag is another one.

        :param tag: of the document that is known already
        :returns: None when there is none by then, or the shelf was closed
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while True:
                newest = self._newest
                if newest is not None and newest.tag != tag:
                    return newest
                left = end - time.monotonic()
                if left <= 0 or self._closed:
                    return None
                self._changed.wait(left)

    def older(self, tag: str) -> bytes | None:
        """Return the document of that tag before the newest, if it is held."""
        with self._changed:
            return self._older.get(tag)

    def delta(self, tag: str, issue: Issue) -> bytes | None:
        """Return what leads from the document of that tag to ``issue``.

        Worked out once for all who ask, who wait for it meanwhile.

        :returns: None when that document is not held any more, or the whole
            new one is as good
        """
        old = self.older(tag)
        if old is None:
            return None
        with self._encoding:
            if self._deltas_to != issue.tag:
                self._deltas, self._deltas_to = {}, issue.tag
            if tag not in self._deltas:
                self._deltas[tag] = delta.encode(old, issue.data)
            return self._deltas[tag]

    def close(self) -> None:
        """Wake all who wait; nobody waits from here on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
