# SPDX-License-Identifier: Apache-2.0
"""The lab as a server: for its own process, or inside another one.

An attestation authority for development, over HTTPS::

    with LabServer(directory) as lab:
        edits.set_knobs(directory, "ber-1", wrong="key")
        ...  # requests to lab.url

Listens on loopback unless told otherwise.  Reads the files of its directory,
and writes none.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import pathlib
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

from cryptography import x509

from nfv_mla_scheduler.errors import KeyFileError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.lab import directory as files
from nfv_mla_scheduler.lab.attesters_file import AttestersFile
from nfv_mla_scheduler.lab.connections import Connections
from nfv_mla_scheduler.lab.handler import Handler
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.keys import read_keys
from nfv_mla_scheduler.lab.replies import Reply
from nfv_mla_scheduler.lab.replies import reply
from nfv_mla_scheduler.model import Instant

PROGRAM = "nfv-mla-lab"
LOOPBACK = "127.0.0.1"
NOTICE = (
    "for development only: it attests nothing, it says of hosts what "
    "attesters.yaml says"
)

# How soon an edit is noticed while nobody asks.
_WATCH_S = 0.25
_PEM_MAX = 65_536


def say(line: str) -> None:
    """Print a line on standard error, as the program's own."""
    # who closed it does not want to know, and is to be served all the same
    with contextlib.suppress(OSError, ValueError):
        print(f"{PROGRAM}: {line}", file=sys.stderr, flush=True)


class LabServer:
    """A lab that can be started and stopped, several times."""

    def __init__(
        self,
        directory: str | pathlib.Path,
        port: int = 0,
        listen: str = LOOPBACK,
        say: Callable[[str], None] = say,
        clock: Callable[[], Instant] = time.time,
    ) -> None:
        """Open nothing yet.

        :param directory: as :func:`lab.directory.make` made it
        :param port: 0: any; a stopped lab starts again where it was
        :param listen: an IP address
        :param say: gets one line for each thing that people should know
        :param clock: the time of tokens
        """
        self.directory = files.directory(pathlib.Path(directory))
        self._port = port
        self._listen = listen
        self._say = say
        self._clock = clock
        self._connections: Connections | None = None
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Where it is reached, without a path; it must have been started."""
        assert self._port, "a lab has an address once it has been started"
        return files.url(self._listen, self._port)

    def start(self) -> Self:
        """Serve, in threads of its own.

        :raises KeyFileError: naming the file that is missing or unfit
        :raises DocumentError: when ``attesters.yaml`` cannot be read
        :raises OSError: when the address cannot be listened on
        """
        assert self._connections is None, "a lab is started once at a time"
        self._say(NOTICE)
        keys = read_keys(self.directory.signing_key)
        attesters = AttestersFile(self.directory.attesters, keys, self._say)
        attesters.first(self._clock())
        context = self._context()
        handler = functools.partial(
            Handler,
            answer=functools.partial(self._answer, attesters, keys),
            clock=functools.partial(self._own_clock, attesters),
        )
        connections = Connections(
            (self._listen, self._port), context, handler, self._say
        )
        self._port = connections.server_port
        self._connections = connections
        self._threads = [
            threading.Thread(target=target, args=args, name=name, daemon=True)
            for target, args, name in (
                (connections.serve, (), f"{PROGRAM}-accept"),
                (self._watch, (connections, attesters), f"{PROGRAM}-watch"),
            )
        ]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stop within a second; does nothing to a lab that is not running."""
        connections, self._connections = self._connections, None
        if connections is not None:
            connections.stop()
            for thread in self._threads:
                thread.join()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        """Stop."""
        self.stop()

    def _answer(
        self, attesters: AttestersFile, keys: Keys, target: str
    ) -> Reply:
        now = self._clock()
        issued = functools.partial(attesters.current, now)
        return reply(target, keys, issued, now)

    def _own_clock(self, attesters: AttestersFile) -> Instant:
        """Return the time that answers are dated with."""
        now = self._clock()
        return now + attesters.current(now).roster.knobs.ahead_s

    def _watch(
        self, connections: Connections, attesters: AttestersFile
    ) -> None:
        """Notice edits while nobody asks, so that faults are said soon."""
        while not connections.stopping.wait(_WATCH_S):
            attesters.current(self._clock())

    def _context(self) -> ssl.SSLContext:
        """Return TLS with our certificate, for clients of our authority."""
        made = self.directory
        for path in (made.ca, made.server):
            _check_certificate(path, self._clock())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(made.ca)
            context.load_cert_chain(made.server, files.key_of(made.server))
        except OSError as exc:  # ssl.SSLError is one
            raise KeyFileError(
                f"{made.server}: cannot be used with its key: "
                f"{bounded(exc.strerror or exc)}"
            ) from None
        return context


def _check_certificate(path: pathlib.Path, now: Instant) -> None:
    """Refuse a certificate that is missing or has run out.

    :raises KeyFileError: saying so
    """
    try:
        with open(path, "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read(_PEM_MAX))
    except OSError as exc:
        raise KeyFileError(f"{path}: {exc.strerror}") from None
    except ValueError:
        raise KeyFileError(f"{path}: holds no certificate in PEM") from None
    until = certificate.not_valid_after_utc
    if until < datetime.datetime.fromtimestamp(now, datetime.UTC):
        raise KeyFileError(
            f"{path}: ran out on {until.date()}; make another directory with "
            f"{PROGRAM} init"
        )
