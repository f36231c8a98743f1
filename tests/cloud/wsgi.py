# SPDX-License-Identifier: Apache-2.0
"""Small WSGI applications: a JSON answer, an error, a mount of several."""

from __future__ import annotations

import http
import json
import typing as ty

Environ = dict[str, ty.Any]
StartResponse = ty.Callable[..., ty.Any]
Application = ty.Callable[[Environ, StartResponse], ty.Iterable[bytes]]


def body(environ: Environ) -> bytes:
    """Return the whole body of a request."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return ty.cast(bytes, environ["wsgi.input"].read(length))


def answer(
    status: int,
    content: ty.Any,
    *headers: tuple[str, str],
) -> Application:
    """Return an application that always answers this JSON."""

    def application(
        environ: Environ,
        start_response: StartResponse,
    ) -> ty.Iterable[bytes]:
        data = json.dumps(content).encode()
        start_response(
            f"{status} {http.HTTPStatus(status).phrase}",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(data))),
                *headers,
            ],
        )
        return [data]

    return application


def error(status: int, message: str) -> Application:
    """Return an application that always answers this error."""
    return answer(
        status,
        {
            "error": {
                "code": status,
                "message": message,
                "title": http.HTTPStatus(status).phrase,
            }
        },
    )


class Mount:
    """Several applications, each below a first path segment of its own."""

    def __init__(self, applications: ty.Mapping[str, Application]) -> None:
        self._applications = applications

    def __call__(
        self,
        environ: Environ,
        start_response: StartResponse,
    ) -> ty.Iterable[bytes]:
        _, _, path = environ.get("PATH_INFO", "").partition("/")
        name, slash, rest = path.partition("/")
        if name not in self._applications:
            return error(404, f"Nothing is mounted at /{name}.")(
                environ, start_response
            )
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/" + name
        environ["PATH_INFO"] = slash + rest
        return self._applications[name](environ, start_response)
