# SPDX-License-Identifier: Apache-2.0
"""How new the word is that hosts which we fenced are well again.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.view import Snapshot


def evidence(
    snapshot: Snapshot, marks: Marks, picture: Picture
) -> Mapping[str, Instant]:
    """Return how new the results about each fenced host are: the oldest.

    None for one that is still said to be bad: once it is empty, nothing may
    ask of it what it fails, and it is not to be released for that.
    """
    found = {}
    for name in marks.nodes:
        host = picture.nodes[name].host
        record = snapshot.records.get(snapshot.uuids.get(host, ""))
        results = record.results if record else ()
        times = [
            fresh.at
            for result in results
            if (fresh := snapshot.freshness_of(result)) is not None
        ]
        if times and not any(_is_bad(each, snapshot) for each in results):
            found[host] = min(times)
    return found


def _is_bad(result: Result, snapshot: Snapshot) -> bool:
    """Whether an authority contraindicates what it may vouch for."""
    policy = snapshot.policy
    authority = policy.authorities.get(result.authority) if policy else None
    return authority is not None and any(
        claim.status is Status.CONTRAINDICATED and name in authority.vouches
        for name, claim in result.claims.items()
    )
