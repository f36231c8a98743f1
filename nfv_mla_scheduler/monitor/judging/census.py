# SPDX-License-Identifier: Apache-2.0
"""Which of a cloud's servers have to be judged, kept from look to look.

Pure but for its memory.  Most servers ask for nothing and stand on hosts that
are open to everybody.  That is known of a server for as long as its value is
the same object, its host is the same compute node, and the epoch is the same;
what changed is looked at, and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from nfv_mla_scheduler.judge.closures import Closed
from nfv_mla_scheduler.judge.closures import Closure
from nfv_mla_scheduler.judge.closures import closed_hosts
from nfv_mla_scheduler.judge.closures import closing
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor.judging.stances import NOTHING
from nfv_mla_scheduler.monitor.judging.stances import Stance
from nfv_mla_scheduler.monitor.judging.stances import may_ask
from nfv_mla_scheduler.monitor.judging.stances import stance_of
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.results.view import Snapshot

_STANCES_MAX = 20_000


@dataclasses.dataclass(frozen=True, slots=True)
class Watched:
    """A server that has to be judged, where it is.

    :ivar uuid: of the compute node that it is on; empty: nobody says
    :ivar closed: whether its host is closed to it, whatever is claimed
    """

    server: Server
    host: str
    uuid: str
    stance: Stance
    closed: bool


class Census:
    """The servers that have to be judged.

    :param management_domain: of the scheduler on whose behalf we judge
    :ivar watched: server's UUID -> server
    :ivar opened: UUID of a watched server -> host on which it stood, under
        the policy before, when nothing was to be said of it, and that
        policy's digest
    """

    def __init__(self, management_domain: str) -> None:
        self.watched: dict[str, Watched] = {}
        self.opened: dict[str, tuple[str, str]] = {}
        self._management_domain = management_domain
        self._epoch = -1
        self._digest = ""
        self._seen: dict[str, Server] = {}
        self._nodes: Mapping[str, Node] = {}
        self._stances: dict[tuple[str, int], tuple[Ask, Stance]] = {}
        self._closed: dict[str | None, Closed] = {}

    def look(self, picture: Picture, snapshot: Snapshot) -> None:
        """Take in how a cloud is now."""
        moved = self._moved(picture)
        anew = snapshot.epoch != self._epoch
        if anew:
            self._stances.clear()
            self._closed.clear()
        seen = self._seen
        servers = picture.servers
        # Most are the same; to look into each would cost more than all else.
        if anew:
            changed = list(servers.values())
        elif moved:
            changed = [
                server
                for uuid, server in servers.items()
                if seen.get(uuid) is not server or server.host in moved
            ]
        else:
            changed = [
                server
                for uuid, server in servers.items()
                if seen.get(uuid) is not server
            ]
        for server in changed:
            self._sort(server, picture, snapshot)
            seen[server.uuid] = server
        if len(seen) > len(servers):
            for uuid in seen.keys() - servers.keys():
                del seen[uuid]
                self.watched.pop(uuid, None)
                self.opened.pop(uuid, None)
        self._epoch = snapshot.epoch
        self._digest = snapshot.policy.digest if snapshot.policy else ""

    def closed_to(self, project_id: str, snapshot: Snapshot) -> Closed:
        """Return the hosts that are closed to a project's servers.

        Projects of one trust domain share it.  That somebody else's scheduler
        has to place there is left out: nobody can tell who placed a server.
        """
        policy = snapshot.policy
        if policy is None:
            return {}
        project = policy.projects.get(project_id)
        trust_domain = project.trust_domain if project else None
        known = self._closed.get(trust_domain)
        if known is None:
            found = closed_hosts(
                policy,
                snapshot.catalogue,
                project_id,
                self._management_domain,
            )
            known = self._closed[trust_domain] = _by_owner(found)
        return known

    def _moved(self, picture: Picture) -> frozenset[str]:
        """Return the hosts whose compute node is another one than before."""
        before, self._nodes = self._nodes, picture.nodes
        if before is self._nodes:
            return frozenset()
        was = {name: node.uuid for name, node in before.items()}
        now = {name: node.uuid for name, node in self._nodes.items()}
        return frozenset(
            name.partition("/")[0]
            for name in now.keys() | was.keys()
            if now.get(name) != was.get(name)
        )

    def _sort(
        self, server: Server, picture: Picture, snapshot: Snapshot
    ) -> None:
        stance = self._stance(server, snapshot)
        uuid, closed = "", False
        if server.host:
            node = node_of(server, picture.nodes)
            uuid = node.uuid if node is not None else ""
            rules = self.closed_to(server.project_id, snapshot)
            closed = bool(rules and closing(rules, uuid, server.host))
        if not closed and stance == NOTHING:
            self.watched.pop(server.uuid, None)
            self.opened.pop(server.uuid, None)
            return
        before = self._seen.get(server.uuid)
        if (
            before is not None
            and before.host == server.host
            and server.uuid not in self.watched
        ):
            self.opened[server.uuid] = server.host, self._digest
        self.watched[server.uuid] = Watched(
            server, server.host, uuid, stance, closed
        )

    def _stance(self, server: Server, snapshot: Snapshot) -> Stance:
        """Return what is asked for a server; those alike share it."""
        ask, project = server.ask, server.project_id
        if not may_ask(ask, project, snapshot):
            return NOTHING
        key = project, id(ask)
        known = self._stances.get(key)
        if known is not None:
            return known[1]
        if len(self._stances) >= _STANCES_MAX:
            self._stances.clear()
        # what is kept with it keeps its id from being another one's
        stance = stance_of(ask, project, snapshot)
        self._stances[key] = ask, stance
        return stance


def node_of(server: Server, nodes: Mapping[str, Node]) -> Node | None:
    """Return the compute node that a server is on, as Nova names both."""
    node = nodes.get(server.host)
    if node is not None and server.node and node.name != server.node:
        return nodes.get(f"{server.host}/{server.node}", node)
    return node


def _by_owner(closed: Closed) -> Closed:
    """Leave out what only says who may place a server."""
    found: dict[str, tuple[Closure, ...]] = {}
    for name, rules in closed.items():
        kept = tuple(
            rule
            for rule in rules
            if rule.refusal.code is not RefusalCode.MANAGEMENT_DOMAIN
        )
        if kept:
            found[name] = kept
    return found
