# SPDX-License-Identifier: Apache-2.0
"""Ports of the loopback address, held for as long as a box lives.

Keylime takes numbers of ports, not sockets.  A socket that is bound and does
not listen keeps everybody else away, and lets in who sets SO_REUSEADDR, as
Keylime and our nodes do; so that no other box gets the number in between, not
even while the server is down.
"""

import contextlib
import socket

from keylime_box.errors import BoxError

LOOPBACK = "127.0.0.1"
_TRIES = 100


class Ports:
    """Reservations of ports."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def reserve(self) -> int:
        """Return a free port, which is ours until ``close``."""
        return self._hold(0)

    def reserve_two(self) -> int:
        """Return the first of two neighbours that are free."""
        for _ in range(_TRIES):
            first = self._hold(0)
            with contextlib.suppress(OSError, OverflowError):
                self._hold(first + 1)
                return first
        raise BoxError("no two ports beside each other are free")

    def _hold(self, port: int) -> int:
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            held.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            held.close()
            raise
        # Only now: with it at first, two boxes could be given one number.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.append(held)
        given: int = held.getsockname()[1]
        return given

    def close(self) -> None:
        """Give all back."""
        while self._held:
            self._held.pop().close()
