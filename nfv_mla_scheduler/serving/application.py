# SPDX-License-Identifier: Apache-2.0
"""A WSGI application by a table of routes, and what it owes every client.

No socket, no file: whatever happens, a client gets a reply, errors in JSON
and in one line.
"""

from __future__ import annotations

import abc
import contextlib
import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from typing import ClassVar

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.serving.exchange import Reply
from nfv_mla_scheduler.serving.exchange import Request
from nfv_mla_scheduler.serving.exchange import Unanswerable

LOG = logging.getLogger(__name__)

_CHUNK_BYTES = 64 * 1024

# Of an application of whatever kind; what it leaves on the stack is undone
# when the reply has been sent.
Handler = Callable[[Any, Request, contextlib.ExitStack], Reply]
Routes = Mapping[str, Mapping[str, Handler]]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Application(abc.ABC):
    """Answers requests; any number of threads may call it.

    :cvar NAME: of the service, in logs and errors
    """

    NAME: ClassVar[str]

    @abc.abstractmethod
    def routes(self) -> Routes:
        """Return path -> method -> what answers it; HEAD goes with GET."""

    def close(self) -> None:  # noqa: B027  most have nobody who waits
        """Have nobody wait any longer: the server ends."""

    def __call__(
        self, environ: Mapping[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = Request(environ)
        with contextlib.ExitStack() as held:
            reply = self._reply(request, held)
            phrase = HTTPStatus(reply.status).phrase
            start_response(f"{reply.status} {phrase}", reply.header_lines())
            body = b"" if request.method == "HEAD" else reply.body
            # Who is sent nothing more needs no place any longer.
            return _Sending(body, held.pop_all()) if body else ()

    def _reply(self, request: Request, held: contextlib.ExitStack) -> Reply:
        try:
            return self._route(request)(self, request, held)
        except Unanswerable as exc:
            return exc.reply
        except Exception:
            LOG.exception("nfv-mla %s failed at a request", self.NAME)
            return Unanswerable(
                500, f"the {self.NAME} failed at this; its log says why"
            ).reply

    def _route(self, request: Request) -> Handler:
        routes = self.routes()
        methods = routes.get(request.path)
        if methods is None:
            paths = ", ".join(routes)
            raise Unanswerable(
                404, f"there is no such path; there are {paths}"
            )
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            allowed = [*methods, *(["HEAD"] if "GET" in methods else [])]
            raise Unanswerable(
                405,
                f"{request.path} takes {' and '.join(allowed)}, not "
                f"{bounded(request.method, 20)}",
                ("Allow", ", ".join(allowed)),
            )
        return methods[method]


class _Sending:
    """A body in parts; gives a place free when it has been sent."""

    def __init__(self, body: bytes, held: contextlib.ExitStack) -> None:
        self._body = body
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), _CHUNK_BYTES):
            yield self._body[start : start + _CHUNK_BYTES]

    def close(self) -> None:
        """Called by the server however the request ends (PEP 3333)."""
        self._held.close()
