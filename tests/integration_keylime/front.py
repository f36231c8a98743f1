# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a real server of Keylime's, which spoils its answers."""

from __future__ import annotations

import http.client
import unittest
import urllib.parse
from collections.abc import Callable

from keylime_box.box import Box
from keylime_box.rest import context
from tests.authorities.certificates import Issued
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import Server
from tests.authorities.servers import page

_TIMEOUT_S = 20
Answer = tuple[int, bytes]


class Upstream:
    """A real server, asked for what somebody else asked for."""

    def __init__(self, box: Box, url: str) -> None:
        self._at = urllib.parse.urlsplit(url)
        self._tls = context(box.certificates, "reader")

    def ask(self, target: str) -> Answer:
        """Return the status and the body of its answer."""
        connection = http.client.HTTPSConnection(
            self._at.hostname or "",
            self._at.port,
            timeout=_TIMEOUT_S,
            context=self._tls,
        )
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Front:
    """Stands in front of one; for the time of a test.

    :ivar spoil: what becomes of the answers to all questions but for versions;
        at first they are passed on
    """

    def __init__(self, test: unittest.TestCase, box: Box, url: str) -> None:
        self._upstream = Upstream(box, url)
        self.spoil: Callable[[Answer], Script] = passed_on
        issued = Issued(
            box.certificates / "server.crt", box.certificates / "server.key"
        )
        self._server = Server.of(test, self._answer, issued, box.ca_file)
        self.url = self._server.url

    def _answer(self, asked: Asked) -> Script:
        answer = self._upstream.ask(asked.target)
        if asked.path == "/version":
            return passed_on(answer)
        return self.spoil(answer)


def passed_on(answer: Answer) -> Script:
    """Return an answer as it was."""
    return [page(answer[1], status=answer[0])]
