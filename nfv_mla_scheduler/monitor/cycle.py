# SPDX-License-Identifier: Apache-2.0
"""One cycle of the monitor: observe, judge, plan, act.

Touches the parts that it is given, and no clock but for how long each of them
took.  A part that fails leaves the cycle going on with what is known; what it
lacked is in the cycle's report, in one line (``tries.py``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping

from nfv_mla_scheduler.model import NEVER
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.cleaning.departures import Dirty
from nfv_mla_scheduler.monitor.cleaning.departures import as_hosts
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.cycle_report import Part
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.holding.unwritten import Unwritten
from nfv_mla_scheduler.monitor.interfaces import CleanUp
from nfv_mla_scheduler.monitor.interfaces import Court
from nfv_mla_scheduler.monitor.interfaces import Eye
from nfv_mla_scheduler.monitor.interfaces import Hand
from nfv_mla_scheduler.monitor.interfaces import Planner
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.monitor.plans import HoldsEdit
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.ruling import Bounds
from nfv_mla_scheduler.monitor.ruling import Ruling
from nfv_mla_scheduler.monitor.sealed import sealed_servers
from nfv_mla_scheduler.monitor.tries import RoomOnce
from nfv_mla_scheduler.monitor.tries import Tries
from nfv_mla_scheduler.results.view import Snapshot

CLOCK_JUMP_S = 5.0
CLOCK_HOLD_S = 60.0

# How the observer says that it saw no servers, or nothing.
_BLIND = ("servers (", "everything")


class Cycle:
    """Runs cycles, one at a time.

    :param snapshot: returns the newest policy and results
    :param holds: returns what people said
    :param edit: writes what is held from now on
    :param room: asks Placement for room; raises what it likes
    :param hand: None: nothing is ever done
    :param picture_max_age_s: beyond which a picture is good for fences only
    :param clean_up: None: nobody keeps account of departures
    :param announce: records what is found and planned, before it is done
    """

    def __init__(
        self,
        eye: Eye,
        court: Court,
        planner: Planner,
        hand: Hand | None,
        *,
        snapshot: Callable[[], Snapshot],
        holds: Callable[[], Holds],
        edit: Callable[[HoldsEdit, Instant], object],
        room: Callable[[Mapping[str, int]], frozenset[str]],
        picture_max_age_s: float,
        clean_up: CleanUp | None = None,
        announce: Callable[[CycleReport], None] = lambda _report: None,
    ) -> None:
        self._eye = eye
        self._court = court
        self._planner = planner
        self._hand = hand
        self._snapshot = snapshot
        self._holds = holds
        self._edit = edit
        self._room = room
        self._picture_max_age_s = picture_max_age_s
        self._clean_up = clean_up
        self._announce = announce
        self._dirty: tuple[Dirty, ...] | None = None
        self._picture: Picture | None = None
        self._seen_at: Instant = NEVER
        self._seen_monotonic = NEVER
        self._clocks: tuple[Instant, float] | None = None
        self._jumped = NEVER
        self._outdated = False
        self._unwritten = Unwritten()

    def run(
        self, now: Instant, monotonic: float, observe: bool = True
    ) -> CycleReport:
        """Run one cycle.

        :param observe: False: judge and act by the last picture, since it is
            policy or results that are new
        """
        tries = Tries()
        bounds = self._watch_clocks(now, monotonic)
        # What was done since the last look is not in the picture.
        observe = observe or self._outdated or self._picture is None
        if observe:
            tries.take(Part.OBSERVE, lambda: self._look(now, monotonic))
        bounds = dataclasses.replace(bounds, stale=self._stale(monotonic))
        snapshot = self._snapshot()
        said = tries.take(Part.READ_HOLDS, self._holds)
        holds = said or Holds(fault="what people said cannot be read")
        holds = self._unwritten.over(holds)
        if holds.fault:
            tries.failed(Part.READ_HOLDS, "holds", holds.fault)
        report = CycleReport(
            now,
            observe,
            snapshot,
            holds,
            self._picture,
            self._seen_at,
            sealed=sealed_servers(snapshot, self._picture),
            dirty=self._dirty,
        )
        report = self._go_on(report, bounds, tries)
        return dataclasses.replace(report, failures=tries.failures)

    def _go_on(
        self, report: CycleReport, bounds: Bounds, tries: Tries
    ) -> CycleReport:
        """Judge, plan and act by a picture, if there is any."""
        picture, snapshot = report.picture, report.snapshot
        if picture is None:
            return report
        now, monotonic = bounds.now, bounds.monotonic
        room = RoomOnce(self._room, tries)
        ruling = tries.take(
            Part.JUDGE,
            lambda: self._court.rule(picture, snapshot, now, monotonic, room),
        )
        if ruling is None:
            return report
        self._look_at_departures(picture, snapshot, now, tries)
        ruling = dataclasses.replace(ruling, dirty=as_hosts(self._dirty or ()))
        report = dataclasses.replace(report, ruling=ruling, dirty=self._dirty)
        plan = tries.take(
            Part.PLAN,
            lambda: self._planner.plan(
                picture, snapshot, ruling, report.holds, bounds, room
            ),
        )
        if plan is None:
            return report
        report = dataclasses.replace(
            report, ruling=_told(ruling, plan), plan=plan
        )
        known = report
        tries.take(Part.RECORD, lambda: self._announce(known))
        outcomes = self._act(plan, picture, report, tries)
        return dataclasses.replace(report, outcomes=outcomes)

    def _look_at_departures(
        self,
        picture: Picture,
        snapshot: Snapshot,
        now: Instant,
        tries: Tries,
    ) -> None:
        """Keep account of hosts that are dirty; else all is as it was."""
        clean_up = self._clean_up
        if clean_up is None:
            return
        found = tries.take(
            Part.CLEAN_UP, lambda: clean_up.look(picture, snapshot, now)
        )
        self._dirty = self._dirty if found is None else found
        if clean_up.fault:
            tries.failed(Part.CLEAN_UP, "departures", clean_up.fault)

    def _look(self, now: Instant, monotonic: float) -> None:
        picture = self._eye.look(now, monotonic)
        self._picture = picture
        if not any(what.startswith(_BLIND) for what in picture.missing):
            self._seen_at, self._seen_monotonic = now, monotonic

    def _act(
        self,
        plan: Plan,
        picture: Picture,
        report: CycleReport,
        tries: Tries,
    ) -> tuple[Outcome, ...]:
        """Write what is held, then do what is planned.

        What cannot be held may not begin; all else may.
        """
        hand, now = self._hand, report.at
        if hand is None:
            return ()
        if not self._write(self._unwritten.joined(plan.holds), now, tries):
            plan = _without_doubtful(plan)
        done = tries.take(
            Part.ACT,
            lambda: hand.carry_out(plan, picture, now, report.sealed),
        )
        self._outdated = bool(done)
        if plan.traits:
            self._eye.touched_traits({edit.trait for edit in plan.traits})
        return done or ()

    def _write(self, edit: HoldsEdit, now: Instant, tries: Tries) -> bool:
        """Write what has to outlive this cycle; return whether all is held."""
        if edit.empty:
            return True
        done = tries.take(Part.WRITE_HOLDS, lambda: (self._edit(edit, now),))
        if done is not None:
            self._unwritten.written()
            return True
        self._unwritten.keep(edit, now)
        return not (edit.suspects or edit.braked)

    def _stale(self, monotonic: float) -> bool:
        return monotonic - self._seen_monotonic > self._picture_max_age_s

    def _watch_clocks(self, now: Instant, monotonic: float) -> Bounds:
        """Notice when one of the clocks was set."""
        before, self._clocks = self._clocks, (now, monotonic)
        if before is not None:
            passed = (now - before[0]) - (monotonic - before[1])
            if abs(passed) > CLOCK_JUMP_S:
                self._jumped = monotonic
        jumped = monotonic - self._jumped < CLOCK_HOLD_S
        return Bounds(now, monotonic, clock_jumped=jumped)


def _without_doubtful(plan: Plan) -> Plan:
    """Return a plan without what must not begin unless it can be held."""
    return dataclasses.replace(
        plan,
        steps=tuple(s for s in plan.steps if s.server not in plan.doubtful),
    )


def _told(ruling: Ruling, plan: Plan) -> Ruling:
    """Return what was found, with what is only known once it is planned."""
    if not plan.tampered:
        return ruling
    tampered = (*ruling.verdict.tampered, *plan.tampered)
    verdict = dataclasses.replace(ruling.verdict, tampered=tampered)
    return dataclasses.replace(ruling, verdict=verdict)
