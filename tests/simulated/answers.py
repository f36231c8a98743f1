# SPDX-License-Identifier: Apache-2.0
"""Requests and answers as values, and errors in the words of each API."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One request to one of the APIs.

    :ivar path: below the API's endpoint
    :ivar query: the last of each name
    :ivar headers: by lower-case name
    :ivar user: id and project of whoever asks
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    base: str
    id: str
    user: tuple[str, str] = ("", "")
    admin: bool = False

    @property
    def parts(self) -> list[str]:
        return [part for part in self.path.split("/") if part]


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; an empty body has no type."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def say(status: int, content: object, *headers: tuple[str, str]) -> Answer:
    return Answer(status, json.dumps(content).encode(), headers)


_NOVA = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    409: "conflictingRequest",
    413: "overLimit",
    429: "overLimit",
}


def nova_error(status: int, message: str, *headers: tuple[str, str]) -> Answer:
    """Return a fault as Nova words it."""
    fault = {"code": status, "message": message}
    return say(status, {_NOVA.get(status, "computeFault"): fault}, *headers)


def placement_error(
    status: int,
    detail: str,
    code: str = "placement.undefined_code",
    *headers: tuple[str, str],
) -> Answer:
    """Return an error as Placement words it."""
    one = {"status": status, "detail": f" {detail}  ", "code": code}
    return say(status, {"errors": [one]}, *headers)
