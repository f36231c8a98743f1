# SPDX-License-Identifier: Apache-2.0
"""Connections of clients that have not shown a certificate, oldest first.

Touches their sockets, to end them.  Anybody can hold as many as there may be,
and not use them: then the oldest has to go for a new one, so that somebody
who asks something and leaves is answered all the same.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Protocol


class Connection(Protocol):
    """A connection that has been accepted.

    :ivar place_of: whose place it has taken; None: nobody's
    """

    socket: ssl.SSLSocket
    place_of: str | None


class Strangers:
    """Who is there without a certificate; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._there: dict[Connection, None] = {}

    def add(self, conn: Connection) -> None:
        """Take note of one that has come."""
        with self._lock:
            self._there[conn] = None

    def discard(self, conn: Connection) -> None:
        """Forget one: it has left, or has shown a certificate."""
        with self._lock:
            self._there.pop(conn, None)

    def knows(self, conn: Connection) -> bool:
        """Whether one is there that has shown none."""
        with self._lock:
            return conn in self._there

    def end_oldest(
        self, who: str | None = None, but: Connection | None = None
    ) -> Connection | None:
        """End the oldest one, and forget it; None: there is none.

        Whoever reads from it, or waits for it, sees that it has ended.

        :param who: of this caller; None: of all
        :param but: one that is to stay
        """
        with self._lock:
            found = next(
                (
                    conn
                    for conn in self._there
                    if conn is not but and who in (None, conn.place_of)
                ),
                None,
            )
            if found is None:
                return None
            del self._there[found]
        with contextlib.suppress(OSError):
            # Not by TLS: another thread may be using that.
            socket.socket.shutdown(found.socket, socket.SHUT_RDWR)
        return found
