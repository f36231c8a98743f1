# SPDX-License-Identifier: Apache-2.0
"""Keylime's REST API as far as it is needed: which version, and answers.

Talks over the client that it is given.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.https import Client
from nfv_mla_scheduler.results import strict_json

MEDIA_TYPES = ("application/json",)
# Version 3 has no list of agents that works (``GET /v3.0/agents`` is 500).
VERSIONS = ("2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0")
ABSENT = 404
# To a verifier whose agents push the page of versions is gone; it speaks this.
NO_PAGE = (ABSENT, 410)
PUSH_VERSION = "2.6"

_LEAST_S = 0.001


class Api:
    """One server of Keylime's; for one thread at a time."""

    def __init__(self, client: Client) -> None:
        """Open no connection."""
        self._client = client
        self._version = ""

    @property
    def peer(self) -> str:
        """Host and port, for messages."""
        return self._client.peer

    def close(self) -> None:
        """Let go of the connection; any thread may call it."""
        self._client.close()

    def get(
        self, path: str, deadline_s: Callable[[], float]
    ) -> tuple[Any, Answer]:
        """Return the results in an answer; ``None``: it has none (404).

        :param path: below the version
        :param deadline_s: how long an exchange may still take
        :raises ContactFailed: and nothing else
        """
        try:
            version = self._version or self._ask_version(deadline_s)
            answer = self._client.get(
                f"/v{version}/{path}",
                accept=MEDIA_TYPES,
                deadline_s=max(deadline_s(), _LEAST_S),
                also=(ABSENT,),
            )
            if answer.status == ABSENT:
                return None, answer
            return self._results(answer), answer
        except ContactFailed:
            # it may be another version's server from now on
            self._version = ""
            raise

    def failed(self, code: ContactCode, why: str) -> ContactFailed:
        """Return the error of an answer that cannot be used."""
        return ContactFailed(code, f"{self.peer}: {why}")

    def _ask_version(self, deadline_s: Callable[[], float]) -> str:
        """Ask which versions there are, and settle on the newest."""
        answer = self._client.get(
            "/version",
            accept=MEDIA_TYPES,
            deadline_s=max(deadline_s(), _LEAST_S),
            also=NO_PAGE,
        )
        if answer.status in NO_PAGE:
            self._version = PUSH_VERSION
            return PUSH_VERSION
        offered = self._results(answer).get("supported_versions")
        if type(offered) is not list:
            raise self.failed(
                ContactCode.BAD_ANSWER, "does not say which versions it has"
            )
        for version in VERSIONS:
            if version in offered:
                self._version = version
                return version
        raise self.failed(
            ContactCode.BAD_ANSWER,
            f"speaks no version of the API from {VERSIONS[-1]} to "
            f"{VERSIONS[0]}",
        )

    def _results(self, answer: Answer) -> dict[str, Any]:
        try:
            body = strict_json.mapping(
                strict_json.parse(answer.body, "its answer"), "its answer"
            )
            return strict_json.mapping(body.get("results"), "results")
        except ResultsRefused as exc:
            raise self.failed(ContactCode.BAD_ANSWER, str(exc)) from None


def quoted(name: str) -> str:
    """Return a name as one segment of a path, whatever is in it."""
    encoded = urllib.parse.quote(name, safe="")
    if not encoded.strip("."):
        # an agent named .. is not the directory above
        encoded = encoded.replace(".", "%2E")
    return encoded
