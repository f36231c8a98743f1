# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong for a whole cloud at once, nobody empties it.

From what authorities say, by judging in earnest, to a plan.
"""

from __future__ import annotations

import dataclasses
import unittest

from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.monitor.holding.holds import Holds
from nfv_mla_scheduler.monitor.marking.locks import Marks
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.planning.heard import evidence
from nfv_mla_scheduler.monitor.planning.plan import plan
from nfv_mla_scheduler.monitor.planning.progress import DEADLINES_S
from nfv_mla_scheduler.monitor.planning.recall import Recall
from nfv_mla_scheduler.monitor.planning.shares import BINDINGS
from nfv_mla_scheduler.monitor.plans import Plan
from nfv_mla_scheduler.monitor.steps import Why
from nfv_mla_scheduler.policy.values import Guard
from tests.unit.drafts import NOW
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import silent
from tests.unit.monitor import situations
from tests.unit.monitor.scene import Scene
from tests.unit.monitor.scene import server
from tests.unit.monitor.scene import uuid

MANY = 12
GUARD = Guard(5, 2, 2, 2, 20)


class MassTest(unittest.TestCase):
    """A cloud of which every host has one server that asks for a TPM."""

    def setUp(self) -> None:
        draft = asking(MANY, capability__tpm="required")
        draft.authorities["ver"] = dataclasses.replace(
            draft.authorities["ver"], vouches=frozenset()
        )
        for number in range(1, MANY + 1):
            silent(draft, "hsm", f"h{number}")
        self.scene = Scene(draft)
        for number in range(1, MANY + 1):
            self.scene.add(server(number, f"h{number}", self.scene.asked()))
        self.marks = Marks({}, {})
        self.holds = Holds()
        self.recall = Recall()
        self.assertEqual((), self.plan(NOW).steps)
        self.assertEqual({self.scene.policy.digest}, set(self.holds.settled))

    def plan(self, now: Instant) -> Plan:
        """Look, judge, plan, and write what is held."""
        scene = self.scene
        verdict = scene.look(now)
        policy = dataclasses.replace(scene.policy, guard=GUARD)
        picture = dataclasses.replace(scene.picture(), full_at=now)
        out = plan(
            situations.situation(
                now=now,
                policy=policy,
                picture=picture,
                verdict=verdict,
                marks=self.marks,
                somewhere=dict.fromkeys(picture.servers, True),
                evidence=evidence(scene.snapshot, self.marks, picture),
                holds=self.holds,
                deadlines_s=DEADLINES_S,
                residents=self.recall.residents(picture, verdict),
                before=self.recall.before(
                    policy.digest,
                    self.holds.braked.get(policy.digest),
                    verdict,
                    self.marks.servers,
                    now,
                ),
            )
        )
        suspects = {
            name: at
            for name, at in self.holds.suspects.items()
            if name not in out.holds.cleared
        }
        suspects.update(dict.fromkeys(out.holds.suspects, now))
        braked, settled = dict(self.holds.braked), dict(self.holds.settled)
        if out.holds.braked:
            braked[out.holds.braked] = now
        if out.holds.settled:
            settled[out.holds.settled] = now
        self.holds = dataclasses.replace(
            self.holds, suspects=suspects, braked=braked, settled=settled
        )
        for fence in out.fences:
            self._fence(fence.host, fence.disable, now)
        return out

    def _fence(self, host: str, disable: bool, now: Instant) -> None:
        nodes = dict(self.marks.nodes)
        if disable:
            nodes[host] = Mark(Code.FENCE, "0123abcd", now, now, "enabled")
        else:
            del nodes[host]
        self.marks = Marks({}, nodes)
        self.scene.nodes[host] = dataclasses.replace(
            self.scene.nodes[host], enabled=not disable, reason="ours"
        )

    def restart(self) -> None:
        self.scene.restart()
        self.recall = Recall()

    def _nobody_is_touched(self, restarts: bool) -> None:
        """For longer than any profile leaves, with restarts in between."""
        for passed_s in (1.0, 11.0, 300.0, 620.0, 700.0):
            self.scene.heard(NOW + passed_s - 0.5)
            if restarts:
                self.restart()
            out = self.plan(NOW + passed_s)
            self.assertEqual(((), ()), (out.steps, out.releases), passed_s)
            self.assertEqual([], [f for f in out.fences if not f.disable])
            self.assertEqual(
                MANY, len({h.subject for h in out.held} & out.doubtful)
            )

    def test_a_policy_that_asks_for_what_nobody_attests(self) -> None:
        for restarts in (False, True):
            with self.subTest(restarts=restarts):
                self.setUp()
                self.scene.draft.floor = {"capability.hsm": "required"}
                self.scene.new_policy()
                self._nobody_is_touched(restarts)
                digest = self.scene.policy.digest
                self.assertIn(digest, self.holds.braked)

    def test_an_authority_that_forgets_a_claim(self) -> None:
        for restarts in (False, True):
            with self.subTest(restarts=restarts):
                self.setUp()
                for number in range(1, MANY + 1):
                    silent(self.scene.draft, "tpm", f"h{number}")
                self._nobody_is_touched(restarts)
                self.assertIn("kl", self.holds.suspects)

    def test_one_that_forgot_it_while_no_monitor_ran(self) -> None:
        for number in range(1, MANY + 1):
            silent(self.scene.draft, "tpm", f"h{number}")
        self.restart()
        self._nobody_is_touched(False)
        self.assertIn("kl", self.holds.suspects)

    def test_it_is_over_once_the_claim_is_back(self) -> None:
        draft = self.scene.draft
        told = {key: dict(each.claims) for key, each in draft.told.items()}
        for number in range(1, MANY + 1):
            silent(draft, "tpm", f"h{number}")
        self._nobody_is_touched(True)
        for key, claims in told.items():
            draft.told[key].claims.update(claims)
        self.scene.heard(NOW + 800)
        out = self.plan(NOW + 801)
        self.assertEqual((), out.steps)
        self.assertEqual({}, self.holds.suspects)

    def test_a_restore_that_gives_each_compute_node_another_uuid(
        self,
    ) -> None:
        for host, it in list(self.scene.nodes.items()):
            self.scene.nodes[host] = dataclasses.replace(
                it, uuid=uuid(9000 + int(host[1:]))
            )
        out = self.plan(NOW + 1)
        self.assertEqual((), out.steps)
        whys = {h.why for h in out.held}
        self.assertEqual({Why.SUSPECT_BINDINGS}, whys)
        self.assertIn(BINDINGS, self.holds.suspects)
        self._nobody_is_touched(True)

    def test_one_host_that_fails_is_answered(self) -> None:
        silent(self.scene.draft, "tpm", "h1")
        out = self.plan(NOW + 1)
        self.assertEqual([uuid(1)], [s.server for s in out.steps])
        self.assertEqual((), out.suspects)


if __name__ == "__main__":
    unittest.main()
