# SPDX-License-Identifier: Apache-2.0
"""What compute hosts there are, and how their services stand.

Reads through the port; no clock of its own.  One request a look; the compute
nodes are read again once an hour, and when a service appears of which none is
known.
"""

from __future__ import annotations

from collections.abc import Mapping

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.observing.pace import Pace
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.port import CloudFailed
from nfv_mla_scheduler.monitor.port import Reader

NAMED_MAX = 3


class NodeWatch:
    """The compute hosts of a cloud, kept up to date look by look.

    :ivar nodes: Nova's host name -> compute host
    :ivar returned: whether a cell that was down has answered in this look
    :ivar read_all: whether this look has read all compute nodes
    """

    def __init__(self, cloud: Reader, *, full_every_s: float) -> None:
        self.nodes: Mapping[str, Node] = {}
        self.returned = False
        self.read_all = False
        self._cloud = cloud
        self._pace = Pace(full_every_s)
        self._bare_pace = Pace(full_every_s)
        self._bare: frozenset[tuple[str, str]] = frozenset()
        self._dark: frozenset[str] = frozenset()

    def look(self, monotonic: float) -> list[str]:
        """Look once; return what is missing, in a few words each."""
        self.returned = self.read_all = False
        try:
            if self._pace.due(monotonic):
                self._read_all(monotonic)
            else:
                self._read_services(monotonic)
        except CloudFailed as exc:
            return [f"compute services ({exc.brief})", *self._out_of_sight()]
        return self._out_of_sight()

    def _read_services(self, monotonic: float) -> None:
        before = self.nodes
        self._take(self._cloud.services(before))
        bare = frozenset(
            (key, node.service)
            for key, node in self.nodes.items()
            if node.service and (not node.uuid or _replaced(node, before, key))
        )
        appeared = bare - self._bare
        if appeared:
            self._bare_pace.hurry()
        if bare and self._bare_pace.due(monotonic):
            self._read_all(monotonic)

    def _read_all(self, monotonic: float) -> None:
        self.read_all = True
        try:
            nodes = self._cloud.nodes()
        except CloudFailed:
            self._pace.failed(monotonic)
            raise
        self._take(nodes)
        self._bare = frozenset(
            (key, node.service)
            for key, node in self.nodes.items()
            if node.service and not node.uuid
        )
        # A service may be known some seconds before its compute node is.
        if self._bare:
            self._bare_pace.failed(monotonic)
        self._pace.succeeded(monotonic)

    def _take(self, nodes: Mapping[str, Node]) -> None:
        """Take an answer; what a cell that is down hides stays as it was."""
        dark = frozenset(n.host for n in nodes.values() if not n.service)
        if dark:
            kept = {k: n for k, n in self.nodes.items() if n.host in dark}
            nodes = {**nodes, **kept}
        self.returned = self.returned or bool(self._dark - dark)
        self._dark = dark
        self.nodes = nodes

    def _out_of_sight(self) -> list[str]:
        if not self._dark:
            return []
        names = ", ".join(map(bounded, sorted(self._dark)[:NAMED_MAX]))
        more = len(self._dark) - NAMED_MAX
        rest = f" and {more} more" if more > 0 else ""
        return [f"the cell of {names}{rest}"]


def _replaced(node: Node, before: Mapping[str, Node], key: str) -> bool:
    """Whether a host came back with another service: perhaps another host."""
    old = before.get(key)
    return (
        old is not node
        and old is not None
        and bool(old.service)
        and old.service != node.service
    )
