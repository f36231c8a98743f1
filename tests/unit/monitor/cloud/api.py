# SPDX-License-Identifier: Apache-2.0
"""A tiny API on loopback that answers as it is told, right or wrong."""

from __future__ import annotations

import http.server
import json
import threading
import typing as ty

from keystoneauth1 import adapter
from keystoneauth1 import session
from keystoneauth1 import token_endpoint

from nfv_mla_scheduler.monitor.cloud.channel import Channel
from nfv_mla_scheduler.monitor.cloud.channel import Speaks

NOVA = Speaks("compute", "Nova", (2, 100), (2, 104))


class Asked(ty.NamedTuple):
    """A request that came."""

    method: str
    target: str
    version: str
    body: ty.Any


class Api:
    """The server; each request is answered by the next of ``answers``.

    An answer is a status and a JSON value, a status and bytes, or a function
    that is given the handler.
    """

    def __init__(self, newest: str = "2.104") -> None:
        self.newest = newest
        self.asked: list[Asked] = []
        self.answers: list[ty.Any] = []
        self.connections = 0
        self.over = threading.Event()
        this = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet

            def do_GET(self) -> None:
                this.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

            def setup(self) -> None:
                this.connections += 1
                super().setup()

            def log_message(self, format: str, *args: ty.Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            daemon=True,
        ).start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def channel(self, timeout_s: float = 10.0) -> Channel:
        """Return a channel to this API, with a token that nobody checks."""
        own = session.Session(
            auth=token_endpoint.Token(self.url, "token"), timeout=timeout_s
        )
        compute = adapter.Adapter(own, service_type="compute")
        return Channel(NOVA, lambda: compute, lambda: None, timeout_s)

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        if handler.path == "/":
            reply(handler, 200, self._versions())
            return
        self.asked.append(
            Asked(
                handler.command,
                handler.path,
                handler.headers.get("OpenStack-API-Version", ""),
                json.loads(body) if body else None,
            )
        )
        answer = self.answers.pop(0)
        if callable(answer):
            answer(handler)
        else:
            reply(handler, *answer)

    def _versions(self) -> ty.Any:
        return {
            "version": {
                "id": "v2.1",
                "status": "CURRENT",
                "version": self.newest,
                "min_version": "2.1" if self.newest else "",
                "links": [{"rel": "self", "href": self.url}],
            }
        }


def reply(
    handler: http.server.BaseHTTPRequestHandler,
    status: int,
    content: ty.Any,
    **headers: str,
) -> None:
    """Answer with JSON, or with bytes as they are."""
    data = content
    if not isinstance(content, bytes):
        data = json.dumps(content).encode()
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
