# SPDX-License-Identifier: Apache-2.0
"""What a collector serves over HTTPS, asked for once, as a scheduler does.

Asks that one server.
"""

from __future__ import annotations

from nfv_mla_scheduler.conf import Settings
from nfv_mla_scheduler.doctor.side import Unreadable
from nfv_mla_scheduler.doctor.status import BYTES_MAX
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.https import Tls
from nfv_mla_scheduler.results import delta

DEADLINE_S = 20.0
# Beside the document, as doc/source/reference/collector-api.rst has it.
STATUS = "status"


def document(settings: Settings) -> Answer:
    """Return the collector's answer that holds the results document.

    :raises Unreadable: when there is none
    """
    return _get(settings, "", delta.DOCUMENT_TYPE, settings.results_max_bytes)


def status(settings: Settings) -> bytes:
    """Return what the collector says of itself.

    :raises Unreadable: when it does not answer
    """
    return _get(settings, STATUS, "application/json", BYTES_MAX).body


def _get(
    settings: Settings, reference: str, accept: str, max_bytes: int
) -> Answer:
    url, ca_file = settings.results_url, settings.results_ca_file
    if url is None or ca_file is None:
        raise Unreadable("results_url or results_ca_file is not set")
    tls = Tls(ca_file, settings.results_cert_file, settings.results_key_file)
    try:
        client = Client(url, tls, deadline_s=DEADLINE_S, max_bytes=max_bytes)
    except SettingsError as exc:
        raise Unreadable(f"results_url: {exc}") from None
    try:
        answer = client.get(reference, accept=(accept,), also=(503,))
    except ContactFailed as exc:
        raise Unreadable(str(exc)) from None
    finally:
        client.close()
    if answer.status != 200:
        said = bounded(answer.body.decode("utf-8", "replace").strip(), 120)
        raise Unreadable(f"{client.peer} has none to give: {said}")
    return answer
