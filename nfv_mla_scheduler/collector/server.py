# SPDX-License-Identifier: Apache-2.0
"""The collector's HTTPS server: its application, with threads for it.

Reads the files of TLS; listens when it is started.
"""

from __future__ import annotations

from nfv_mla_scheduler.collector import app
from nfv_mla_scheduler.collector.app import App
from nfv_mla_scheduler.collector.app import Refresh
from nfv_mla_scheduler.collector.app import Status
from nfv_mla_scheduler.collector.shelf import Shelf
from nfv_mla_scheduler.serving.server import Server
from nfv_mla_scheduler.serving.server import ServerSettings

# Beside those that wait for a document or are sent one: for status, metrics,
# refresh, live and ready.
SPARE_THREADS = 8


def new_server(
    settings: ServerSettings,
    shelf: Shelf,
    status: Status,
    refresh: Refresh,
    *,
    waiting_max: int = app.WAITING_MAX,
) -> Server:
    """Return a server of a shelf; nothing is listened on yet.

    :param waiting_max: how many clients may wait for a document at a time,
        each in a thread
    :raises SettingsError: when a file cannot be used, or cheroot is not
        installed
    """
    return Server(
        settings,
        App(shelf, status, refresh, waiting_max=waiting_max),
        threads=waiting_max + app.SENDING_MAX + SPARE_THREADS,
        wait_max_s=app.WAIT_MAX_S,
    )
