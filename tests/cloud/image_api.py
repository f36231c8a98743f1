# SPDX-License-Identifier: Apache-2.0
"""As much of Glance's API as a client needs to name an image of a server.

Reads what Nova's Glance fixture holds; nothing can be written.
"""

from __future__ import annotations

import typing as ty
from urllib import parse

from tests.cloud import wsgi


class ImageApi:
    """The WSGI application: versions, the list of images, one image."""

    def __init__(self, glance: ty.Any, url: str) -> None:
        """Serve the images of a fixture.

        :param glance: nova.tests.fixtures.GlanceFixture
        :param url: where this application is served
        """
        self._glance = glance
        self._url = url

    def __call__(
        self,
        environ: wsgi.Environ,
        start_response: wsgi.StartResponse,
    ) -> ty.Iterable[bytes]:
        return self._answer(environ)(environ, start_response)

    def _answer(self, environ: wsgi.Environ) -> wsgi.Application:
        path = environ.get("PATH_INFO", "").rstrip("/")
        if path in ("", "/versions"):
            return wsgi.answer(
                300,
                {
                    "versions": [
                        {
                            "id": "v2.9",
                            "status": "CURRENT",
                            "links": [
                                {"rel": "self", "href": self._url + "/v2/"}
                            ],
                        }
                    ]
                },
            )
        images = [_as_rest(image) for image in self._glance.detail(None)]
        if path == "/v2/images":
            query = parse.parse_qs(environ.get("QUERY_STRING", ""))
            names = query.get("name")
            return wsgi.answer(
                200,
                {
                    "first": "/v2/images",
                    "schema": "/v2/schemas/images",
                    "images": [
                        image
                        for image in images
                        if names is None or image["name"] in names
                    ],
                },
            )
        for image in images:
            if path == f"/v2/images/{image['id']}":
                return wsgi.answer(200, image)
        return wsgi.error(404, f"No {path} here.")


def _as_rest(image: ty.Mapping[str, ty.Any]) -> dict[str, ty.Any]:
    names = (
        "id",
        "name",
        "status",
        "visibility",
        "protected",
        "min_ram",
        "min_disk",
        "size",
        "container_format",
        "disk_format",
        "tags",
    )
    return {
        **{name: image[name] for name in names},
        **{name: str(value) for name, value in image["properties"].items()},
        "created_at": image["created_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updated_at": image["updated_at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "file": f"/v2/images/{image['id']}/file",
        "schema": "/v2/schemas/image",
    }
