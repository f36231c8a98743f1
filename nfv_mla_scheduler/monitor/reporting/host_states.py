# SPDX-License-Identifier: Apache-2.0
"""How each host stands, in one word.

Pure.
"""

from __future__ import annotations

import collections
import enum
from collections.abc import Set

from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.picture import Node
from nfv_mla_scheduler.monitor.picture import Picture


class HostState(enum.Enum):
    """How one host stands; of several that hold, the first one."""

    FENCED = "fenced"
    FAILING = "failing"
    NOT_JUDGED = "not-judged"
    DISABLED = "disabled"
    DOWN = "down"
    UNKNOWN = "unknown"
    WELL = "well"


def counted(report: CycleReport, picture: Picture) -> dict[str, int]:
    ruling = report.ruling
    # there may be as many of them as hosts
    strangers = frozenset(ruling.verdict.strangers if ruling else ())
    counts = collections.Counter(
        host_state(report, name, node, strangers).value
        for name, node in picture.nodes.items()
    )
    return {s.value: counts[s.value] for s in HostState if counts[s.value]}


def host_state(
    report: CycleReport, name: str, node: Node, strangers: Set[str]
) -> HostState:
    """Return how one host stands.

    :param strangers: names of hosts that the policy does not know
    """
    ruling = report.ruling
    if ruling is not None:
        finding = ruling.verdict.hosts.get(node.host)
        if node.host in ruling.host_marks:
            return HostState.FENCED
        if finding is not None:
            outage = finding.kind is Kind.OUTAGE
            return HostState.NOT_JUDGED if outage else HostState.FAILING
    if not node.enabled:
        return HostState.DISABLED
    if not node.up or node.forced_down:
        return HostState.DOWN
    if name in strangers or node.host in strangers:
        return HostState.UNKNOWN
    return HostState.WELL
