# SPDX-License-Identifier: Apache-2.0
"""The server's side of TLS: its sockets, its certificate, whom it lets in.

Reads the files that are named, and reads them again when they change.
"""

from __future__ import annotations

import logging
import math
import os
import pathlib
import socket
import ssl
import threading
import time
from typing import Any

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.https.trust import no_passphrase
from nfv_mla_scheduler.https.trust import unusable

LOG = logging.getLogger(__name__)

# No single wait is longer, whatever the deadline.
WAIT_MAX_S = 60.0


class Secured(ssl.SSLSocket):
    """A TLS socket on which nothing goes on beyond a deadline."""

    ends_at = math.inf

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read what there is."""
        self._hurry()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        """Send some."""
        self._hurry()
        return super().send(*args, **kwargs)

    def shutdown(self, how: int) -> None:
        """Shut the connection down, but not TLS.

        That is what ``ssl`` does, so that a thread that is just sending would
        go on in clear text.
        """
        socket.socket.shutdown(self, how)

    def _hurry(self) -> None:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            # cheroot knows it by these words
            raise TimeoutError("timed out")
        self.settimeout(min(left, WAIT_MAX_S))


class Certificates:
    """A TLS context that follows its files; for any number of threads.

    :param cert_file: PEM; the server's certificate and what leads to its CA
    :param key_file: PEM, without a passphrase
    :param client_ca_file: PEM; only who has a certificate of one of these
        gets in; None: nobody is asked for one
    :param optional: who shows no certificate gets in as well; who shows one
        still needs one of these, and is told so otherwise
    """

    def __init__(
        self,
        cert_file: pathlib.Path,
        key_file: pathlib.Path,
        client_ca_file: pathlib.Path | None,
        *,
        optional: bool = False,
    ) -> None:
        """Load the files.

        :raises SettingsError: naming the file at fault
        """
        if client_ca_file is None and not optional:
            raise SettingsError(
                "client_ca_file must be set where clients need a certificate"
            )
        self._cert_file = cert_file
        self._key_file = key_file
        self._client_ca_file = client_ca_file
        self._optional = optional
        self._lock = threading.Lock()
        self._told = ""
        self._seen = self._look()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """Return the context of the files as they are now.

        While they cannot be used, the last one that could.
        """
        with self._lock:
            # Looked at before they are read: what changes meanwhile is seen
            # to have changed the next time.
            seen = self._look()
            if seen != self._seen:
                # Files at fault are not read again before they change.
                self._seen = seen
                try:
                    self._context = self._load()
                except SettingsError as exc:
                    self._tell(f"{exc}; the one before stays")
                else:
                    self._tell("has been read again")
            return self._context

    def _tell(self, said: str) -> None:
        if said != self._told:
            self._told = said
            LOG.info("nfv-mla HTTPS server: the TLS certificate: %s", said)

    def _look(self) -> tuple[object, ...]:
        ca_file = self._client_ca_file
        return (
            _stamp(self._cert_file),
            _stamp(self._key_file),
            None if ca_file is None else _stamp(ca_file),
        )

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class = Secured
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._client_ca_file is None:
            context.verify_mode = ssl.CERT_NONE
        elif self._optional:
            context.verify_mode = ssl.CERT_OPTIONAL
        else:
            context.verify_mode = ssl.CERT_REQUIRED
        # Who pins an intermediate CA means that one, and not its whole family.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # Every connection shows its certificate anew.
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
        context.num_tickets = 0
        try:
            context.load_cert_chain(
                os.fspath(self._cert_file),
                os.fspath(self._key_file),
                password=no_passphrase,
            )
        except (OSError, ValueError) as exc:
            raise unusable(
                "cert_file with its key", self._cert_file, exc
            ) from exc
        ca_file = self._client_ca_file
        if ca_file is not None:
            try:
                context.load_verify_locations(cafile=os.fspath(ca_file))
            except (OSError, ValueError) as exc:
                raise unusable("client_ca_file", ca_file, exc) from exc
        return context


def proven(sock: ssl.SSLSocket) -> bool:
    """Whether a client has shown a certificate, and it was verified."""
    # in this form it is empty for one that was not
    return bool(sock.getpeercert())


def _stamp(path: pathlib.Path) -> object:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_mode,
    )
