# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server: TLS 1.2 at least, clients with certificates or without.

cheroot does the work; it is of extras, and imported when a server is made.
"""

from __future__ import annotations

import dataclasses
import logging
import pathlib
import threading
from typing import TYPE_CHECKING

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.serving.application import Application
from nfv_mla_scheduler.serving.tls import Certificates

if TYPE_CHECKING:
    from nfv_mla_scheduler.serving.listener import Listener

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where to serve, and whom.

    :ivar host: an address of this machine, or a name of one
    :ivar port: 0: any that is free
    :ivar cert_file: PEM, the server's certificate and its chain
    :ivar key_file: PEM, without a passphrase
    :ivar client_ca_file: PEM, whose clients are let in; None: nobody is asked
        for a certificate, which takes ``anybody``
    :ivar anybody: clients without a certificate are let in as well; what
        they may have is the application's business
    """

    host: str
    port: int
    cert_file: pathlib.Path
    key_file: pathlib.Path
    client_ca_file: pathlib.Path | None
    anybody: bool = False


class Server:
    """Serves an application over HTTPS."""

    def __init__(
        self,
        settings: ServerSettings,
        app: Application,
        *,
        threads: int,
        wait_max_s: float = 0.0,
        each_max: int | None = None,
    ) -> None:
        """Make a server; nothing is listened on yet.

        :param threads: how many requests are answered at a time
        :param wait_max_s: how long the application may let a request wait
        :param each_max: how many connections one address may have at a time;
            None: all
        :raises SettingsError: when a file cannot be used, or cheroot is not
            installed
        """
        try:
            from nfv_mla_scheduler.serving import listener
        except ImportError as exc:
            raise SettingsError(
                "serving over HTTPS needs the Python library cheroot: install "
                f"nfv-mla-scheduler[{app.NAME}] ({bounded(exc)})"
            ) from exc
        self._settings = settings
        self._app = app
        self._listener: Listener = listener.Listener(
            (settings.host, settings.port),
            app,
            Certificates(
                settings.cert_file,
                settings.key_file,
                settings.client_ca_file,
                optional=settings.anybody,
            ),
            name=f"nfv-mla-{app.NAME}",
            threads=threads,
            wait_max_s=wait_max_s,
            each_max=each_max,
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
        self._app.close()
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
            LOG.exception("nfv-mla HTTPS server: it has ended")
