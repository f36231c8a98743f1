# SPDX-License-Identifier: Apache-2.0
"""How one authority stands, told once for each change.

Pure but for its memory.  Only an answer about all hosts decides: one about a
few that were asked for in between says nothing of the others.
"""

from __future__ import annotations

import dataclasses
import enum
import re

from nfv_mla_scheduler.collector.damper import Damper
from nfv_mla_scheduler.collector.values import Changes
from nfv_mla_scheduler.collector.values import Outcome
from nfv_mla_scheduler.collector.values import Task
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import AuthorityError
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.feed.news import TEXT_MAX
from nfv_mla_scheduler.feed.news import News
from nfv_mla_scheduler.model import Instant

TOLD_MAX = 8
LATE_AFTER_CADENCES = 2

FRESH = "authority-fresh"
LATE = "authority-late"
REFUSED = "authority-results-refused"
ALL_TAKEN = "authority-results-taken"
NOTED = "authority-claims-noted"
ALL_PLAIN = "authority-claims-plain"
CLOCK = "authority-clock"

_CODE = re.compile(r"([a-z]+(?:-[a-z]+)+): ")


class State(enum.Enum):
    """How an authority stands."""

    STARTING = "starting"
    FRESH = "fresh"
    LATE = "late"
    FAILING = "failing"


class Standing:
    """What is known of one authority's answers.

    :ivar since: when the state began
    :ivar code: why it is not fresh; empty when it is, or never was asked
    :ivar reason: the same in words
    :ivar problems: how many results of the last answer were not taken
    :ivar notes: how much there is to know of those that were
    :ivar skew_s: how far its clock is ahead of ours; None: it did not say
    :ivar last_poll_s: how long the last question took
    :ivar polls: questions that have ended, well or not
    :ivar has_ended: whether one about all hosts has
    :ivar failures: those that ended without an answer
    """

    def __init__(self, name: str, max_skew_s: float, now: Instant) -> None:
        self.name = name
        self.task: Task | None = None
        self.state = State.STARTING
        self.since = now
        self.code = self.reason = ""
        self.last_success_at: Instant | None = None
        self.problems = self.notes = 0
        self.has_ended = False
        self.skew_s: float | None = None
        self.last_poll_s = 0.0
        self.polls = self.failures = 0
        self._max_skew_s = max_skew_s
        self._heard_at = now
        self._on_state = Damper()
        self._on_problems = Damper()
        self._on_notes = Damper()
        self._on_clock = Damper()
        self._refused_before = self._skewed_before = False
        self._noted_before = False

    def assign(
        self, task: Task | None, now: Instant, code: str = "", reason: str = ""
    ) -> tuple[News, ...]:
        """Note what the policy wants; None: nothing, for that reason."""
        was, self.task = self.task, task
        if task is None:
            self._become(State.STARTING, now, code, reason)
            return self._tell(False, f"is not asked: {reason}", now)
        if was is None:
            self._heard_at = now
            self._become(State.STARTING, now)
        return ()

    def ended(
        self, outcome: Outcome, changes: Changes, now: Instant
    ) -> tuple[News, ...]:
        """Note how a question ended, and return what is news."""
        self.polls += 1
        self.last_poll_s = outcome.took_s
        if outcome.collected is None:
            self.failures += 1
        if self.task is None or outcome.inquiry.targeted:
            return self.passed(now)
        self.has_ended = True
        if outcome.collected is None:
            return self._fail(outcome.code, outcome.reason, now)
        self.skew_s = outcome.collected.skew_s
        self.problems = len(changes.problems)
        self.notes = len(changes.notes)
        news = (
            *self._about_problems(changes.problems, now),
            *self._about_notes(changes.notes, now),
            *self._clock(now),
        )
        if not changes.taken and changes.problems:
            first = changes.problems[0]
            said = f"none of its results is taken, the first for: {first}"
            return (*news, *self._fail(_code(first), said, now))
        return (*news, *self._succeed(changes.taken, now))

    def passed(self, now: Instant) -> tuple[News, ...]:
        """Note that time has passed, and return what is news."""
        news = (
            *self._on_state.passed(now),
            *self._on_problems.passed(now),
            *self._on_notes.passed(now),
            *self._on_clock.passed(now),
        )
        # a clock that was set back must not make us wait for its return
        self._heard_at = min(self._heard_at, now)
        if self.task is None or self.state in (State.LATE, State.FAILING):
            return news
        silent_s = now - self._heard_at
        if silent_s <= LATE_AFTER_CADENCES * self.task.cadence_s:
            return news
        reason = (
            f"has not answered for {_span(silent_s)}, and no failure either; "
            f"its cadence is {self.task.cadence_s:g} s"
        )
        self._become(State.LATE, now, LATE, reason)
        return (*news, *self._tell(False, reason, now))

    def _succeed(self, taken: int, now: Instant) -> tuple[News, ...]:
        before, since = self.state, self.since
        self.last_success_at = self._heard_at = now
        if before is State.FRESH:
            return self._on_state.passed(now)
        self._become(State.FRESH, now)
        text = f"answers, with {taken} results"
        if before is not State.STARTING:
            text += f", after it was {before.value} for {_span(now - since)}"
        return self._tell(True, text, now)

    def _fail(self, code: str, reason: str, now: Instant) -> tuple[News, ...]:
        reason = bounded(reason, LINE_MAX)
        if self.state is State.FAILING:
            self.code, self.reason = code, reason
        else:
            self._become(State.FAILING, now, code, reason)
        return self._tell(False, reason, now)

    def _become(
        self, state: State, now: Instant, code: str = "", reason: str = ""
    ) -> None:
        self.state, self.since = state, now
        self.code, self.reason = code, reason

    def _tell(self, good: bool, text: str, now: Instant) -> tuple[News, ...]:
        key = (self.state, self.code)
        code = self.code or FRESH
        news = self._news("", good, code, text)
        facts = {"authority": self.name, "state": self.state.value}
        news = dataclasses.replace(news, facts=facts)
        return self._on_state.say(key, news, now)

    def _about_problems(
        self, problems: tuple[Problem, ...], now: Instant
    ) -> tuple[News, ...]:
        """Say which results are not taken, a few of them."""
        if not problems and not self._refused_before:
            return ()
        self._refused_before = True
        few = problems[:TOLD_MAX]
        key = (len(problems), tuple((p.path, _code(p)) for p in few))
        text = "all of its results are taken again"
        if problems:
            text = f"{len(problems)} not taken: " + "; ".join(map(str, few))
        code = REFUSED if problems else ALL_TAKEN
        news = self._news(" results", not problems, code, text)
        return self._on_problems.say(key, news, now)

    def _about_notes(
        self, notes: tuple[Problem, ...], now: Instant
    ) -> tuple[News, ...]:
        """Say what is to be known of results that are taken, some of it."""
        if not notes and not self._noted_before:
            return ()
        self._noted_before = True
        few = notes[:TOLD_MAX]
        text = "there is nothing to be said of its results any more"
        if notes:
            text = "taken, but " + "; ".join(map(str, few))
        code = NOTED if notes else ALL_PLAIN
        news = self._news(" claims", not notes, code, text)
        return self._on_notes.say((len(notes), few), news, now)

    def _clock(self, now: Instant) -> tuple[News, ...]:
        """Say that the authority's clock is far from ours, or is no more."""
        skew_s = self.skew_s or 0.0
        far = abs(skew_s) > self._max_skew_s
        if not far and not self._skewed_before:
            return ()
        self._skewed_before = True
        side = "ahead of" if skew_s > 0 else "behind"
        text = f"its clock is {abs(skew_s):.0f} s {side} ours"
        news = self._news(" clock", not far, CLOCK, text)
        return self._on_clock.say(far, news, now)

    def _news(self, about: str, good: bool, code: str, text: str) -> News:
        subject = f"authority {self.name}{about}"
        return News(subject, good, code, bounded(text, TEXT_MAX))


def _code(problem: Problem) -> str:
    """Return the code with which the message of a problem begins."""
    found = _CODE.match(problem.message)
    return found[1] if found else AuthorityError.code


def _span(seconds: float) -> str:
    """Return a length of time in the largest unit that says it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
