# SPDX-License-Identifier: Apache-2.0
"""What is to be done, and what people let go, as records have it.

Pure.  It is not said aloud: what becomes of it is.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator

from nfv_mla_scheduler.audit.port import JSON
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.instants import write_instant


def intentions(plan: Plan, sealed: Collection[str]) -> dict[str, Said]:
    """Return what a plan does, or holds back, by server or host.

    Of one about which there are both, what it does.

    :param sealed: UUIDs of servers that are left out
    """
    return {
        subject: said
        for subject, said in _intentions(plan)
        if subject not in sealed
    }


def of_releases(
    holds: Holds, now: Instant, servers: Collection[str]
) -> dict[str, Said]:
    """Return which of some servers a person has released.

    Whoever says so may not know of whom nobody else is told; we do.
    """
    return {
        uuid: Said(
            f"is released until {write_instant(word.until)}",
            str(word.until),
            {"what": "server", "server": uuid, "until": word.until},
        )
        for uuid, word in holds.servers.items()
        if uuid in servers and holds.frees(uuid, now)
    }


def _intentions(plan: Plan) -> Iterator[tuple[str, Said]]:
    for held in plan.held:
        about = _about(held.subject, held.host, held.step)
        # why it is held may change with each cycle
        same = f"{held.step} {held.host} held"
        told = {**about, "why": held.why.value}
        yield held.subject, Said("is held", same, told)
    for fence in plan.fences:
        ask = Ask.DISABLE if fence.disable else Ask.ENABLE
        about = _about(fence.host, fence.host, Step.FENCE)
        told = {**about, "ask": ask.value, "finding": bounded(fence.kind)}
        yield fence.host, Said("is due", ask.value, told)
    for step in plan.steps:
        about = _about(step.server, step.host, step.step)
        same = f"{step.step} {step.host}"
        told = {**about, "finding": bounded(step.kind)}
        if step.until:
            told["until"] = step.until
        yield step.server, Said("is due", same, told)
    for release in plan.releases:
        about = _about(release.server, release.host, None)
        asks = [ask.value for ask in release.asks]
        told = {**about, "ask": asks}
        yield release.server, Said("is let go", "let go", told)


def _about(subject: str, host: str, step: Step | None) -> dict[str, JSON]:
    told: dict[str, JSON] = {"host": bounded(host)}
    if subject != host:
        told["server"] = bounded(subject)
    if step is not None:
        told["step"] = step.value
    return told
