# SPDX-License-Identifier: Apache-2.0
"""TLS for cheroot, the handshake of which somebody else does.

Touches the sockets that it is given; imported where cheroot is there.
"""

from __future__ import annotations

import io
import socket
import ssl
from typing import Any

from cheroot import errors
from cheroot.makefile import MakeFile
from cheroot.ssl import Adapter

from nfv_mla_scheduler.serving.tls import Certificates


class Deferred(Adapter):
    """Gives connections their TLS, but leaves the handshake for later."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the socket that is listened on, as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, Any]:
        """Return a socket with TLS on it; what is known of it comes later."""
        context = self._certificates.context()
        try:
            secured = context.wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False
            )
        except OSError as exc:
            raise errors.FatalSSLAlert(*exc.args) from exc
        return secured, {}

    def get_environ(self) -> dict[str, str]:
        """Return nothing: this is about connections, not about TLS."""
        return {}

    def makefile(
        self,
        sock: ssl.SSLSocket,
        mode: str = "r",
        bufsize: int = io.DEFAULT_BUFFER_SIZE,
    ) -> Any:
        """Return what cheroot reads from, or writes to."""
        return MakeFile(sock, mode, bufsize)
