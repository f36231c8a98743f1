# SPDX-License-Identifier: Apache-2.0
"""A WSGI server without a socket, and a status to serve."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from nfv_mla_scheduler.collector.app import App
from nfv_mla_scheduler.https import Answer


@dataclasses.dataclass(frozen=True)
class Answered:
    """What an application answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The one line of an error."""
        assert self.headers["content-type"] == "application/json"
        (said,) = json.loads(self.body).values()
        assert self.body.count(b"\n") == 1
        assert len(said) <= 240
        return str(said)


def ask(
    app: Callable[..., Any],
    method: str = "GET",
    path: str = "/v1/results",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answered:
    """Ask an application; PEP 3333 is checked on the way."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
    }
    setup_testing_defaults(environ)
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = value
    if body is not None:
        environ["wsgi.input"] = io.BytesIO(body)
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    begun: list[Any] = []

    def start_response(
        status: str, lines: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        begun.append((status, lines))
        return lambda _: None

    result = validator(app)(environ, start_response)
    try:
        parts = list(result)
    finally:
        result.close()
    ((status, lines),) = begun
    found = {name.lower(): value for name, value in lines}
    assert len(found) == len(lines), lines
    return Answered(int(status.split()[0]), found, b"".join(parts))


class Getting:
    """What ``https.Client`` is for a feed, on an application.

    :ivar asked: the headers of each request
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.asked: list[Mapping[str, str]] = []
        self.closed = 0

    def get(
        self,
        path_or_query: str = "",
        *,
        accept: Sequence[str],
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        also: Container[int] = (),
    ) -> Answer:
        self.asked.append(dict(headers or {}))
        found = ask(self.app, headers=headers)
        assert found.status == 200 or found.status in also
        if found.status < 300:
            assert found.headers["content-type"] in accept
        return Answer(found.status, found.headers, found.body, None)

    def close(self) -> None:
        self.closed += 1


NOW = 1_700_000_000.0


def authority(**changed: Any) -> dict[str, Any]:
    """Return one authority's part of a status."""
    return {
        "state": "fresh",
        "since": NOW - 3600,
        "last_success_at": NOW - 5,
        "code": "",
        "reason": "",
        "cadence_s": 30,
        "max_age_s": 90,
        "attesters": 12,
        "results": 11,
        "fresh": 10,
        "problems": 2,
        "notes": 1,
        "skew_s": -0.25,
        "last_poll_s": 0.75,
        "polls": 120,
        "failures": 3,
        **changed,
    }


def status(**changed: Any) -> dict[str, Any]:
    """Return a collector's status, all well unless it is changed."""
    return {
        "collector": "core-collector",
        "now": NOW,
        "started_at": NOW - 7200,
        "policy": {"version": 7, "expires_at": NOW + 86400},
        "document": {"issued_at": NOW - 2, "sha256": "ab", "results": 21},
        "publish_error": "",
        "publish_failing_since": None,
        "authorities": {
            "ear": authority(),
            "keylime": authority(state="failing", last_success_at=None),
        },
        **changed,
    }
