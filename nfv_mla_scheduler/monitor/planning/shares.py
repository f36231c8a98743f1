# SPDX-License-Identifier: Apache-2.0
"""Which hosts newly fail by the word of an authority, or by their binding.

Pure.  ``brakes.py`` says how many of them are too many.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.policy.values import Policy

# A host that has been bad for longer than this did not fail with the others;
# one that fails every few minutes does.
NEW_S = 24 * 3600.0
# Stands where an authority does, for that Nova's compute nodes are those which
# the policy binds; no authority can have that name.
BINDINGS = "host.bindings"


@dataclasses.dataclass(frozen=True, slots=True)
class Counting:
    """All that it depends on how many hosts fail.

    :ivar fences: Nova's host name -> the mark of our fence
    :ivar marked: server's UUID -> its mark
    :ivar evidence: Nova's host name -> how new the results are about a host
        that is fenced, and not bad any more
    :ivar residents: UUIDs of servers that were where they are before we first
        looked: nobody can tell whether they were admitted there
    """

    verdict: Verdict
    policy: Policy
    now: Instant
    fences: Mapping[str, Mark] = dataclasses.field(default_factory=dict)
    marked: Mapping[str, Mark] = dataclasses.field(default_factory=dict)
    evidence: Mapping[str, Instant] = dataclasses.field(default_factory=dict)
    residents: frozenset[str] = frozenset()


def failing(name: str, it: Counting, since: Instant | None) -> frozenset[str]:
    """Return the bound hosts that newly fail by the word of an authority.

    :param name: of the authority, or ``BINDINGS``
    :param since: when it became a suspect; None: it is none
    """
    held = since is not None
    begun = it.now if since is None else min(since, it.now)
    spoken = [
        finding
        for host, finding in it.verdict.hosts.items()
        if _speaks(name, finding, held) and _new(it.fences.get(host), begun)
    ]
    found = _bound(spoken, it.policy)
    found |= {
        finding.host
        for uuid, finding in it.verdict.servers.items()
        if _fails(name, finding)
        and (held or _shows(uuid, finding, it))
        and _new(it.fences.get(finding.host), begun)
        and _new(it.marked.get(uuid), begun)
    }
    if held:
        found.update(
            host
            for host in _unshown(name, it)
            if _new(it.fences.get(host), begun)
        )
    return frozenset(found & it.policy.hosts.keys())


def _bound(findings: Collection[HostFinding], policy: Policy) -> set[str]:
    """Return by which names the policy knows these hosts.

    Who goes by another one and is the same compute node is that.
    """
    known = {it.host for it in findings if it.host in policy.hosts}
    others = [it.uuid for it in findings if it.host not in policy.hosts]
    if others:
        uuids = {b.node_uuid: host for host, b in policy.hosts.items()}
        known |= {uuids.get(uuid, "") for uuid in others}
    return known


def _speaks(name: str, it: HostFinding, held: bool) -> bool:
    """Whether a finding counts for an authority's share.

    Silence clears nobody who has been a suspect before.  What is permissive
    will fail newly on the day on which that ends.
    """
    if it.permissive:
        return False
    if it.kind is Kind.OUTAGE:
        return held and (not it.authorities or name in it.authorities)
    if name == BINDINGS:
        return it.kind is Kind.CHANGED and not it.authorities
    return name in it.authorities


def _fails(name: str, it: Finding) -> bool:
    """Whether a server is to be evicted for what an authority says."""
    return it.evicts and not it.permissive and name in it.authorities


def _shows(uuid: str, it: Finding, counting: Counting) -> bool:
    """Whether a server's finding says something about an authority.

    One that was forced to where it may not be, and asks for what its host
    never had, does not: else whoever may force servers could make a suspect
    of any authority.  Of those that were there before we looked we cannot
    know.
    """
    return it.kind is Kind.CHANGED or uuid in counting.residents


def _unshown(name: str, it: Counting) -> Iterator[str]:
    """Yield a suspect's hosts that nothing has shown to be well again.

    Of some nothing can be said now; of others, which we fenced, nothing new
    was.  That there is no finding about them is not enough: what was known
    of them before is lost with a restart.
    """
    for host, binding in it.policy.hosts.items():
        if name != BINDINGS and name not in binding.attesters:
            continue
        fence = it.fences.get(host)
        told = it.evidence.get(host, NEVER)
        if host in it.verdict.unproven or (
            fence is not None and told < fence.at + 1.0
        ):
            yield host


def _new(mark: Mark | None, begun: Instant) -> bool:
    return mark is None or mark.since > begun - NEW_S
