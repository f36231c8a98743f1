# SPDX-License-Identifier: Apache-2.0
"""What is said of a cycle: each change once, and never too much."""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Conduct
from nfv_mla_scheduler.monitor.findings import Copied
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.findings import Tampered
from nfv_mla_scheduler.monitor.findings import Verdict
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.outcomes import Outcome
from nfv_mla_scheduler.monitor.outcomes import Result
from nfv_mla_scheduler.monitor.plans import Held
from nfv_mla_scheduler.monitor.plans import InFlight
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.plans import Share
from nfv_mla_scheduler.monitor.reporting.changes import Said
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.found import of_verdict
from nfv_mla_scheduler.monitor.reporting.lines import TOPICS
from nfv_mla_scheduler.monitor.reporting.lines import Code
from nfv_mla_scheduler.monitor.reporting.lines import Line
from nfv_mla_scheduler.monitor.reporting.lines import Loudness
from nfv_mla_scheduler.monitor.reporting.planned import of_ledger
from nfv_mla_scheduler.monitor.reporting.planned import of_plan
from nfv_mla_scheduler.monitor.reporting.report import Reports
from nfv_mla_scheduler.monitor.reporting.status import Process
from nfv_mla_scheduler.monitor.reporting.status import status
from nfv_mla_scheduler.monitor.reporting.tally import Tally
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.standard.catalogue import load

WHY = Refusal(RefusalCode.CONTRAINDICATED, "tpm", "6.17", "lab")


def finding(
    server: str = "u1", kind: Kind = Kind.FAILED, sealed: bool = False
) -> Finding:
    return Finding(
        kind,
        server,
        "h1",
        "p1",
        Axis.INTEGRITY,
        (WHY,),
        Conduct(),
        frozenset(("lab",)),
        sealed=sealed,
    )


def verdict(*found: Finding) -> Verdict:
    nothing = frozenset[str]()
    servers = {each.server: each for each in found}
    return Verdict(servers, {}, {}, frozenset(), (), (), nothing, nothing)


class ReportTest(unittest.TestCase):
    def setUp(self) -> None:
        self.lines: list[Line] = []
        self.reports = Reports(self.lines.append)

    def said(self) -> list[Code]:
        found = [line.code for line in self.lines]
        self.lines.clear()
        return found

    def test_every_topic_begins_and_is_over_once(self) -> None:
        self.assertEqual(set(Topic), set(TOPICS))
        for topic, way in TOPICS.items():
            with self.subTest(topic.value):
                now = {topic: {"x": Said("is so")}}
                self.reports.report(now)
                begins = [] if way.begins is None else [way.begins]
                self.assertEqual(begins, self.said())
                self.reports.report(now)
                self.assertEqual([], self.said())
                self.reports.report({topic: {}})
                over = [] if way.over is None else [way.over]
                self.assertEqual(over, self.said())

    def test_what_is_not_known_is_as_it_was(self) -> None:
        self.reports.report(of_verdict(verdict(finding())))
        self.said()
        self.reports.report({})
        self.assertEqual([], self.said())
        self.reports.report(of_verdict(verdict()))
        self.assertEqual([Code.FINDING_OVER], self.said())

    def test_a_finding_of_another_kind_is_news(self) -> None:
        self.reports.report(of_verdict(verdict(finding())))
        other = finding(kind=Kind.MISPLACED)
        self.reports.report(of_verdict(verdict(other)))
        self.assertEqual([Code.FINDING, Code.FINDING], self.said())

    def test_what_differs_by_its_clause_alone_is_said_once(self) -> None:
        again = dataclasses.replace(WHY, clause="5.1.1")
        other = dataclasses.replace(WHY, capability="hsm")
        found = dataclasses.replace(finding(), refusals=(WHY, again, other))
        self.reports.report(of_verdict(verdict(found)))
        [line] = self.lines
        self.assertTrue(
            line.text.endswith(
                ": contraindicated tpm by lab, contraindicated hsm by lab"
            ),
            line.text,
        )

    def test_a_host_is_not_said_to_be_on_itself(self) -> None:
        done = Outcome("h1", "h1", Step.FENCE, Ask.DISABLE, Result.DONE)
        self.reports.report({}, [done])
        [line] = self.lines
        self.assertEqual("fence of h1, asked for disable", line.text)

    def test_an_outage_is_one_line_however_many_servers(self) -> None:
        found = [finding(f"u{i}", Kind.OUTAGE) for i in range(500)]
        self.reports.report(of_verdict(verdict(*found)))
        [line] = self.lines
        self.assertIn("500 servers", line.text)
        self.assertIn("lab", line.text)
        self.said()
        self.reports.report(of_verdict(verdict(*found[:400])))
        self.assertEqual([], self.said())

    def test_many_findings_do_not_fill_the_log(self) -> None:
        found = [finding(f"u{i}") for i in range(500)]
        self.reports.report(of_verdict(verdict(*found)))
        self.assertEqual(21, len(self.lines))
        self.assertEqual("and 480 more", self.lines[-1].text)

    def test_lines_are_bounded_and_printable(self) -> None:
        bad = Tampered("trait", "CUSTOM_\n" + "X" * 300, "\x1b[2J" * 100)
        found = dataclasses.replace(
            verdict(finding()),
            tampered=(bad,),
            copied=(Copied("u1", "p1", "\n" * 200, 1.0, "r" * 99, "p2"),),
        )
        self.reports.report(of_verdict(found))
        self.assertEqual(3, len(self.lines))
        for line in self.lines:
            self.assertLessEqual(len(line.text), LINE_MAX)
            self.assertTrue(line.text.isprintable())

    def test_not_halted_is_the_loudest_and_comes_first(self) -> None:
        late = InFlight("u1", "h1", Step.STOP, State.NOT_HALTED, 0.0, 1.0)
        held = Held("u2", "h1", Step.STOP, Why.PER_HOST)
        plan = Plan(not_halted=(late,), held=(held,))
        now = {
            **of_verdict(verdict(finding())),
            **of_plan(plan, frozenset()),
        }
        self.reports.report(now)
        self.assertIs(Loudness.ALARM, self.lines[0].loudness)
        self.assertEqual(
            [Code.NOT_HALTED, Code.FINDING, Code.HELD], self.said()
        )

    def test_held_steps_are_said_by_why_and_not_one_by_one(self) -> None:
        held = [Held(f"u{i}", "h1", Step.STOP, Why.PER_HOST) for i in range(9)]
        plan = Plan(held=(*held, Held("v", "h2", Step.STOP, Why.PAUSED)))
        self.reports.report(of_plan(plan, frozenset()))
        self.assertEqual([Code.HELD, Code.HELD], self.said())

    def test_nothing_is_said_of_what_is_sealed(self) -> None:
        late = InFlight("u1", "h1", Step.STOP, State.NOT_HALTED, 0.0, 1.0)
        held = Held("u1", "h1", Step.STOP, Why.PER_HOST)
        found = verdict(finding(sealed=True))
        sealed = frozenset(("u1",))
        now = {
            **of_verdict(found),
            **of_plan(Plan(not_halted=(late,), held=(held,)), sealed),
        }
        done = Outcome("u1", "h1", Step.STOP, Ask.STOP, Result.DONE)
        self.reports.report(now, (done,), sealed)
        self.assertEqual([Code.NOT_HALTED], self.said())

    def test_what_is_sealed_and_not_halted_is_an_alarm_without_a_name(
        self,
    ) -> None:
        late = [
            InFlight(f"u{n}", host, Step.STOP, State.NOT_HALTED, 0.0, 1.0)
            for n, host in enumerate(("h1", "h1", "h2", "h2"))
        ]
        plan = Plan(not_halted=tuple(late))
        sealed = frozenset(("u0", "u1", "u3"))
        self.reports.report(of_plan(plan, sealed))
        # where another alarm is about the host it would only say more
        self.assertEqual(
            [
                "server on h1 should have been halted, and is not",
                "server u2 on h2: should have been halted, and is not",
            ],
            [line.text for line in self.lines],
        )
        for line in self.lines:
            self.assertIs(Loudness.ALARM, line.loudness)
        self.lines.clear()
        fewer = dataclasses.replace(plan, not_halted=tuple(late[1:2]))
        self.reports.report(of_plan(fewer, sealed))
        self.assertEqual([Code.HALTED], self.said())
        self.reports.report(of_plan(Plan(), sealed))
        self.assertEqual([Code.HALTED], self.said())

    def test_a_brake_does_not_say_how_many_are_sealed(self) -> None:
        found = frozenset(("u1", "u2", "u3"))
        share = Share("d1", 3, 5, found, found | {"u4", "u5"})
        said = of_plan(Plan(braked=share), frozenset(("u2", "u3", "u5")))
        policy = said[Topic.SUSPECT]["policy"]
        self.assertTrue(policy.text.startswith("1 of 2 servers "))
        self.assertEqual({"failing": 1, "of": 2}, policy.fields)

    def test_a_step_that_is_not_recorded_is_one_loud_alarm(self) -> None:
        left = Outcome("u1", "h1", Step.STOP, Ask.STOP, Result.UNRECORDED)
        others = [dataclasses.replace(left, subject=f"v{n}") for n in range(9)]
        for _ in range(3):
            now = of_ledger(False, (left, *others))
            self.reports.report(now, (left, *others))
        alarms = [x for x in self.lines if x.loudness is Loudness.ALARM]
        (alarm,) = alarms
        self.assertIs(Code.UNRECORDED, alarm.code)
        self.assertEqual(
            "the ledger cannot be written: no step is taken before it can be",
            alarm.text,
        )
        self.lines.clear()
        self.reports.report(of_ledger(False, ()))
        self.assertEqual([Code.RECORDED], self.said())

    def test_the_alarm_does_not_say_that_sealed_steps_are_due(self) -> None:
        left = Outcome(
            "u1", "h1", Step.STOP, Ask.STOP, Result.UNRECORDED, sealed=True
        )
        self.reports.report(of_ledger(False, (left,)), (left,))
        self.assertEqual([], self.said())
        self.reports.report(of_ledger(True, ()))
        self.assertEqual([Code.UNRECORDED], self.said())

    def test_of_what_became_of_a_sealed_server_nothing_is_counted(
        self,
    ) -> None:
        # it may be gone from the cloud by the time that it has ended
        late = Outcome(
            "u1", "h1", Step.STOP, Ask.STOP, Result.REFUSED, sealed=True
        )
        tally = Tally()
        tally.add((late,))
        self.assertEqual({}, tally.steps)
        for _ in range(5):
            evades = dataclasses.replace(late, code=Result.PRECONDITION)
            self.reports.report({}, (late, evades))
        self.assertEqual([], self.said())
        done = CycleReport(
            1.0, True, view.empty(load()), Holds(), outcomes=(late,)
        )
        found = status(1.0, Process(0.0, "all"), done, tally)
        self.assertEqual(0, found["cycle"]["failures"])

    def test_who_changes_each_time_is_told_once(self) -> None:
        unmet = Outcome(
            "u1", "h1", Step.STOP, None, Result.PRECONDITION, "its state"
        )
        said = []
        for _ in range(5):
            self.reports.report({}, (unmet,))
            said.append(self.said())
        self.assertEqual([[], [], [Code.EVADES], [], []], said)
        done = dataclasses.replace(unmet, code=Result.DONE, ask=Ask.STOP)
        self.reports.report({}, (done,))
        self.assertEqual([Code.EVADES_OVER, Code.STEP_DONE], self.said())

    def test_of_who_is_sealed_not_even_that_is_told(self) -> None:
        unmet = Outcome("u1", "h1", Step.STOP, None, Result.PRECONDITION)
        for _ in range(5):
            self.reports.report({}, (unmet,), frozenset(("u1",)))
        self.assertEqual([], self.said())

    def test_a_step_that_fails_alike_again_is_said_once(self) -> None:
        fails = Outcome(
            "u1", "h1", Step.STOP, Ask.STOP, Result.CONFLICT, "busy"
        )
        for _ in range(3):
            self.reports.report({}, (fails,))
        self.assertEqual([Code.STEP_FAILED], self.said())
        done = Outcome("u1", "h1", Step.STOP, Ask.STOP, Result.DONE)
        release = Outcome("u1", "h1", None, Ask.UNLOCK, Result.DONE)
        trait = Outcome("p1", "", None, None, Result.UNAVAILABLE, "503")
        self.reports.report({}, (done, release, trait))
        self.assertEqual(
            [Code.STEP_DONE, Code.RELEASED, Code.TRAIT_FAILED], self.said()
        )
        self.reports.report({}, (fails,))
        self.assertEqual([Code.STEP_FAILED], self.said())
