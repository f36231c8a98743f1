# SPDX-License-Identifier: Apache-2.0
"""One user's access to a cloud's APIs: requests, refusals, waiting.

Speaks HTTP only and knows nothing of where the cloud runs.
"""

from __future__ import annotations

import time
import typing as ty

import requests

Json = dict[str, ty.Any]

#: How often an operation is looked at until it is done.
POLL_INTERVAL_S = 0.05


class ApiError(Exception):
    """The API refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        #: HTTP status.
        self.status = status
        self.message = message


class TimedOut(Exception):
    """A server did not reach the wanted state in time."""


class Access:
    """The APIs, asked with the token of one user."""

    def __init__(
        self,
        endpoints: ty.Mapping[str, str],
        token: str,
        *,
        microversion: str = "latest",
        timeout_s: float = 60,
    ) -> None:
        """Talk to these endpoints.

        :param endpoints: URL of each service, by its type
        :param microversion: of the compute API, where a call names no other
        :param timeout_s: how long ``settled`` and ``wait_*`` wait
        """
        self.token = token
        self.microversion = microversion
        self.timeout_s = timeout_s
        self._endpoints = endpoints
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["X-Auth-Token"] = token

    def request(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        microversion: str | None = None,
        service: str = "compute",
    ) -> ty.Any:
        """Send one request and return what its JSON answer says.

        :param microversion: of the service's API
        :raises ApiError: for a status of 400 or more
        """
        if service == "compute":
            microversion = microversion or self.microversion
        headers = {"Accept": "application/json"}
        if microversion:
            headers["OpenStack-API-Version"] = f"{service} {microversion}"
        response = self._session.request(
            method,
            self._endpoints[service] + path,
            json=body,
            headers=headers,
            timeout=self.timeout_s,
        )
        if response.status_code >= 400:
            raise ApiError(response.status_code, _message(response))
        return response.json() if response.content else None

    def wait_until(
        self,
        condition: ty.Callable[[], bool],
        otherwise: str,
    ) -> None:
        """Wait until something is so.

        :raises TimedOut: with *otherwise* as its text
        """
        deadline = time.monotonic() + self.timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise TimedOut(f"after {self.timeout_s} s {otherwise}")
            time.sleep(POLL_INTERVAL_S)


def _message(response: requests.Response) -> str:
    """Return what an API says in words about its refusal."""
    try:
        answer = response.json()
    except ValueError:
        return response.text
    if isinstance(answer, dict) and isinstance(answer.get("errors"), list):
        return "; ".join(
            str(error.get("detail")) for error in answer["errors"]
        )
    for fault in answer.values() if isinstance(answer, dict) else ():
        if isinstance(fault, dict) and "message" in fault:
            return str(fault["message"])
    return response.text
