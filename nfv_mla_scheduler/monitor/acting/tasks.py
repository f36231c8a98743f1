# SPDX-License-Identifier: Apache-2.0
"""What is asked about each host and server of a plan, as tasks for the crew.

Speaks to nobody before a task is run.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from nfv_mla_scheduler.monitor.acting.attempt import Attempt
from nfv_mla_scheduler.monitor.acting.attempt import Patience
from nfv_mla_scheduler.monitor.acting.crew import Task
from nfv_mla_scheduler.monitor.acting.hand import Cycle
from nfv_mla_scheduler.monitor.acting.hand import Hand
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.plans import Fence
from nfv_mla_scheduler.monitor.plans import Planned
from nfv_mla_scheduler.monitor.plans import Release
from nfv_mla_scheduler.monitor.steps import Step


def fences(
    wanted: tuple[Fence, ...], cycle: Cycle, patience: Patience
) -> Iterator[Task]:
    """Yield what is to be asked about compute services."""
    for fence in wanted:
        told = {"host": fence.host}
        attempt = Attempt(
            cycle.scribe,
            patience,
            fence.host,
            fence.host,
            Step.FENCE,
            told,
        )

        def do(attempt: Attempt, fence: Fence = fence) -> Outcome:
            insist = cycle.evasions.evades(fence.host)
            cycle.fencer.carry_out(fence, attempt, insist)
            return attempt.outcome(Result.DONE)

        yield Task(fence.service, attempt, do)


def steps(
    hand: Hand, wanted: Iterable[Planned], cycle: Cycle, patience: Patience
) -> Iterator[Task]:
    """Yield the steps about servers; none for those that ask for nothing."""
    for planned in wanted:
        if not (planned.asks or planned.code):
            continue
        attempt = Attempt(
            cycle.scribe,
            patience,
            planned.server,
            planned.host,
            planned.step,
            {"server": planned.server, "host": planned.host},
            cycle.sealed.get(planned.server),
        )

        def do(attempt: Attempt, planned: Planned = planned) -> Outcome:
            return hand.step(planned, attempt, cycle)

        yield Task(planned.server, attempt, do)


def releases(
    hand: Hand, wanted: Iterable[Release], cycle: Cycle, patience: Patience
) -> Iterator[Task]:
    """Yield what is to be asked about servers that are let go."""
    for release in wanted:
        attempt = Attempt(
            cycle.scribe,
            patience,
            release.server,
            release.host,
            None,
            {"server": release.server, "host": release.host},
            cycle.sealed.get(release.server),
        )

        def do(attempt: Attempt, release: Release = release) -> Outcome:
            return hand.release(release, attempt, cycle)

        yield Task(release.server, attempt, do)
