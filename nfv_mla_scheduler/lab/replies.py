# SPDX-License-Identifier: Apache-2.0
"""From the target of a request to what is answered, and how badly.  Pure."""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
from collections.abc import Callable
from collections.abc import Sequence

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.lab.directory import RESULTS
from nfv_mla_scheduler.lab.issued import Issued
from nfv_mla_scheduler.lab.keys import Keys
from nfv_mla_scheduler.lab.values import Fault
from nfv_mla_scheduler.lab.values import Knobs
from nfv_mla_scheduler.model import Instant

JSON = "application/json"
TOKEN = "application/eat+jwt"  # noqa: S105  a media type
JWK_SET = "application/jwk-set+json"
KEYS = "/keys"
# Where ``answers: redirect`` leads: who follows gets the true answer.
MOVED = "/moved"

_NOT_FOUND = 404
_BAD_REQUEST = 400


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """What is answered.

    :ivar knobs: how late, and with which fault; that tokens are at fault has
        been seen to
    """

    body: bytes
    content_type: str = JSON
    status: int = 200
    knobs: Knobs = dataclasses.field(default_factory=Knobs)


def reply(
    target: str, keys: Keys, issued: Callable[[], Issued], now: Instant
) -> Reply:
    """Return the answer to a GET of ``target``.

    :param target: path and query, as they came
    :param issued: gives what holds now; asked for only where it is needed
    """
    path, _, query = target.partition("?")
    if path == KEYS:
        return Reply(json.dumps(keys.jwk_set()).encode(), JWK_SET)
    moved = path.startswith(f"{MOVED}/")
    path = path.removeprefix(MOVED) if moved else path
    name = path.removeprefix(f"{RESULTS}/")
    if path == RESULTS:
        found = _several(query, issued(), now)
    elif name != path and not query:
        found = _one(urllib.parse.unquote(name), issued(), now)
    else:
        return refusal(
            _NOT_FOUND, f"there are {RESULTS}, {RESULTS}/ATTESTER and {KEYS}"
        )
    if moved and found.knobs.fault is Fault.REDIRECT:
        knobs = dataclasses.replace(found.knobs, fault=None)
        return dataclasses.replace(found, knobs=knobs)
    return found


def refusal(status: int, why: str) -> Reply:
    """Return an answer that is none."""
    return Reply(json.dumps({"error": why}).encode(), status=status)


def _one(name: str, issued: Issued, now: Instant) -> Reply:
    attester = issued.roster.attesters.get(name)
    if attester is None:
        knobs = issued.roster.knobs
        said = refusal(_NOT_FOUND, f"no attester {bounded(name)!r} is known")
        return dataclasses.replace(said, knobs=knobs)
    token = issued.token(name, now)
    return Reply(token.encode(), TOKEN, knobs=attester.knobs)


def _several(query: str, issued: Issued, now: Instant) -> Reply:
    """Return all results, or those asked for; who is unknown is left out."""
    try:
        names = _asked_for(query, issued)
    except ValueError:
        return refusal(_BAD_REQUEST, "the query may hold attester=ID alone")
    tokens = issued.tokens(names, now)
    # tokens are of characters that JSON strings hold as they are
    body = '{"results":[' + ",".join(f'"{t}"' for t in tokens) + "]}"
    roster = issued.roster
    slow_s = max(
        (
            attester.knobs.slow_s
            for attester in map(roster.attesters.__getitem__, names)
            if not attester.knobs.silent
        ),
        default=roster.knobs.slow_s,
    )
    knobs = dataclasses.replace(roster.knobs, slow_s=slow_s)
    return Reply(body.encode(), knobs=knobs)


def _asked_for(query: str, issued: Issued) -> Sequence[str]:
    if not query:
        return tuple(issued.roster.attesters)
    pairs = urllib.parse.parse_qsl(
        query, keep_blank_values=True, strict_parsing=True
    )
    if any(key != "attester" for key, _ in pairs):
        raise ValueError
    names = dict.fromkeys(value for _, value in pairs)
    return [name for name in names if name in issued.roster.attesters]
