# SPDX-License-Identifier: Apache-2.0
"""Ask a server of the box, over mutual TLS where it wants that.

For the box's own use and for asserts: it trusts the box and bounds nothing.
Neither proxies nor any other setting of the environment are looked at.
"""

import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keylime_box.errors import BoxError

API = "/v2.6"
TIMEOUT_S = 20
_JSON = {"Content-Type": "application/json"}


def context(certificates: Path, name: str) -> ssl.SSLContext:
    """Return what speaks to the box's servers in that name."""
    made = ssl.create_default_context(cafile=certificates / "ca.crt")
    made.load_cert_chain(
        certificates / f"{name}.crt", certificates / f"{name}.key"
    )
    return made


class Rest:
    """One server's interface."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        self._url = urlsplit(url)
        self._tls = tls

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> tuple[int, Any]:
        """Return the status and the JSON of an answer.

        :param headers: instead of the usual ones

        :raises OSError: the server does not answer
        """
        host, port = self._url.hostname or "", self._url.port
        connection: http.client.HTTPConnection
        if self._tls is None:
            connection = http.client.HTTPConnection(
                host, port, timeout=timeout_s
            )
        else:
            connection = http.client.HTTPSConnection(
                host, port, timeout=timeout_s, context=self._tls
            )
        # A type without a body is malformed, to Keylime.
        sent = None if body is None else json.dumps(body).encode()
        if headers is None:
            headers = {} if body is None else _JSON
        try:
            connection.request(method, path, sent, dict(headers))
            response = connection.getresponse()
            text = response.read()
        except http.client.HTTPException as exc:
            raise ConnectionError(f"{type(exc).__name__}") from exc
        finally:
            connection.close()
        return response.status, json.loads(text) if text else None

    def want(self, method: str, path: str, body: object = None) -> Any:
        """Return the ``results`` of an answer that has to be good."""
        status, answer = self.ask(method, API + path, body)
        if status not in (200, 202):
            raise BoxError(f"{method} {path}: {status} {answer}")
        return answer["results"]
