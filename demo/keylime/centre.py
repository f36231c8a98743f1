# SPDX-License-Identifier: Apache-2.0
"""The demo's data centre, with Keylime in a box as its one authority."""

from __future__ import annotations

import contextlib
import time
import typing as ty
from collections.abc import Iterable
from collections.abc import Mapping

from demo.centre import DataCentre
from demo.collector import Section
from demo.keylime import world
from demo.world import Flavor
from keylime_box.box import Box
from keylime_box.node import Node
from keylime_box.tenant import passes
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.results.document import Loader
from tests.cloud import description as desc

_MAX_SKEW_S = 1.0


class Keylime:
    """The verifier, the registrar, and a node for each host.

    :param box: open
    """

    name = world.AUTHORITY

    def __init__(self, box: Box) -> None:
        self.box = box
        self.nodes: dict[str, Node] = {}
        self._mapping = box.state / "mapping.yaml"

    def start(self) -> None:
        """Boot every host, enrol it, and wait until it is attested."""
        self._mapping.write_text(world.mapping(), encoding="utf-8")
        for host in world.HOSTS:
            self.nodes[host.name] = self.box.node(host.compute.uuid, host.tags)
        for host in world.HOSTS:
            self.box.enrol(self.nodes[host.name], host.wanted)
        for node in self.nodes.values():
            self.box.wait(node, passes)

    def options(self) -> str:
        """Return the lines of the collector's configuration."""
        lines = [
            f"[nfv_mla_authority_{self.name}]",
            "driver = keylime",
            f"mapping_file = {self._mapping}",
            "timeout_s = 5",
        ]
        for name, value in self.box.options().items():
            said = ", ".join(value) if isinstance(value, list) else value
            lines.append(f"{name} = {said}")
        return "\n".join((*lines, ""))


class BoxedCentre(DataCentre):
    """A running cloud whose hosts Keylime attests; a context manager."""

    computes: ty.ClassVar[tuple[desc.Compute, ...]] = world.COMPUTES
    flavors: ty.ClassVar[Mapping[str, Flavor]] = world.FLAVORS
    authorities: ty.ClassVar[tuple[str, ...]] = (world.AUTHORITY,)
    keylime: Keylime

    def start_authorities(
        self, stack: contextlib.ExitStack
    ) -> Iterable[Section]:
        """Start Keylime and the hosts' TPMs, until the stack is closed."""
        directory = self.site.directory / "box"
        box = stack.enter_context(Box(directory, world.SETTINGS))
        self.keylime = Keylime(box)
        self.keylime.start()
        self.laboratories = {}
        return (self.keylime,)

    def policy(self, now: float, version: int) -> str:
        """Return the policy, with the keys of the TPMs."""
        keys = {n: node.ek_sha256 for n, node in self.keylime.nodes.items()}
        return world.policy(now, keys, version=version)

    def published(self, host: str) -> Mapping[str, Status]:
        """Return what the collector's document says of a host.

        It is the file itself, which the monitor reads too: capability ->
        status, and nothing where there is no result that is young enough.
        """
        snapshot = self.engine().feed.snapshot
        policy, now = snapshot.policy, time.time()
        try:
            document = Loader().read(
                self.site.results_file.read_bytes(),
                policy.collectors,
                policy.authorities,
                snapshot.catalogue,
                policy.regions,
                now=now,
                max_skew_s=_MAX_SKEW_S,
            )
        except FileNotFoundError:
            return {}
        attester = self.keylime.nodes[host].agent_id
        fresh = document.freshness.get(world.AUTHORITY, {}).get(attester)
        if fresh is None or fresh.at + world.MAX_AGE_S < now:
            return {}
        result = document.results[world.AUTHORITY][attester]
        return {name: c.status for name, c in result.claims.items()}
