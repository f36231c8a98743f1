# SPDX-License-Identifier: Apache-2.0
"""A WSGI server without a socket."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from nfv_mla_scheduler.serving.exchange import CERTIFIED


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
    *,
    certified: bool = False,
    address: str = "192.0.2.1",
) -> Answered:
    """Ask an application; PEP 3333 is checked on the way.

    :param certified: as a client whose certificate was verified
    """
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "REMOTE_ADDR": address,
        CERTIFIED: "SUCCESS" if certified else "NONE",
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
