# SPDX-License-Identifier: Apache-2.0
"""A small cloud for the monitor's judge: a draft's hosts, servers on them."""

from __future__ import annotations

import dataclasses
from typing import Any

from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.judging.judging import Judging
from nfv_mla_scheduler.monitor.picture import Ask
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.results import view
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft


def uuid(number: int) -> str:
    """Return the UUID of a server."""
    return f"00000000-0000-4000-8000-{number:012d}"


def node(host: str, **how: Any) -> Node:
    """Return a compute host that is up and enabled."""
    fields: dict[str, Any] = {
        "uuid": drafts.uuid(host),
        "name": host,
        "service": f"service-{host}",
        "enabled": True,
        "reason": "",
        "up": True,
        "forced_down": False,
        **how,
    }
    return Node(host, **fields)


def ask(
    extra_specs: dict[str, str] | None = None,
    hints: dict[str, object] | None = None,
    image: dict[str, str] | None = None,
    **how: Any,
) -> Ask:
    """Return what a server asks for."""
    amounts = how.pop("amounts", {"VCPU": 1})
    return Ask(extra_specs or {}, image or {}, hints or {}, amounts, **how)


def server(
    number: int = 1,
    host: str = "h1",
    asked: Ask | None = None,
    project: str = drafts.PROJECT,
    **how: Any,
) -> Server:
    """Return an active server; it asks for nothing by default."""
    fields: dict[str, Any] = {
        "node": host,
        "vm_state": VmState.ACTIVE,
        "task": "",
        "power": Power.RUNNING,
        "locked": False,
        "locked_reason": "",
        "updated": NOW,
        "image_id": "image",
        "ask": asked or ask(),
        **how,
    }
    return Server(uuid(number), project, host, **fields)


class Scene:
    """A cloud that is looked at again and again.

    :ivar draft: what policy and authorities say; change it between looks
    :ivar servers: by UUID; one that asks as the draft's flavor does
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.judging = Judging(self.bearings)
        self.snapshot = view.empty(drafts.CATALOGUE)
        self.nodes = {host: node(host) for host in draft.bindings}
        self.servers: dict[str, Server] = {}
        self.traits: dict[str, frozenset[str]] = {}
        self.missing: tuple[str, ...] = ()
        self.without_results = False
        self.add(server(1, "h1", self.asked()))
        self.policy = drafts.policy_of(draft)
        self.new_policy()

    @property
    def bearings(self) -> Bearings:
        return Bearings(self.draft.management_domain, 5000.0)

    def asked(self) -> Ask:
        """Return what the draft's flavor, image and hints ask for."""
        draft = self.draft
        return ask(
            dict(draft.extra_specs), dict(draft.hints), dict(draft.image)
        )

    def add(self, new: Server) -> Server:
        """Put a server into the cloud, or in place of its former self."""
        self.servers = {**self.servers, new.uuid: new}
        return new

    def new_policy(self) -> None:
        """Let the officers sign what the draft says now."""
        version = self.policy.version + 1
        self.policy = dataclasses.replace(
            drafts.policy_of(self.draft),
            version=version,
            digest=f"digest-{version}",
        )

    def restart(self) -> None:
        """Let a new process take over, which remembers nothing."""
        self.judging = Judging(self.bearings)
        self.snapshot = view.empty(drafts.CATALOGUE)

    def heard(self, at: float, *hosts: str, authority: str = "") -> None:
        """Let authorities appraise hosts anew; all of them by default."""
        for (name, host), told in self.draft.told.items():
            if host in (hosts or [host]) and authority in ("", name):
                told.at = at

    def picture(self) -> Picture:
        return Picture(
            NOW, self.servers, dict(self.nodes), {}, self.traits, self.missing
        )

    def take(self) -> view.Snapshot:
        """Return the snapshot of what is known now."""
        document = drafts.document_of(self.draft)
        self.snapshot = view.merge(
            self.snapshot,
            None if self.draft.without_policy else self.policy,
            None if self.without_results else document,
            dict(self.draft.own_state),
            tuple(self.draft.break_glass),
        )
        return self.snapshot

    def look(
        self, now: float = NOW, monotonic: float | None = None
    ) -> Verdict:
        """Judge the cloud as it is now."""
        room = self.draft.room
        return self.judging.verdict(
            self.picture(),
            self.take(),
            now,
            now if monotonic is None else monotonic,
            lambda _: room,
        )
