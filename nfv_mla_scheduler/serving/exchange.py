# SPDX-License-Identifier: Apache-2.0
"""One HTTP request as it is asked, and the reply to it.  WSGI's, plainly."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import bounded

BODY_MAX = 64 * 1024
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
# What a server says of a client's certificate in the environment, where no
# header of a client's own can stand.
CERTIFIED = "SSL_CLIENT_VERIFY"

Headers = tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    headers: Headers
    body: bytes = b""

    def header_lines(self) -> list[tuple[str, str]]:
        """Return the headers as they are sent."""
        lines = [("Cache-Control", "no-store"), *self.headers]
        if self.status != 304:
            lines.append(("Content-Length", str(len(self.body))))
        return lines


def json_reply(status: int, value: object, *headers: tuple[str, str]) -> Reply:
    """Return a reply in JSON, of one line."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=dict)
    body = text.encode("utf-8") + b"\n"
    return Reply(status, (("Content-Type", JSON), *headers), body)


def text_reply(status: int, line: str, *headers: tuple[str, str]) -> Reply:
    """Return a reply of one line."""
    body = line.encode("utf-8") + b"\n"
    return Reply(status, (("Content-Type", TEXT), *headers), body)


def error_body(message: str) -> bytes:
    """Return the body that every error has."""
    said = {"error": bounded(message, LINE_MAX)}
    return json.dumps(said, ensure_ascii=False).encode("utf-8") + b"\n"


class Unanswerable(Exception):
    """A request that gets no answer but why not."""

    def __init__(
        self, status: int, message: str, *headers: tuple[str, str]
    ) -> None:
        super().__init__(message)
        self.reply = Reply(
            status,
            (("Content-Type", JSON), *headers),
            error_body(message),
        )


class Request:
    """What a client asks; wraps a WSGI environment."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ
        self.method = str(environ["REQUEST_METHOD"])
        self.path = str(environ.get("PATH_INFO", ""))
        # from where it is asked
        self.address = str(environ.get("REMOTE_ADDR", ""))
        # whether the client showed a certificate that was verified
        self.certified = environ.get(CERTIFIED) == "SUCCESS"

    def header(self, name: str) -> str:
        """Return a header, empty when it was not sent."""
        key = f"HTTP_{name.upper().replace('-', '_')}"
        return str(self._environ.get(key, ""))

    @property
    def has_body(self) -> bool:
        """Whether anything is sent with the request."""
        length = str(self._environ.get("CONTENT_LENGTH", ""))
        return length not in ("", "0") or bool(
            self.header("Transfer-Encoding")
        )

    def json_body(self) -> bytes:
        """Return a body that is said to be JSON, bounded.

        :raises Unanswerable: when there is none, or more than we read
        """
        kind = str(self._environ.get("CONTENT_TYPE", ""))
        if kind.partition(";")[0].strip().lower() != JSON:
            raise Unanswerable(415, f"the body has to be {JSON}")
        length = str(self._environ.get("CONTENT_LENGTH", ""))
        if not length:
            raise Unanswerable(411, "the body needs a Content-Length")
        if not re.fullmatch("[0-9]{1,15}", length):
            raise Unanswerable(400, "the Content-Length is not a count")
        if int(length) > BODY_MAX:
            raise Unanswerable(413, f"the body has more than {BODY_MAX} bytes")
        try:
            body: bytes = self._environ["wsgi.input"].read(int(length))
        except OSError:
            raise Unanswerable(408, "the body did not come in time") from None
        if len(body) < int(length):
            raise Unanswerable(400, "the body ends too early")
        return body
