# SPDX-License-Identifier: Apache-2.0
"""What a server answered, and which answers are taken.  Pure."""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import http.client
import re
import urllib.parse
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import bounded

_LENGTH = re.compile("[0-9]{1,15}")


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    :ivar headers: by lower-case name; of several of a name, joined by commas
    :ivar skew_s: how far the server's clock is ahead of ours by its ``Date``,
        to about a second; ``None``: it did not say
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    skew_s: float | None


def headers_of(peer: str, message: http.client.HTTPMessage) -> dict[str, str]:
    """Return the headers of an answer.

    :raises ContactFailed: when they are not what HTTP says
    """
    # The parser of the standard library ends quietly where it loses the
    # thread; what was meant as a length would then be lost.
    if message.defects or message.get_payload():
        raise ContactFailed(
            ContactCode.BAD_ANSWER, f"{peer}: its headers cannot be read"
        )
    found: dict[str, str] = {}
    for name, value in message.items():
        if not value.replace("\t", " ").isprintable():
            raise ContactFailed(
                ContactCode.BAD_ANSWER,
                f"{peer}: its header {bounded(name)} is not printable",
            )
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def check_status(
    peer: str, status: int, headers: Mapping[str, str], also: Container[int]
) -> None:
    """Refuse a status that was not asked for.

    :raises ContactFailed: REDIRECTED, FORBIDDEN or BAD_STATUS
    """
    if status == 200 or status in also:
        return
    if 300 <= status < 400:
        where = _origin(headers.get("location", ""))
        raise ContactFailed(
            ContactCode.REDIRECTED,
            f"{peer}: redirects to {where} ({status}); no redirect is "
            "followed: set the URL to where the answers are",
        )
    if status in (401, 403):
        raise ContactFailed(
            ContactCode.FORBIDDEN,
            f"{peer}: does not let us ({status}); see which client "
            "certificates it lets read",
        )
    raise ContactFailed(
        ContactCode.BAD_STATUS, f"{peer}: answered with status {status}"
    )


def check_length(
    peer: str, headers: Mapping[str, str], max_bytes: int
) -> None:
    """Refuse a body that says that it is too long, or not how long it is.

    :raises ContactFailed: TOO_LARGE or BAD_ANSWER
    """
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            raise ContactFailed(
                ContactCode.BAD_ANSWER,
                f"{peer}: sends with transfer coding {bounded(coding)!r}",
            )
        return
    length = headers.get("content-length")
    if length is None:
        return
    if not _LENGTH.fullmatch(length):
        raise ContactFailed(
            ContactCode.BAD_ANSWER,
            f"{peer}: its Content-Length is {bounded(length)!r}",
        )
    if int(length) > max_bytes:
        raise too_large(peer, max_bytes)


def too_large(peer: str, max_bytes: int) -> ContactFailed:
    """Return the error of a body that is longer than we read."""
    return ContactFailed(
        ContactCode.TOO_LARGE,
        f"{peer}: its answer is longer than {max_bytes} bytes",
    )


def check_content(
    peer: str, headers: Mapping[str, str], accept: Sequence[str]
) -> None:
    """Refuse a body of a kind that was not asked for.

    :raises ContactFailed: BAD_CONTENT_TYPE
    """
    coding = headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise ContactFailed(
            ContactCode.BAD_CONTENT_TYPE,
            f"{peer}: its answer is coded as {bounded(coding)!r}, which "
            "nobody asked for",
        )
    kind = _media_type(headers.get("content-type", ""))
    if accept and kind not in {_media_type(one) for one in accept}:
        raise ContactFailed(
            ContactCode.BAD_CONTENT_TYPE,
            f"{peer}: its answer is {bounded(kind)!r} instead of "
            f"{' or '.join(accept)}",
        )


def skew_s(headers: Mapping[str, str], ours: float) -> float | None:
    """Return how far the server's clock is ahead, by its ``Date``."""
    try:
        date = email.utils.parsedate_to_datetime(headers["date"])
        if date.tzinfo is None:
            date = date.replace(tzinfo=datetime.UTC)
        return date.timestamp() - ours
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _origin(location: str) -> str:
    """Return scheme and host of a reference: never its query."""
    try:
        parts = urllib.parse.urlsplit(location)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "somewhere"
    if not host:
        return "elsewhere on the same server"
    return bounded(f"{parts.scheme}://{host}")
