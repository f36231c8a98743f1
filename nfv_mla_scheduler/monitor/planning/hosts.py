# SPDX-License-Identifier: Apache-2.0
"""Which hosts to fence, and of which to take the fence away.

Pure.  A fence is a disabled compute service with our mark as the reason: Nova
then places nobody there.  It is not budgeted, since it evicts nobody.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Set

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking.marks import PREFIX
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.planning.situation import Situation
from nfv_mla_scheduler.monitor.planning.situation import closed_to_hosts
from nfv_mla_scheduler.monitor.planning.spent import newest
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why


def plan_hosts(
    it: Situation, suspects: Set[str] = frozenset()
) -> tuple[tuple[Fence, ...], tuple[Held, ...]]:
    """Return what to fence and to release, and what of it is held.

    :param suspects: authorities whose word clears nobody now either
    """
    fences: dict[str, Fence] = {}
    held: list[Held] = []
    left = _leavings(it)
    nodes = _concerned(it)
    known = _known(it, nodes.values())
    for name, node in _services(nodes):
        host = node.host
        found = it.verdict.hosts.get(host)
        mark = it.marks.nodes.get(name)
        wanted = _wanted(node, mark, found)
        if wanted is None:
            continue
        why = _why(it, wanted, found, mark, host in left, host in known)
        if why is None and not wanted.disable:
            why = _by_suspects(it, host, suspects)
        if why is None:
            fences.setdefault(wanted.service, wanted)
        else:
            held.append(Held(host, host, Step.FENCE, why))
    return tuple(fences.values()), tuple(held)


def _concerned(it: Situation) -> dict[str, Node]:
    """Return the nodes of all hosts of which there is a finding or a mark.

    By what the picture calls them.  They are few, and of none of the others
    there is anything to do.
    """
    nodes, bad = it.picture.nodes, it.verdict.hosts
    those = [
        node
        for name, node in nodes.items()
        if node.host in bad or name in it.marks.nodes
    ]
    hosts = {node.host for node in those}
    services = {node.service for node in those}
    return {
        name: node
        for name, node in nodes.items()
        if node.host in hosts or node.service in services
    }


def _services(nodes: Mapping[str, Node]) -> Iterable[tuple[str, Node]]:
    """Return one node for each service, and what the picture calls it.

    Several cells may have a service of one host name.
    """
    found: dict[str, tuple[str, Node]] = {}
    for name, node in sorted(nodes.items(), key=lambda item: item[0]):
        if node.service:
            found.setdefault(node.service, (name, node))
    return found.values()


def _wanted(
    node: Node, mark: Mark | None, found: HostFinding | None
) -> Fence | None:
    """Return what to do about a host's service; None: it is as it should be.

    One that is disabled for another reason counts as fenced, and stays; a
    forged mark is no reason.  What is only permissively found keeps no fence
    of ours, nor needs evidence that it is over.
    """
    host, ours = node.host, mark is not None
    forged = not ours and node.reason.startswith(PREFIX)
    if found is not None and not (found.permissive and ours):
        due = found.fences and (node.enabled or forged)
        return (
            Fence(host, node.service, True, found.kind.value) if due else None
        )
    if node.enabled or not ours:
        return None
    return Fence(host, node.service, False, "")


def _known(it: Situation, nodes: Collection[Node]) -> frozenset[str]:
    """Return the hosts all of whose compute nodes are what the policy binds.

    What is said of a bound node clears nobody who only goes by its name, nor
    a service that has another node besides.
    """
    bound = it.policy.hosts
    strange = {
        node.host
        for node in nodes
        if node.host not in bound or node.uuid != bound[node.host].node_uuid
    }
    return frozenset(node.host for node in nodes) - strange


def _why(
    it: Situation,
    wanted: Fence,
    found: HostFinding | None,
    mark: Mark | None,
    left: bool,
    known: bool,
) -> Why | None:
    """Return the first reason why a fence stays as it is; None: there is none.

    The order: permissive, arming, pause, policy expired; then for a fence that
    the clock jumped; for its release that we have just started, that the clock
    jumped, that the picture is partial, that something of ours is left there,
    that nothing can be said of the host, nor who it is, or the evidence is
    older than the fence; and then that an authority of it is a suspect.
    """
    if found is not None and found.permissive and wanted.disable:
        return Why.PERMISSIVE
    closed = closed_to_hosts(it)
    if closed is not None:
        return closed
    if wanted.disable:
        # Of all that fences a host, only silence is told by the clock.
        silent = found is not None and found.kind is Kind.WITHHELD
        return it.unsettled if silent else None
    if it.holds.fault:
        return Why.PAUSED
    if it.unsettled is not None:
        return it.unsettled
    if it.incomplete:
        return Why.PARTIAL
    if left:
        return Why.NOT_CLEAN
    if found is not None:
        return None
    # Marks lose the fraction of their second.
    fenced = math.inf if mark is None else mark.at + 1.0
    newer = it.evidence.get(wanted.host, NEVER) >= fenced
    said = wanted.host not in it.verdict.unproven
    return None if newer and said and known else Why.NOT_YET


def _by_suspects(it: Situation, host: str, suspects: Set[str]) -> Why | None:
    """Return whether a fence stays since a suspect may have had it put there.

    What it says of a host is in doubt either way, and what it said before a
    restart is not known any more.
    """
    if BINDINGS in suspects:
        return Why.SUSPECT_BINDINGS
    binding = it.policy.hosts.get(host)
    if binding is not None and suspects & binding.attesters.keys():
        return Why.SUSPECT_AUTHORITY
    return None


def _leavings(it: Situation) -> frozenset[str]:
    """Return the hosts on which a server with our mark is, or its disk.

    The disk of one that was evacuated is there until its host's compute
    service has come back, and so is what remembers it: whether its mark is
    gone, or anybody else evacuated it, makes no difference.
    """
    found = set()
    for uuid in it.marks.servers.keys() & it.picture.servers.keys():
        server = it.picture.servers[uuid]
        found.add(server.host)
        move = newest(it.picture.migrations.get(uuid, ()), it.user_id)
        if server.vm_state is VmState.RESIZED and move is not None:
            found.add(move.source)
    for moves in it.picture.migrations.values():
        found.update(move.source for move in moves if _leaves(move))
    return frozenset(found)


def _leaves(move: Migration) -> bool:
    """Whether an evacuation has left something that is not cleaned up.

    Nova says so (``completed``) when the source's compute service starts.
    """
    return (
        move.kind == "evacuation"
        and move.course is not Course.FAILED
        and move.status != "completed"
    )
