# SPDX-License-Identifier: Apache-2.0
"""A finding is answered by steps that fit what failed."""

from __future__ import annotations

import dataclasses
import unittest

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Conduct
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.planning.playbooks import steps_for
from nfv_mla_scheduler.monitor.steps import Step
from nfv_mla_scheduler.policy.document import read_policy
from nfv_mla_scheduler.standard.catalogue import load
from nfv_mla_scheduler.standard.failure import STEPS
from nfv_mla_scheduler.standard.failure import faults_of
from nfv_mla_scheduler.standard.failure import may_carry
from tests import policies

CATALOGUE = load()
PLAIN = dataclasses.replace(
    read_policy(policies.policy_yaml().encode(), CATALOGUE), playbooks={}
)
REFUSALS = (Refusal(RefusalCode.CONTRAINDICATED),)


def found(
    kind: Kind = Kind.FAILED,
    axis: Axis = Axis.INTEGRITY,
    *,
    evicts: bool = True,
    stop_first: bool = False,
    halt_nowhere: bool = False,
) -> Finding:
    return Finding(
        kind,
        "uuid",
        "edge-1",
        "project",
        axis,
        REFUSALS,
        Conduct(stop_first=stop_first, halt_nowhere=halt_nowhere),
        evicts=evicts,
    )


# finding, playbooks of the policy, the steps
ROWS: tuple[tuple[Finding, dict[str, str], str], ...] = (
    (found(), {}, "fence lock stop alert"),
    (found(Kind.CHANGED), {}, "fence lock stop alert"),
    (found(axis=Axis.CONFIDENTIALITY), {}, "fence lock stop cold-migrate"),
    (
        found(axis=Axis.EXPOSURE),
        {},
        "fence lock live-migrate cold-migrate stop",
    ),
    (found(axis=Axis.PLACE), {}, "fence lock live-migrate cold-migrate stop"),
    # silence is a kind of its own, whatever it is about
    (found(Kind.WITHHELD), {}, "fence lock stop cold-migrate"),
    (found(Kind.OUTAGE, evicts=False), {}, "alert"),
    (found(Kind.OUTAGE, Axis.PLACE, evicts=False), {}, "alert"),
    # the host is well
    (
        found(Kind.MISPLACED, Axis.PLACE),
        {},
        "lock live-migrate cold-migrate stop",
    ),
    (found(Kind.MISPLACED, Axis.INTEGRITY), {}, "lock stop alert"),
    # and so are the others on it
    (
        found(Kind.MISPLACED, Axis.PLACE),
        {"place": "fence lock live-migrate stop power-off evacuate alert"},
        "lock live-migrate stop alert",
    ),
    (
        found(Kind.MISPLACED, Axis.PLACE),
        {"place": "lock live-migrate power-off"},
        "lock live-migrate stop",
    ),
    (
        found(Kind.MISPLACED, Axis.INTEGRITY),
        {"integrity": "lock power-off rebuild-elsewhere"},
        "lock stop",
    ),
    # stop first, and then nothing live
    (
        found(axis=Axis.PLACE, stop_first=True),
        {},
        "fence lock stop cold-migrate",
    ),
    (found(stop_first=True), {}, "fence lock stop alert"),
    (found(Kind.OUTAGE, evicts=False, stop_first=True), {}, "alert"),
    # the policy's own
    (
        found(),
        {"integrity": "lock stop power-off rebuild-elsewhere"},
        "lock stop power-off rebuild-elsewhere",
    ),
    # of another kind of failure: as if there were none
    (found(axis=Axis.PLACE), {"integrity": "lock stop"}, ""),
    (found(Kind.WITHHELD), {"withheld": "lock stop"}, "lock stop"),
    (found(Kind.WITHHELD), {"integrity": "lock stop power-off"}, ""),
    # what halts has a stop in any case
    (
        found(axis=Axis.PLACE),
        {"place": "lock live-migrate power-off"},
        "lock live-migrate stop power-off",
    ),
    (
        found(axis=Axis.PLACE),
        {"place": "lock live-migrate alert"},
        "lock live-migrate stop alert",
    ),
    (
        found(axis=Axis.PLACE, evicts=False),
        {"place": "lock live-migrate power-off"},
        "lock live-migrate power-off",
    ),
    (
        found(axis=Axis.PLACE, stop_first=True),
        {"place": "lock cold-migrate power-off evacuate"},
        "lock stop cold-migrate power-off evacuate",
    ),
    # what failed is not carried over, whatever somebody wrote
    (
        found(),
        {
            "integrity": "lock live-migrate cold-migrate stop power-off "
            "evacuate"
        },
        "lock stop power-off",
    ),
    (
        found(axis=Axis.CONFIDENTIALITY),
        {"confidentiality": "lock live-migrate cold-migrate stop"},
        "lock cold-migrate stop",
    ),
    (
        found(Kind.WITHHELD),
        {"withheld": "lock live-migrate cold-migrate stop"},
        "lock cold-migrate stop",
    ),
)
FINDINGS = st.builds(
    found,
    st.sampled_from(Kind),
    st.sampled_from(Axis),
    evicts=st.booleans(),
    stop_first=st.booleans(),
    halt_nowhere=st.booleans(),
)
PLAYBOOKS = st.dictionaries(
    st.sampled_from(sorted(CATALOGUE.axes_of_failure)),
    st.lists(st.sampled_from(STEPS), min_size=1, unique=True).map(tuple),
)


class StepsForTest(unittest.TestCase):
    def test_row_by_row(self) -> None:
        for finding, playbooks, expected in ROWS:
            with self.subTest(finding=finding, playbooks=playbooks):
                policy = dataclasses.replace(
                    PLAIN,
                    playbooks={
                        k: tuple(v.split()) for k, v in playbooks.items()
                    },
                )
                steps = steps_for(finding, policy, CATALOGUE, True)
                if not expected:
                    plain = steps_for(finding, PLAIN, CATALOGUE, True)
                    self.assertEqual(plain, steps)
                else:
                    said = " ".join(step.value for step in steps)
                    self.assertEqual(expected, said)

    def test_a_host_that_nobody_calls_bad_is_left_on(self) -> None:
        table = (
            ("lock stop power-off rebuild-elsewhere", "lock stop"),
            ("fence lock stop power-off alert", "lock stop alert"),
            ("lock power-off alert", "lock stop alert"),
            ("power-off", "stop"),
        )
        for kind in (Kind.FAILED, Kind.CHANGED):
            for words, expected in table:
                book = {"integrity": tuple(words.split())}
                policy = dataclasses.replace(PLAIN, playbooks=book)
                steps = steps_for(found(kind), policy, CATALOGUE)
                with self.subTest(kind, words=words):
                    said = " ".join(step.value for step in steps)
                    self.assertEqual(expected, said)

    @hypothesis.given(FINDINGS, PLAYBOOKS, st.booleans())
    def test_whatever_somebody_wrote(
        self,
        finding: Finding,
        playbooks: dict[str, tuple[str, ...]],
        closed: bool,
    ) -> None:
        policy = dataclasses.replace(PLAIN, playbooks=playbooks)
        steps = steps_for(finding, policy, CATALOGUE, closed)
        self.assertEqual(len(steps), len(set(steps)))
        name = (
            finding.kind.value
            if finding.kind in (Kind.WITHHELD, Kind.OUTAGE)
            else finding.axis.value
        )
        for step in steps:
            axis = CATALOGUE.axes_of_failure[name]
            self.assertTrue(may_carry(step.value, axis))
        if finding.halts:
            self.assertIn(Step.STOP, steps)
        if finding.conduct.stop_first and Step.STOP in steps:
            self.assertNotIn(Step.LIVE_MIGRATE, steps)
            disturbing = [step for step in steps if step.disturbs]
            self.assertIs(Step.STOP, disturbing[0])
        if finding.kind is Kind.MISPLACED or not closed:
            for word in ("fence", "power-off", "evacuate",
                         "rebuild-elsewhere"):  # fmt: skip
                self.assertNotIn(Step(word), steps)

    @hypothesis.given(FINDINGS)
    def test_the_catalogues_own_stay_sound(self, finding: Finding) -> None:
        steps = steps_for(finding, PLAIN, CATALOGUE, True)
        name = (
            finding.kind.value
            if finding.kind in (Kind.WITHHELD, Kind.OUTAGE)
            else finding.axis.value
        )
        if finding.kind is not Kind.OUTAGE:
            axis = CATALOGUE.axes_of_failure[name]
            words = tuple(step.value for step in steps)
            self.assertEqual([], list(faults_of(words, axis)))
