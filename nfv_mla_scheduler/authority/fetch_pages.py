# SPDX-License-Identifier: Apache-2.0
"""Fetch all tokens of an authority at once, or page by page.

An answer is ``{"results": ["TOKEN", ...], "next": "REFERENCE"}``; ``next`` is
a reference to the next page, relative to this one, and missing in the last.
"""

from __future__ import annotations

import threading
import time
import urllib.parse
from typing import Any

from nfv_mla_scheduler.authority.fetched import Fetched
from nfv_mla_scheduler.authority.fetched import Token
from nfv_mla_scheduler.authority.fetched import few
from nfv_mla_scheduler.authority.fetched import hang_up
from nfv_mla_scheduler.authority.fetched import problem
from nfv_mla_scheduler.authority.template import RESULTS_MAX
from nfv_mla_scheduler.authority.values import Inquiry
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.https import Address
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.results import strict_json

MEDIA_TYPES = ("application/json",)
PAGES_MAX = 1000
# Of a query that asks for certain attesters; beyond it, all are asked for.
QUERY_MAX = 4000


class Pages:
    """Fetches all tokens; for one thread at a time."""

    def __init__(
        self,
        url: Address,
        client: Client,
        *,
        timeout_s: float,
        total_s: float,
        max_bytes: int,
    ) -> None:
        """Open no connection.

        :param timeout_s: for one exchange
        :param total_s: for all pages together
        :param max_bytes: of all pages together
        """
        self._url = url
        self._client = client
        self._timeout_s = timeout_s
        self._total_s = total_s
        self._max_bytes = max_bytes
        self._stopped = threading.Event()
        self._idle = threading.Event()
        self._idle.set()

    def fetch(self, inquiry: Inquiry) -> Fetched:
        """Return what the authority has.

        :raises ContactFailed: when any page cannot be had
        """
        self._stopped.clear()
        self._idle.clear()
        try:
            return self._all(inquiry)
        finally:
            self._idle.set()

    def close(self) -> None:
        """Let go of the connection; any thread may call it."""
        self._stopped.set()
        hang_up((self._client,), self._idle)

    def _all(self, inquiry: Inquiry) -> Fetched:
        end = time.monotonic() + self._total_s
        here = self._url.at(_query(self._url, inquiry))
        found = _Found({here})
        for _ in range(PAGES_MAX):
            left_s = end - time.monotonic()
            if left_s <= 0:
                raise self._failed(
                    ContactCode.TIMED_OUT,
                    f"its pages took longer than {self._total_s:g} s",
                )
            if self._stopped.is_set():
                raise self._failed(
                    ContactCode.INTERRUPTED, "we were told to stop asking"
                )
            answer = self._client.get(
                here.url,
                accept=MEDIA_TYPES,
                deadline_s=min(self._timeout_s, left_s),
            )
            found.skew_s = answer.skew_s
            following = self._read(answer.body, found)
            if following is None:
                return found.fetched()
            here = here.at(following)
            if here in found.seen:
                raise self._failed(
                    ContactCode.BAD_ANSWER, "its pages lead in a circle"
                )
            found.seen.add(here)
        raise self._failed(
            ContactCode.TOO_LARGE, f"it has more than {PAGES_MAX} pages"
        )

    def _read(self, body: bytes, found: _Found) -> str | None:
        """Take one page in; return the reference to the next."""
        found.bytes += len(body)
        if found.bytes > self._max_bytes:
            raise self._failed(
                ContactCode.TOO_LARGE,
                f"its pages are longer than {self._max_bytes} bytes",
            )
        try:
            page = strict_json.fields(
                strict_json.parse(body, "its answer"),
                "its answer",
                ("results",),
                ("next",),
            )
            results = strict_json.array(page["results"], "results")
        except ResultsRefused as exc:
            raise self._failed(ContactCode.BAD_ANSWER, str(exc)) from None
        found.take(results)
        if len(found.tokens) + len(found.problems) > RESULTS_MAX:
            raise self._failed(
                ContactCode.TOO_LARGE,
                f"it has more than {RESULTS_MAX} results",
            )
        following = page.get("next")
        if following is not None and type(following) is not str:
            raise self._failed(
                ContactCode.BAD_ANSWER, "its next must be a string"
            )
        return following

    def _failed(self, code: ContactCode, why: str) -> ContactFailed:
        return ContactFailed(code, f"{self._client.peer}: {why}")


class _Found:
    """What the pages so far have brought."""

    def __init__(self, seen: set[Address]) -> None:
        self.seen = seen
        self.bytes = 0
        self.tokens: list[Token] = []
        self.problems: list[Problem] = []
        self.skew_s: float | None = None

    def take(self, results: list[Any]) -> None:
        """Take the tokens of one page in."""
        for number, token in enumerate(results):
            if type(token) is str:
                self.tokens.append(Token(token.encode("utf-8", "replace")))
                continue
            shown = strict_json.shown(token)
            self.problems.append(
                problem(
                    f"results[{number}]",
                    TokenCode.MALFORMED.value,
                    f"must be a string, and is {shown}",
                )
            )

    def fetched(self) -> Fetched:
        return Fetched(
            tuple(self.tokens),
            not self.problems,
            few(self.problems),
            self.skew_s,
        )


def _query(url: Address, inquiry: Inquiry) -> str:
    """Return the reference to what is asked for.

    An authority that does not know the parameter gives everything, which is
    an answer as well.
    """
    if not inquiry.targeted or not inquiry.attesters:
        return ""
    own = urllib.parse.urlsplit(url.url).query
    asked = urllib.parse.urlencode(
        [("attester", name) for name in inquiry.attesters],
        quote_via=urllib.parse.quote,
        safe="",
    )
    query = f"{own}&{asked}" if own else asked
    return f"?{query}" if len(query) <= QUERY_MAX else ""
