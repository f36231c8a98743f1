# SPDX-License-Identifier: Apache-2.0
"""Walk through a listing of Nova's, page by page, until there is no more.

By the UUID of the last one of each page, and until a page is empty.  Nova's
own ``next`` link is not followed: it is left out whenever a page is shorter
than its limit, and pages are shortened after that limit was applied, by
servers that are found twice while they are created or moved between cells,
by compute nodes without a service, by migrations that are hidden.  What comes
after such a page would be lost without a word.  Nor can a link lead our token
anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.monitor.cloud.channel import Channel
from nfv_mla_scheduler.monitor.cloud.channel import TooLarge
from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.fields import items
from nfv_mla_scheduler.monitor.cloud.fields import readable_id
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed

# More than Nova lists by default it lists to nobody ([api] max_limit).
LIMIT = 1000
PAGES_MAX = 10_000

Query = Mapping[str, str | int]


def pages(
    channel: Channel,
    path: str,
    query: Query,
    name: str,
    key: str = "id",
    limit: int = LIMIT,
    version: str = "",
) -> Iterator[tuple[list[Any], str]]:
    """Yield each page, with the marker of the next; empty: it is the last.

    Where a page is too large, smaller ones are asked for: tenants write up to
    100 kB into a server.  Nor need the last one of a page have a UUID that can
    be read: then that of one before it is as good, and what comes after that
    is listed again.

    :param key: what each has its UUID in
    :raises CloudFailed: and nothing else
    """
    marker = ""
    seen = set()
    for _ in range(PAGES_MAX):
        paged = {**query, "limit": limit, **_marked(marker)}
        try:
            answer = channel.get(path, paged, version)
        except TooLarge:
            if limit == 1:
                raise
            limit = max(1, limit // 4)
            continue
        except CloudFailed as exc:
            if marker and exc.reason is CloudCode.REFUSED:
                # The last one of the page before is gone for good.
                raise CloudFailed(CloudCode.CONFLICT, str(exc)) from exc
            raise
        try:
            found = items(answer, name)
        except Unreadable as exc:
            raise bad_answer(path, exc) from exc
        uuids = (readable_id(raw, key) for raw in reversed(found))
        marker = next(filter(None, uuids), "")
        if len(found) >= limit and not marker:
            message = f"{path}: a whole page without a UUID"
            raise CloudFailed(CloudCode.BAD_ANSWER, message)
        yield found, marker
        if not marker:
            return
        if marker in seen:
            break
        seen.add(marker)
    message = f"{path}: goes on for ever"
    raise CloudFailed(CloudCode.BAD_ANSWER, message)


def bad_answer(path: str, exc: Unreadable) -> CloudFailed:
    """Return the error for an answer of which a part cannot be read."""
    return CloudFailed(CloudCode.BAD_ANSWER, f"{path}: {exc.fault}")


def _marked(marker: str) -> dict[str, str]:
    return {"marker": marker} if marker else {}
