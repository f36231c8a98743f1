# SPDX-License-Identifier: Apache-2.0
"""Where a host class lets a server move, once it is known where it is (7.2).

Pure.  The rule is that of the host which the server leaves.
"""

from __future__ import annotations

import dataclasses

from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.policy.values import Pool
from nfv_mla_scheduler.standard.values import Catalogue
from nfv_mla_scheduler.standard.values import Moves


@dataclasses.dataclass(frozen=True, slots=True)
class Destinations:
    """The hosts to which a server may move, and what forbids the others.

    :ivar hosts: by Nova's host name
    """

    source: str
    hosts: frozenset[str]
    refusal: Refusal

    def allows(self, host: str) -> bool:
        """Whether the server may be on ``host``; to stay is no move."""
        return host == self.source or host in self.hosts


def destinations(
    policy: Policy, catalogue: Catalogue, source: str
) -> Destinations | None:
    """Return where a server with requirements may go from ``source``.

    :param source: Nova's name of the host that the server is on
    :returns: None when that host is in no pool, so that no class binds it
    """
    pools = [p for p in policy.pools.values() if source in p.members]
    if not pools:
        return None
    clauses = sorted(
        {catalogue.classes[pool.host_class].clause for pool in pools}
    )
    hosts = [_from_pool(pool, policy, catalogue) for pool in pools]
    return Destinations(
        source,
        frozenset().union(*hosts),
        Refusal(
            RefusalCode.MOVE_NOT_ALLOWED,
            "pool",
            ", ".join(clauses),
            detail="the class of the present host does not let it go there",
            requirement="pool",
        ),
    )


def _from_pool(
    pool: Pool, policy: Policy, catalogue: Catalogue
) -> frozenset[str]:
    moves = catalogue.classes[pool.host_class].moves
    if moves is Moves.LISTED_SET:
        return pool.moves_to
    if moves is Moves.OWN_POOL:
        return pool.members
    same_class = [
        other.members
        for other in policy.pools.values()
        if other.host_class is pool.host_class
        and (moves is Moves.SAME_CLASS or _same_owner(pool, other))
    ]
    return frozenset().union(*same_class)


def _same_owner(pool: Pool, other: Pool) -> bool:
    """Type 2: "its pools" are those of its class with the same owner."""
    return pool.exclusive_to == other.exclusive_to
