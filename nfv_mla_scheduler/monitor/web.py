# SPDX-License-Identifier: Apache-2.0
"""The monitor's HTTP interface: webhook, status, metrics, live and ready.

Touches the functions that it is given, and nothing else, except that
``new_server`` reads the files of TLS.  Anybody may knock at the webhook,
unless it is set otherwise (``knocks.py``).  Status and metrics are for clients
with a certificate.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.monitor.knocks import Knocks
from nfv_mla_scheduler.monitor.knocks import of_anybody
from nfv_mla_scheduler.monitor.knocks import of_keylime
from nfv_mla_scheduler.monitor.reporting import metrics
from nfv_mla_scheduler.serving import exposition
from nfv_mla_scheduler.serving.application import Application
from nfv_mla_scheduler.serving.application import Routes
from nfv_mla_scheduler.serving.exchange import Reply
from nfv_mla_scheduler.serving.exchange import Request
from nfv_mla_scheduler.serving.exchange import Unanswerable
from nfv_mla_scheduler.serving.exchange import json_reply
from nfv_mla_scheduler.serving.exchange import text_reply
from nfv_mla_scheduler.serving.limits import caller
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings

LOG = logging.getLogger(__name__)

# Requests that are answered at a time, and connections of one address: less,
# so that one that is slow or silent leaves room for the others.
THREADS = 32
CONNECTIONS_EACH_MAX = 24


class Readiness(enum.Enum):
    """Whether what the monitor knows is good enough; the word it answers."""

    READY = "ready"
    # no cycle has ended yet
    STARTING = "starting"
    # the last cycle is too old
    LATE = "late"
    # it saw too little of the cloud, or had no policy or results
    PARTIAL = "partial"


Status = Callable[[], Mapping[str, Any]]
# Attesters, and whether who knocks has a certificate.
Knock = Callable[[tuple[str, ...], bool], None]


class App(Application):
    """Answers requests; any number of threads may call it.

    :param status: how the monitor stands; see ``reporting/``
    :param live: whether its loop still turns
    :param ready: whether its last cycle is young and whole enough
    :param knock: brings the next cycle forward; is given the attesters that
        were named, which may be none, or none that there are, and whether
        the client has a certificate.  Must return at once, never wait, and
        bound what it keeps
    :param knock_certified: whether the webhook needs a client certificate
    """

    NAME = "monitor"

    def __init__(
        self,
        status: Status,
        live: Callable[[], bool],
        ready: Callable[[], Readiness],
        knock: Knock,
        *,
        knock_certified: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._status = status
        self._is_live = live
        self._readiness = ready
        self._knock = knock
        self._knock_certified = knock_certified
        self._knocks = Knocks(clock)

    def routes(self) -> Routes:
        """Return what there is, and what answers it."""
        return _ROUTES

    def webhook(self) -> Mapping[str, int]:
        """Return how many knocks there were, and how many were refused."""
        return self._knocks.counts()

    def _knock_keylime(
        self, request: Request, held: contextlib.ExitStack
    ) -> Reply:
        return self._knocked(request, of_keylime)

    def _knock_plainly(
        self, request: Request, held: contextlib.ExitStack
    ) -> Reply:
        return self._knocked(request, of_anybody)

    def _knocked(
        self, request: Request, read: Callable[[Request], tuple[str, ...]]
    ) -> Reply:
        try:
            if self._knock_certified:
                _need_certificate(request)
            self._knocks.spend(request)
            attesters = read(request)
        except Unanswerable:
            self._knocks.count("refused")
            raise
        self._knock(attesters, request.certified)
        self._knocks.count("knocks")
        LOG.debug("nfv-mla monitor: a knock from %s", caller(request.address))
        return json_reply(202, {"accepted": True})

    def _show_status(
        self, request: Request, held: contextlib.ExitStack
    ) -> Reply:
        _need_certificate(request)
        return json_reply(200, self._status())

    def _show_metrics(
        self, request: Request, held: contextlib.ExitStack
    ) -> Reply:
        _need_certificate(request)
        try:
            content_type, body = metrics.render(self._status())
        except exposition.Unavailable as exc:
            raise Unanswerable(501, str(exc)) from None
        return Reply(200, (("Content-Type", content_type),), body)

    def _live(self, request: Request, held: contextlib.ExitStack) -> Reply:
        if self._is_live():
            return text_reply(200, "live")
        return text_reply(503, "stuck")

    def _ready(self, request: Request, held: contextlib.ExitStack) -> Reply:
        found = self._readiness()
        status = 200 if found is Readiness.READY else 503
        return text_reply(status, found.value)


_ROUTES: Routes = {
    "/v1/webhook/keylime": {"POST": App._knock_keylime},
    "/v1/webhook": {"POST": App._knock_plainly},
    "/v1/status": {"GET": App._show_status},
    "/metrics": {"GET": App._show_metrics},
    "/live": {"GET": App._live},
    "/ready": {"GET": App._ready},
}
ROUTES = {path: tuple(methods) for path, methods in _ROUTES.items()}


def new_server(settings: ServerSettings, app: App) -> Server:
    """Return a server; nothing is listened on yet.

    :param settings: with ``anybody``, unless every client is to have a
        certificate, also one that asks for live and ready
    :raises SettingsError: when a file cannot be used, or cheroot is not
        installed
    """
    return Server(
        settings, app, threads=THREADS, each_max=CONNECTIONS_EACH_MAX
    )


def _need_certificate(request: Request) -> None:
    if not request.certified:
        raise Unanswerable(403, f"{request.path} needs a client certificate")
