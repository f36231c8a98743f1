# SPDX-License-Identifier: Apache-2.0
"""The collector's HTTP interface, as a WSGI application.

Touches a shelf and two functions that it is given, and nothing else: no
socket, no file.  ``doc/source/reference/collector-api.rst`` is exact about it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.collector import conditions
from nfv_mla_scheduler.collector import metrics
from nfv_mla_scheduler.collector.shelf import Issue
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.results import delta
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.serving import exposition
from nfv_mla_scheduler.serving.application import Application
from nfv_mla_scheduler.serving.application import Routes
from nfv_mla_scheduler.serving.exchange import Headers
from nfv_mla_scheduler.serving.exchange import Reply
from nfv_mla_scheduler.serving.exchange import Request
from nfv_mla_scheduler.serving.exchange import Unanswerable
from nfv_mla_scheduler.serving.exchange import json_reply
from nfv_mla_scheduler.serving.limits import Allowance
from nfv_mla_scheduler.serving.limits import Places

WAIT_MAX_S = 60
# Requests that may wait for a document at the same time, and those beside
# them that may be sent one; what else there is always finds a thread.
WAITING_MAX = 256
SENDING_MAX = 8
REFRESH_ATTESTERS_MAX = 256
RETRY_AFTER_S = 1
# Requests for a refresh: so many at once, and then so many in a second.
REFRESHES_MAX = 20
REFRESHES_PER_S = 2.0
NO_DOCUMENT = "there is no results document yet"

Status = Callable[[], Mapping[str, Any]]
Refresh = Callable[[str, tuple[str, ...]], bool]


class App(Application):
    """Answers requests; any number of threads may call it.

    :param status: how the collector stands, see the page
    :param refresh: asks an authority about attesters soon, with none about
        all; False when nothing will be asked for this
    """

    NAME = "collector"

    def __init__(
        self,
        shelf: Shelf,
        status: Status,
        refresh: Refresh,
        *,
        waiting_max: int = WAITING_MAX,
        sending_max: int = SENDING_MAX,
    ) -> None:
        self._shelf = shelf
        self._status = status
        self._refresh = refresh
        self._waiting = Places(waiting_max)
        self._sending = Places(sending_max)
        self._refreshes = Allowance(
            REFRESHES_MAX, REFRESHES_PER_S, time.monotonic
        )

    def routes(self) -> Routes:
        """Return what there is, and what answers it."""
        return _ROUTES

    def close(self) -> None:
        """Wake all who wait for a document; nobody waits from here on."""
        self._shelf.close()

    def _results(self, request: Request, held: contextlib.ExitStack) -> Reply:
        known = conditions.known(request.header("If-None-Match"))
        asked = conditions.wait_s(request.header("Prefer"))
        wait_s = min(asked or 0, WAIT_MAX_S) if request.method == "GET" else 0
        if not wait_s or not self._waiting.take(held):
            wait_s = 0
            if not self._sending.take(held):
                raise Unanswerable(
                    503,
                    "too many are being sent the document; try again",
                    ("Retry-After", str(RETRY_AFTER_S)),
                )
        headers: Headers = ()
        if asked is not None:
            headers = (("Preference-Applied", f"wait={wait_s}"),)
        issue = self._awaited(known, wait_s)
        if issue is None:
            raise Unanswerable(
                503,
                NO_DOCUMENT,
                ("Retry-After", str(RETRY_AFTER_S)),
                *headers,
            )
        headers = (("ETag", f'"{issue.tag}"'), *headers)
        if known.has(issue.tag):
            return Reply(304, headers)
        changed = conditions.takes_entries(request.header("A-IM"))
        return self._sent(issue, known.tags if changed else (), headers)

    def _awaited(self, known: conditions.Known, wait_s: float) -> Issue | None:
        """Return the newest document, one that is not known if one comes."""
        newest = self._shelf.newest()
        if not wait_s or known.anything:
            return newest
        if newest is not None and not known.has(newest.tag):
            return newest
        have = newest.tag if newest else None
        return self._shelf.wait_other(have, wait_s) or newest

    def _sent(
        self,
        issue: Issue,
        bases: Iterable[str],
        headers: Headers,
    ) -> Reply:
        """Return the document, or what changed since one of ``bases``."""
        for base in bases:
            changed = self._shelf.delta(base, issue)
            if changed is not None:
                more = (
                    ("Content-Type", delta.DELTA_TYPE),
                    ("IM", delta.MANIPULATION),
                    ("Delta-Base", f'"{base}"'),
                )
                return Reply(226, (*headers, *more), changed)
        whole = ("Content-Type", delta.DOCUMENT_TYPE)
        return Reply(200, (*headers, whole), issue.data)

    def _show_status(
        self, request: Request, held: contextlib.ExitStack
    ) -> Reply:
        return json_reply(200, self._status())

    def _show_metrics(
        self, request: Request, held: contextlib.ExitStack
    ) -> Reply:
        try:
            content_type, body = metrics.render(self._status())
        except exposition.Unavailable as exc:
            raise Unanswerable(501, str(exc)) from None
        return Reply(200, (("Content-Type", content_type),), body)

    def _ask_refresh(
        self, request: Request, held: contextlib.ExitStack
    ) -> Reply:
        authority, attesters = _meant(request.json_body())
        if not self._refreshes.spend():
            raise Unanswerable(
                429,
                "too much is asked for at once; try again",
                ("Retry-After", str(RETRY_AFTER_S)),
            )
        if not self._refresh(authority, attesters):
            raise Unanswerable(
                404,
                "nothing is asked here about any of these attesters of an "
                f"authority {bounded(authority)!r}",
            )
        return json_reply(202, {"accepted": True})

    def _live(self, request: Request, held: contextlib.ExitStack) -> Reply:
        return json_reply(200, {"live": True})

    def _ready(self, request: Request, held: contextlib.ExitStack) -> Reply:
        status = self._status()
        policy = status["policy"]
        if policy is None:
            raise Unanswerable(503, "no policy is in force")
        if policy["expires_at"] <= status["now"]:
            raise Unanswerable(503, "the policy has expired")
        if self._shelf.newest() is None:
            raise Unanswerable(503, NO_DOCUMENT)
        return json_reply(200, {"ready": True})


_ROUTES: Routes = {
    "/v1/results": {"GET": App._results},
    "/v1/status": {"GET": App._show_status},
    "/v1/metrics": {"GET": App._show_metrics},
    "/v1/refresh": {"POST": App._ask_refresh},
    "/v1/live": {"GET": App._live},
    "/v1/ready": {"GET": App._ready},
}
ROUTES = {path: tuple(methods) for path, methods in _ROUTES.items()}


def _meant(body: bytes) -> tuple[str, tuple[str, ...]]:
    """Return which attesters of which authority a refresh is about."""
    try:
        found = strict_json.fields(
            strict_json.parse(body, "request"),
            "request",
            ("authority", "attesters"),
        )
        attesters = strict_json.array(found["attesters"], "attesters")
    except ResultsRefused as exc:
        raise Unanswerable(400, str(exc)) from None
    names = [found["authority"], *attesters]
    if not all(strict_json.is_name(name) for name in names):
        raise Unanswerable(
            400, "authority and attesters must be names of 1 to 255 characters"
        )
    if len(attesters) > REFRESH_ATTESTERS_MAX:
        raise Unanswerable(
            400, f"more than {REFRESH_ATTESTERS_MAX} attesters are named"
        )
    return found["authority"], tuple(dict.fromkeys(attesters))
