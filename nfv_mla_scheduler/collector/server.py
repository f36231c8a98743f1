# SPDX-License-Identifier: Apache-2.0
"""The collector's HTTPS server: TLS 1.2 at least, clients with certificates.

cheroot does the work; it is of the extra ``collector``, and imported when a
server is made.
"""

from __future__ import annotations

import dataclasses
import logging
import pathlib
import threading
from typing import TYPE_CHECKING

from nfv_mla_scheduler.collector import app
from nfv_mla_scheduler.collector.app import App
from nfv_mla_scheduler.collector.app import Refresh
from nfv_mla_scheduler.collector.app import Status
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.collector.tls import Certificates
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded

if TYPE_CHECKING:
    from nfv_mla_scheduler.collector.listener import Listener

LOG = logging.getLogger(__name__)

# Beside those that wait for a document or are sent one: for status, metrics,
# refresh, live and ready.
SPARE_THREADS = 8


@dataclasses.dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where and how to serve.

    :ivar host: an address of this machine, or a name of one
    :ivar port: 0: any that is free
    :ivar cert_file: PEM, the server's certificate and its chain
    :ivar key_file: PEM, without a passphrase
    :ivar client_ca_file: PEM, whose clients are let in
    :ivar waiting_max: how many clients may wait for a document at a time,
        each in a thread
    """

    host: str
    port: int
    cert_file: pathlib.Path
    key_file: pathlib.Path
    client_ca_file: pathlib.Path
    waiting_max: int = app.WAITING_MAX


class Server:
    """Serves a shelf over HTTPS."""

    def __init__(
        self,
        settings: ServerSettings,
        shelf: Shelf,
        status: Status,
        refresh: Refresh,
    ) -> None:
        """Make a server; nothing is listened on yet.

        :raises SettingsError: when a file cannot be used, or cheroot is not
            installed
        """
        try:
            from nfv_mla_scheduler.collector import listener
        except ImportError as exc:
            raise SettingsError(
                "serving over HTTPS needs the Python library cheroot: install "
                f"nfv-mla-scheduler[collector] ({bounded(exc)})"
            ) from exc
        self._settings = settings
        self._shelf = shelf
        self._listener: Listener = listener.Listener(
            (settings.host, settings.port),
            App(shelf, status, refresh, waiting_max=settings.waiting_max),
            Certificates(
                settings.cert_file,
                settings.key_file,
                settings.client_ca_file,
            ),
            threads=settings.waiting_max + app.SENDING_MAX + SPARE_THREADS,
            wait_max_s=app.WAIT_MAX_S,
        )
        self._begun = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, name="nfv-mla HTTPS server", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that is listened on, once it has started."""
        return int(self._listener.bind_addr[1])

    def start(self) -> None:
        """Listen, and answer from now on; once.

        :raises SettingsError: when the address cannot be listened on
        """
        self._thread.start()
        self._begun.wait()
        if self._failure is not None:
            raise SettingsError(
                f"cannot listen on {bounded(self._settings.host)} port "
                f"{self._settings.port}: {bounded(self._failure, 120)}"
            ) from self._failure

    def stop(self) -> None:
        """Wake those who wait, finish what is under way, and end."""
        self._shelf.close()
        if self._thread.is_alive():
            self._listener.stop()
            self._thread.join()

    def _run(self) -> None:
        # Its threads are made in here so that they are daemons as well.
        try:
            self._listener.handshakes.start()
            self._listener.prepare()
        except Exception as exc:
            self._failure = exc
            self._listener.handshakes.stop()
            return
        finally:
            self._begun.set()
        try:
            self._listener.serve()
        except BaseException:
            LOG.exception("nfv-mla collector: the HTTPS server has ended")
