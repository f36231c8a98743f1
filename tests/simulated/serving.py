# SPDX-License-Identifier: Apache-2.0
"""HTTP on this machine for the simulated APIs, a thread for a connection."""

from __future__ import annotations

import http
import http.server
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

from tests.simulated.answers import Answer
from tests.simulated.faults import Break


class Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        answer: Callable[..., tuple[Answer, Break | None]],
        latency_s: float,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.latency_s = latency_s
        self.open: set[socket.socket] = set()
        self._thread = threading.Thread(
            target=self.serve_forever,
            args=(0.05,),
            name="simulated cloud",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        """Stop, and let nobody wait for an answer any more."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if self.server.latency_s:
            time.sleep(self.server.latency_s)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        parts = urlsplit(self.path)
        headers = {name.lower(): text for name, text in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer, broken = self.server.answer(
            self.command, parts.path, query, headers, body
        )
        self._send(answer, broken)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _send(self, answer: Answer, broken: Break | None) -> None:
        lines = [
            f"HTTP/1.1 {answer.status} "
            f"{http.HTTPStatus(answer.status).phrase}",
            f"Content-Length: {len(answer.body)}",
            *(f"{name}: {text}" for name, text in answer.headers),
        ]
        if answer.body:
            lines.append("Content-Type: application/json")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if broken is not None:
            half = answer.body[: len(answer.body) // 2]
            self.close_connection = True
            if broken is Break.HALF:
                self.wfile.write(head + half)
            return
        if answer.status == 204:
            head = head.replace(b"Content-Length: 0\r\n", b"")
        self.wfile.write(head + answer.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
