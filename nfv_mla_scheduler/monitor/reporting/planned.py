# SPDX-License-Identifier: Apache-2.0
"""How things stand by what is planned, held, and asked for in vain.

Pure.  Nothing here speaks of servers of a trust domain whose entries are
sealed (5.0.3, Table 5).
"""

from __future__ import annotations

import collections
from collections.abc import Collection
from collections.abc import Iterable

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.plans import InFlight
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.intended import intentions
from nfv_mla_scheduler.monitor.reporting.wording import count_of
from nfv_mla_scheduler.monitor.reporting.wording import few

_NOT_HALTED = "should have been halted, and is not"


def of_plan(
    plan: Plan, sealed: Collection[str]
) -> dict[Topic, dict[str, Said]]:
    """Return how things stand by a plan.

    :param sealed: UUIDs of servers that nobody is told about
    """
    held: dict[str, list[str]] = collections.defaultdict(list)
    suspects = {bounded(s.name): _suspect(s) for s in plan.suspects}
    if plan.braked is not None:
        suspects["policy"] = _braked(plan.braked, sealed)
    for each in plan.held:
        if each.subject not in sealed:
            held[each.why.value].append(each.subject)
    return {
        Topic.NOT_HALTED: _alarms(plan, sealed),
        Topic.SUSPECT: suspects,
        Topic.REPLACED: {
            uuid: Said(
                "its owner's lock gives way to ours", fields={"server": uuid}
            )
            for uuid in plan.replaced
            if uuid not in sealed
        },
        Topic.HELD: {
            why: Said(
                f"{count_of(len(names), 'step')} held: {few(names)}",
                fields={"why": why, "count": len(names)},
            )
            for why, names in held.items()
        },
        Topic.PLANNED: intentions(plan, sealed),
    }


def of_ledger(
    failing: bool, outcomes: Iterable[Outcome]
) -> dict[Topic, dict[str, Said]]:
    """Return whether steps are not taken since they cannot be recorded.

    :param failing: whether the ledger has not been written for some time
    """
    left = sum(o.code is Result.UNRECORDED and not o.sealed for o in outcomes)
    if not (left or failing):
        return {Topic.LEDGER: {}}
    return {
        Topic.LEDGER: {
            "ledger": Said(
                "cannot be written: no step is taken before it can be"
            )
        }
    }


def of_evasions(
    evasions: Evasions, sealed: Collection[str]
) -> dict[Topic, dict[str, Said]]:
    """Return who changes each time before anything can be asked.

    :param sealed: UUIDs of servers that nobody is told about
    """
    return {
        Topic.EVADES: {
            bounded(subject): Said(
                f"{_on(outcome)}is never as it was a moment before, so that "
                f"{_step(outcome)} is not asked for: {outcome.text}",
                _step(outcome),
            )
            for subject, outcome in evasions.those().items()
            if subject not in sealed and not outcome.sealed
        }
    }


def _on(outcome: Outcome) -> str:
    return f"on {bounded(outcome.host)} " if outcome.host else ""


def _step(outcome: Outcome) -> str:
    return outcome.step.value if outcome.step else "its release"


def _suspect(share: Share) -> Said:
    """Return what is said of an authority, or of what the policy binds."""
    hosts = count_of(share.of, "host")
    what = f"fails for {share.failing} of {hosts} at once"
    if share.name == BINDINGS:
        what = f"{share.failing} of {hosts} are not those that are bound"
    return Said(
        f"{what}: nothing is evicted for it before a person has released it",
        fields={"failing": share.failing, "of": share.of},
    )


def _braked(share: Share, sealed: Collection[str]) -> Said:
    """Return what is said of a brake: it counts more than it says."""
    failing = share.failing - sum(uuid in sealed for uuid in share.found)
    of = share.of - sum(uuid in sealed for uuid in share.asking)
    return Said(
        f"{failing} of {count_of(of, 'server')} are newly found under it: "
        "nothing is evicted for that before a person has released it",
        share.name,
        {"failing": failing, "of": of},
    )


def _alarms(plan: Plan, sealed: Collection[str]) -> dict[str, Said]:
    """Return what is not halted, by server.

    By no more than the host, and once, where nobody is told about any of its
    servers: an alarm that nobody hears would be none.
    """
    told = {
        each.server: _not_halted(each)
        for each in plan.not_halted
        if each.server not in sealed
    }
    named = {e.host for e in plan.not_halted if e.server in told}
    for host in {e.host for e in plan.not_halted} - named:
        # that is for people: records are where the server's are
        told[f"on {bounded(host)}"] = Said(_NOT_HALTED, host, recorded=False)
    return told


def _not_halted(each: InFlight) -> Said:
    return Said(
        f"on {bounded(each.host)}: {_NOT_HALTED}",
        each.host,
        {
            "server": each.server,
            "host": bounded(each.host),
            "step": each.step.value,
            "since": each.since,
            "halt_by": each.halt_by,
        },
    )
