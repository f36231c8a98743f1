# SPDX-License-Identifier: Apache-2.0
"""Findings about hosts, and hosts that only one side knows.

Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.judging.weighing import Charge
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture

_URGENCY = {kind: rank for rank, kind in enumerate(Kind)}
_WORST_FIRST = tuple(Axis)


def host_finding(
    host: str, uuid: str, charged: Charge, sealed: bool = False
) -> HostFinding:
    """Return the finding of a host that has become bad.

    :param sealed: by a server that nobody is told about: what that asks for,
        and whom it trusts, is not said (5.0.3)
    """
    return HostFinding(
        charged.kind,
        host,
        uuid,
        charged.axis,
        () if sealed else charged.refusals,
        charged.authorities,
        charged.fences,
        charged.permissive,
    )


def add(hosts: dict[str, HostFinding], new: HostFinding) -> None:
    """Add a finding to others: one a host, the most urgent that is enforced.

    Authorities and axis are those of all of its kind, the worst one first.
    """
    old = hosts.get(new.host)
    if old is None:
        hosts[new.host] = new
        return
    first, second = sorted(
        (old, new), key=lambda f: (f.permissive, _URGENCY[f.kind])
    )
    if first.permissive is second.permissive and first.kind is second.kind:
        refusals = dict.fromkeys((*first.refusals, *second.refusals))
        first = dataclasses.replace(
            first,
            axis=min(first.axis, second.axis, key=_WORST_FIRST.index),
            refusals=tuple(refusals),
            authorities=first.authorities | second.authorities,
        )
    hosts[new.host] = first


def strangers(
    nodes: Mapping[str, Node], uuids: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the hosts that Nova knows and the policy does not.

    One that goes by a bound name and is another compute node is one as well.

    :param uuids: Nova's host name -> UUID, of all hosts of the policy
    """
    return tuple(
        sorted(
            name
            for name, node in nodes.items()
            if node.host not in uuids
            or (node.uuid and node.uuid != uuids[node.host])
        )
    )


def absent(picture: Picture, hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts that the policy knows and Nova does not.

    None at all while part of the cloud is out of sight.
    """
    if picture.partial:
        return ()
    return tuple(sorted(h for h in hosts if h not in picture.nodes))
