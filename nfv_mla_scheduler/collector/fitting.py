# SPDX-License-Identifier: Apache-2.0
"""Make a document that readers take, also when one authority says too much.

Pure.  What is left out is what supports: whatever contradicts stays for as
long as it can, since leaving out must not help a host.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from types import MappingProxyType

from nfv_mla_scheduler.collector.values import NOTHING
from nfv_mla_scheduler.collector.values import Said
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.values import Claims

_AGAINST = (Status.WARNING, Status.CONTRAINDICATED)


@dataclasses.dataclass(frozen=True, slots=True)
class Fitted:
    """A document that readers take.

    :ivar said: what is in it
    :ivar left_out: authorities of which not all is in it
    """

    data: bytes
    said: Mapping[str, Said]
    left_out: tuple[str, ...] = ()


def fit(
    said: Mapping[str, Said],
    seal: Callable[[Mapping[str, Said]], bytes],
    share: Callable[[bytes], float],
) -> Fitted | None:
    """Return a document of all authorities, or without the largest.

    None, when nothing would be left but what was left out of.

    :param seal: makes a document
    :param share: how much of what readers take a document is; 1 is all of it
    """
    data = seal(said)
    if share(data) <= 1:
        return Fitted(data, said)
    sizes = {name: share(seal({name: one})) for name, one in said.items()}
    largest_first = sorted(sizes, key=lambda name: (-sizes[name], name))
    for count in range(1, len(said)):
        cut = largest_first[:count]
        for shorter in (_against, _nothing):
            less = dict(said)
            for name in cut:
                less[name] = shorter(said[name])
            data = seal(less)
            if share(data) <= 1:
                return Fitted(data, less, tuple(sorted(cut)))
    return None


def _nothing(said: Said) -> Said:
    return NOTHING


def _against(said: Said) -> Said:
    """Return what speaks against attesters, and nothing else.

    By no rules: after a restart all is to be taken anew.
    """
    results = {}
    claims: dict[int, Claims] = {}
    for attester, result in said.results.items():
        some = claims.get(id(result.claims))
        if some is None:
            some = claims[id(result.claims)] = {
                name: claim
                for name, claim in result.claims.items()
                if claim.status in _AGAINST
            }
        if some:
            results[attester] = dataclasses.replace(result, claims=some)
    freshness = {a: said.freshness[a] for a in results}
    return Said(MappingProxyType(results), MappingProxyType(freshness))
