# SPDX-License-Identifier: Apache-2.0
"""What queries of Nova's listings have in common."""

from __future__ import annotations

import datetime
from urllib.parse import urlencode

from tests.simulated.answers import Request

MAX_LIMIT = 1000


def limit_of(request: Request) -> int:
    limit = int(request.query.get("limit", MAX_LIMIT))
    return min(limit or MAX_LIMIT, MAX_LIMIT)


def next_link(
    request: Request, path: str, marker: str
) -> list[dict[str, str]]:
    query = urlencode({**request.query, "marker": marker})
    return [{"rel": "next", "href": f"{request.base}/{path}?{query}"}]


def instant(text: str | None) -> float | None:
    if text is None:
        return None
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return moment.timestamp()
