# SPDX-License-Identifier: Apache-2.0
"""What Nova's API answers, as plain values.

Everything here is read from the API over HTTP; nothing is known from our own
decisions.
"""

from __future__ import annotations

import dataclasses
import json
import typing as ty

from tests.cloud.client import ApiError
from tests.cloud.client import Client

Json = dict[str, ty.Any]

_PLACED = ("ACTIVE", "VERIFY_RESIZE")
_NO_HOST = "No valid host was found"
# What Nova adds whatever the cause; not shown, to keep lines short.
_PHRASES = (
    " There are not enough hosts available.",
    " No valid host found for cold migrate",
    " No valid host found for resize",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the API says after one request.

    :ivar status: of the server; empty when the API refused the request
    :ivar host: where the server is; None: nowhere
    :ivar source: where it was before; None: it is new
    :ivar message: why not, in Nova's words; empty when all went well
    :ivar http: the status with which the API itself refused; 0: it did not
    """

    status: str = ""
    host: str | None = None
    source: str | None = None
    message: str = ""
    http: int = 0

    @property
    def placed(self) -> bool:
        """Whether the server runs where it did not before."""
        return (
            self.http == 0
            and self.status in _PLACED
            and self.host not in (None, self.source)
        )

    @property
    def refused(self) -> bool:
        """Whether Nova found no host: nothing new, and nothing harmed."""
        if self.http or not self.message.startswith(_NO_HOST):
            return False
        if self.source is None:
            return self.status == "ERROR" and self.host is None
        return self.status == "ACTIVE" and self.host == self.source

    def __str__(self) -> str:
        if self.http:
            return f"HTTP {self.http}: {self.message}"
        message = self.message
        for phrase in _PHRASES:
            message = message.removesuffix(phrase)
        if self.host is None:
            return f"{self.status}: {message}"
        if self.host == self.source:
            said = f": {message}" if message else ""
            return f"{self.status}, stays on {self.host}{said}"
        return f"{self.status} on {self.host}"


def refused_by_api(error: ApiError, name: str, server: str) -> Answer:
    """Return the answer of an API that did not take a request at all."""
    message = error.message.replace(f"({server})", name).replace(server, name)
    return Answer(http=error.status, message=message)


def of_creation(admin: Client, owner: Client, server: str) -> Answer:
    """Return what became of a new server, the fault as its owner reads it."""
    shown = admin.server(server)
    fault = owner.fault_of(server) or {}
    return Answer(
        status=shown["status"],
        host=shown["OS-EXT-SRV-ATTR:host"],
        message=fault.get("message", ""),
    )


def of_move(admin: Client, server: str, source: str) -> Answer:
    """Return what became of a server that was to move from ``source``."""
    shown = admin.server(server)
    return Answer(
        status=shown["status"],
        host=shown["OS-EXT-SRV-ATTR:host"],
        source=source,
        message=_action_error(admin, server),
    )


def all_that_owner_reads(owner: Client, server: str) -> str:
    """Return everything that the API tells a server's owner about it."""
    actions = _actions(owner, server)
    details = [_details(owner, server, action) for action in actions]
    return json.dumps([owner.server(server), *actions, *details])


def _actions(client: Client, server: str) -> list[Json]:
    """Return what was done to a server, newest first, without details."""
    path = f"/servers/{server}/os-instance-actions"
    return ty.cast(list[Json], client.request("GET", path)["instanceActions"])


def _details(client: Client, server: str, action: Json) -> Json:
    """Return an action with its events."""
    path = f"/servers/{server}/os-instance-actions/{action['request_id']}"
    return ty.cast(Json, client.request("GET", path)["instanceAction"])


def _action_error(admin: Client, server: str) -> str:
    """Return why the last thing that was done to a server failed."""
    last = _actions(admin, server)[0]
    if last["message"] is None:
        return ""
    events = _details(admin, server, last)["events"]
    details = (event.get("details") for event in events)
    return str(next(filter(None, details), last["message"]))
