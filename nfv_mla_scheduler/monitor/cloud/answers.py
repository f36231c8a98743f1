# SPDX-License-Identifier: Apache-2.0
"""What a status, or an exception on the way, means: ``CloudFailed``.

Pure but for the types of the libraries' exceptions.  A message never has the
id of a server in it: that of a sealed domain must not get into a log from
here.  Whoever may say it, does.
"""

from __future__ import annotations

import json
import re
from typing import Any

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed

SAID_MAX = 150

_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I
)
_CODES = {
    401: CloudCode.UNAUTHORISED,
    404: CloudCode.GONE,
    408: CloudCode.UNAVAILABLE,
    409: CloudCode.CONFLICT,
    413: CloudCode.BUSY,
    429: CloudCode.BUSY,
}


def without_ids(text: str) -> str:
    """Return ``text`` with no UUID left in it."""
    return _UUID.sub("(id)", text)


def refused(
    what: str, status: int, content: bytes, writes: bool
) -> CloudFailed:
    """Return the error for an answer with a status that is no success.

    :param what: which request of whom, in a few words
    :param writes: whether it was to change something
    """
    code = _CODES.get(status)
    if code is None and 400 <= status < 500:
        code = CloudCode.REFUSED
    elif code is None and status >= 500:
        code = CloudCode.UNAVAILABLE
    elif code is None:
        code = CloudCode.BAD_ANSWER
    said = _said(content)
    return failed(
        code,
        f"{what}: HTTP {status}{f': {said}' if said else ''}",
        unsure=writes and (status < 400 or status == 408 or status >= 500),
    )


def failed(code: CloudCode, message: str, unsure: bool = False) -> CloudFailed:
    """Return an error whose message names no server."""
    return CloudFailed(code, without_ids(message), unsure)


def interrupted(what: str, exc: Exception, writes: bool) -> CloudFailed:
    """Return the error for an exception where an answer should have been."""
    from keystoneauth1 import exceptions as ks
    from openstack import exceptions as sdk

    said = bounded(without_ids(str(exc)), SAID_MAX)
    if isinstance(exc, _unauthorised()):
        return failed(CloudCode.UNAUTHORISED, f"{what}: Keystone: {said}")
    if isinstance(exc, ks.EndpointNotFound | ks.DiscoveryFailure):
        message = f"{what}: no endpoint: {said}"
        return failed(CloudCode.UNAVAILABLE, message)
    if isinstance(exc, sdk.SDKException):
        return failed(CloudCode.UNAVAILABLE, f"{what}: {said}")
    if isinstance(exc, ks.HttpError):
        # Of Keystone or of discovery: ours are not raised for their status.
        status = exc.http_status
        return refused(what, status, b"", writes=False)
    return failed(
        CloudCode.UNAVAILABLE,
        f"{what}: no answer: {said}",
        unsure=writes and not _never_sent(exc),
    )


def _unauthorised() -> tuple[type[Exception], ...]:
    from keystoneauth1 import exceptions as ks

    return (
        ks.Unauthorized,
        ks.AuthorizationFailure,
        ks.AuthPluginException,
        ks.MissingAuthPlugin,
    )


def _never_sent(exc: BaseException) -> bool:
    """Return whether no connection came about, by what lies below."""
    import requests
    from urllib3 import exceptions as below

    cause: Any = exc.__cause__ or exc.__context__
    if isinstance(
        cause,
        requests.exceptions.ConnectTimeout | requests.exceptions.SSLError,
    ):
        return True
    inner = cause.args[0] if cause is not None and cause.args else None
    reason = getattr(inner, "reason", None)
    return isinstance(
        reason, below.NewConnectionError | below.ConnectTimeoutError
    )


def _said(content: bytes) -> str:
    """Return what an API says about its refusal, bounded."""
    try:
        answer = json.loads(content[:100_000])
    except (ValueError, RecursionError):
        return ""
    words: object = ""
    if isinstance(answer, dict):
        errors = answer.get("errors")
        if isinstance(errors, list) and errors:
            first = errors[0]
            words = first.get("detail") if isinstance(first, dict) else ""
        else:
            fault = next(iter(answer.values()), None)
            words = fault.get("message") if isinstance(fault, dict) else ""
    if not isinstance(words, str):
        return ""
    return bounded(without_ids(" ".join(words.split())), SAID_MAX)
