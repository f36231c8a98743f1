# SPDX-License-Identifier: Apache-2.0
"""Serve a cloud's APIs over real HTTP on loopback.

One port, each API below its own first path segment: /compute, /placement,
/identity, /image.
"""

from __future__ import annotations

import contextlib
import socketserver
import threading
import typing as ty
from wsgiref import simple_server

from tests.cloud import wsgi


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    # Closing waits for the requests under way: they use what goes next.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def server_bind(self) -> None:
        # WSGIServer's own asks the name service for our name.
        socketserver.TCPServer.server_bind(self)
        self.server_name = "127.0.0.1"
        self.server_port = self.socket.getsockname()[1]
        self.setup_environ()


class _Handler(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: ty.Any) -> None:
        pass


class OneAtATime:
    """Let one request at a time into an application.

    Nova's fixtures serialise writers to SQLite by locks, on which requests
    that run side by side would wait for each other for ever.
    """

    def __init__(self, app: wsgi.Application) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(
        self,
        environ: wsgi.Environ,
        start_response: wsgi.StartResponse,
    ) -> ty.Iterable[bytes]:
        with self._lock:
            return list(self._app(environ, start_response))

    @contextlib.contextmanager
    def alone(self) -> ty.Iterator[None]:
        """Do something while no request is served."""
        with self._lock:
            yield


class Listener:
    """A port on loopback, open from the start, served once it has an app."""

    def __init__(self, port: int = 0) -> None:
        """Bind the port.

        :param port: 0 for any that is free
        """
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, app: wsgi.Application) -> None:
        self._server.set_app(app)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            # A process that dies without having stopped us must end.
            name="cloud-http",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving, wait for requests under way, free the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
