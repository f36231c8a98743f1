# SPDX-License-Identifier: Apache-2.0
"""Build and sign a results document from values.

Pure.  For collectors, for sites that attest by other means, and for tests.
The same results in any order make the same body, so that readers see a new
body digest only when a claim has changed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from securesystemslib.signer import Signer  # type: ignore[attr-defined]

from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.model import FOREVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.results import claim_sets
from nfv_mla_scheduler.results import signature
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.document import FORMAT
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result


@dataclasses.dataclass(frozen=True, slots=True)
class ResultsDraft:
    """What a document is to say.

    :ivar results: authority -> attester id -> result
    :ivar freshness: authority -> attester id -> when; one for each result
    """

    collector: str
    issued_at: Instant
    results: Mapping[str, Mapping[str, Result]]
    freshness: Mapping[str, Mapping[str, Freshness]]


def write(draft: ResultsDraft, signer: Signer) -> bytes:
    """Return ``draft`` as a signed document.

    Times are kept to the millisecond.

    :raises ResultsRefused: INVALID, when a result has no time, or a time or
        an identifier is one that no reader would take
    """
    body = _encode(_body(draft))
    head = {
        "format": FORMAT,
        "collector": draft.collector,
        "issued_at": _time(draft.issued_at, "issued_at"),
        "body": {
            "sha256": hashlib.sha256(body).hexdigest(),
            "length": len(body),
        },
        "authorities": {
            name: _columns(draft, name) for name in sorted(draft.results)
        },
    }
    return signature.seal(_encode(head), signer) + b"\n" + body + b"\n"


def _body(draft: ResultsDraft) -> dict[str, Any]:
    sets: list[dict[str, Any]] = []
    by_content: dict[claim_sets.Content, int] = {}
    by_identity: dict[int, int] = {}
    authorities: dict[str, list[Any]] = {}
    for name in sorted(draft.results):
        rows = authorities[name] = []
        for attester, result in sorted(draft.results[name].items()):
            index = by_identity.get(id(result.claims))
            if index is None:
                content = claim_sets.content(result.claims)
                index = by_content.setdefault(content, len(sets))
                if index == len(sets):
                    sets.append(claim_sets.wire(result.claims))
                by_identity[id(result.claims)] = index
            path = f"{name}.{attester}"
            _check_names(path, attester, result.boot, result.key or None)
            since = _time(result.boot_attested_at, path)
            key = [result.key] if result.key else []
            rows.append([attester, index, result.boot, since, *key])
    return {"claim_sets": sets, "authorities": authorities}


def _columns(draft: ResultsDraft, name: str) -> dict[str, Any]:
    known = draft.freshness.get(name, {})
    try:
        column = [known[attester] for attester in sorted(draft.results[name])]
    except KeyError as exc:
        raise strict_json.invalid(
            name, "holds a result without a time", exc.args[0]
        ) from None
    columns: dict[str, Any] = {"at": [_time(f.at, name) for f in column]}
    if any(f.boot is not None for f in column):
        columns["boot"] = strict_json.names([f.boot for f in column], name)
    if any(f.until != FOREVER for f in column):
        columns["until"] = [
            None if f.until == FOREVER else _time(f.until, name)
            for f in column
        ]
    return columns


def _check_names(path: str, attester: str, *names: str | None) -> None:
    for name in (attester, *names):
        if name is not None and not strict_json.is_name(name):
            raise strict_json.invalid(path, "has an unfit identifier", name)


def _time(instant: Instant, path: str) -> int | float:
    """Return an instant as it travels: shortest, to the millisecond."""
    if not strict_json.is_number(instant):
        raise _no_time(path, instant)
    rounded = round(instant, 3)
    whole = int(rounded)
    return whole if whole == rounded else rounded


def _no_time(path: str, instant: Instant) -> ResultsRefused:
    return strict_json.invalid(
        path, "has a time that is no number from 0 to 2**53", instant
    )


def _encode(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")
