# SPDX-License-Identifier: Apache-2.0
"""One request, as it is put on a wire."""

from __future__ import annotations

import dataclasses
import http.client
import ssl
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.https.address import Address
from nfv_mla_scheduler.https.wire import Wire


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What is asked, and which answers are taken.

    :ivar target: path and query
    :ivar accept: media types; none: any
    :ivar also: statuses other than 200
    """

    method: str
    target: str
    body: bytes | None
    headers: Mapping[str, str]
    accept: Sequence[str]
    also: Container[int]

    def send(self, wire: Wire, address: Address) -> http.client.HTTPResponse:
        """Send it, and return the answer, its body still to be read."""
        connection = _Connection(address.host, address.port)
        connection.sock = wire
        headers = {
            **self.headers,
            "Accept": ", ".join(self.accept) or "*/*",
            "User-Agent": "nfv-mla-scheduler",
        }
        try:
            connection.request(self.method, self.target, self.body, headers)
        except OSError as exc:
            # A server of TLS 1.3 says only now that it wants a certificate,
            # and may have left by the time that we send.
            _hear_last_word(wire, exc)
            raise
        response = connection.getresponse()
        if wire.ended:
            # to http.client headers that break off are headers
            raise http.client.IncompleteRead(b"")
        return response


class _Connection(http.client.HTTPConnection):
    """Only puts requests together: wires are connected elsewhere."""

    default_port = http.client.HTTPS_PORT
    auto_open = 0


def _hear_last_word(wire: Wire, failed: OSError) -> None:
    try:
        wire.readinto(memoryview(bytearray(1)))
    except ssl.SSLEOFError:
        return
    except ssl.SSLError as said:
        raise said from failed
    except OSError:
        return
