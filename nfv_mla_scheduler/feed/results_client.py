# SPDX-License-Identifier: Apache-2.0
"""How the next document of a collector is asked for, one request at a time.

Touches that one server.  Exact about it is
``doc/source/reference/collector-api.rst``.
"""

from __future__ import annotations

import json
import logging
import math
import re
import threading
import time
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.watched import Missing
from nfv_mla_scheduler.feed.watched import Unread
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.results import delta

LOG = logging.getLogger(__name__)

# How long a server may keep us waiting for the next document: not long until
# it has answered once, as how it stands is to be known soon.  And how long
# sending it may take beyond that.
WAIT_S = 25
FIRST_WAIT_S = 1
SENDING_S = 30.0
SAID_MAX = 160
# After changes that led nowhere, or to what could not be verified, whole
# documents are asked for so long.
WHOLE_S = 60.0

_TAG = re.compile(r'(?:W/)?"[!#-~]{0,200}"')


class Getter(Protocol):
    """What is asked of ``https.Client``."""

    def get(
        self,
        path_or_query: str = "",
        *,
        accept: Sequence[str],
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        also: Container[int] = (),
    ) -> Answer:
        """Ask the server; raises ContactFailed."""

    def close(self) -> None:
        """Break off what is under way."""


class ResultsClient:
    """Remembers the last document, so that only what has changed travels.

    Changes are taken only of a document that was verified: what a stranger
    sends costs no more than to look for a signature.  For one thread; any may
    close it, and say what it thinks of a document.

    :param connect: makes the client of the server, when it is first needed
    :param max_bytes: of the largest document that is taken
    :param wait_s: how long a server is asked to wait for the next document
    :param clock: monotonic, in seconds
    """

    def __init__(
        self,
        connect: Callable[[], Getter],
        max_bytes: int,
        wait_s: int = WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._max_bytes = max_bytes
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._getter: Getter | None = None
        self._data: bytes | None = None
        self._tag = ""
        self._answers = False
        self._clock = clock
        self._whole_until = -math.inf
        # whether the last document was made out of changes
        self._made = False
        # the last document that was verified, and the last that was refused
        self._verified: bytes | None = None
        self._refused: bytes | None = None

    @property
    def wait_s(self) -> int:
        """For how long the server is now asked to keep us waiting."""
        most = self._wait_s
        return most if self._answers else min(most, FIRST_WAIT_S)

    def next(self) -> bytes | None:
        """Return the next document; None: it is still the same.

        :raises Missing: when there is none
        :raises Unread: when an answer is not understood
        :raises NfvMlaError: when the server cannot be asked, or answers
            what was not asked
        """
        wait_s, self._answers = self.wait_s, False
        headers = self._headers(wait_s)
        answer = self._getter_now().get(
            accept=(delta.DOCUMENT_TYPE, delta.DELTA_TYPE),
            headers=headers,
            deadline_s=wait_s + SENDING_S,
            also=(226, 304, 503),
        )
        if answer.status == 304 and "If-None-Match" not in headers:
            raise ContactFailed(
                ContactCode.BAD_ANSWER,
                "says that nothing has changed (304), and was told of no "
                "document that could have",
            )
        self._answers = True
        if answer.status == 304:
            return None
        if answer.status == 503:
            raise Missing(_said(answer), "503")
        if answer.status == 226:
            data = self._rebuilt(answer.body, headers)
            if data is None:
                return self.next()
        else:
            data = answer.body
        tag = answer.headers.get("etag", "")
        self._tag = tag if _TAG.fullmatch(tag) else ""
        # A server that sends no tag sends the same document again.
        if data == self._data:
            return None
        self._data, self._made = data, answer.status == 226
        self._refused = None
        return data

    def judged(self, data: bytes, good: bool) -> None:
        """Take note whether a document was verified; any thread may call."""
        if good:
            self._verified = data
        else:
            self._verified, self._refused = None, data

    def close(self) -> None:
        """Break off what is under way."""
        with self._lock:
            getter = self._getter
        if getter is not None:
            getter.close()

    def _getter_now(self) -> Getter:
        getter = self._getter
        if getter is None:
            getter = self._connect()
            with self._lock:
                self._getter = getter
        return getter

    def _headers(self, wait_s: int) -> dict[str, str]:
        if self._made and self._data is self._refused:
            # The tag may be that of another document than the changes led to.
            self._made, self._tag = False, ""
            self._whole_until = self._clock() + WHOLE_S
        headers = {"Prefer": f"wait={wait_s}"}
        if self._tag:
            headers["If-None-Match"] = self._tag
            verified = self._data is not None and self._data is self._verified
            if verified and self._clock() >= self._whole_until:
                headers["A-IM"] = delta.MANIPULATION
        return headers

    def _rebuilt(
        self, changes: bytes, asked: Mapping[str, str]
    ) -> bytes | None:
        """Return the document that a delta leads to.

        :returns: None when it leads nowhere: the whole is to be asked for
        """
        if "A-IM" not in asked or self._data is None:
            raise Unread("sends changes, which nobody asked for", "226")
        try:
            return delta.apply(self._data, changes, max_bytes=self._max_bytes)
        except ResultsRefused as exc:
            LOG.info("nfv-mla results: asks for the whole document: %s", exc)
            self._whole_until = self._clock() + WHOLE_S
            return None


def _said(answer: Answer) -> str:
    """Return what a server says for itself, bounded."""
    try:
        found: Any = json.loads(answer.body[:1024])
        said = found["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        said = None
    if not isinstance(said, str) or not said:
        said = "it has no results document"
    return bounded(said, SAID_MAX)
