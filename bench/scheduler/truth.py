# SPDX-License-Identifier: Apache-2.0
"""Whether what was measured is also right: the brute-force judge says so.

Not timed.  It is the one that holds the real judge in the unit tests.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable

from bench.asks import Specs
from bench.estate import Host
from bench.rules import OPERATOR
from bench.run import Wrong
from bench.scheduler.novas import IMAGE
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.results.view import Snapshot
from tests.unit import brute_force


def compare(
    specs: Specs,
    snapshot: Snapshot,
    hosts: Iterable[Host],
    admitted: Collection[str],
    now: float,
) -> int:
    """Return on how many hosts both agree.

    :param hosts: those that are looked at
    :param admitted: the names of all hosts that the filter let through
    :raises Wrong: naming the first host on which they do not
    """
    world = brute_force.World(
        Request(OPERATOR, specs, IMAGE, {}, None, ""),
        snapshot.catalogue,
        snapshot.policy,
        snapshot.document,
        snapshot.own_state,
        management_domain=OPERATOR,
    )
    count = 0
    for host in hosts:
        right = brute_force.admitted(world, host.uuid, host.name, now)
        if right is not (host.name in admitted):
            raise Wrong(
                f"{host.name} ({host.standing.value}) is wrongly "
                f"{'refused' if right else 'admitted'} for {dict(specs)}"
            )
        count += 1
    return count
