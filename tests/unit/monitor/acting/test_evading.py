# SPDX-License-Identifier: Apache-2.0
"""Once is chance; who changes time after time is known."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.monitor.acting.evading import QUIET_CYCLES
from nfv_mla_scheduler.monitor.acting.evading import TIMES
from nfv_mla_scheduler.monitor.acting.evading import Evasions
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.steps import Step


def outcome(subject: str, code: Result = Result.PRECONDITION) -> Outcome:
    return Outcome(subject, "h1", Step.STOP, None, code)


class EvasionsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.evasions = Evasions()

    def note(self, *outcomes: Outcome, cycles: int = 1) -> bool:
        for _ in range(cycles):
            self.evasions.note(outcomes)
        return self.evasions.evades("a")

    def test_three_times_in_a_row(self) -> None:
        self.assertFalse(self.note(outcome("a"), cycles=TIMES - 1))
        self.assertTrue(self.note(outcome("a")))
        self.assertEqual(["a"], list(self.evasions.those()))
        self.assertFalse(self.evasions.evades("b"))

    def test_cycles_count_and_not_requests(self) -> None:
        self.assertFalse(self.note(*[outcome("a")] * 9))

    def test_who_could_be_asked_once_begins_anew(self) -> None:
        for code in Result:
            if code in (Result.PRECONDITION, Result.UNRECORDED):
                continue
            self.note(outcome("a"), cycles=TIMES)
            self.assertFalse(self.note(outcome("a", code)))
            self.assertFalse(self.note(outcome("a"), cycles=TIMES - 1))

    def test_what_cannot_be_recorded_says_nothing_of_a_server(self) -> None:
        unrecorded = outcome("a", Result.UNRECORDED)
        self.assertFalse(self.note(unrecorded, cycles=TIMES))
        self.note(outcome("a"), cycles=TIMES)
        self.assertTrue(self.note(unrecorded, cycles=2 * QUIET_CYCLES))

    def test_who_has_to_be_forced_still_evades(self) -> None:
        self.note(outcome("a"), cycles=TIMES)
        forced = dataclasses.replace(outcome("a", Result.DONE), forced=True)
        self.assertTrue(self.note(forced, cycles=2 * QUIET_CYCLES))
        self.assertFalse(self.note(outcome("a", Result.DONE)))

    def test_who_is_quiet_in_between_is_not_forgotten_at_once(self) -> None:
        for _ in range(TIMES):
            self.note(outcome("a"))
            self.note(cycles=QUIET_CYCLES - 1)
        self.assertTrue(self.evasions.evades("a"))
        self.assertFalse(self.note())


if __name__ == "__main__":
    unittest.main()
