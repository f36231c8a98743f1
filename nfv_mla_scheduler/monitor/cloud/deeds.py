# SPDX-License-Identifier: Apache-2.0
"""What was done to a server, page by page, the newest first.

Whoever owns a server can have Nova record as many deeds as they like: there
are no more pages than it takes, and never more than some.  Unlike other
listings, none of Nova's pages of deeds is shortened: its ``next`` link is
there if, and only if, a page is full.  It is not followed all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cloud import paging
from nfv_mla_scheduler.monitor.cloud.channel import Channel
from nfv_mla_scheduler.monitor.cloud.fields import Unreadable
from nfv_mla_scheduler.monitor.cloud.fields import items
from nfv_mla_scheduler.monitor.cloud.fields import mapping
from nfv_mla_scheduler.monitor.cloud.fields import word
from nfv_mla_scheduler.monitor.cloud.parsing_deeds import read_deeds
from nfv_mla_scheduler.monitor.port import DEEDS_MAX
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Deed

_NAME = "/os-instance-actions"


def deeds_of(
    channel: Channel, uuid: str, back_to: Instant, limit: int
) -> tuple[Deed, ...]:
    """Return a server's deeds; see ``port.Reader``.

    :param limit: of deeds on a page
    :raises CloudFailed: and nothing else
    """
    path = f"/servers/{quote(uuid, safe='')}{_NAME}"
    query: dict[str, str | int] = {"limit": limit}
    # By what they are: pages overlap where requests share an id.
    found: dict[Deed, None] = {}
    read = 0
    while True:
        answer = channel.get(path, query)
        try:
            listed = items(answer, "instanceActions")
            page = read_deeds(listed)
            marker = _next(answer, listed)
        except Unreadable as exc:
            raise paging.bad_answer(_NAME, exc) from exc
        before = len(found)
        found |= dict.fromkeys(page)
        read += len(listed)
        if not marker or (page and page[-1].at < back_to):
            break
        if read >= DEEDS_MAX or len(found) == before:
            if len(found) < DEEDS_MAX:
                # Whoever is given these could not tell that there are more.
                message = f"{_NAME}: too many, and not all can be read"
                raise CloudFailed(CloudCode.BAD_ANSWER, message)
            break
        query["marker"] = marker
    return tuple(found)[:DEEDS_MAX][::-1]


def _next(answer: Mapping[str, Any], listed: list[Any]) -> str:
    """Return by what to ask for the page after this one; empty: there is none.

    :raises Unreadable: naming what is wrong
    """
    if not listed or not answer.get("links"):
        return ""
    return word(mapping(listed[-1], "instance action"), "request_id")
