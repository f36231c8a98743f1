# SPDX-License-Identifier: Apache-2.0
"""Small clouds for the tests of guard, brakes and plan."""

from __future__ import annotations

import dataclasses
import uuid as uuids
from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Conduct
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import HostFinding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.policy.values import Authority
from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.policy.values import Guard
from nfv_mla_scheduler.policy.values import Permissive
from nfv_mla_scheduler.policy.values import Policy

NOW = 1_800_000_000.0
US = "a" * 32
GUARD = Guard(5, 2, 2, 2, 20)
_ASK = Ask({}, {}, {}, {})
_REFUSED = (Refusal(RefusalCode.CONTRAINDICATED),)


def uuid(number: int) -> str:
    """Return one of a row of UUIDs that sort as their numbers do."""
    return str(uuids.UUID(int=number))


def server(number: int, host: str = "h1", **changed: Any) -> Server:
    """Return a server; by default it runs on ``host``, of project p1."""
    it = Server(
        uuid=uuid(number),
        project_id="p1",
        host=host,
        node=host,
        vm_state=VmState.ACTIVE,
        task="",
        power=Power.RUNNING,
        locked=False,
        locked_reason="",
        updated=NOW,
        image_id="",
        ask=_ASK,
    )
    return dataclasses.replace(it, **changed)


def node(host: str, **changed: Any) -> Node:
    """Return a compute host that is enabled and up."""
    it = Node(host, f"u-{host}", host, f"s-{host}", True, "", True, False)
    return dataclasses.replace(it, **changed)


def mark(
    code: Code, ago_s: float = 0.0, since_s: float | None = None, **kw: Any
) -> Mark:
    """Return a mark that was written so long ago."""
    since = NOW - (ago_s if since_s is None else since_s)
    it = Mark(code, "0123abcd", NOW - ago_s, since, "active")
    return dataclasses.replace(it, **kw)


def move(of: Server, **changed: Any) -> Migration:
    """Return a live migration of ours that is under way."""
    it = Migration(
        uuid=uuid(9),
        number=7,
        server=of.uuid,
        source=of.host,
        dest="elsewhere",
        kind="live-migration",
        status="running",
        course=Course.UNDER_WAY,
        user_id=US,
        project_id="p0",
        created=NOW - 10,
        updated=NOW,
    )
    return dataclasses.replace(it, **changed)


def picture(
    servers: Iterable[Server] = (),
    nodes: Iterable[Node] = (),
    moves: Iterable[Migration] = (),
    **changed: Any,
) -> Picture:
    """Return a picture of these."""
    by_server: dict[str, tuple[Migration, ...]] = {}
    for one in moves:
        by_server[one.server] = (*by_server.get(one.server, ()), one)
    it = Picture(
        at=NOW,
        servers={one.uuid: one for one in servers},
        nodes={one.host: one for one in nodes},
        migrations=by_server,
        traits={},
        full_at=NOW,
    )
    return dataclasses.replace(it, **changed)


def finding(of: Server, kind: Kind = Kind.FAILED, **changed: Any) -> Finding:
    """Return a finding of authority ``keylime`` that evicts."""
    it = Finding(
        kind=kind,
        server=of.uuid,
        host=of.host,
        project_id=of.project_id,
        axis=Axis.INTEGRITY,
        refusals=_REFUSED,
        conduct=Conduct(),
        authorities=frozenset({"keylime"}),
        evicts=True,
    )
    return dataclasses.replace(it, **changed)


def ruled(of: Server, **changed: Any) -> Finding:
    """Return a finding by rules alone."""
    it = finding(of, Kind.MISPLACED, authorities=frozenset(), by_rules=True)
    return dataclasses.replace(it, axis=Axis.PLACE, **changed)


def host_finding(
    host: str, kind: Kind = Kind.FAILED, **changed: Any
) -> HostFinding:
    """Return a finding of authority ``keylime`` that fences."""
    it = HostFinding(
        kind=kind,
        host=host,
        uuid=f"u-{host}",
        axis=Axis.INTEGRITY,
        refusals=_REFUSED,
        authorities=frozenset({"keylime"}),
        fences=True,
    )
    return dataclasses.replace(it, **changed)


def verdict(
    servers: Iterable[Finding] = (),
    hosts: Iterable[HostFinding] = (),
    **changed: Any,
) -> Verdict:
    """Return a verdict with these findings."""
    it = Verdict(
        servers={one.server: one for one in servers},
        hosts={one.host: one for one in hosts},
        traits={},
        kept=frozenset(),
        strangers=(),
        absent=(),
        complies=frozenset(),
        asking=frozenset(),
    )
    return dataclasses.replace(it, **changed)


def policy(
    hosts: int = 10, guard: Guard = GUARD, other: int = 0, **changed: Any
) -> Policy:
    """Return a policy that binds h1, h2, ... at authority ``keylime``.

    :param other: how many of them, the last ones, are bound at ``other``
    """
    bound = {}
    for number in range(1, hosts + 1):
        name = "other" if number > hosts - other else "keylime"
        host = f"h{number}"
        bound[host] = Binding(host, f"u-{host}", {name: host}, (), ())
    it = Policy(
        version=1,
        digest="d1",
        issued_at=NOW - 1e6,
        expires_at=NOW + 1e6,
        operator="operator",
        trust_domains={},
        authorities={
            name: Authority(name, "operator", frozenset(), 60, 300, True)
            for name in ("keylime", "other")
        },
        collectors={},
        hosts=bound,
        regions={},
        pools={},
        profiles={},
        aliases={},
        waivers=(),
        projects={},
        permissive=Permissive({}, {}, {}),
        site=(),
        playbooks={},
        guard=guard,
        footprints={},
    )
    return dataclasses.replace(it, **changed)
